#include "server/refusals.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/random.h"
#include "codec/json_writer.h"
#include "http/response_writer.h"
#include "protocol/limits.h"

namespace anywire::server {
namespace {

constexpr Duration kOverloadedRetryAfter{5'000};
constexpr Duration kAddressRetryAfter{2'000};

// From `least` to three times as much, so that those who are told do not all come back at once.
Duration jittered(Duration least) { return least + Random::local().jitter(2 * least); }

http::ConnectionOptions options_for_refusals(http::ConnectionOptions options) {
  options.head_timeout = std::min(options.head_timeout, Refusals::kRefusalTimeout);
  options.keep_alive_timeout = Duration::zero();  // closes after one
  options.skipped_body_bytes_max = 0;
  return options;
}

}  // namespace

void turn_away(http::Response& response, const TurnAway& why) {
  response.status = why.status;
  response.content_type = "application/json";
  response.body.clear();
  codec::JsonWriter json(response.body);
  json.begin_object();
  json.key("code").string(why.code);
  json.key("message").string(why.message);
  if (why.retry_after.count() > 0) {
    json.key("retryAfter").u64(static_cast<std::uint64_t>(why.retry_after.count()));
  }
  json.end_object();
  response.headers.push_back({"Cache-Control", "no-store"});
  if (why.retry_after.count() > 0) {
    response.headers.push_back({"Retry-After", protocol::retry_after_seconds(why.retry_after)});
  }
}

std::string turn_away_bytes(const TurnAway& why) {
  http::Response response;
  turn_away(response, why);
  std::string bytes;
  http::write_response(bytes,
                       {.status = response.status,
                        .keep_alive = false,
                        .content_type = response.content_type,
                        .date = {},
                        .headers = response.headers},
                       response.body);
  return bytes;
}

TurnAway overloaded_now() {
  return {.status = 503,
          .code = "overloaded",
          .message = "the server has more to do than it can",
          .retry_after = jittered(kOverloadedRetryAfter)};
}

TurnAway too_many_from_address() {
  return {.status = 429,
          .code = "too_many_connections",
          .message = "over the limit connections_per_address_max",
          .retry_after = jittered(kAddressRetryAfter)};
}

TurnAway rate_limited(protocol::LimitHit hit) {
  return {.status = 429,
          .code = "rate_limited",
          .message = std::move(hit.text),
          .retry_after = hit.retry_after};
}

Refusals::Refusals(reactor::Loop& loop, http::ConnectionOptions options)
    : context_{.loop = loop,
               .options = options_for_refusals(options),
               .handler = *this,
               .parser = http::RequestParser(options.limits),
               .connections = {}} {}

void Refusals::take(std::unique_ptr<net::Stream> stream, net::Address peer, const TurnAway& why) {
  AW_ASSERT(!full());
  http::Connection::start(context_, std::move(stream), std::move(peer),
                          std::make_shared<TurnAway>(why));
}

void Refusals::on_request(http::Connection& connection, const http::RequestHead&,
                          http::Response& response) {
  turn_away(response, *static_cast<const TurnAway*>(connection.lease()));
}

void Refusals::abort() {
  for (http::Connection* connection : context_.connections.snapshot()) connection->abort();
}

}  // namespace anywire::server
