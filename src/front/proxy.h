// Proxy: requests that are not Anywire's go to the application's server (`next start`, `next dev`,
// or anything that speaks HTTP/1.1), and its answers come back: so both share one origin.
//
// Bodies stream in both directions and are never gathered: above a watermark whoever sends is not
// read from. Answers are passed on part by part as they come, so streamed pages and Server-Sent
// Events are not held up. A WebSocket upgrade becomes a Tunnel once the server has said 101; until
// then nothing of what the client sends behind its request goes on, so a server that refuses the
// upgrade cannot be made to read a second request.
//
// - A server that cannot be reached is 502, one that does not answer in time 504, one too many at a
//   time 503. An answer that breaks off in the middle breaks the client's connection, too: nobody
//   ever takes a part for the whole.
// - A request without a body and of an idempotent method is sent once more when the connection it
//   went out on had rested and turns out to be dead.
// - When the client goes, so does its request; also one that is alive and takes nothing.
//
// Thread: the loop's. Lifetime: outlives the connections it is given. Limits: ProxyOptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "front/tunnel.h"
#include "front/upstream.h"
#include "http/connection.h"
#include "net/cidr.h"
#include "net/flush_queue.h"

namespace anywire::front {

struct ProxyOptions {
  UpstreamOptions upstream;
  // From the end of the request to the head of the answer, and for taking the next part of a body
  // that waits; 0 means no limit.
  Duration answer_timeout{60'000};
  // For each next part of a body; else 408. 0 means no limit.
  Duration body_timeout{60'000};
  // A client that takes nothing of its answer for so long is given up; 0 means no limit.
  Duration send_timeout{60'000};
  std::uint64_t body_bytes_max = http::kNoBodyLimit;  // else 413
  // Unsent bytes, in either direction, above which whoever sends them is not read from.
  std::size_t high_watermark_bytes = 256 * 1024;
  net::CidrList trusted_proxies;
  // Says on error pages where the server was looked for, and what to do.
  bool explain = false;
};

class Proxy {
 public:
  Proxy(net::FlushQueue& queue, const ProxyOptions& options);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  // As http::RequestHandler::on_request. `lease` lives as long as a tunnel that comes of it.
  void serve(http::Connection& connection, const http::RequestHead& head, http::Response& response,
             std::shared_ptr<void> lease);

  // Sockets beside those of the http::Connections: to the server, and both ends of tunnels.
  std::size_t sockets() const { return pool_.size() + 2 * tunnels_.size(); }
  // Ends tunnels and resting connections; requests under way come to their end.
  void drain();

 private:
  friend class ProxyExchange;

  net::FlushQueue& queue_;
  ProxyOptions options_;
  UpstreamPool pool_;
  DenseSet<Tunnel> tunnels_;
};

}  // namespace anywire::front
