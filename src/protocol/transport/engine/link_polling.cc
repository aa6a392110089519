// The part of a Link that polls, and the way from there to a WebSocket.
#include <utility>

#include "protocol/transport/engine/endpoint.h"
#include "protocol/transport/engine/link.h"
#include "protocol/transport/engine_frame.h"

namespace anywire::protocol::engine {
namespace {

constexpr std::string_view kNoop = "6";

}  // namespace

void Link::start_polling(PollRequest& handshake, std::unique_ptr<Session> session,
                         const http::RequestHead& head) {
  polling_ = std::make_unique<Polling>(*this);
  polling_->handshake = true;
  polling_->poll = &handshake;
  handshake.link_ = this;
  attach(std::move(session), head);
}

void Link::poll(PollRequest& request) {
  if (wire_ != nullptr) return request.respond(error_response(400, 3, kBadRequest));
  if (polling_->poll != nullptr) {
    request.respond(error_response(400, 3, kBadRequest));
    return fail(ws::CloseCode::kPolicyViolation);
  }
  polling_->poll = &request;
  request.link_ = this;
  touch();
}

// Its client gave it up: what it would have brought, nobody knows.
void Link::forget(PollRequest& request) {
  if (!polling_ || polling_->poll != &request) return;
  polling_->poll = nullptr;
  fail(ws::CloseCode::kAbnormal);
}

void Link::begin_post(PostRequest& request) { polling_->post = &request; }

void Link::take_post(PostRequest& request) {
  request.complete_ = true;
  deliver_post();
}

void Link::forget(PostRequest& request) {
  if (!polling_ || polling_->post != &request) return;
  polling_->post = nullptr;
  // It is known that nothing of it was taken.
  if (!request.too_large_) return fail(ws::CloseCode::kAbnormal);
  finish_polling();
}

void Link::deliver_post() {
  while (has_post() && polling_->post->complete_ && !delivering_) {
    PostRequest& post = *polling_->post;
    if (!post.packets_.more()) {
      answer_post();
      return finish_polling();
    }
    if (!takes_input()) return;
    const auto packet = post.packets_.next();
    if (!packet) {
      refuse_post(error_response(400, 3, kBadRequest));
      return fail(ws::CloseCode::kProtocolError);
    }
    if (!take_packet(*packet)) return;
  }
}

void Link::answer_post() {
  if (!has_post()) return;
  PostRequest* const post = std::exchange(polling_->post, nullptr);
  post->link_ = nullptr;
  http::Response response{.status = 200, .content_type = "text/html", .body = "ok"};
  response.headers = {{"Cache-Control", "no-store"}};
  post->respond(std::move(response));
}

void Link::refuse_post(http::Response response) {
  if (!has_post()) return;
  PostRequest* const post = std::exchange(polling_->post, nullptr);
  post->link_ = nullptr;
  post->respond(std::move(response));
}

void Link::enqueue(BufferRef packets) {
  if (!polling_) return;
  const EndpointLimits& limits = endpoint_.limits();
  polling_->queued_bytes += packets->size() + 1;
  polling_->queue.push_back(std::move(packets));
  touch();
  if (polling_->queued_bytes <= limits.high_watermark_bytes) [[likely]] return;
  if (polling_->queued_bytes > limits.queue_bytes_max && congested_) {
    // The end says that something is missing, so it need not wait behind what nobody fetches.
    polling_->queue = {};
    polling_->queued_bytes = 0;
    return close(ws::CloseCode::kTryAgainLater, "too slow a reader");
  }
  congested_ = true;
}

void Link::flush() {
  touched_ = false;
  if (ended_ || !opened_ || wire_ != nullptr || polling_->poll == nullptr) return;
  if (polling_->queue.empty()) {
    // A client that is to upgrade waits for its poll to come back.
    if (polling_->probed) answer_poll(kNoop);
    return;
  }
  std::string body;
  body.reserve(polling_->queued_bytes);
  for (const BufferRef& packets : polling_->queue) {
    if (!body.empty()) body += kSeparator;
    body += as_text(packets->bytes());
  }
  polling_->queue = {};
  polling_->queued_bytes = 0;
  answer_poll(body);
  if (closing_) return endpoint_.loop().arm(*this, Duration::zero());
  if (!std::exchange(congested_, false)) return;
  deliver_post();
  if (!congested_ && !closing_ && session_) session_->on_writable();
}

void Link::answer_poll(std::string_view body) {
  PollRequest* const poll = std::exchange(polling_->poll, nullptr);
  poll->link_ = nullptr;
  http::Response response{
      .status = 200, .content_type = "text/plain; charset=UTF-8", .body = {}};
  response.headers = {{"Cache-Control", "no-store"}};
  const Options& options = endpoint_.options();
  std::string cookie;
  if (std::exchange(polling_->handshake, false) && !options.cookie.empty()) {
    cookie = options.cookie + "=" + to_text(id_) + "; Path=/; HttpOnly; SameSite=Lax";
    response.headers.push_back({"Set-Cookie", cookie});
  }
  const bool compress = options.compression_bytes_min > 0 && poll->takes_gzip() &&
                        body.size() >= options.compression_bytes_min;
  if (compress && endpoint_.gzip(body, response.body)) {
    response.headers.push_back({"Content-Encoding", "gzip"});
  } else {
    response.body = body;
  }
  poll->respond(std::move(response));
}

void Link::offer(std::unique_ptr<net::Stream> stream, Bytes early, ws::UpgradeAnswer answer,
                 std::shared_ptr<void> lease) {
  Wire& wire = Wire::start(endpoint_.wires(), *this, std::move(stream), early, std::move(answer));
  polling_->candidate = &wire;
  polling_->candidate_lease = std::move(lease);
  endpoint_.loop().arm(*polling_, endpoint_.options().upgrade_timeout);
  wire.connection().open();
}

void Link::take_probe(ws::Message& message) {
  const std::string_view text = message.text ? as_text(message.data) : std::string_view();
  if (!polling_->probed && text == "2probe") {
    polling_->probed = true;
    polling_->candidate->connection().send(ws::Opcode::kText,
                                           as_bytes(std::string_view("3probe")));
    return touch();
  }
  if (!polling_->probed || text != "5") return drop_candidate();
  upgrade();
}

void Link::upgrade() {
  polling_->disarm();
  // A client that has not waited for its poll gets it back.
  if (polling_->poll != nullptr) answer_poll(kNoop);
  wire_ = std::exchange(polling_->candidate, nullptr);
  lease_ = std::move(polling_->candidate_lease);
  ws::Connection& connection = wire_->connection();
  for (const BufferRef& packets : std::exchange(polling_->queue, {})) {
    if (BufferRef frames = packets_to_frames(as_text(packets->bytes()))) {
      connection.send_frame(std::move(frames));
    }
  }
  polling_->queued_bytes = 0;
  const bool was_congested = std::exchange(congested_, false);
  if (has_post()) {
    // What it brings was said before.
    connection.hold_input(true);
    deliver_post();
  } else {
    finish_polling();
  }
  if (was_congested && !congested() && session_ && !closing_) session_->on_writable();
}

// After the last request of a session that has gone on by WebSocket.
void Link::finish_polling() {
  if (wire_ == nullptr || has_post()) return;
  if (polling_) endpoint_.loop().defer_delete(std::move(polling_));
  wire_->connection().hold_input(input_held_);
}

void Link::drop_candidate() {
  if (!polling_) return;
  polling_->disarm();
  polling_->probed = false;
  polling_->candidate_lease.reset();
  if (Wire* wire = std::exchange(polling_->candidate, nullptr)) {
    wire->leave(ws::CloseCode::kNoStatus);
  }
}

}  // namespace anywire::protocol::engine
