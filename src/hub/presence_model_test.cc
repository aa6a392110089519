// PresenceSet against a model that is too simple to be wrong, and listeners that come, go and come
// back at any version: whatever they have been through, their list is the set.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "hub/presence.h"

namespace anywire::hub {
namespace {

using Kind = PresenceDiff::Kind;
using Reason = PresenceDiff::Reason;

struct Person {
  std::string user;
  std::string info;

  bool operator==(const Person&) const = default;
};
using People = std::map<std::string, Person>;

Person person(const Member& member) {
  return {std::string(member.user_id()), std::string(member.info())};
}

std::set<std::string> users_of(const People& people) {
  std::set<std::string> users;
  for (const auto& [client, who] : people) {
    if (!who.user.empty()) users.insert(who.user);
  }
  return users;
}

PresenceCounts counts_of(const People& people) {
  return {people.size(), users_of(people).size()};
}

// The rules of hub/presence.h with plain copies of both views, compared as a whole.
class Model {
 public:
  explicit Model(const PresenceOptions& options) : options_(options) {}

  bool enter(const std::string& client, const Person& who, std::uint32_t loop) {
    if (!present.contains(client)) {
      const std::string replaced = newest_lost(who.user);
      if (replaced.empty() && present.size() >= options_.members_max) return false;
      if (!replaced.empty()) remove(replaced, Reason::kReplaced);
    }
    lost_.erase(client);
    present[client] = who;
    loops_[client] = loop;
    return true;
  }
  bool update(const std::string& client, std::uint32_t loop, const std::string& info) {
    return is_from(client, loop) && enter(client, {present[client].user, info}, loop);
  }
  bool leave(const std::string& client, std::uint32_t loop) {
    if (!is_from(client, loop)) return false;
    remove(client, Reason::kLeft);
    return true;
  }
  bool vanish(const std::string& client, std::uint32_t loop, TimePoint now) {
    if (!is_from(client, loop) || lost_.contains(client)) return false;
    if (options_.grace == Duration{0}) {
      remove(client, Reason::kLost);
    } else {
      lost_[client] = {now, ++losses_};
    }
    return true;
  }
  void loop_gone(std::uint32_t loop, TimePoint now) {
    const People before = present;
    for (const auto& [client, who] : before) vanish(client, loop, now);
  }
  void expire(TimePoint now) {
    const auto before = lost_;
    for (const auto& [client, when] : before) {
      if (when.first + options_.grace <= now) remove(client, Reason::kLost);
    }
  }

  std::optional<TimePoint> next_due() const {
    std::optional<TimePoint> due;
    if (present != told) due = batch_due_;
    for (const auto& [client, when] : lost_) {
      due = std::min(due.value_or(TimePoint::max()), when.first + options_.grace);
    }
    return due;
  }
  bool diff_due(TimePoint now) const { return present != told && now >= batch_due_; }
  void taken(TimePoint now) {
    told = present;
    batch_due_ = now + options_.batch_interval;
  }
  Reason reason(const std::string& client) const {
    if (present.contains(client)) return Reason::kLeft;
    const Reason reason = reasons_.at(client);
    const bool user_stays = users_of(present).contains(told.at(client).user);
    return reason == Reason::kReplaced && !user_stays ? Reason::kLost : reason;
  }

  People present;
  People told;

 private:
  bool is_from(const std::string& client, std::uint32_t loop) const {
    return present.contains(client) && loops_.at(client) == loop;
  }
  void remove(const std::string& client, Reason reason) {
    present.erase(client);
    lost_.erase(client);
    reasons_[client] = reason;
  }
  std::string newest_lost(const std::string& user) const {
    std::string newest;
    int last = 0;
    for (const auto& [client, when] : lost_) {
      if (user.empty() || present.at(client).user != user || when.second < last) continue;
      newest = client;
      last = when.second;
    }
    return newest;
  }

