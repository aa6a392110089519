#include "protocol/transport/event_stream.h"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/transport/http_streams.h"

namespace anywire::protocol {
namespace {

// Caches and proxies are asked to pass on what comes as it comes; the last one is nginx's.
constexpr std::array<http::Header, 2> kHeaders = {{
    {"Cache-Control", "no-cache, no-transform"},
    {"X-Accel-Buffering", "no"},
}};

}  // namespace

void EventStream::open() {
  if (opened_ || exchange_ == nullptr) return;
  opened_ = true;
  exchange_->begin_stream(
      {.content_type = "text/event-stream", .chunked = false, .headers = kHeaders});
  exchange_->set_send_timeout(streams_.options().stream_timeout);
  write("event: open\ndata: {\"stream\":\"" + to_text(id()) + "\"}\n\n");
  streams_.loop().arm(*this, look_interval());
}

void EventStream::write(std::string_view text) {
  last_output_ = streams_.loop().now();
  exchange_->write(as_bytes(text));
}

void EventStream::enqueue(const BufferRef& events) {
  if (!opened_ || closing_) return;
  last_output_ = streams_.loop().now();
  exchange_->write(events);
  const std::size_t queued = exchange_->queued_bytes();
  if (queued <= streams_.options().high_watermark_bytes) [[likely]] return;
  if (queued > streams_.options().queue_bytes_max && congested_) {
    // Ended from the timer and not from here: a broadcast is walking over its members.
    closing_ = true;
    close_code_ = ws::CloseCode::kTryAgainLater;
    streams_.loop().arm(*this, Duration::zero());
  } else if (!congested_) {
    congested_ = true;
    exchange_->notify_when_drained();
  }
}

void EventStream::close(ws::CloseCode code, std::string_view reason) {
  if (closing_ || exchange_ == nullptr) return;
  open();
  closing_ = true;
  close_code_ = code;
  close_reason_ = reason;
  write("event: close\ndata: " + close_text() + "\n\n");
  std::exchange(exchange_, nullptr)->finish();
  // The session learns of its end outside of its own call.
  streams_.loop().arm(*this, Duration::zero());
}

void EventStream::on_drained() {
  // What little may be left is for the send timeout to watch.
  behind_ = false;
  if (!congested_ || closing_) return;
  congested_ = false;
  deliver_held();
  if (!congested_ && !closing_) session_->on_writable();
}

void EventStream::on_gone() {
  exchange_ = nullptr;
  drop(ws::CloseCode::kAbnormal);
}

void EventStream::poll(std::uint64_t, const Asker& asker) {
  streams_.answer_bad(asker, "this stream is not polled");
}

void EventStream::abort() { drop(ws::CloseCode::kAbnormal); }

void EventStream::on_timer() {
  if (closing_) return drop(close_code_);
  check_client();
}

void EventStream::check_client() {
  const HttpStreamOptions& options = streams_.options();
  const TimePoint now = streams_.loop().now();
  if (exchange_->queued_bytes() == 0) {
    const Duration silence = now - last_output_;
    if (silence < options.heartbeat) {
      return streams_.loop().arm(*this, std::min(options.heartbeat - silence, look_interval()));
    }
    write(":\n\n");
  } else if (!behind_ || exchange_->progress() != progress_seen_) {
    // `behind_` is cleared again, before the next look, by a client that reads it all.
    if (!behind_) exchange_->notify_when_drained();
    behind_ = true;
    progress_seen_ = exchange_->progress();
    progress_at_ = now;
  } else if (now - progress_at_ >= options.stream_timeout) {
    return drop(ws::CloseCode::kAbnormal);
  }
  streams_.loop().arm(*this, look_interval());
}

// Often enough to keep the heartbeat, and to notice in time who does not read.
Duration EventStream::look_interval() const {
  const HttpStreamOptions& options = streams_.options();
  return std::min(options.heartbeat, options.stream_timeout / 2);
}

void EventStream::drop(ws::CloseCode code) {
  disarm();
  if (exchange_ != nullptr) std::exchange(exchange_, nullptr)->abort();
  end_session(code);
  leave();
}

}  // namespace anywire::protocol
