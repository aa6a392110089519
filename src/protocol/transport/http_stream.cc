#include "protocol/transport/http_stream.h"

#include <utility>

#include "codec/json_writer.h"
#include "protocol/transport/event_frame.h"
#include "protocol/transport/http_streams.h"

namespace anywire::protocol {

HttpStream::HttpStream(HttpStreams& streams) : streams_(streams), id_(streams.add(*this)) {}

HttpStream::~HttpStream() = default;

void HttpStream::attach(std::unique_ptr<Session> session, const http::RequestHead& request) {
  session_ = std::move(session);
  session_->on_attached(request);
}

void HttpStream::take(StreamInput input) {
  if (closing_ || !session_) {
    if (input.asker) streams_.answer_gone(*input.asker);
  } else if (takes_input()) {
    deliver(input);
    deliver_held();
  } else if (held_.size() < kHeldInputsMax) {
    held_.push_back(std::move(input));
  } else if (input.asker) {
    streams_.answer_overloaded(*input.asker);
  }
}

void HttpStream::deliver(StreamInput& input) {
  ws::Message message{
      .text = true, .data = input.body->bytes().subspan(input.offset, input.bytes), .owned = {}};
  // What happens within may end a hold, and the next message must not come into this one.
  delivering_ = true;
  session_->on_message(message);
  delivering_ = false;
  if (input.asker) streams_.answer_taken(*input.asker);
}

void HttpStream::deliver_held() {
  while (!held_.empty() && takes_input()) {
    StreamInput input = std::move(held_.front());
    held_.erase(held_.begin());
    deliver(input);
  }
}

void HttpStream::hold_input(bool on) {
  input_held_ = on;
  if (!on) deliver_held();
}

void HttpStream::send_text(std::string_view text) { enqueue(encode_event(text)); }

void HttpStream::send_binary(Bytes) {
  close(ws::CloseCode::kUnsupportedData, "this transport carries text only");
}

void HttpStream::send(bool text, BufferRef payload) {
  if (!text) return send_binary(payload->bytes());
  send_text(as_text(payload->bytes()));
}

void HttpStream::touch() {
  if (std::exchange(touched_, true)) return;
  streams_.flush_later(id_.slot);
}

void HttpStream::end_session(ws::CloseCode code) {
  closing_ = true;
  for (const StreamInput& input : std::exchange(held_, {})) {
    if (input.asker) streams_.answer_gone(*input.asker);
  }
  if (!session_) return;
  std::unique_ptr<Session> session = std::move(session_);
  session->on_closed(code);
  streams_.loop().defer_delete(std::move(session));
}

void HttpStream::leave() {
  streams_.remove(*this);
  streams_.loop().defer_delete(std::unique_ptr<HttpStream>(this));
}

std::string HttpStream::close_text() const {
  std::string text;
  codec::JsonWriter json(text);
  json.begin_object();
  json.key("code").u64(static_cast<std::uint64_t>(close_code_));
  json.key("reason").string(close_reason_);
  json.end_object();
  return text;
}

}  // namespace anywire::protocol
