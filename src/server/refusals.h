// Refusals: newcomers who are turned away with an answer though they come by TLS: their request
// is read and answered with a status, a reason and when to come back, and the connection is closed.
//
// That costs a handshake for each of them, so only so many are answered at a time; the rest are the
// caller's to turn away without a word.
//
// Thread: the loop's. Lifetime: outlives its connections. Limits: kRefusalsMax connections at a
// time, each for kRefusalTimeout at most.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/time.h"
#include "http/connection.h"
#include "protocol/limits.h"

namespace anywire::server {

// Why somebody is turned away.
struct TurnAway {
  int status = 503;     // or 429
  const char* code = "overloaded";  // or "rate_limited", "too_many_connections"
  std::string message;  // names the limit
  Duration retry_after{0};
};

// The ones there are.
TurnAway overloaded_now();
TurnAway too_many_from_address();
TurnAway rate_limited(protocol::LimitHit hit);

// Makes `response` the answer, beside the headers it has: JSON with `code`, `message` and
// `retryAfter` in milliseconds, and Retry-After in seconds.
void turn_away(http::Response& response, const TurnAway& why);
// The same as bytes, for who is not even read from.
std::string turn_away_bytes(const TurnAway& why);

class Refusals final : private http::RequestHandler {
 public:
  static constexpr std::size_t kRefusalsMax = 64;
  static constexpr Duration kRefusalTimeout{5'000};

  Refusals(reactor::Loop& loop, http::ConnectionOptions options);

  bool full() const { return context_.connections.size() >= kRefusalsMax; }
  // Not when full().
  void take(std::unique_ptr<net::Stream> stream, net::Address peer, const TurnAway& why);

  std::size_t size() const { return context_.connections.size(); }
  void abort();

 private:
  void on_request(http::Connection& connection, const http::RequestHead& head,
                  http::Response& response) override;

  http::ConnectionContext context_;
};

}  // namespace anywire::server
