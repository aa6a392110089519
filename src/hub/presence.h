// PresenceSet: who is present in one channel, as its owner loop knows it. A state machine without
// I/O, threads or a clock: the hub tells it what happened and when, and asks what to send.
//
//   set.enter({.client_id = "c1", .user_id = "ada", .info = "{}", .loop = 3});
//   set.expire(now);
//   if (PresenceDiffPtr diff = set.take_diff(now)) send(diff);   // to all listening loops
//   wake_at(set.next_due());                                     // to expire and take again
//
// Listeners are told in diffs, at most one per batch interval; the first change after a quiet time
// goes at once. What is undone within a batch was never there. So there are two views: the present
// one, which decides who may enter, update and leave, and the told one, as of `position()`. All
// that is meant for listeners (diffs, pages, counts, `everything`) is of the told view: whatever a
// listener has, it can go on with the next diff. hub/presence_view.h says how.
//
// A member whose connection is lost stays for the grace, so that nobody flickers: if it enters
// again with the same client id nothing was ever seen to happen; if the same user comes under a
// new client id, that one takes its place: leave and join are in the same diff.
//
// A member belongs to the loop it entered from last. What another loop says about it is ignored,
// as that comes from a connection which has been taken over and does not know it yet.
//
// Thread: the owner loop's. Lifetime: views passed in are copied; what is handed out is immutable
// and outlives the set. Cost: O(log members) per change and O(changes log members) per diff.
// Limits: PresenceOptions. Memory: a member costs about 150 bytes and its ids and info, and 110
// more while its grace runs. Between two diffs there may be twice as many: those who have left and
// those who have come. The ring of past diffs holds never more than the members do, or 4 KiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "hub/presence_ring.h"
#include "hub/presence_view.h"

namespace anywire::hub {

// What the channel's rule says.
struct PresenceOptions {
  std::size_t members_max = 10'000;
  std::size_t info_bytes_max = 4096;  // of one member
  Duration grace{10'000};             // how long a lost connection stays; 0 = leaves at once
  Duration batch_interval{100};       // between diffs, at least
  // With more members, or more bytes of them, diffs carry only counts, until a quarter less is
  // left. Bounds what is pushed to a listener at once. 0 = always counts only.
  std::size_t listed_members_max = 1000;
  std::size_t listed_bytes_max = 1024 * 1024;
  // Past diffs kept for listeners that come back. Never more bytes than the members have, or 4 KiB:
  // beyond that, sending all members is less.
  std::size_t ring_diffs_max = 64;
  std::size_t ring_bytes_max = 256 * 1024;

  bool operator==(const PresenceOptions&) const = default;
};

enum class PresenceError : std::uint8_t {
  kTooManyMembers,  // members_max reached; those whose grace runs count
  kInfoTooLarge,    // over info_bytes_max
  kBadId,           // no client id, or an id over PresenceSet::kIdBytesMax
  kNotPresent,      // an update of who is not there, or has entered from another loop since
};

// Hears of each member that a diff tells of, also when there are too many for it to name them.
class PresenceWitness {
 public:
  virtual void on_joined(const Member& member) = 0;
  virtual void on_left(const Member& member) = 0;

 protected:
  ~PresenceWitness() = default;
};

class PresenceSet {
 public:
  static constexpr std::size_t kIdBytesMax = 256;

  // `epoch` is random and not 0: another set of the same channel must not have the same.
  PresenceSet(const PresenceOptions& options, std::uint64_t epoch);
  PresenceSet(const PresenceSet&) = delete;
  PresenceSet& operator=(const PresenceSet&) = delete;

  // The channel's rule has changed. A new grace holds for those who wait already; members over a
  // new limit stay.
  void set_options(const PresenceOptions& options) { options_ = options; }

  // ---- What happened ----

  // The version that will show it to listeners, unless it is undone before; the present one if
  // there is nothing to show.
  using Accepted = std::expected<std::uint64_t, PresenceError>;

  // Joins; if present, updates info and user and ends the grace.
  Accepted enter(const MemberDraft& draft);
  // As enter, but only for who is present. To leave with last words, update and leave.
  Accepted update(std::string_view client_id, std::uint32_t loop, std::string_view info);
  // False if it was not present, or not from this loop.
  bool leave(std::string_view client_id, std::uint32_t loop);
  // The connection is lost. False if it was not present from this loop, or lost already.
  bool vanish(std::string_view client_id, std::uint32_t loop, TimePoint now);
  // All connections of a loop are lost: its process has ended. O(members).
  void loop_gone(std::uint32_t loop, TimePoint now);

  // ---- What time brings ----

  // Ends the presence of those whose grace is over: a member is there until this says no. Returns
  // next_due().
  std::optional<TimePoint> expire(TimePoint now);
  // The next diff if there is something to tell and the batch is due, null otherwise.
  PresenceDiffPtr take_diff(TimePoint now, PresenceWitness* witness = nullptr);
  // When to call `expire` and `take_diff`; may be past. Nothing if only a new event brings more.
  std::optional<TimePoint> next_due() const;