  PresenceOptions options_;
  std::map<std::string, std::uint32_t> loops_;
  std::map<std::string, std::pair<TimePoint, int>> lost_;
  std::map<std::string, Reason> reasons_;
  TimePoint batch_due_{};
  int losses_ = 0;
};

void apply(const PresenceDiff& diff, People& list) {
  for (const PresenceDiff::Leave& leave : diff.leaves) {
    list.erase(std::string(leave.member->client_id()));
  }
  for (const PresenceDiff::Join& join : diff.joins) {
    list[std::string(join.member->client_id())] = person(*join.member);
  }
  for (const MemberPtr& member : diff.updates) {
    list[std::string(member->client_id())] = person(*member);
  }
}

// Does what hub/presence_view.h says.
class Listener {
 public:
  void hear(const PresenceDiff& diff) {
    if (diff.kind == Kind::kChanges) {
      EXPECT_EQ(diff.version_from, position.version) << "a hole";
      EXPECT_TRUE(list) << "changes of what it does not have";
      apply(diff, *list);
    } else {
      list.reset();
      if (diff.kind == Kind::kAll) apply(diff, list.emplace());
    }
    position = diff.position();
    counts = diff.counts;
  }
  void come_back(PresenceSet& set) {
    online = true;
    const auto missed = set.diffs_since(position);
    recovered += missed.has_value();
    if (!missed) return hear(*set.everything());
    for (const PresenceDiffPtr& diff : *missed) hear(*diff);
  }

  PresencePosition position;
  std::optional<People> list;
  PresenceCounts counts;
  bool online = false;
  int recovered = 0;
};

// Reads page after page, with diffs between them.
class Pager {
 public:
  void hear(const PresenceDiff& diff) {
    if (diff.kind == Kind::kChanges) return apply(diff, list_);
    list_.clear();
    after_.clear();
  }
  // True when the list has become complete.
  bool read(const PresenceSet& set, std::size_t limit) {
    const PresencePage page = set.page(after_, limit);
    EXPECT_LE(page.members.size(), limit);
    EXPECT_EQ(page.position, set.position());
    const auto from = list_.upper_bound(after_);
    if (!page.members.empty()) after_ = page.members.back()->client_id();
    list_.erase(from, page.more ? list_.upper_bound(after_) : list_.end());
    for (const MemberPtr& member : page.members) {
      list_[std::string(member->client_id())] = person(*member);
    }
    if (page.more) return false;
    after_.clear();
    return true;
  }
  const People& list() const { return list_; }

 private:
  People list_;
  std::string after_;
};

class Run {
 public:
  Run(std::uint64_t seed, const PresenceOptions& options)
      : random_(seed), options_(options), set_(options, seed + 1), model_(options), listeners_(4) {}

  void go(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) step();
    settle();
  }
  int diffs() const { return diffs_; }
  int complete_pagings() const { return complete_pagings_; }
  int recoveries() const {
    int sum = 0;
    for (const Listener& listener : listeners_) sum += listener.recovered;
    return sum;
  }

 private:
  void step() {
    happen();
    if (random_.below(3) == 0) now_ += Duration{static_cast<int>(random_.below(80))};
    if (random_.below(60) == 0) now_ += options_.grace / 2;
    if (random_.below(4) != 0) turn();
    if (random_.below(5) == 0) come_or_go();
    if (random_.below(3) == 0 && pager_.read(set_, 1 + random_.below(4))) {
      EXPECT_EQ(pager_.list(), model_.told);
      ++complete_pagings_;
    }
    check();
  }

  void happen() {
    const std::string client = "c" + std::to_string(random_.below(12));
    const auto loop = static_cast<std::uint32_t>(random_.below(8) == 0 ? 1 : 0);
    const std::string info(random_.below(3), 'i');
    const std::uint64_t what = random_.below(40);
    if (what < 16) {
      static constexpr const char* kUsers[] = {"", "ada", "bob", "cyd"};
      const std::string user = kUsers[random_.below(std::size(kUsers))];
      EXPECT_EQ(set_.enter({client, user, info, loop}).has_value(),
                model_.enter(client, {user, info}, loop));
    } else if (what < 20) {
      EXPECT_EQ(set_.update(client, loop, info).has_value(), model_.update(client, loop, info));
    } else if (what < 27) {
      EXPECT_EQ(set_.leave(client, loop), model_.leave(client, loop));
    } else if (what < 39) {
      EXPECT_EQ(set_.vanish(client, loop, now_), model_.vanish(client, loop, now_));
    } else {
      set_.loop_gone(loop, now_);
      model_.loop_gone(loop, now_);
    }
  }

