#include "http/connection.h"

#include <utility>

#include "http/date.h"

namespace anywire::http {
namespace {

// After a refusal we half-close and wait so long for the client to have read it.
constexpr Duration kLingerTimeout{2'000};
constexpr std::size_t kQueuedAnswersMax = 64 * 1024;

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
  if (throttled_) return stream_->set_reading(false);
  const MutableBytes buffer = context_.loop.receive_buffer();
  const net::ReadResult result = stream_->read(buffer);
  if (result.status == net::ReadStatus::kWouldBlock) return;
  if (result.status != net::ReadStatus::kData) return end();
  take_input(buffer.first(result.bytes));
}

void Connection::take_input(Bytes input) {
  while (stream_ && !ending_) {
    RequestParser& parser = own_parser_ ? *own_parser_ : context_.parser;
    const ParseResult result = parser.feed(input);
    if (result.status == ParseStatus::kError) {
      const HttpError error = parser.error();
      parser.reset();
      return refuse(error);
    }
    input = input.subspan(result.consumed);
    switch (result.status) {
      case ParseStatus::kHead:
        if (!take_head(parser, input)) return;
        break;
      case ParseStatus::kComplete:
        finish_request(parser);
        if (input.empty()) return;
        if (throttled_ && !ending_) {
          carry_ = Buffer::copy_of(input);
          return;
        }
        break;
      case ParseStatus::kNeedMore:
        if (!own_parser_ && !parser.is_idle()) {
          own_parser_ = std::make_unique<RequestParser>(std::move(parser));
          context_.parser.reset();
          // The first request's time runs since the accept.
          if (served_) context_.loop.arm(*this, context_.options.head_timeout);
        }
        return;
      case ParseStatus::kBody:
      case ParseStatus::kError:
        break;
    }
  }
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
  early_ = rest;
  Response response;
  if (context_.draining && head.upgrades_to_websocket) {
    // It would be told to go away at once.
    response.status = 503;
    response.headers = {{"Retry-After", "1"}};
  } else {
    context_.handler.on_request(*this, head, response);
  }
  if (!stream_) {
    parser.reset();
    end();
    return false;
  }
  // A client that waits for "100 Continue" gets its answer instead, and may or may not send the
  // body: nobody can tell where a next request would begin (RFC 9110 10.1.1).
  keep_alive_ = head.keep_alive && !head.expects_continue && !context_.draining &&
                context_.options.keep_alive_timeout.count() > 0;
  std::string bytes;
  write_response(bytes,
                 {.status = response.status,
                  .keep_alive = keep_alive_,
                  .head_only = head.method == Method::kHead,
                  .content_type = response.content_type,
                  .date = current_http_date(),
                  .headers = response.headers},
                 response.body);
  if (head.has_body()) parser.detach();
  send(bytes);
  answered_ = true;
  if (!head.expects_continue || !head.has_body()) return true;
  parser.reset();
  close_gracefully();
  return false;
}

void Connection::finish_request(RequestParser& parser) {
  parser.reset();
  own_parser_.reset();
  answered_ = false;
  served_ = true;
  if (!keep_alive_) return close_gracefully();
  context_.loop.arm(*this, context_.options.keep_alive_timeout);
}

void Connection::refuse(const HttpError& error) {
  own_parser_.reset();
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
  stream_->set_reading(true);
  if (const BufferRef carry = std::move(carry_)) take_input(carry->bytes());
}

void Connection::on_closed() { end(); }

void Connection::on_timer() {
  if (!ending_ && own_parser_) return refuse({408, "the request took too long"});
  end();
}

Connection::Taken Connection::take_stream() {
  disarm();
  return {std::move(stream_), early_, std::move(lease_)};
}

void Connection::drain() {
  if (ending_ || own_parser_) return;
  if (stream_->queued_bytes() > 0) return close_gracefully();
  end();
}

void Connection::end() {
  disarm();
  if (stream_) {
    stream_->close();
    context_.loop.defer_delete(std::move(stream_));
  }
  context_.connections.remove(*this);
  context_.loop.defer_delete(std::unique_ptr<Connection>(this));
}

}  // namespace anywire::http
