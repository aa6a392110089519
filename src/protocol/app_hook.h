// AppHook: the customer's application, as adapters see it: what it may be asked before something is
// done, and what it may answer. docs/hooks.md is the same for those who write one. Where there is
// no application the pointer is null.
//
// Thread: one instance per loop. Lifetime: outlives the sessions. Questions are read during the
// call. `done` is called on that loop, once, never inside the call, and may come when the session
// that asked has long gone: what it captures must bear that. It comes in any case, within the time
// limit of the application, unless the loop stops first.
// Limits: what waits is bounded (hooks/dispatcher.h); beyond that the answer is kUnavailable or
// "allowed", as configured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/capability.h"
#include "broker/broker.h"
#include "protocol/app_fault.h"

namespace anywire::protocol {

// Whom a question is about. Everything may be empty.
struct AppClient {
  std::string_view id;    // its public id; none before it is connected
  std::string_view user;
  std::string_view info;  // JSON, of its token
  std::string_view protocol;
  std::string_view address;  // without a port
  std::string_view origin;   // the request's Origin header
};

struct ConnectQuestion {
  AppClient client;
  std::string_view token;  // as the client gave it; empty if it gave none
};

struct SubscribeQuestion {
  AppClient client;
  std::string_view channel;
};

struct PublishQuestion {
  AppClient client;
  std::string_view channel;
  const broker::Draft& draft;
};

struct RpcQuestion {
  AppClient client;
  std::string_view method;
  std::string_view data;  // JSON; empty if there was none
};

// Why not.
struct AppRefusal {
  enum class Code : std::uint8_t {
    kRefused,      // it said no; what follows are its own words
    kUnavailable,  // it was not reached, did not answer in time or not in shape
    kNoHandler,    // it does not answer this method
  };
  Code code = Code::kUnavailable;
  std::string message;  // for people
  std::string reason;   // for programs; may be empty
  bool retry = false;   // the same may be allowed later
  bool disconnect = false;  // and the client is to go
};

// What the application wants done besides. Without a user or a client it is about the client that
// was asked about.
struct AppAction {
  enum class Kind : std::uint8_t { kPublish, kSubscribe, kUnsubscribe, kDisconnect };
  Kind kind = Kind::kPublish;
  std::string channel;
  broker::PublishRequest request;  // kPublish
  std::string user;
  std::string client;
  std::string reason;     // kDisconnect
  bool reconnect = true;  // kDisconnect: it may come back at once
};
using AppActions = std::vector<AppAction>;

// What is there replaces what the token says.
struct ConnectAnswer {
  std::optional<std::string> user;
  std::optional<std::string> info;  // JSON
  std::optional<auth::Capability> capability;
  std::optional<std::vector<std::string>> channels;
  std::optional<std::uint64_t> expires_ms;  // Unix time
  // For `act`, once the client is connected. Those of other answers are done already.
  AppActions actions;
};

// What is there replaces what the client said.
struct PublishAnswer {
  struct Payload {
    broker::PayloadKind kind = broker::PayloadKind::kJson;
    std::string bytes;
  };
  bool drop = false;  // say that it is published, and do not
  std::optional<Payload> payload;
  std::optional<std::string> event;
  std::optional<std::vector<broker::Tag>> tags;
};

template <typename Answer>
using AppDone = std::move_only_function<void(std::expected<Answer, AppRefusal>)>;
using ConnectDone = AppDone<ConnectAnswer>;
using SubscribeDone = AppDone<void>;
using PublishVerdictDone = AppDone<PublishAnswer>;
using RpcDone = AppDone<std::string>;  // JSON

// Bytes that wait for the application on one loop, whoever holds them.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t most) : most_(most) {}

  bool take(std::size_t bytes) {
    if (bytes > most_ - used_) return false;
    used_ += bytes;
    return true;
  }
  void give_back(std::size_t bytes) { used_ -= bytes; }
  std::size_t used() const { return used_; }

 private:
  const std::size_t most_;
  std::size_t used_ = 0;
};

class AppHook {
 public:
  virtual ~AppHook() = default;

  // What it wants to be asked everywhere; `subscribe` and `publish` are the channel rules' to say.
  virtual bool asks_connect() const = 0;
  virtual bool asks_rpc() const = 0;

  virtual void connect(const ConnectQuestion& question, ConnectDone done) = 0;
  virtual void subscribe(const SubscribeQuestion& question, SubscribeDone done) = 0;
  virtual void publish(const PublishQuestion& question, PublishVerdictDone done) = 0;
  virtual void rpc(const RpcQuestion& question, RpcDone done) = 0;

  // The connection of a client that had been told it is connected has ended for good: no other one
  // has taken its session over.
  virtual void disconnected(const AppClient& client) = 0;

  virtual void act(AppActions actions, std::string_view client) = 0;

  // What it has said was not done, and its operator should know why.
  virtual void blame(const AppFault& fault) = 0;

  // For publications that wait in their session because one before them waits for its answer.
  virtual ByteBudget& waiting() = 0;
};

}  // namespace anywire::protocol
