// SessionTable: the native sessions of one loop, those that lost their connection a while ago among
// them, by an id that outlives them; SessionGroup: the tables of all loops, and the secrets by
// which a client takes its session over from whichever loop it comes to. Section 7 of
// docs/protocol.md.
//
// A secret is the session's place and a signature by a key this process made up when it started. So
// nothing of it has to be kept, and whoever has it need not be looked up to be refused.
//
// Thread: a table belongs to its loop; a SessionGroup is made before the loops run, and `seal`,
// `open` and `claim` may then be called on any of them. Lifetime: the group outlives all sessions.
// Limits: kDetachedMax sessions without a connection per loop; the oldest go first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key.h"
#include "base/time.h"
#include "protocol/native/client_id.h"
#include "reactor/loop.h"

namespace anywire::protocol::native {

// One channel a session is present in. Without `info` it shows the token's.
struct Presence {
  std::string channel;
  std::optional<std::string> info;

  bool operator==(const Presence&) const = default;
};

// What a session hands to the one that takes it over.
struct Estate {
  ClientId client;
  std::string user;  // may take it over; others may not
  std::string info;  // of its token
  std::vector<Presence> presences;
};

// A session as others name it. Stale ones find nobody.
struct SessionRef {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;

  bool operator==(const SessionRef&) const = default;
};

// A session with a connection, as its table sees it.
class LiveSession {
 public:
  virtual std::string_view user() const = 0;
  // Somebody else goes on with it: closes the connection and gives away what there is. Must not
  // call the table.
  virtual Estate hand_over() = 0;

 protected:
  ~LiveSession() = default;
};

class SessionTable final : private reactor::Timer {
 public:
  static constexpr std::size_t kDetachedMax = 100'000;

  explicit SessionTable(reactor::Loop& loop) : loop_(loop) {}

  SessionRef add(LiveSession& session);
  // Null if it has no connection any more.
  LiveSession* find(SessionRef ref) const;
  void remove(SessionRef ref);
  // Keeps the estate for so long.
  void detach(SessionRef ref, Estate estate, Duration window);
  // Takes it over from whoever has it, alive or not. Afterwards the ref finds nobody.
  std::optional<Estate> take(SessionRef ref, std::string_view user);

  std::size_t detached() const { return detached_; }
  reactor::Loop& loop() const { return loop_; }

 private:
  struct Slot {
    std::uint32_t generation = 1;
    LiveSession* live = nullptr;
    std::unique_ptr<Estate> estate;
  };
  struct Deadline {
    TimePoint at;
    SessionRef ref;
  };

  Slot* slot_of(SessionRef ref);
  void free(std::uint32_t slot);
  void forget_oldest();
  void on_timer() override;

  reactor::Loop& loop_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  // In the order in which they began, and all wait equally long.
  std::deque<Deadline> deadlines_;
  std::size_t detached_ = 0;
};

class SessionGroup {
 public:
  // Fails only if OpenSSL does.
  static Result<std::unique_ptr<SessionGroup>> create(const std::vector<reactor::Loop*>& loops);

  SessionTable& table(std::uint32_t loop) { return *tables_[loop]; }

  // The secret of a session; empty if OpenSSL fails, and then it cannot be resumed.
  std::string seal(std::uint32_t loop, SessionRef ref) const;

  // Calls `done` on `loop` with what the session of that secret leaves, or nothing if there is none
  // or it is another user's; inside the call if it is of the same loop or the secret is none.
  using Claimed = std::move_only_function<void(std::optional<Estate>)>;
  void claim(std::uint32_t loop, std::string_view secret, std::string_view user, Claimed done);

 private:
  struct Place {
    std::uint32_t loop = 0;
    SessionRef ref;
  };

  SessionGroup(const std::vector<reactor::Loop*>& loops, auth::Key key);
  std::optional<Place> open(std::string_view secret) const;

  const auth::Key key_;
  std::vector<std::unique_ptr<SessionTable>> tables_;
};

}  // namespace anywire::protocol::native
