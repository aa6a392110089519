// Clients: who is connected, whatever protocol it speaks. It is how somebody who is not the
// client's own session reaches it: the HTTP API, the customer's application, a revocation.
//
//   group.for_each(loop.index(), {.user = "ann"},
//                  [](LiveClient& client) { return client.subscribe("news"); },
//                  [](std::size_t connections) { ... });
//
// A session joins the Clients of its loop when its identity is known. ClientGroup reaches those of
// all loops by mail and brings the answer back to the loop that asked.
//
// Thread: Clients and LiveClient belong to their loop. A ClientGroup is made before the loops run;
// its methods are called on any of them, `from` being the index of the one that calls.
// Lifetime: the group outlives all sessions; a session leaves before it dies. Callbacks are called
// on the loop `from`, perhaps inside the call; when a loop stops first, never.
// Limits: a client costs one entry of 24 bytes, eight more where tokens have ids, sixteen where one
// came over IPv6, and eleven to 22 for each of its two names once somebody has been looked for by
// such a name: most servers never look, so the first who asks waits for the index to be made. A
// list has at most kListedMax clients of each loop, and each of them kListedChannelsMax channels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/capability.h"
#include "auth/identity.h"
#include "auth/revocations.h"
#include "net/address.h"
#include "protocol/slot_index.h"
#include "reactor/loop.h"

namespace anywire::protocol {

// A call of a method that the client has (`call` of docs/protocol.md). Views are read during the
// call.
struct ClientCall {
  std::string method;
  std::string data;  // JSON; empty if there is none
  Duration timeout{10'000};
};

struct CallError {
  enum class Code : std::uint8_t {
    kGone,         // no such client, or it went before it answered
    kTimeout,      // it did not answer in time
    kRefused,      // it answered with an error of its own: `code` and `message` are its words
    kTooMany,      // as many calls as it may have wait for its answer
    kUnsupported,  // its protocol has no calls
  };
  Code kind = Code::kGone;
  std::string code;
  std::string message;
};

// The result is JSON, empty if the client sent none.
using CallDone = std::move_only_function<void(std::expected<std::string, CallError>)>;

// A session that somebody else may reach. A Timer by itself, so that a session has one table of
// virtual functions less. Nothing below destroys the session; what ends it does so at the end of
// the turn, and what comes after the end has no effect.
class LiveClient : public reactor::Timer {
 public:
  // Stays the same while the session is among the Clients, but that a name without one may come.
  virtual std::string_view client() const = 0;  // its public id; empty until it is connected
  virtual std::string_view user() const = 0;    // empty: anonymous

  virtual std::string_view protocol() const = 0;
  // Patterns count as channels. At most so many.
  virtual std::vector<std::string> channels(std::size_t most) const = 0;

  // Tells the client to go. With `reconnect` it may come back at once.
  virtual void disconnect(std::string_view reason, bool reconnect) = 0;
  // Its token has been revoked.
  virtual void revoke() = 0;

  // Adds to what its token allows, until then. False when it has as many grants as it may.
  virtual bool grant(const auth::Capability& capability,
                     std::optional<auth::WallTime> expires) = 0;
  // Takes back a grant of exactly that capability, or all of them with null; then leaves what they
  // alone allowed. False when there was none.
  virtual bool withdraw(const auth::Capability* capability) = 0;
  // The server's own doing: no permission is asked. False when the client is in that channel
  // already, may have no more, or has a protocol without such a thing.
  virtual bool subscribe(std::string_view channel) = 0;
  virtual bool unsubscribe(std::string_view channel) = 0;

  virtual void call(const ClientCall&, CallDone done) {
    done(std::unexpected(CallError{CallError::Code::kUnsupported, {}, {}}));
  }

 protected:
  ~LiveClient() = default;

 private:
  friend class Clients;
  static constexpr std::uint32_t kNowhere = UINT32_MAX;

  std::uint32_t place_ = kNowhere;
};

// Which ones: all of a user, or one client. Exactly one of the two.
struct Whom {
  std::string user;
  std::string client;
};

// One of them, as it is told to who asks.
struct ClientRecord {
  std::string client;
  std::string user;
  std::string address;
  std::string protocol;
  std::uint64_t since_ms = 0;  // Unix time
  std::vector<std::string> channels;
};

// Those of one loop.
class Clients {
 public:
  static constexpr std::size_t kListedChannelsMax = 1000;

