#include "http/connection.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "http/date.h"

namespace anywire::http {
namespace {

// After a refusal we half-close and wait so long for the client to have read it.
constexpr Duration kLingerTimeout{2'000};
constexpr std::size_t kQueuedAnswersMax = 64 * 1024;
// How much is read behind a request that waits for its answer. That much is kept; reading goes on
// only to notice that the client leaves.
constexpr std::size_t kReadAheadMax = 16 * 1024;

void append(BufferRef& buffer, Bytes more) {
  if (!buffer) {
    buffer = Buffer::copy_of(more);
    return;
  }
  const std::size_t needed = buffer->size() + more.size();
  if (needed > buffer->capacity()) buffer.grow(std::max(needed, buffer->capacity() * 2));
  buffer->append(more);
}

}  // namespace

Connection::Connection(ConnectionContext& context, std::unique_ptr<net::Stream> stream,
                       net::Address peer, std::shared_ptr<void> lease)
    : context_(context),
      stream_(std::move(stream)),
      lease_(std::move(lease)),
      peer_(std::move(peer)) {
  stream_->set_handler(*this);
  context_.connections.add(*this);
  context_.loop.arm(*this, context_.options.head_timeout);
}

Connection::~Connection() = default;

void Connection::start(ConnectionContext& context, std::unique_ptr<net::Stream> stream,
                       net::Address peer, std::shared_ptr<void> lease) {
  // Owned by the context's set until `end`.
  new Connection(context, std::move(stream), std::move(peer), std::move(lease));
}

void Connection::on_readable() {
  if (ending_) return discard_input();
  if (throttled_ || body_paused_) return stream_->set_reading(false);
  if (exchange_ && exchange_->complete_) return read_ahead();
  // What came first is first to be parsed; what is to be read now brings another call.
  if (carry_) return resume_input();
  const MutableBytes buffer = context_.loop.receive_buffer();
  const net::ReadResult result = stream_->read(buffer);
  if (result.status == net::ReadStatus::kWouldBlock) return;
  if (result.status != net::ReadStatus::kData) return end();
  take_input(buffer.first(result.bytes));
}

// While a request waits for its answer.
void Connection::read_ahead() {
  const std::size_t held = carry_ ? carry_->size() : 0;
  if (held >= kReadAheadMax) return stream_->set_reading(false);
  const MutableBytes all = context_.loop.receive_buffer();
  const MutableBytes buffer = all.first(std::min(all.size(), kReadAheadMax - held));
  const net::ReadResult result = stream_->read(buffer);
  if (result.status == net::ReadStatus::kWouldBlock) return;
  if (result.status != net::ReadStatus::kData) return end();
  append(carry_, buffer.first(result.bytes));
}

void Connection::resume_input() {
  const BufferRef carry = std::move(carry_);
  if (!carry) return;
  context_.loop.arm(*this, context_.options.keep_alive_timeout);
  take_input(carry->bytes());
}

void Connection::take_input(Bytes input) {
  parsing_ = true;
  while (stream_ && !ending_) {
    RequestParser& parser = own_parser_ ? *own_parser_ : context_.parser;
    const ParseResult result = parser.feed(input);
    if (result.status == ParseStatus::kError) {
      const HttpError error = parser.error();
      parser.reset();
      refuse(error);
      break;
    }
    input = input.subspan(result.consumed);
    bool go_on = true;
    switch (result.status) {
      case ParseStatus::kHead:
        go_on = take_head(parser, input);
        break;
      case ParseStatus::kBody:
        if (exchange_) {
          go_on = exchange_->limits_.streamed ? stream_body(result.body) : hold_body(result.body);
        }
        break;
      case ParseStatus::kComplete:
        go_on = finish_input(parser, input);
        break;
      case ParseStatus::kNeedMore:
        keep_parser(parser);
        go_on = false;
        break;
      case ParseStatus::kError:
        break;
    }
    if (!go_on) break;
  }
  parsing_ = false;
}

// A request is incomplete, and other connections need the parser.
void Connection::keep_parser(RequestParser& parser) {
  if (own_parser_ || parser.is_idle()) return;
  own_parser_ = std::make_unique<RequestParser>(std::move(parser));
  context_.parser.reset();
  // The first request's time runs since the accept, and a body that is wanted has its own.
  if (served_ && !exchange_) context_.loop.arm(*this, context_.options.head_timeout);
}

// False when the connection is over for us.
bool Connection::take_head(RequestParser& parser, Bytes rest) {
  const RequestHead& head = parser.head();
  if (head.target_is_https && !stream_->encrypted()) {
    // RFC 9110 section 7.4. A proxy that ends TLS for us sends targets in origin form.
    parser.reset();
    refuse({421, "an https target needs a connection under TLS"});
    return false;
  }
  keep_alive_ = head.keep_alive && !context_.draining &&
                context_.options.keep_alive_timeout.count() > 0;
  Response response;
  Asking asking{head, response, rest};
  if (context_.draining && head.upgrades_to_websocket) {
    // It would be told to go away at once.
    response.status = 503;
    response.headers = {{"Retry-After", "1"}};
  } else {
    asking_ = &asking;
    context_.handler.on_request(*this, head, response);
    asking_ = nullptr;
  }
  if (!stream_) {
    parser.reset();
    if (asking.taken) leave();
    return false;
  }
  if (head.has_body()) parser.detach();
  if (asking.deferred) return begin_exchange(parser, rest);
  if (!parser.limit_body(context_.options.skipped_body_bytes_max)) {
    parser.reset();
    refuse({413, "the request body is too large"});
    return false;
  }
  // A client that waits for "100 Continue" gets its answer instead, and may or may not send the
  // body: nobody can tell where a next request would begin (RFC 9110 10.1.1).
  if (head.expects_continue) keep_alive_ = false;
  std::string bytes;
  if (!response.allow_origin.empty()) {
    response.headers.push_back({"Access-Control-Allow-Origin", response.allow_origin});
  }
  write_response(bytes,
                 {.status = response.status,
                  .keep_alive = keep_alive_,
                  .head_only = head.method == Method::kHead,
                  .content_type = response.content_type,
                  .date = current_http_date(),
                  .headers = response.headers},
                 response.body);
  send(bytes);
  answered_ = true;
  if (!head.expects_continue) return true;
  parser.reset();
  close_gracefully();
  return false;
}

void Connection::answer_later(std::unique_ptr<Exchange> exchange, const BodyLimits& limits) {
  AW_ASSERT(asking_ != nullptr && !asking_->taken && !asking_->deferred);
  asking_->deferred = true;
  exchange->connection_ = this;
  exchange->limits_ = limits;
  exchange->headers_ = asking_->response.headers;
  exchange->allow_origin_ = asking_->response.allow_origin;
  exchange->head_only_ = asking_->head.method == Method::kHead;
  exchange->may_chunk_ = asking_->head.version_minor > 0;
  exchange_ = std::move(exchange);
  // Also while the client's body is paused, or it has sent too much behind its request.
  stream_->watch_for_end(true);
}

// After a handler has called answer_later. False when the connection is over for us.
bool Connection::begin_exchange(RequestParser& parser, Bytes rest) {
  const RequestHead& head = parser.head();
  if (!exchange_) {
    // Answered within the call.
    const bool known_end = !head.expects_continue &&
                           parser.limit_body(context_.options.skipped_body_bytes_max);
    if (known_end) return true;
    parser.reset();
    close_gracefully();
    return false;
  }
  if (!parser.limit_body(exchange_->limits_.body_bytes_max)) {
    parser.reset();
    refuse({413, "the request body is too large"});
    return false;
  }
  if (!head.has_body()) return true;
  // RFC 9110 section 10.1.1: not needed by a client that has not waited.
  if (head.expects_continue && rest.empty() && !exchange_->limits_.streamed) {
    std::string bytes;
    write_continue(bytes);
    send(bytes);
  }
  if (exchange_->limits_.body_timeout.count() > 0) {
    context_.loop.arm(*this, exchange_->limits_.body_timeout);
  } else {
    disarm();
  }
  return true;
}

// False when it may not be.
bool Connection::hold_body(Bytes part) {
  if (part.size() > context_.options.held_body_bytes_max - context_.held_body_bytes) {
    refuse({503, "too many request bodies are on their way"});
    return false;
  }
  context_.held_body_bytes += part.size();
  append(exchange_->body_, part);
  return true;
}

// False when nothing more is to be parsed now.
bool Connection::finish_input(RequestParser& parser, Bytes rest) {
  if (exchange_) {
    exchange_->complete_ = true;
    disarm();
    if (body_paused_) {
      // Goes on only to notice that the client leaves.
      body_paused_ = false;
      stream_->set_reading(true);
    }
    BufferRef body = std::move(exchange_->body_);
    if (body) context_.held_body_bytes -= body->size();
    exchange_->on_request(parser.head(), std::move(body));
  }
  parser.reset();
  own_parser_.reset();
  if (!stream_) return false;
  if (!exchange_) end_request();
  if (rest.empty() || ending_) return false;
  if (!exchange_ && !throttled_) return true;
  carry_ = Buffer::copy_of(rest);
  return false;
}

// A request is over and answered.
void Connection::end_request() {
  answered_ = false;
  served_ = true;
  progress_ = kNoProgress;
  if (!keep_alive_ || context_.draining) return close_gracefully();
  context_.loop.arm(*this, context_.options.keep_alive_timeout);
}

void Connection::refuse(const HttpError& error) {
  own_parser_.reset();
  if (exchange_) return refuse_exchange(error);
  // A second answer to one request would be taken for the answer to the next.
  if (!answered_) send(error_response(error, current_http_date()));
  close_gracefully();
}

void Connection::send(const std::string& bytes) {
  stream_->write(as_bytes(bytes));
  if (stream_->queued_bytes() <= kQueuedAnswersMax || throttled_) return;
  throttled_ = true;
  stream_->notify_when_drained();
}

// Half-closes and waits for the client to do the same: closing with unread input would reset the
// connection before the answer is read (RFC 9112 9.6).
void Connection::close_gracefully() {
  ending_ = true;
  carry_ = {};
  progress_ = kNoProgress;
  context_.loop.arm(*this, kLingerTimeout);
  stream_->set_reading(true);
  stream_->finish();
}

void Connection::discard_input() {
  const net::ReadResult result = stream_->read(context_.loop.receive_buffer());
  if (result.status == net::ReadStatus::kEnd || result.status == net::ReadStatus::kError) end();
}

void Connection::on_drained() {
  throttled_ = false;
  stream_->set_reading(!body_paused_);
  if (exchange_) {
    if (exchange_->streaming_) exchange_->on_drained();
  } else if (!ending_) {
    resume_input();
  }
}

void Connection::on_closed() { end(); }

// Whether a complete answer is still on its way to a client that takes it, however slowly.
bool Connection::still_sending() {
  if (stream_->queued_bytes() == 0) return false;
  const TimePoint now = context_.loop.now();
  if (const std::uint64_t progress = stream_->progress(); progress != progress_) {
    progress_ = progress;
    progress_at_ = now;
  }
  return now - progress_at_ < context_.options.send_timeout;
}

void Connection::on_timer() {
  if (ending_) {
    if (!still_sending()) return end();
    return context_.loop.arm(*this, kLingerTimeout);
  }
  if (carry_ && !throttled_) return resume_input();
  if (own_parser_) return refuse({408, "the request took too long"});
  if (!still_sending()) return end();
  context_.loop.arm(*this, context_.options.keep_alive_timeout);
}

Connection::Taken Connection::take_stream() {
  AW_ASSERT(asking_ != nullptr && !asking_->taken && !asking_->deferred);
  asking_->taken = true;
  disarm();
  return {std::move(stream_), asking_->rest, std::move(lease_)};
}

// The head is written anew from what was understood of it, in no more bytes than it came in.
Connection::Moved Connection::move_away() {
  AW_ASSERT(asking_ != nullptr && !asking_->taken && !asking_->deferred);
  const RequestHead& head = asking_->head;
  std::string text;
  text.append(head.method_text).append(" ").append(head.target);
  text.append(head.version_minor == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  for (const Header& header : head.headers) {
    text.append(header.name).append(":").append(header.value).append("\r\n");
  }
  text.append("\r\n");
  asking_->taken = true;
  disarm();
  return {std::move(stream_), Buffer::copy_of(as_bytes(text), asking_->rest), std::move(peer_),
          std::move(lease_)};
}

void Connection::resume(ConnectionContext& context, Moved moved) {
  auto* connection = new Connection(context, std::move(moved.stream), std::move(moved.peer),
                                    std::move(moved.lease));
  connection->take_input(moved.input->bytes());
}

void Connection::drain() {
  if (ending_ || own_parser_ || exchange_) return;
  if (stream_->queued_bytes() > 0) return close_gracefully();
  end();
}

void Connection::end() {
  if (!stream_) return;
  stream_->close();
  context_.loop.defer_delete(std::move(stream_));
  leave();
  if (!exchange_) return;
  std::unique_ptr<Exchange> exchange = release_exchange();
  exchange->on_gone();
  context_.loop.defer_delete(std::move(exchange));
}

void Connection::leave() {
  disarm();
  context_.connections.remove(*this);
  context_.loop.defer_delete(std::unique_ptr<Connection>(this));
}

}  // namespace anywire::http
