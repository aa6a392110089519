// PresenceTest: a PresenceSet, a clock that tests move by hand, and words in which its tests read
// as sentences. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/presence.h"

namespace anywire::hub {

inline std::string name_of(PresenceDiff::Reason reason) {
  using Reason = PresenceDiff::Reason;
  switch (reason) {
    case Reason::kLeft: return "left";
    case Reason::kLost: return "lost";
    case Reason::kReplaced: return "replaced";
  }
  return "?";
}

// One line: "-c1(lost) +c2 ~c3={}"; "!" behind a join or leave is the first or last of its user.
inline std::string text_of(const PresenceDiffPtr& diff) {
  if (!diff) return "none";
  if (diff->kind == PresenceDiff::Kind::kCounts) {
    EXPECT_TRUE(diff->joins.empty() && diff->leaves.empty() && diff->updates.empty());
    return "counts";
  }
  std::string text = diff->kind == PresenceDiff::Kind::kAll ? "all:" : "";
  const auto add = [&text](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
  for (const PresenceDiff::Leave& leave : diff->leaves) {
    add("-" + std::string(leave.member->client_id()) + "(" + name_of(leave.reason) + ")" +
        (leave.last_of_user ? "!" : ""));
  }
  for (const PresenceDiff::Join& join : diff->joins) {
    add("+" + std::string(join.member->client_id()) + (join.first_of_user ? "!" : ""));
  }
  for (const MemberPtr& member : diff->updates) {
    add("~" + std::string(member->client_id()) + "=" + std::string(member->info()));
  }
  return text;
}

inline std::string text_of(const std::vector<MemberPtr>& members) {
  std::string text;
  for (const MemberPtr& member : members) {
    text += (text.empty() ? "" : " ") + std::string(member->client_id());
  }
  return text;
}

// A set with a clock that stands still unless a test moves it. Loop 1 unless said otherwise.
class PresenceTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kEpoch = 77;
  static constexpr Duration kGrace{10'000};
  static constexpr Duration kBatch{100};

  std::string enter(std::string_view client, std::string_view user = "", std::string_view info = "",
                    std::uint32_t loop = 1) {
    return accepted(set.enter({client, user, info, loop}));
  }
  std::string update(std::string_view client, std::string_view info, std::uint32_t loop = 1) {
    return accepted(set.update(client, loop, info));
  }
  bool leave(std::string_view client, std::uint32_t loop = 1) { return set.leave(client, loop); }
  bool vanish(std::string_view client, std::uint32_t loop = 1) {
    return set.vanish(client, loop, now);
  }

  // What listeners are sent, if the next batch is due by now.
  std::string take() { return text_of(last = set.take_diff(now)); }
  // Lets the batch interval pass, without more.
  std::string take_next() {
    now += kBatch;
    return take();
  }
  std::string expire_and_take() {
    set.expire(now);
    return take();
  }

  std::string counts() const { return counts(set.counts()); }
  static std::string counts(const PresenceCounts& counts) {
    return std::to_string(counts.members) + "/" + std::to_string(counts.users);
  }
  std::string all() { return text_of(set.everything()); }

  std::string missed(std::uint64_t version, std::uint64_t epoch = kEpoch) {
    const auto diffs = set.diffs_since({epoch, version});
    if (!diffs) return "too old";
    std::string text;
    for (const PresenceDiffPtr& diff : *diffs) text += "[" + text_of(diff) + "]";
    return text;
  }

  static std::string accepted(const PresenceSet::Accepted& result) {
    if (result) return "v" + std::to_string(*result);
    switch (result.error()) {
      case PresenceError::kTooManyMembers: return "too many";
      case PresenceError::kInfoTooLarge: return "info too large";
      case PresenceError::kBadId: return "bad id";
      case PresenceError::kNotPresent: return "not present";
    }
    return "?";
  }

  TimePoint now{Duration{5000}};
  PresenceSet set{PresenceOptions{}, kEpoch};
  PresenceDiffPtr last;
};

}  // namespace anywire::hub
