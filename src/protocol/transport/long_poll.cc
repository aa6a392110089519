#include "protocol/transport/long_poll.h"

#include <utility>

#include "codec/json_writer.h"
#include "protocol/transport/event_frame.h"
#include "protocol/transport/http_streams.h"

namespace anywire::protocol {
namespace {

// A frame is a message or an array of them; an answer is a list of messages.
std::string_view messages_of(std::string_view frame) {
  // What JSON calls white space and may stand in an event frame, HTTP does, too.
  frame = http::trim_whitespace(frame);
  if (!frame.starts_with('[')) return frame;
  return http::trim_whitespace(frame.substr(1, frame.size() - 2));
}

}  // namespace

void LongPoll::open() {
  if (opened_) return;
  opened_ = true;
  deliver_held();
}

void LongPoll::enqueue(const BufferRef& events) {
  if (!opened_ || closing_) return;
  queue_.push_back(events);
  queued_bytes_ += events->size();
  touch();
  const HttpStreamOptions& options = streams_.options();
  if (queued_bytes_ <= options.high_watermark_bytes) [[likely]] return;
  if (queued_bytes_ > options.queue_bytes_max && congested_) {
    // The end says that something is missing, so it need not wait behind what the client does not
    // fetch.
    for (const BufferRef& one : queue_) queued_bytes_ -= one->size();
    queue_ = {};
    return close(ws::CloseCode::kTryAgainLater, "too slow a reader");
  }
  congested_ = true;
}

void LongPoll::poll(std::uint64_t ack, const Asker& asker) {
  if (poller_) answer(false);  // one poll at a time
  if (ack > seq_) {
    wait(streams_.options().stream_timeout);
    return streams_.answer_bad(asker, "\"ack\" is the number of no answer");
  }
  if (ack == seq_ && !drop_acknowledged()) return streams_.answer_gone(asker);
  poller_ = asker;
  wait(streams_.options().poll_hold);
  touch();
}

// False when that was the last answer and the stream has left.
bool LongPoll::drop_acknowledged() {
  if (!std::exchange(answered_, false)) return true;
  queued_bytes_ -= answer_bytes_;
  answer_bytes_ = 0;
  answer_ = {};
  if (answer_closes_) {
    disarm();
    end_session(close_code_);
    leave();
    return false;
  }
  resume();
  return true;
}

void LongPoll::resume() {
  if (!congested_ || queued_bytes_ > streams_.options().low_watermark_bytes) return;
  congested_ = false;
  deliver_held();
  if (!congested_ && !closing_) session_->on_writable();
}

void LongPoll::forget_poll(const Asker& asker) {
  if (poller_ != asker) return;
  poller_.reset();
  wait(streams_.options().stream_timeout);
}

void LongPoll::flush() {
  if (!poller_) return;
  if (!answered_ && queue_.empty() && !closing_) return;
  if (!answered_) compose();
  answer(true);
}

void LongPoll::compose() {
  ++seq_;
  answered_ = true;
  std::size_t count = 0;
  answer_bytes_ = 0;
  while (count < queue_.size() && answer_bytes_ < streams_.options().high_watermark_bytes) {
    answer_bytes_ += queue_[count++]->size();
  }
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  answer_.assign(std::move_iterator(queue_.begin()), std::move_iterator(end));
  queue_.erase(queue_.begin(), end);
  if (queue_.empty()) queue_ = {};
  answer_closes_ = closing_ && queue_.empty();
}

// Answers who waits.
void LongPoll::answer(bool with_messages) {
  std::string body;
  if (with_messages) body.reserve(answer_bytes_ + 256);
  codec::JsonWriter json(body);
  json.begin_object();
  json.key("stream").string(to_text(id()));
  json.key("seq").u64(seq_);
  json.key("messages").begin_array();
  if (with_messages) {
    for (const BufferRef& events : answer_) {
      for (std::string_view rest = as_text(events->bytes()); !rest.empty();) {
        const std::string_view messages = messages_of(next_event(rest));
        if (!messages.empty()) json.raw(messages);
      }
    }
  }
  json.end_array();
  if (with_messages && answer_closes_) json.key("close").raw(close_text());
  json.end_object();
  streams_.answer_json(*std::exchange(poller_, std::nullopt), 200, std::move(body));
  wait(streams_.options().stream_timeout);
}

void LongPoll::close(ws::CloseCode code, std::string_view reason) {
  if (closing_) return;
  opened_ = closing_ = true;
  close_code_ = code;
  close_reason_ = reason;
  touch();
  wait(Duration::zero());
}

// A session that has closed learns of its end before anything else, outside of its own call.
void LongPoll::wait(Duration time) {
  streams_.loop().arm(*this, closing_ && session_ ? Duration::zero() : time);
}

void LongPoll::on_timer() {
  if (closing_ && session_) {
    end_session(close_code_);
    // The client fetches the rest, or does not.
    wait(poller_ ? streams_.options().poll_hold : streams_.options().stream_timeout);
  } else if (poller_) {
    answer(false);
  } else {
    abort();
  }
}

void LongPoll::abort() {
  disarm();
  if (poller_) streams_.answer_gone(*std::exchange(poller_, std::nullopt));
  end_session(closing_ ? close_code_ : ws::CloseCode::kAbnormal);
  leave();
}

}  // namespace anywire::protocol
