// The part of a connection that answers later, and Exchange, through which it is asked to.
#include "http/exchange.h"

#include <utility>

#include "base/assert.h"
#include "http/connection.h"
#include "http/date.h"
#include "http/response_writer.h"

namespace anywire::http {

void Exchange::respond(Response response) {
  if (connection_ == nullptr) return;
  AW_ASSERT(!streaming_);
  connection_->answer(response);
}

void Exchange::begin_stream(const StreamHead& head) {
  if (connection_ == nullptr) return;
  AW_ASSERT(!streaming_);
  connection_->begin_stream(head);
}

void Exchange::write(Bytes part) {
  if (connection_ == nullptr || part.empty() || head_only_) return;
  AW_ASSERT(streaming_);
  net::Stream& stream = *connection_->stream_;
  if (!chunked_) return stream.write(part);
  std::string head;
  write_chunk_head(head, part.size());
  stream.write_framed(as_bytes(head), part);
  stream.write(as_bytes(kChunkEnd));
}

void Exchange::write(const BufferRef& part) {
  if (connection_ == nullptr || part->size() == 0 || head_only_) return;
  AW_ASSERT(streaming_);
  net::Stream& stream = *connection_->stream_;
  if (!chunked_) return stream.write(part);
  std::string head;
  write_chunk_head(head, part->size());
  stream.write(as_bytes(head));
  stream.write(part);
  stream.write(as_bytes(kChunkEnd));
}

void Exchange::finish() {
  if (connection_ == nullptr) return;
  AW_ASSERT(streaming_);
  if (chunked_ && !head_only_) connection_->stream_->write(as_bytes(kLastChunk));
  connection_->after_answer();
}

std::size_t Exchange::queued_bytes() const {
  return connection_ == nullptr ? 0 : connection_->stream_->queued_bytes();
}

std::uint64_t Exchange::progress() const {
  return connection_ == nullptr ? 0 : connection_->stream_->progress();
}

void Exchange::notify_when_drained() {
  if (connection_ != nullptr) connection_->stream_->notify_when_drained();
}

void Exchange::abort() {
  if (connection_ == nullptr) return;
  Connection& connection = *connection_;
  connection.context_.loop.defer_delete(connection.release_exchange());
  connection.end();
}

std::unique_ptr<Exchange> Connection::release_exchange() {
  std::unique_ptr<Exchange> exchange = std::move(exchange_);
  exchange->connection_ = nullptr;
  if (exchange->body_) context_.held_body_bytes -= exchange->body_->size();
  exchange->body_ = {};
  return exchange;
}

// Just before the head of an answer is written.
bool Connection::decide_keep_alive() {
  // Answered within the call, a client that waits for "100 Continue" may or may not send its body.
  const bool unclear = asking_ != nullptr && asking_->head.expects_continue;
  keep_alive_ = keep_alive_ && !context_.draining && !unclear;
  return keep_alive_;
}

void Connection::answer(Response& response) {
  std::vector<Header> headers = exchange_->headers_;
  headers.insert(headers.end(), response.headers.begin(), response.headers.end());
  const std::string& origin =
      response.allow_origin.empty() ? exchange_->allow_origin_ : response.allow_origin;
  if (!origin.empty()) headers.push_back({"Access-Control-Allow-Origin", origin});
  std::string bytes;
  write_response(bytes,
                 {.status = response.status,
                  .keep_alive = decide_keep_alive(),
                  .head_only = exchange_->head_only_,
                  .content_type = response.content_type,
                  .date = current_http_date(),
                  .headers = headers},
                 response.body);
  send(bytes);
  after_answer();
}

void Connection::begin_stream(const StreamHead& head) {
  exchange_->streaming_ = true;
  exchange_->chunked_ = head.chunked && exchange_->may_chunk_;
  if (!exchange_->chunked_) keep_alive_ = false;
  std::string bytes;
  ResponseHead out(bytes, 200);
  out.header("Date", current_http_date());
  if (!head.content_type.empty()) out.header("Content-Type", head.content_type);
  for (const Header& header : exchange_->headers_) out.header(header.name, header.value);
  for (const Header& header : head.headers) out.header(header.name, header.value);
  if (!exchange_->allow_origin_.empty()) {
    out.header("Access-Control-Allow-Origin", exchange_->allow_origin_);
  }
  if (exchange_->chunked_) out.chunked();
  out.finish(decide_keep_alive());
  stream_->write(as_bytes(bytes));
}

// The exchange has its answer. Requests that wait behind it are not parsed from here: whoever
// answered is in the middle of something else.
void Connection::after_answer() {
  std::unique_ptr<Exchange> exchange = release_exchange();
  const bool complete = exchange->complete_;
  context_.loop.defer_delete(std::move(exchange));
  answered_ = true;
  if (parsing_) return;  // take_input goes on
  if (!complete) {
    // Nobody wants the rest of the body any more.
    context_.loop.arm(*this, context_.options.head_timeout);
    return;
  }
  end_request();
  if (ending_ || throttled_) return;
  stream_->set_reading(true);
  if (carry_) context_.loop.arm(*this, Duration::zero());
}

void Connection::refuse_exchange(const HttpError& error) {
  std::unique_ptr<Exchange> exchange = release_exchange();
  if (!exchange->streaming_) {
    std::vector<Header> headers = exchange->headers_;
    if (!exchange->allow_origin_.empty()) {
      headers.push_back({"Access-Control-Allow-Origin", exchange->allow_origin_});
    }
    if (error.status == 503) headers.push_back({"Retry-After", "5"});
    std::string bytes;
    write_error(bytes, error, headers, current_http_date());
    send(bytes);
    close_gracefully();
  } else {
    end();
  }
  exchange->on_gone();
  context_.loop.defer_delete(std::move(exchange));
}

}  // namespace anywire::http
