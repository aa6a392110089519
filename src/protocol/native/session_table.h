// SessionTable: the native sessions of one loop, those that lost their connection a while ago among
// them, by an id that outlives them; SessionGroup: the tables of all loops, and the secrets by
// which a client takes its session over from whichever loop it comes to. Section 7 of
// docs/protocol.md. Who is connected, by user or client id and whatever the protocol, is in
// protocol/clients.h.
//
// A secret is the session's place and a signature by a key this process made up when it started. So
// nothing of it has to be kept, and whoever has it need not be looked up to be refused.
//
// A session that is taken over moves: its heir has a place, and a secret, of its own. Whether the
// client ever learns the new secret is not known until it says something, so the old place stays
// for so long, and names the heir; whoever comes with the old secret is led there. Who presents a
// secret has not had a later one, so there is never more than one such place for a session.
//
// Thread: a table belongs to its loop; a SessionGroup is made before the loops run, and `seal`,
// `open` and `claim` may then be called on any of them. Lifetime: the group outlives all sessions.
// Limits: kDetachedMax sessions without a connection per loop, and kDetachedBytesMax of what they
// leave; the oldest go first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/key.h"
#include "base/time.h"
#include "protocol/clients.h"
#include "protocol/client_id.h"
#include "reactor/loop.h"

namespace anywire::protocol::native {

// One channel a session is present in. Without `info` it shows the token's.
struct Presence {
  std::string channel;
  std::optional<std::string> info;

  bool operator==(const Presence&) const = default;
};

// What the session may do besides what its token says.
struct Grant {
  auth::Capability capability;
  std::uint64_t expires_ms = 0;  // 0: with the session
};

// What a session hands to the one that takes it over.
struct Estate {
  ClientId client;
  std::string user;  // may take it over; others may not
  std::string info;  // of its token
  std::vector<Presence> presences;
  std::vector<Grant> grants;
  std::vector<std::string> given_channels;  // that others have subscribed it to
};

// A session as others name it. Stale ones find nobody.
struct SessionRef {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;

  bool operator==(const SessionRef&) const = default;
};

// A session as other loops name it.
struct SessionPlace {
  std::uint32_t loop = 0;
  SessionRef ref;

  bool operator==(const SessionPlace&) const = default;
};

// A session with a connection, as its table sees it.
class LiveSession : public LiveClient {
 public:
  // Somebody else goes on with it: closes the connection and gives away what there is. Nothing, and
  // no change, if it waits for an estate itself. Must not call the table.
  virtual std::optional<Estate> hand_over() = 0;

 protected:
  ~LiveSession() = default;
};

class SessionTable final : private reactor::Timer {
 public:
  static constexpr std::size_t kDetachedMax = 100'000;
  static constexpr std::size_t kDetachedBytesMax = 64 * 1024 * 1024;
  // Tells that nobody will come with the secret of that place any more; see `forget`.
  using Forget = std::function<void(const SessionPlace& former, SessionRef heir)>;

  SessionTable(reactor::Loop& loop, Forget forget) : loop_(loop), forget_(std::move(forget)) {}

  SessionRef add(LiveSession& session);
  // Null if it has no connection any more.
  LiveSession* find(SessionRef ref) const;
  void remove(SessionRef ref);
  // Keeps the estate for so long.
  void detach(SessionRef ref, Estate estate, Duration window);

  // What is found at a place: its estate, from whoever has it, alive or not; or, if that was given
  // away already, to whom.
  struct Taken {
    std::optional<Estate> estate;
    std::optional<SessionPlace> heir;
  };
  // The place names the new heir from now on. Nothing if there is no such session of that user.
  Taken take(SessionRef ref, std::string_view user, const SessionPlace& heir);
  // For who was led there by a former place: afterwards the ref finds nobody.
  std::optional<Estate> take(SessionRef ref, std::string_view user);

  // The session has come by the secret of `former`, which is good until the client has the new one.
  void inherit(SessionRef ref, const SessionPlace& former);
  // It has, and the client has not been heard since.
  bool inherited(SessionRef ref, const SessionPlace& former) const;
  // The client has it.
  void confirm(SessionRef ref);
  // Nobody needs to be led from here to this heir any more.
  void forget(SessionRef ref, const SessionPlace& heir);

  std::size_t detached() const { return detached_; }
  // Of their estates.
  std::size_t detached_bytes() const { return detached_bytes_; }
  // Entries in the list of when they end.
  std::size_t deadlines() const { return deadlines_.size(); }
  // Places that only lead to an heir.
  std::size_t led() const { return led_; }
  reactor::Loop& loop() const { return loop_; }

 private:
  // What is left of a session without a connection. With an heir only the user counts.
  struct Left {
    Estate estate;
    std::size_t bytes = 0;  // of the estate, as it is counted
    std::optional<SessionPlace> heir;
  };
  // In use, it has somebody alive, or something in `left_`.
  struct Slot {
    LiveSession* live = nullptr;
    std::uint32_t generation = 1;
  };
  struct Deadline {
    TimePoint at;
    SessionRef ref;
  };

  Slot* slot_of(SessionRef ref);
  Left* left_at(SessionRef ref);
  bool waits(SessionRef ref);
  void count_out(const Left& left);
  std::optional<Estate> estate_of(SessionRef ref, std::string_view user);
  void free(std::uint32_t slot);
  void forget_oldest();
  void on_timer() override;

  reactor::Loop& loop_;
  const Forget forget_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  // By slot. Not in it: idle sessions are many, and all are alive.
  std::unordered_map<std::uint32_t, Left> left_;
  // By slot, for the few whose client has not been heard since.
  std::unordered_map<std::uint32_t, SessionPlace> former_;
  // In the order in which they began, and all wait equally long. Those that were taken over are
  // left in it, but never many more than there are others.
  std::deque<Deadline> deadlines_;
  std::size_t detached_ = 0;
  std::size_t detached_bytes_ = 0;
  std::size_t led_ = 0;
};

class SessionGroup {
 public:
  // Fails only if OpenSSL does.
  static Result<std::unique_ptr<SessionGroup>> create(const std::vector<reactor::Loop*>& loops);

  SessionTable& table(std::uint32_t loop) { return *tables_[loop]; }

  // The secret of a session; empty if OpenSSL fails, and then it cannot be resumed.
  std::string seal(std::uint32_t loop, SessionRef ref) const;

  // Calls `done` on the heir's loop with what the session of that secret leaves, or nothing if
  // there is none or it is another user's; inside the call if all is on that loop or the secret is
  // none. `done` says whether the heir is still there to have it. If it is, the secret is good
  // until `SessionTable::confirm`.
  using Claimed = std::move_only_function<bool(std::optional<Estate>)>;
  void claim(const SessionPlace& heir, std::string_view secret, std::string_view user,
             Claimed done);

 private:
  struct Claim {
    SessionPlace former;
    SessionPlace heir;
    std::string user;
    Claimed done;
  };

  SessionGroup(const std::vector<reactor::Loop*>& loops, auth::Key key);
  std::optional<SessionPlace> open(std::string_view secret) const;
  void look(Claim claim);
  void finish(Claim claim, std::optional<Estate> estate);
  void forget(const SessionPlace& former, const SessionPlace& heir);
  // Runs `work` on that loop: now, if it is `from`.
  template <typename Work>
  void run_on(std::uint32_t loop, std::uint32_t from, Work&& work);

  const auth::Key key_;
  std::vector<std::unique_ptr<SessionTable>> tables_;
};

}  // namespace anywire::protocol::native
