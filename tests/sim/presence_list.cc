#include "sim/presence_list.h"

#include <set>
#include <utility>

namespace anywire::sim {
namespace {

PresenceList::Member member_of(const Told& told) {
  return {std::string(told.text("user")), std::string(told.raw("info"))};
}

}  // namespace

bool PresenceList::take_push(const Told& push, Record& record) {
  const std::uint64_t from = push.number_or_0("from");
  const std::uint64_t to = push.number_or_0("version");
  if (push.flag("partial")) {
    known_ = false;
    return !std::exchange(asking_, true);
  }
  if (push.flag("all")) {
    members_.clear();
    push.each("join", [&](const Told& one) { members_[std::string(one.text("client"))] =
                                                 member_of(one); });
    epoch_ = push.text("epoch");
    version_ = to;
    known_ = true;
    asking_ = false;
    check_counts(push, record);
    return false;
  }
  if (to <= from) {
    record.violate(Check::kProtocol, "presence from {} to {}", from, to);
  }
  if (asking_) return false;  // the answer is newer
  if (known_ && epoch_ == push.text("epoch") && to <= version_) return false;
  if (!known_ || epoch_ != push.text("epoch") || from != version_) {
    known_ = false;
    asking_ = true;
    return true;
  }
  apply(push, record);
  version_ = to;
  check_counts(push, record);
  return false;
}

void PresenceList::apply(const Told& push, Record& record) {
  push.each("leave", [&](const Told& one) {
    if (members_.erase(std::string(one.text("client"))) == 0) {
      record.violate(Check::kPresence, "{} leaves and was not there", one.text("client"));
    }
  });
  push.each("join", [&](const Told& one) {
    if (!members_.emplace(one.text("client"), member_of(one)).second) {
      record.violate(Check::kPresence, "{} joins and was there", one.text("client"));
    }
  });
  push.each("update", [&](const Told& one) {
    const auto found = members_.find(std::string(one.text("client")));
    if (found == members_.end()) {
      return record.violate(Check::kPresence, "{} changes and was not there", one.text("client"));
    }
    found->second = member_of(one);
  });
}

void PresenceList::check_counts(const Told& told, Record& record) const {
  std::set<std::string> users;
  for (const auto& [client, member] : members_) {
    if (!member.user.empty()) users.insert(member.user);
  }
  if (told.number("count") != members_.size() || told.number("users") != users.size()) {
    record.violate(Check::kPresence, "{} members and {} users by the list, told {}",
                   members_.size(), users.size(), told.shown());
  }
}

bool PresenceList::take_page(const Told& page, Record& record) {
  const std::uint64_t version = page.number_or_0("version");
  const bool first = after_.empty();
  const bool fits = page.text("epoch") == page_epoch_ && version == page_version_;
  if (!first && !fits) {
    // The list has changed in between: from the start.
    after_.clear();
    pages_.clear();
    return true;
  }
  page_epoch_ = page.text("epoch");
  page_version_ = version;
  page.each("members", [&](const Told& one) {
    const std::string client(one.text("client"));
    if (client <= after_) {
      record.violate(Check::kPresence, "{} comes behind {} in a page", client, after_);
    }
    after_ = client;
    pages_[client] = member_of(one);
  });
  if (page.flag("more")) return true;
  after_.clear();
  // What was asked for may have come otherwise meanwhile, and be newer.
  const bool newer = !known_ || epoch_ != page_epoch_ || version_ <= page_version_;
  Members got = std::exchange(pages_, {});
  asking_ = false;
  if (!newer) return false;
  members_ = std::move(got);
  epoch_ = page_epoch_;
  version_ = page_version_;
  known_ = true;
  check_counts(page, record);
  return false;
}

}  // namespace anywire::sim
