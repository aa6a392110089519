// Endpoint: everything of Engine.IO 4 on one path of one loop: handshakes, polls, posts, upgrades,
// and the answers to what is none of them. Its sessions are Links.
//
// A session stays on the loop that made it. Its sid names that loop, so a request that arrived on
// another one is handed over with its connection (Visit::move), which stays there. No balancer has
// to be sticky.
//
// Refusals are JSON {"code","message"}:
//
//   0 Transport unknown   1 Session ID unknown   2 Bad handshake method   3 Bad request
//   4 Forbidden, or why   5 Unsupported protocol version
//
// all with 400, but code 4: 403, or 503 for a server that is full or about to leave. To a WebSocket
// handshake the message alone is said, with 400 or 503, before any 101.
//
// Thread: the loop's. Lifetime: in Endpoints, which outlives its loop's sessions and is made before
// whatever sends output at the end of a turn (net::FlushQueue) and after what produces it
// (hub::Hub).
// Limits: Options, EndpointLimits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/slot_table.h"
#include "http/connection.h"
#include "protocol/session.h"
#include "protocol/transport.h"
#include "protocol/transport/engine/link.h"
#include "protocol/transport/engine/options.h"
#include "protocol/transport/engine/wire.h"
#include "protocol/transport/stream_id.h"
#include "reactor/loop.h"
#include "websocket/handshake.h"

namespace anywire::protocol::engine {

class Endpoints;
class Gzip;

inline constexpr std::string_view kUnknownSession = "Session ID unknown";
inline constexpr std::string_view kBadRequest = "Bad request";

http::Response error_response(int status, int code, std::string_view message);

// What all endpoints of a server have in common.
struct EndpointLimits {
  std::size_t high_watermark_bytes = 256 * 1024;  // unsent output that makes input wait
  std::size_t queue_bytes_max = 2 * 1024 * 1024;  // unsent output that ends the session
  std::size_t sessions_max = 100'000;             // of a loop
  Duration body_timeout{30'000};                  // for the whole of a POST's body
};

// One request, and who brings it. Pieces are used during the call, or moved from.
struct Visit {
  using MakeSession =
      std::move_only_function<std::unique_ptr<Session>(Transport&, std::string_view)>;
  // Whether a client may come, a newcomer or one whose session is to go on by WebSocket, and what
  // it is counted by; else the answer.
  using Admit = std::move_only_function<std::optional<http::Response>(std::shared_ptr<void>&,
                                                                      bool newcomer)>;

  http::Connection& connection;
  const http::RequestHead& head;
  http::Response& response;  // holds what CORS wants already
  bool origin_allowed = true;
  std::optional<http::HttpError> refusal;  // the protocol's
  MakeSession make_session;
  Admit admit;
  const ws::DeflateOffer& deflate;
  // Hands the connection to that loop; false when there is none. Afterwards nothing is left of it.
  std::function<bool(std::uint32_t loop)> move;
};

class Endpoint {
 public:
  Endpoint(Endpoints& all, const Options& options);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // Inside RequestHandler::on_request.
  void serve(Visit visit);

  const Options& options() const { return options_; }
  const EndpointLimits& limits() const;
  reactor::Loop& loop() const;
  ws::CompressionPool& pool() const { return wires_.compression; }
  WireContext& wires() { return wires_; }
  const WireContext& wires() const { return wires_; }

  // For links and requests.
  StreamId add(Link& link);
  void remove(Link& link);
  void flush_later(Link& link);
  // Null also when it is about to end and takes no requests but polls.
  Link* find(const StreamId& id, bool polls = true) const;
  // False if it fails.
  bool gzip(std::string_view text, std::string& out);

 private:
  struct Question;

  static void refuse(Visit& visit, int status, int code, std::string_view message);
  void answer_preflight(Visit& visit) const;
  void serve_known(Visit& visit, const Question& question);
  void handshake(Visit& visit, const Question& question);
  void begin_polling(Visit& visit, std::shared_ptr<void> lease);
  void upgrade(Visit& visit, Link* link);
  void post(Visit& visit, Link& link);

  Endpoints& all_;
  const Options& options_;
  WireContext wires_;
};

// The endpoints of one loop.
class Endpoints final : private reactor::TurnEndHook {
 public:
  // `sockets`: what holds for every WebSocket; pings are not sent, for Engine.IO has its own.
  Endpoints(reactor::Loop& loop, const EndpointLimits& limits,
            const ws::ConnectionOptions& sockets, ws::CompressionPool& compression);
  ~Endpoints();
  Endpoints(const Endpoints&) = delete;
  Endpoints& operator=(const Endpoints&) = delete;

  // The one of these options, made when it is first asked for.
  Endpoint& at(const Options& options);

  // Says goodbye to all clients, as far as they can be told, and takes no new ones.
  void drain();
  // Ends all sessions and connections without a word.
  void abort();
  std::size_t sessions() const { return links_.size(); }
  // Connections that are WebSockets, candidates among them.
  std::size_t connections() const;
  std::vector<Link*> snapshot() const { return links_.snapshot(); }

 private:
  friend class Endpoint;
  void on_turn_end() override;

  reactor::Loop& loop_;
  EndpointLimits limits_;
  ws::ConnectionOptions sockets_;
  ws::CompressionPool& compression_;
  SlotTable<Link> links_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::vector<SlotId> touched_;
  std::unique_ptr<Gzip> gzip_;  // since it was first needed
  bool draining_ = false;
};

}  // namespace anywire::protocol::engine
