// Adapter: one wire protocol's door. It looks at requests and says what is spoken on the paths that
// are its own. Adapters never know of each other; server/adapters.cc is the one list of them.
//
// Thread: one instance per loop, used on that loop only. Lifetime: outlives its sessions.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "http/connection.h"
#include "http/request.h"
#include "http/status.h"
#include "net/address.h"
#include "protocol/session.h"
#include "protocol/transport.h"
#include "protocol/transport/engine/options.h"

namespace anywire::protocol {

// How a path is used. A protocol of JSON messages that wants to be reachable where WebSocket is
// blocked has one path for each of the first four; what is said on them is section 9 of
// docs/protocol.md.
enum class Via : std::uint8_t {
  kWebSocket,    // GET with Upgrade: a session
  kEventStream,  // GET: a session over Server-Sent Events
  kPoll,         // POST: a session over long-polling, and its polls
  kSend,         // POST: what the clients of the two before say
  kHttp,         // plain requests, answered by `handle`
  kEngineIo,     // a session over Engine.IO 4: polls and WebSocket on one path, whatever the method
};

// Who sends a request, as far as the connection tells.
struct Caller {
  net::Address address;       // of the client, behind trusted proxies, too
  bool secure = false;        // it speaks TLS
  // The page it comes from is one that the operator has named, not by "*", or one of this server's
  // own origin. Only then may what a browser sends by itself, a cookie, count as a credential.
  bool origin_named = false;
};

// What an adapter says to a request on one of its paths. The Gateway checks Origin and method,
// answers preflights, and makes the transport.
struct Route {
  // Set to refuse; then nothing below matters.
  std::optional<http::HttpError> refusal;
  Via via = Via::kWebSocket;
  // kWebSocket: subprotocols this path speaks, best first; with none, what the client offers is
  // ignored.
  std::span<const std::string_view> subprotocols;
  // kEngineIo: how it is spoken; the adapter's own, and the same object for all its paths that are
  // to find each other's sessions. Outlives the sessions.
  const engine::Options* engine = nullptr;
  // kWebSocket, kEventStream, kPoll, kEngineIo: `subprotocol` is the one agreed on, or empty. Used
  // once at most, perhaps after the request is over.
  std::move_only_function<std::unique_ptr<Session>(Transport&, std::string_view subprotocol)>
      make_session;
  // kHttp: a static list such as "GET, POST", and what answers; see http::RequestHandler.
  // `response` holds what CORS wants already, so headers are to be added and not set.
  std::string_view methods;
  std::move_only_function<void(http::Connection&, const http::RequestHead&, http::Response&)>
      handle;
  // kHttp: says a refusal of the Gateway's, whose status and text are there, in this adapter's own
  // form; null: plain text will do.
  void (*describe)(http::Response&) = nullptr;
};

class Adapter {
 public:
  virtual ~Adapter() = default;
  virtual std::string_view name() const = 0;
  // Nothing when the path is not this adapter's.
  // Arguments are read during the call.
  virtual std::optional<Route> route(const http::RequestHead& request, const Caller& caller) = 0;
};

}  // namespace anywire::protocol
