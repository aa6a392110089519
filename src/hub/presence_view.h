// What loops other than the owner's get to see of a channel's presence: members, the diffs between
// one version of the set and the next, pages, and the walk that hands a diff to its listeners.
// docs/decisions/0003-realtime-core.md; who makes them: hub/presence.h.
//
// A listener holds a position {epoch, version} and a list of members that is known or not. Diffs
// come in order. What it does with each:
//   kAll      the list becomes `joins`, whatever it was;
//   kCounts   the list becomes unknown (members are asked for in pages); `counts` still hold;
//   kChanges  `version_from` must be the version held, otherwise something was missed and the
//             listener asks anew with its position. Leaves are applied first, then joins, then
//             updates: one client id may leave and join in one diff.
// A page stands for all ids behind its `after` up to its last one, or to the end if there is no
// more: it replaces what the list has in that range. Mixed with diffs in the order in which the
// owner sent them, pages give the exact list however many versions they span, as long as no
// kCounts comes between; pages of one version are exact in any case.
//
// Thread: Member, PresenceDiff and PresencePage are immutable once made and may be read on any
// loop; references to members are counted atomically. PresenceDelivery belongs to one loop.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "hub/delivery.h"

namespace anywire::hub {

class MemberPtr;
struct MemberDraft;

// One member as it was from one change to the next. One allocation: this header, then the text.
class Member {
 public:
  // Shares the draft's own one, if it has one.
  static MemberPtr make(const MemberDraft& draft);

  std::string_view client_id() const { return {text(), client_bytes_}; }
  std::string_view user_id() const { return {text() + client_bytes_, user_bytes_}; }
  std::string_view info() const { return {text() + client_bytes_ + user_bytes_, info_bytes_}; }
  std::uint32_t loop() const { return loop_; }

  // Of memory, and about what it takes on a wire.
  std::size_t bytes() const {
    return sizeof(Member) + client_bytes_ + user_bytes_ + info_bytes_;
  }

  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

 private:
  friend class MemberPtr;
  explicit Member(const MemberDraft& draft);
  ~Member() = default;
  const char* text() const { return reinterpret_cast<const char*>(this + 1); }
  void retain() const { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() const {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }
  void destroy() const;

  mutable std::atomic<std::uint32_t> refs_{1};
  const std::uint32_t loop_;
  const std::uint16_t client_bytes_;
  const std::uint16_t user_bytes_;
  const std::uint32_t info_bytes_;
};

// Holder of one reference; null when default-constructed or moved from. std::shared_ptr would cost
// a block for the counts and 8 bytes more per holder, which ten thousand members feel.
class MemberPtr {
 public:
  MemberPtr() = default;
  MemberPtr(const MemberPtr& other) : member_(other.member_) {
    if (member_ != nullptr) member_->retain();
  }
  MemberPtr(MemberPtr&& other) noexcept : member_(std::exchange(other.member_, nullptr)) {}
  MemberPtr& operator=(MemberPtr other) noexcept {
    std::swap(member_, other.member_);
    return *this;
  }
  ~MemberPtr() {
    if (member_ != nullptr) member_->release();
  }

  const Member* get() const { return member_; }
  const Member* operator->() const { return member_; }
  const Member& operator*() const { return *member_; }
  explicit operator bool() const { return member_ != nullptr; }

 private:
  friend class Member;
  explicit MemberPtr(const Member* adopted) : member_(adopted) {}
  const Member* member_ = nullptr;
};

// Who enters, as told by their loop. The views need to live for the call only.
struct MemberDraft {
  std::string_view client_id;  // the key; of a connection or whatever else can be present once
  std::string_view user_id;    // empty: of no user
  std::string_view info;       // raw bytes of a JSON text, not looked into
  std::uint32_t loop = 0;      // where it comes from; compared for equality only
  MemberPtr made = {};         // a Member of just this, if there is one; or null
};

// A place in the life of one set. `epoch` is random and never 0; `version` grows by one per diff.
struct PresencePosition {
  std::uint64_t epoch = 0;
  std::uint64_t version = 0;

  bool operator==(const PresencePosition&) const = default;
};

struct PresenceCounts {
  std::uint64_t members = 0;
  std::uint64_t users = 0;  // different ones; members of no user count for none

  bool operator==(const PresenceCounts&) const = default;
};

struct PresenceDiff {
  enum class Kind : std::uint8_t {
    kChanges,  // from `version_from` to `version_to`
    kAll,      // all members as of `version_to`, as `joins`
    kCounts,   // members omitted: they are too many to push
  };
  enum class Reason : std::uint8_t {
    kLeft,      // said so
    kLost,      // its connection was lost and it did not come back in time
    kReplaced,  // was lost; its user has come back under another client id
  };
  struct Join {
    MemberPtr member;
    bool first_of_user = false;  // nobody of this user was there before; never set in kAll
  };
  struct Leave {
    MemberPtr member;  // as it last was
    Reason reason = Reason::kLeft;
    bool last_of_user = false;  // nobody of this user is left
  };

  Kind kind = Kind::kChanges;
  std::uint64_t epoch = 0;
  std::uint64_t version_from = 0;
  std::uint64_t version_to = 0;
  std::vector<Leave> leaves;
  std::vector<Join> joins;
  std::vector<MemberPtr> updates;
  PresenceCounts counts;  // as of `version_to`

  PresencePosition position() const { return {epoch, version_to}; }
  // Needs nothing to build upon: whoever has it may forget all before.
  bool stands_alone() const { return kind != Kind::kChanges; }
  // Memory held by it, members included.
  std::size_t bytes() const;
};

using PresenceDiffPtr = std::shared_ptr<const PresenceDiff>;

struct PresencePage {
  PresencePosition position;  // what the page shows is of this version
  std::vector<MemberPtr> members;  // in the order of their client ids, bytewise
  bool more = false;               // ask again with `after` = the last one's client id
  PresenceCounts counts;
};

// What one walk over a channel's presence listeners hands to each of them: a diff and its wire
// forms on this loop, made by the first that needs one. Variants are numbered as for Delivery.
//
// Lifetime: of one walk; receivers keep the frames or the diff, not the PresenceDelivery.
class PresenceDelivery {
 public:
  static constexpr std::size_t kVariantsMax = Delivery::kVariantsMax;

  // `diff` is not null.
  explicit PresenceDelivery(PresenceDiffPtr diff) : diff_(std::move(diff)) {}

  const PresenceDiff& diff() const { return *diff_; }
  const PresenceDiffPtr& shared_diff() const { return diff_; }

  // `encode` makes the wire form of the diff and is called once per variant.
  template <typename Encode>
  const BufferRef& frame(std::size_t variant, Encode&& encode) {
    BufferRef& frame = frames_[variant];
    if (!frame) frame = encode(*diff_);
    return frame;
  }

 private:
  PresenceDiffPtr diff_;
  std::array<BufferRef, kVariantsMax> frames_;
};

}  // namespace anywire::hub