  // ---- The told view ----

  PresencePosition position() const { return {epoch_, version_}; }
  PresenceCounts counts() const { return counts_; }
  // Diffs carry only counts for now.
  bool counts_only() const { return counts_only_; }
  // What a listener at `position` has missed: nothing, in order, or std::nullopt: it is too old or
  // of another epoch and takes `everything`.
  std::optional<std::vector<PresenceDiffPtr>> diffs_since(PresencePosition position) const;
  // A diff that stands alone: all members, or counts only if they are too many. One and the same
  // for all who ask before the next diff.
  PresenceDiffPtr everything();
  // Members behind `after` (empty: from the start) in the order of their ids; at least one, if
  // there is one. Ends before the member that would make it larger than `bytes_max`.
  PresencePage page(std::string_view after, std::size_t limit,
                    std::size_t bytes_max = 1024 * 1024) const;

  // ---- The present view ----

  // Null if not present.
  const Member* find(std::string_view client_id) const;
  std::size_t size() const { return members_; }
  // Nobody is there and listeners have been told so: nothing is lost with the set but its epoch.
  bool idle() const { return entries_.empty(); }

 private:
  struct Entry;

  // What listeners have not been told yet about an entry.
  struct Change {
    const Entry* entry = nullptr;
    MemberPtr told;  // as listeners know it; null if they do not
    bool present = false;
    PresenceDiff::Reason reason = PresenceDiff::Reason::kLeft;  // unless present
  };
  using Changes = std::list<Change>;

  using AbsentUsers = std::multimap<std::string_view, const Entry*>;
  struct Absence {
    const Entry* entry = nullptr;
    TimePoint since;
    AbsentUsers::iterator by_user;  // end if of no user
  };
  using Absences = std::list<Absence>;

  // A client id that is present or was told to be. Kept small, for this is what a member at rest
  // costs: whatever is only for a while has a record of its own. The order depends on the client
  // id only, and that is the same in every Member an entry ever has: so the rest may change.
  struct Entry {
    mutable MemberPtr member;  // as it is or, if it has left, last was
    mutable Changes::iterator change;    // end if listeners know all
    mutable Absences::iterator absence;  // end unless its grace runs
  };
  struct ByClientId {
    using is_transparent = void;
    static std::string_view id(const Entry& entry) { return entry.member->client_id(); }
    static std::string_view id(std::string_view id) { return id; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return id(a) < id(b);
    }
  };

  // Found by its id, which is that of whichever of its members came last: so the rest may change.
  struct User {
    mutable MemberPtr member;
    mutable std::uint32_t present = 0;  // members of this user
    mutable std::uint32_t told : 31 = 0;
    mutable bool known : 1 = false;  // listeners count this user
  };
  // Not to throw is what lets the table do without a copy of the hash.
  struct HashUser {
    using is_transparent = void;
    std::size_t operator()(std::string_view id) const noexcept {
      return std::hash<std::string_view>{}(id);
    }
    std::size_t operator()(const User& user) const noexcept {
      return (*this)(user.member->user_id());
    }
  };
  struct SameUser {
    using is_transparent = void;
    static std::string_view id(const User& user) { return user.member->user_id(); }
    static std::string_view id(std::string_view id) { return id; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return id(a) == id(b);
    }
  };

  bool present(const Entry& entry) const;
  const Entry* find_present(std::string_view client_id) const;
  const Entry* find_present(std::string_view client_id, std::uint32_t loop) const;
  const Entry* newest_absent(std::string_view user_id) const;
  std::optional<PresenceError> check(const MemberDraft& draft) const;

  Accepted join(const MemberDraft& draft);
  Accepted change(const Entry& entry, const MemberDraft& draft);
  void remove(const Entry& entry, PresenceDiff::Reason reason);
  void lose(const Entry& entry, TimePoint now);
  void end_absence(const Entry& entry);
  Change& open_change(const Entry& entry, bool present);
  std::uint64_t close_change(const Entry& entry);
  void count_in(const MemberPtr& member);
  void count_out(const Member& member);

  PresenceDiff::Kind next_kind();
  void tell(const Change& change, PresenceDiff& diff, PresenceWitness* witness);
  bool tell_join(std::string_view user_id);
  bool tell_leave(std::string_view user_id);
  const MemberPtr& told(const Entry& entry) const;
  void list_all(PresenceDiff& diff) const;

  PresenceOptions options_;
  const std::uint64_t epoch_;
  std::uint64_t version_ = 0;
  PresenceCounts counts_;
  bool counts_only_ = false;
  TimePoint batch_due_{};

  std::set<Entry, ByClientId> entries_;
  std::unordered_set<User, HashUser, SameUser> users_;
  Changes changes_;          // in the order in which they began
  Absences absences_;        // in the order in which they began
  AbsentUsers absent_users_;  // views into the members of entries, which do not change meanwhile
  std::size_t members_ = 0;
  std::size_t members_bytes_ = 0;
  std::size_t users_present_ = 0;

  PresenceRing ring_;
  PresenceDiffPtr everything_;
};

}  // namespace anywire::hub
