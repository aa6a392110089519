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

void Exchange::begin_answer(const AnswerHead& head) {
  if (connection_ == nullptr) return;
  AW_ASSERT(!streaming_);
  connection_->begin_answer(head);
}

void Exchange::send_informational(int status, std::span<const Header> headers) {
  if (connection_ == nullptr || !may_chunk_) return;
  AW_ASSERT(!streaming_ && status != 101);
  std::string bytes;
  ResponseHead out(bytes, status);
  for (const Header& header : headers) out.header(header.name, header.value);
  out.finish_informational();
  connection_->send(bytes);
}

void Exchange::pause_body() {
  if (connection_ != nullptr && !complete_) connection_->pause_body();
}

void Exchange::resume_body() {
  if (connection_ != nullptr) connection_->resume_body();
}

Exchange::Switched Exchange::switch_protocols(std::span<const Header> headers) {
  AW_ASSERT(connection_ != nullptr && complete_ && !streaming_);
  return connection_->switch_protocols(headers);
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

void Exchange::set_send_timeout(Duration timeout) {
  if (connection_ != nullptr) connection_->stream_->set_send_timeout(timeout);
}

void Exchange::abort() {
  if (connection_ == nullptr) return;
  Connection& connection = *connection_;
  // An orderly end would be that of the answer.
  if (until_close_) connection.stream_->reset();
  connection.context_.loop.defer_delete(connection.release_exchange());
  connection.end();
}

std::unique_ptr<Exchange> Connection::release_exchange() {
  std::unique_ptr<Exchange> exchange = std::move(exchange_);
  exchange->connection_ = nullptr;
  if (stream_) stream_->watch_for_end(false);
  if (exchange->body_) context_.held_body_bytes -= exchange->body_->size();
  exchange->body_ = {};
  return exchange;
}

// Just before the head of an answer is written.
bool Connection::decide_keep_alive() {
  // Answered within the call, a client that waits for "100 Continue" may or may not send its body.
  bool unclear = asking_ != nullptr && asking_->head.expects_continue;
  // So may one whose exchange has not sent that yet; and nobody waits for the rest of a body.
  if (exchange_ && exchange_->limits_.streamed && !exchange_->complete_) unclear = true;
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

void Connection::begin_answer(const AnswerHead& head) {
  Exchange& exchange = *exchange_;
  exchange.streaming_ = true;
  const bool has_body = head.has_body && !exchange.head_only_ && !forbids_body(head.status);
  const bool unframed = has_body && !head.content_length;
  exchange.chunked_ = unframed && exchange.may_chunk_;
  exchange.until_close_ = unframed && !exchange.chunked_;
  if (exchange.until_close_) keep_alive_ = false;
  std::string bytes;
  ResponseHead out(bytes, head.status);
  bool dated = false;
  for (const Header& header : head.headers) {
    dated = dated || equals_ignore_case(header.name, "date");
    out.header(header.name, header.value);
  }
  if (!dated) out.header("Date", current_http_date());
  if (head.content_length) out.content_length(*head.content_length);
  if (exchange.chunked_) out.chunked();
  out.finish(decide_keep_alive());
  stream_->write(as_bytes(bytes));
}

void Connection::pause_body() {
  if (body_paused_) return;
  body_paused_ = true;
  disarm();
  stream_->set_reading(false);
}

void Connection::resume_body() {
  if (!body_paused_) return;
  body_paused_ = false;
  if (exchange_ && exchange_->limits_.body_timeout.count() > 0) {
    context_.loop.arm(*this, exchange_->limits_.body_timeout);
  }
  stream_->set_reading(true);
}

// False when nobody is there any more to take the next part.
bool Connection::stream_body(Bytes part) {
  if (!body_paused_ && exchange_->limits_.body_timeout.count() > 0) {
    context_.loop.arm(*this, exchange_->limits_.body_timeout);
  }
  exchange_->on_body(part);
  return stream_ != nullptr;
}

Exchange::Switched Connection::switch_protocols(std::span<const Header> headers) {
  AW_ASSERT(!parsing_);
  std::string bytes;
  ResponseHead out(bytes, 101);
  for (const Header& header : headers) out.header(header.name, header.value);
  out.finish_informational();
  stream_->write(as_bytes(bytes));
  context_.loop.defer_delete(release_exchange());
  Exchange::Switched switched{std::move(stream_), std::move(carry_), std::move(lease_)};
  leave();
  return switched;
}

// The exchange has its answer. Requests that wait behind it are not parsed from here: whoever
// answered is in the middle of something else.
void Connection::after_answer() {
  std::unique_ptr<Exchange> exchange = release_exchange();
  const bool complete = exchange->complete_;
  context_.loop.defer_delete(std::move(exchange));
  answered_ = true;
  if (body_paused_) {
    body_paused_ = false;
    stream_->set_reading(true);
  }
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
    std::string bytes;
    if (const std::optional<Response> refusal = exchange->refusal(error)) {
      headers.insert(headers.end(), refusal->headers.begin(), refusal->headers.end());
      write_response(bytes,
                     {.status = refusal->status,
                      .keep_alive = false,
                      .content_type = refusal->content_type,
                      .date = current_http_date(),
                      .headers = headers},
                     refusal->body);
    } else {
      if (error.status == 503) headers.push_back({"Retry-After", "5"});
      write_error(bytes, error, headers, current_http_date());
    }
    send(bytes);
    close_gracefully();
  } else {
    end();
  }
  exchange->on_gone();
  context_.loop.defer_delete(std::move(exchange));
}

}  // namespace anywire::http