  // What the hub does at the end of a turn.
  void turn() {
    set_.expire(now_);
    model_.expire(now_);
    const PresenceDiffPtr diff = set_.take_diff(now_);
    EXPECT_EQ(diff != nullptr, model_.diff_due(now_));
    if (!diff) return;
    ++diffs_;
    EXPECT_EQ(diff->counts, counts_of(model_.present));
    if (diff->kind == Kind::kChanges) check_changes(*diff);
    model_.taken(now_);
    for (Listener& listener : listeners_) {
      if (listener.online) listener.hear(*diff);
    }
    pager_.hear(*diff);
  }

  void check_changes(const PresenceDiff& diff) {
    std::set<std::string> left, joined, updated;
    std::multiset<std::string> first, last;
    for (const PresenceDiff::Leave& leave : diff.leaves) {
      const std::string client(leave.member->client_id());
      left.insert(client);
      EXPECT_EQ(leave.reason, model_.reason(client));
      EXPECT_EQ(leave.member->user_id(), model_.told.at(client).user);
      if (leave.last_of_user) last.emplace(leave.member->user_id());
    }
    for (const PresenceDiff::Join& join : diff.joins) {
      joined.emplace(join.member->client_id());
      if (join.first_of_user) first.emplace(join.member->user_id());
    }
    for (const MemberPtr& member : diff.updates) updated.emplace(member->client_id());

    std::set<std::string> should_leave, should_join, should_update;
    for (const auto& [client, who] : model_.told) {
      const auto now = model_.present.find(client);
      if (now == model_.present.end() || now->second.user != who.user) should_leave.insert(client);
    }
    for (const auto& [client, who] : model_.present) {
      const auto then = model_.told.find(client);
      if (then == model_.told.end() || then->second.user != who.user) {
        should_join.insert(client);
      } else if (then->second.info != who.info) {
        should_update.insert(client);
      }
    }
    EXPECT_EQ(left, should_leave);
    EXPECT_EQ(joined, should_join);
    EXPECT_EQ(updated, should_update);
    check_users(first, last);
  }

  void check_users(const std::multiset<std::string>& first,
                   const std::multiset<std::string>& last) {
    const auto before = users_of(model_.told), after = users_of(model_.present);
    std::multiset<std::string> came, went;
    std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                        std::inserter(came, came.end()));
    std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                        std::inserter(went, went.end()));
    EXPECT_EQ(first, came);
    EXPECT_EQ(last, went);
  }

  void come_or_go() {
    Listener& listener = listeners_[random_.below(listeners_.size())];
    if (random_.below(8) == 0) listener = Listener();
    if (listener.online) {
      listener.online = false;
    } else {
      listener.come_back(set_);
    }
  }

  void check() {
    EXPECT_EQ(set_.size(), model_.present.size());
    EXPECT_EQ(set_.counts(), counts_of(model_.told));
    EXPECT_EQ(set_.next_due(), model_.next_due());
    EXPECT_EQ(set_.idle(), model_.present.empty() && model_.told.empty());
    EXPECT_LE(set_.size(), options_.members_max);
    for (const auto& [client, who] : model_.present) {
      const Member* member = set_.find(client);
      ASSERT_NE(member, nullptr);
      EXPECT_EQ(person(*member), who);
    }
    for (const Listener& listener : listeners_) {
      if (!listener.online) continue;
      EXPECT_EQ(listener.position, set_.position());
      EXPECT_EQ(listener.counts, counts_of(model_.told));
      EXPECT_EQ(listener.list.has_value(), !set_.counts_only());
      if (listener.list) { EXPECT_EQ(*listener.list, model_.told); }
    }
  }

  // Nothing happens any more but time: both views become one, and it is what listeners have.
  void settle() {
    for (int i = 0; i < 100 && set_.next_due(); ++i) {
      now_ = std::max(now_, *set_.next_due());
      turn();
    }
    EXPECT_EQ(set_.next_due(), std::nullopt);
    EXPECT_EQ(model_.present, model_.told);
    for (Listener& listener : listeners_) {
      if (!listener.online) listener.come_back(set_);
    }
    check();
  }

  Random random_;
  PresenceOptions options_;
  TimePoint now_{Duration{1000}};
  PresenceSet set_;
  Model model_;
  std::vector<Listener> listeners_;
  Pager pager_;
  int diffs_ = 0;
  int complete_pagings_ = 0;
};

