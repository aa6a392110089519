#include "hub/presence.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "base/assert.h"

namespace anywire::hub {

namespace {

using Kind = PresenceDiff::Kind;
using Reason = PresenceDiff::Reason;

constexpr std::size_t kRingBytesMin = 4096;

bool same_content(const Member& a, const Member& b) {
  return a.user_id() == b.user_id() && a.info() == b.info();
}

}  // namespace

PresenceSet::PresenceSet(const PresenceOptions& options, std::uint64_t epoch)
    : options_(options), epoch_(epoch) {
  AW_ASSERT(epoch != 0);
}

// ---- What happened ----

PresenceSet::Accepted PresenceSet::enter(const MemberDraft& draft) {
  if (const auto error = check(draft)) return std::unexpected(*error);
  if (const Entry* entry = find_present(draft.client_id)) return change(*entry, draft);
  return join(draft);
}

PresenceSet::Accepted PresenceSet::update(std::string_view client_id, std::uint32_t loop,
                                          std::string_view info) {
  const Entry* entry = find_present(client_id, loop);
  if (entry == nullptr) return std::unexpected(PresenceError::kNotPresent);
  if (info.size() > options_.info_bytes_max) return std::unexpected(PresenceError::kInfoTooLarge);
  return change(*entry, {client_id, entry->member->user_id(), info, loop});
}

bool PresenceSet::leave(std::string_view client_id, std::uint32_t loop) {
  const Entry* entry = find_present(client_id, loop);
  if (entry == nullptr) return false;
  remove(*entry, Reason::kLeft);
  return true;
}

bool PresenceSet::vanish(std::string_view client_id, std::uint32_t loop, TimePoint now) {
  const Entry* entry = find_present(client_id, loop);
  if (entry == nullptr || entry->absence != absences_.end()) return false;
  lose(*entry, now);
  return true;
}

void PresenceSet::loop_gone(std::uint32_t loop, TimePoint now) {
  for (auto next = entries_.begin(); next != entries_.end();) {
    const Entry& entry = *next++;  // lose() may erase it
    if (entry.member->loop() == loop && present(entry) && entry.absence == absences_.end()) {
      lose(entry, now);
    }
  }
}

std::optional<PresenceError> PresenceSet::check(const MemberDraft& draft) const {
  if (draft.client_id.empty() || draft.client_id.size() > kIdBytesMax ||
      draft.user_id.size() > kIdBytesMax) {
    return PresenceError::kBadId;
  }
  if (draft.info.size() > options_.info_bytes_max) return PresenceError::kInfoTooLarge;
  return std::nullopt;
}

PresenceSet::Accepted PresenceSet::join(const MemberDraft& draft) {
  // Who takes another's place needs none of its own.
  const Entry* replaced = newest_absent(draft.user_id);
  if (replaced == nullptr && members_ >= options_.members_max) {
    return std::unexpected(PresenceError::kTooManyMembers);
  }
  if (replaced != nullptr) remove(*replaced, Reason::kReplaced);

  MemberPtr member = Member::make(draft);
  auto at = entries_.find(draft.client_id);
  if (at == entries_.end()) {
    at = entries_.insert(Entry{member, changes_.end(), absences_.end()}).first;
  }
  const Entry& entry = *at;
  open_change(entry, false).present = true;
  entry.member = std::move(member);
  count_in(entry.member);
  return close_change(entry);
}

PresenceSet::Accepted PresenceSet::change(const Entry& entry, const MemberDraft& draft) {
  end_absence(entry);
  const Member& before = *entry.member;
  if (before.user_id() == draft.user_id && before.info() == draft.info &&
      before.loop() == draft.loop) {
    return entry.change == changes_.end() ? version_ : version_ + 1;
  }
  MemberPtr member = Member::make(draft);
  open_change(entry, true);
  count_in(member);
  count_out(*entry.member);
  entry.member = std::move(member);
  return close_change(entry);
}

// The entry may be gone on return.
void PresenceSet::remove(const Entry& entry, Reason reason) {
  end_absence(entry);
  Change& change = open_change(entry, true);
  change.present = false;
  change.reason = reason;
  count_out(*entry.member);
  close_change(entry);
}

// As remove().
void PresenceSet::lose(const Entry& entry, TimePoint now) {
  if (options_.grace <= Duration::zero()) {
    remove(entry, Reason::kLost);
    return;
  }
  // In order of time even if the caller's should step back, so that the first is the next due.
  if (!absences_.empty()) now = std::max(now, absences_.back().since);
  const std::string_view user_id = entry.member->user_id();
  auto by_user = absent_users_.end();
  if (!user_id.empty()) by_user = absent_users_.emplace(user_id, &entry);
  entry.absence = absences_.insert(absences_.end(), {&entry, now, by_user});
}

void PresenceSet::end_absence(const Entry& entry) {
  if (entry.absence == absences_.end()) return;
  if (entry.absence->by_user != absent_users_.end()) absent_users_.erase(entry.absence->by_user);
  absences_.erase(entry.absence);
  entry.absence = absences_.end();
}

// Called before the entry changes, to hold on to what listeners know. `present` is whether it was
// there until now.
PresenceSet::Change& PresenceSet::open_change(const Entry& entry, bool present) {
  if (entry.change == changes_.end()) {
    entry.change = changes_.insert(
        changes_.end(), {&entry, present ? entry.member : MemberPtr(), present, Reason::kLeft});
  }
  return *entry.change;
}

// Called when it has changed: what comes to nothing is forgotten, and with it an entry that
// listeners never saw. Returns the version that shows it.
std::uint64_t PresenceSet::close_change(const Entry& entry) {
  const Change& change = *entry.change;
  if (!change.told && !change.present) {
    changes_.erase(entry.change);
    entries_.erase(entries_.find(entry));
    return version_;
  }
  if (change.told && change.present && same_content(*change.told, *entry.member)) {
    changes_.erase(entry.change);
    entry.change = changes_.end();
    return version_;
  }
  return version_ + 1;
}

void PresenceSet::count_in(const MemberPtr& member) {
  ++members_;
  members_bytes_ += member->bytes();
  if (member->user_id().empty()) return;
  auto at = users_.find(member->user_id());
  if (at == users_.end()) at = users_.insert({.member = member}).first;
  at->member = member;
  if (at->present++ == 0) ++users_present_;
}

void PresenceSet::count_out(const Member& member) {
  --members_;
  members_bytes_ -= member.bytes();
  if (member.user_id().empty()) return;
  const auto at = users_.find(member.user_id());
  if (--at->present > 0) return;
  --users_present_;
  if (at->told == 0) users_.erase(at);
}

bool PresenceSet::present(const Entry& entry) const {
  return entry.change == changes_.end() || entry.change->present;
}

const PresenceSet::Entry* PresenceSet::find_present(std::string_view client_id) const {
  const auto at = entries_.find(client_id);
  return at != entries_.end() && present(*at) ? &*at : nullptr;
}

const PresenceSet::Entry* PresenceSet::find_present(std::string_view client_id,
                                                    std::uint32_t loop) const {
  const Entry* entry = find_present(client_id);
  return entry != nullptr && entry->member->loop() == loop ? entry : nullptr;
}

// The one lost last, for that is what a page that loads again is likely to have been.
const PresenceSet::Entry* PresenceSet::newest_absent(std::string_view user_id) const {
  if (user_id.empty()) return nullptr;
  const auto behind = absent_users_.upper_bound(user_id);
  if (behind == absent_users_.begin()) return nullptr;
  const auto newest = std::prev(behind);
  return newest->first == user_id ? newest->second : nullptr;
}

const Member* PresenceSet::find(std::string_view client_id) const {
  const Entry* entry = find_present(client_id);
  return entry == nullptr ? nullptr : entry->member.get();
}

// ---- What time brings ----

std::optional<TimePoint> PresenceSet::expire(TimePoint now) {
  while (!absences_.empty() && absences_.front().since + options_.grace <= now) {
    remove(*absences_.front().entry, Reason::kLost);
  }
  return next_due();
}

std::optional<TimePoint> PresenceSet::next_due() const {
  std::optional<TimePoint> due;
  if (!changes_.empty()) due = batch_due_;
  if (!absences_.empty()) {
    const TimePoint grace_due = absences_.front().since + options_.grace;
    due = due ? std::min(*due, grace_due) : grace_due;
  }
  return due;
}

PresenceDiffPtr PresenceSet::take_diff(TimePoint now, PresenceWitness* witness) {
  if (changes_.empty() || now < batch_due_) return nullptr;
  auto diff = std::make_shared<PresenceDiff>();
  diff->kind = next_kind();
  diff->epoch = epoch_;
  diff->version_from = version_;
  diff->version_to = ++version_;
  for (const Change& change : changes_) tell(change, *diff, witness);
  changes_.clear();
  counts_ = {members_, users_present_};
  diff->counts = counts_;
  if (diff->kind == Kind::kAll) list_all(*diff);

  batch_due_ = now + options_.batch_interval;
  everything_ = diff->stands_alone() ? diff : nullptr;
  const std::size_t useful_bytes = std::max(members_bytes_, kRingBytesMin);
  ring_.add(diff, {options_.ring_diffs_max, std::min(options_.ring_bytes_max, useful_bytes)});
  return diff;
}

// Counts only above the limit and then until a quarter less is left, so that a set at the limit
// does not go to and fro; behind that, all members, as nobody has them.
Kind PresenceSet::next_kind() {
  const auto low = [](std::size_t high) { return high - high / 4; };
  const bool before = counts_only_;
  counts_only_ = before ? members_ > low(options_.listed_members_max) ||
                              members_bytes_ > low(options_.listed_bytes_max)
                        : members_ > options_.listed_members_max ||
                              members_bytes_ > options_.listed_bytes_max;
  if (counts_only_) return Kind::kCounts;
  return before ? Kind::kAll : Kind::kChanges;
}

// Listeners are about to know this change: it goes into the diff, if that is one of changes, and
// an entry that has left goes away.
void PresenceSet::tell(const Change& change, PresenceDiff& diff, PresenceWitness* witness) {
  const bool listed = diff.kind == Kind::kChanges;
  const MemberPtr& member = change.entry->member;
  const bool same_user = change.told && change.told->user_id() == member->user_id();
  if (change.told && (!change.present || !same_user)) {
    // Whoever was replaced has lost the connection before; what took its place may have left, too.
    const auto user = users_.find(change.told->user_id());
    const bool user_gone = user == users_.end() || user->present == 0;
    Reason reason = change.present ? Reason::kLeft : change.reason;
    if (reason == Reason::kReplaced && user_gone) reason = Reason::kLost;
    const bool last = tell_leave(change.told->user_id());
    if (witness != nullptr) witness->on_left(*change.told);
    if (listed) diff.leaves.push_back({same_user ? member : change.told, reason, last});
  }
  if (!change.present) {
    entries_.erase(entries_.find(*change.entry));
    return;
  }
  change.entry->change = changes_.end();
  if (!same_user) {
    const bool first = tell_join(member->user_id());
    if (witness != nullptr) witness->on_joined(*member);
    if (listed) diff.joins.push_back({member, first});
  } else if (listed) {
    diff.updates.push_back(member);
  }
}

bool PresenceSet::tell_join(std::string_view user_id) {
  if (user_id.empty()) return false;
  const User& user = *users_.find(user_id);
  ++user.told;
  const bool first = !user.known;
  user.known = true;
  return first;
}

bool PresenceSet::tell_leave(std::string_view user_id) {
  if (user_id.empty()) return false;
  const auto at = users_.find(user_id);
  if (--at->told > 0 || at->present > 0) return false;
  users_.erase(at);
  return true;
}

// ---- The told view ----

const MemberPtr& PresenceSet::told(const Entry& entry) const {
  return entry.change == changes_.end() ? entry.member : entry.change->told;
}

void PresenceSet::list_all(PresenceDiff& diff) const {
  diff.joins.reserve(counts_.members);
  for (const Entry& entry : entries_) {
    if (const MemberPtr& member = told(entry)) diff.joins.push_back({member, false});
  }
}

std::optional<std::vector<PresenceDiffPtr>> PresenceSet::diffs_since(
    PresencePosition position) const {
  if (position.epoch != epoch_ || position.version > version_) return std::nullopt;
  if (position.version == version_) return std::vector<PresenceDiffPtr>();
  return ring_.since(position.version);
}

PresenceDiffPtr PresenceSet::everything() {
  if (everything_) return everything_;
  auto diff = std::make_shared<PresenceDiff>();
  diff->kind = counts_only_ ? Kind::kCounts : Kind::kAll;
  diff->epoch = epoch_;
  diff->version_from = version_;
  diff->version_to = version_;
  diff->counts = counts_;
  if (!counts_only_) list_all(*diff);
  everything_ = diff;
  return everything_;
}

PresencePage PresenceSet::page(std::string_view after, std::size_t limit,
                               std::size_t bytes_max) const {
  PresencePage page;
  page.position = position();
  page.counts = counts_;
  std::size_t bytes = 0;
  for (auto at = entries_.upper_bound(after); at != entries_.end(); ++at) {
    const MemberPtr& member = told(*at);
    if (!member) continue;
    bytes += member->bytes();
    if (!page.members.empty() && (page.members.size() >= limit || bytes > bytes_max)) {
      page.more = true;
      break;
    }
    page.members.push_back(member);
  }
  return page;
}

}  // namespace anywire::hub