  // What is known of a client when it comes.
  struct Arrival {
    const net::Address& address;
    std::uint64_t unix_ms = 0;
    auth::TokenStamp stamp;
  };
  void add(LiveClient& client, const Arrival& arrival);
  // It has a client id now.
  void named(LiveClient& client);
  // It goes by another token of the same user.
  void restamp(LiveClient& client, const auth::TokenStamp& stamp);
  // Without effect if it is not there.
  void remove(LiveClient& client);
  bool has(const LiveClient& client) const { return client.place_ != LiveClient::kNowhere; }

  // Not const: what they are found by is made when it is first needed.
  std::vector<LiveClient*> find(const Whom& whom);
  // Of those a revocation is about, which is to say whose token it takes.
  std::vector<LiveClient*> find(const auth::Revocation& revocation);
  ClientRecord record(const LiveClient& client) const;
  // As people write it, without a port.
  std::string address(const LiveClient& client) const;
  std::size_t size() const { return entries_.size() - free_.size(); }
  // Whether there are indexes, for tests of what clients cost.
  bool indexed() const { return by_user_.made || by_client_.made; }

 private:
  // Ten thousand idle clients have one each, so what few have is kept beside them, by place. Of the
  // key's name 29 bits are enough: two keys that collide would have their connections closed
  // together, and whoever has a good token comes back with it.
  struct Entry {
    LiveClient* client = nullptr;
    std::uint32_t since_s = 0;
    std::uint32_t issued_s = 0;  // of the token
    std::uint32_t key : 29 = 0;
    std::uint32_t family : 2 = 0;
    std::uint32_t bearer : 1 = 0;  // it came by a token
    net::Address::Ipv4Bytes ipv4{};
  };
  using Name = std::string_view (LiveClient::*)() const;
  struct Index {
    Name name;
    SlotIndex slots{};
    bool made = false;
  };

  void set_stamp(std::uint32_t place, const auth::TokenStamp& stamp);
  // Without the key.
  auth::TokenStamp stamp(std::uint32_t place) const;
  net::Address::Ipv6Bytes ipv6(std::uint32_t place) const;
  SlotIndex& made(Index& index);
  static void put(Index& index, const LiveClient& client, std::uint32_t place);
  static void drop(Index& index, const LiveClient& client, std::uint32_t place);

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint64_t> token_ids_;               // empty until a token has one
  std::vector<net::Address::Ipv6Bytes> ipv6_;          // empty until one comes that way
  Index by_user_{&LiveClient::user};
  Index by_client_{&LiveClient::client};
};

class ClientGroup {
 public:
  static constexpr std::size_t kListedMax = 1000;

  explicit ClientGroup(const std::vector<reactor::Loop*>& loops);

  Clients& on(std::uint32_t loop) { return *sides_[loop].clients; }

  // Visits them, each on its own loop and perhaps at the same time, so `visit` holds nothing that
  // can be changed. `done` gets how many visits said true.
  using Visit = std::function<bool(LiveClient&)>;
  using Counted = std::move_only_function<void(std::size_t)>;
  void for_each(std::uint32_t from, Whom whom, Visit visit, Counted done);

  using Listed = std::move_only_function<void(std::vector<ClientRecord>)>;
  void list(std::uint32_t from, Whom whom, Listed done);

  void call(std::uint32_t from, std::string client, ClientCall call, CallDone done);

  // Closes the connections it is about. Whoever verifies tokens must have been told before, so
  // that nobody slips through (auth::Revocations::add).
  void revoke(std::uint32_t from, auth::Revocation revocation, Counted done);

 private:
  struct Side {
    reactor::Loop* loop;
    std::unique_ptr<Clients> clients;
  };

  // Runs `work(loop)` on every loop and `done` with the results, in the order of the loops.
  template <typename Part, typename Work, typename Done>
  void gather(std::uint32_t from, Work work, Done done);
  void run_on(std::uint32_t loop, std::uint32_t from, Task work);

  std::vector<Side> sides_;
};

}  // namespace anywire::protocol