void run_seeds(std::uint64_t first_seed, const PresenceOptions& options) {
  int diffs = 0, pagings = 0, recoveries = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Run run(seed, options);
    run.go(300);
    ASSERT_FALSE(testing::Test::HasFailure());
    diffs += run.diffs();
    pagings += run.complete_pagings();
    recoveries += run.recoveries();
  }
  EXPECT_GT(diffs, 1000);
  EXPECT_GT(pagings, 100);
  EXPECT_GT(recoveries, 100);
}

TEST(PresenceModel, ConvergesWithTheDefaults) { run_seeds(1000, {}); }

TEST(PresenceModel, ConvergesWithAShortGraceAndFewPlaces) {
  run_seeds(2000, {.members_max = 5, .grace = Duration{150}});
}

TEST(PresenceModel, ConvergesWithoutGrace) { run_seeds(3000, {.grace = Duration{0}}); }

TEST(PresenceModel, ConvergesWithoutBatches) {
  run_seeds(4000, {.grace = Duration{400}, .batch_interval = Duration{0}});
}

TEST(PresenceModel, ConvergesAcrossTheThresholdOfCounts) {
  run_seeds(5000, {.grace = Duration{300}, .listed_members_max = 5});
}

TEST(PresenceModel, ConvergesWithATinyRing) {
  run_seeds(6000, {.grace = Duration{300}, .listed_members_max = 7, .ring_diffs_max = 3});
}

// Were any step linear in the members, these would take minutes, not a second.
TEST(PresenceModel, ACrowdOfOneUserVanishesAndExpiresTogether) {
  constexpr int kCrowd = 50'000;
  PresenceSet set({.members_max = kCrowd}, 1);
  TimePoint now{Duration{1000}};
  for (int i = 0; i < kCrowd; ++i) {
    ASSERT_TRUE(set.enter({"c" + std::to_string(i), "ada", "{}", 1}));
  }
  ASSERT_TRUE(set.take_diff(now));
  set.loop_gone(1, now);
  for (int i = 0; i < kCrowd; i += 2) {
    ASSERT_TRUE(set.enter({"c" + std::to_string(i), "ada", "{}", 2}));
  }
  now += Duration{10'000};
  EXPECT_EQ(set.expire(now), TimePoint{Duration{1100}}) << "the batch is all that waits";
  const PresenceDiffPtr diff = set.take_diff(now);
  EXPECT_EQ(diff->counts, (PresenceCounts{kCrowd / 2, 1}));
  for (int i = 0; i < kCrowd; i += 2) set.vanish("c" + std::to_string(i), 2, now);
  for (int i = 0; i < kCrowd; i += 2) {
    ASSERT_TRUE(set.enter({"d" + std::to_string(i), "ada", "{}", 3})) << "all are replaced";
  }
  now += Duration{10'000};
  EXPECT_EQ(set.expire(now), set.next_due());
  EXPECT_EQ(set.take_diff(now)->counts, (PresenceCounts{kCrowd / 2, 1}));
  EXPECT_EQ(set.find("c0"), nullptr);
}

TEST(PresenceModel, ACrowdOfManyUsersIsPagedWhileItGoes) {
  constexpr int kCrowd = 20'000;
  PresenceSet set({.members_max = kCrowd, .batch_interval = Duration{0}}, 1);
  TimePoint now{Duration{1000}};
  for (int i = 0; i < kCrowd; ++i) {
    ASSERT_TRUE(set.enter({std::to_string(i), "user" + std::to_string(i), "{}", 1}));
  }
  ASSERT_EQ(set.take_diff(now)->kind, Kind::kCounts);
  std::string after;
  int seen = 0, left = 0;
  for (bool more = true; more;) {
    const PresencePage page = set.page(after, 100);
    for (const MemberPtr& member : page.members) {
      EXPECT_LT(after, member->client_id());
      after = member->client_id();
      ++seen;
    }
    more = page.more;
    left += set.leave(page.members.front()->client_id(), 1);
    set.take_diff(now);
  }
  EXPECT_EQ(seen, kCrowd) << "nobody twice and nobody left out";
  EXPECT_EQ(set.counts(), (PresenceCounts{static_cast<std::uint64_t>(kCrowd - left),
                                          static_cast<std::uint64_t>(kCrowd - left)}));
}

}  // namespace
}  // namespace anywire::hub
