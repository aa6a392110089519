#include "websocket/connection.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "websocket/compression_pool.h"
#include "websocket/frame_writer.h"
#include "websocket/message_assembly.h"

namespace anywire::ws {
namespace {

// Up to here a copy beside the header is cheaper than a buffer of its own.
constexpr std::size_t kCopyBytesMax = 16 * 1024;
// No progress is that high. The first check after a connection was throttled may come early, so it
// only looks; the next one judges.
constexpr std::uint64_t kNoneSeen = UINT64_MAX;

}  // namespace

Connection::Connection(ConnectionContext& context, ConnectionHandler& handler)
    : context_(context), handler_(handler) {}

Connection::~Connection() = default;

void Connection::attach(std::unique_ptr<net::Stream> stream, std::string response,
                        std::optional<DeflateParams> deflate, Bytes early) {
  stream_ = std::move(stream);
  stream_->set_handler(*this);
  MessageAssembly& a = assembly();
  a.response = std::move(response);
  a.deflate = deflate;
  if (!early.empty()) a.carry = Buffer::copy_of(early);
}

void Connection::open() {
  if (state_ != State::kOpening) return;
  answer_upgrade();
  arm_liveness();
  resume_input();
}

void Connection::answer_upgrade() {
  state_ = State::kOpen;
  const std::string response = std::move(assembly_->response);
  deflate_ = assembly_->deflate.has_value();
  if (deflate_) params_ = *assembly_->deflate;
  if (assembly_->idle()) assembly_.reset();
  last_input_ms_ = last_message_ms_ = context_.loop.now_ms();
  stream_->write(as_bytes(response));
}

void Connection::send(Opcode opcode, Bytes payload) {
  if (state_ != State::kOpen || deflate_and_send(opcode, payload)) return;
  std::array<std::uint8_t, kHeaderBytesMax> header;
  const std::size_t size = write_header(header.data(), opcode, true, false, payload.size());
  // An answer to the last message that was read: nothing is likely to join it in this turn.
  stream_->write_framed(Bytes(header).first(size), payload, input_ends_);
  after_write();
}

void Connection::send(Opcode opcode, BufferRef payload) {
  if (payload->size() <= kCopyBytesMax) return send(opcode, payload->bytes());
  if (state_ != State::kOpen || deflate_and_send(opcode, payload->bytes())) return;
  std::array<std::uint8_t, kHeaderBytesMax> header;
  const std::size_t size = write_header(header.data(), opcode, true, false, payload->size());
  stream_->write(Bytes(header).first(size));
  stream_->write(std::move(payload));
  after_write();
}

void Connection::send_frame(BufferRef frame) {
  if (state_ != State::kOpen) return;
  stream_->write(std::move(frame));
  after_write();
}

bool Connection::deflate_and_send(Opcode opcode, Bytes payload) {
  if (!deflate_ || payload.size() < context_.options.compression_bytes_min) return false;
  CompressionPool& pool = context_.compression;
  BufferRef frame;
  if (params_.server_no_context_takeover) {
    frame = pool.encode_shared(opcode, payload, params_.server_max_window_bits);
  } else {
    std::unique_ptr<Deflater>& deflater = kept().deflater;
    if (!deflater) deflater = pool.make_deflater(params_.server_max_window_bits);
    frame = pool.encode(*deflater, opcode, payload);
  }
  if (!frame) return false;
  stream_->write(std::move(frame));
  after_write();
  return true;
}

Connection::KeptContexts& Connection::kept() {
  if (!kept_) kept_ = std::make_unique<KeptContexts>();
  return *kept_;
}

void Connection::after_write() {
  const std::size_t queued = stream_->queued_bytes();
  if (queued <= context_.options.high_watermark_bytes) [[likely]] return;
  if (queued > context_.options.queue_bytes_max && throttled_) {
    // Ended from the timer and not from here: a broadcast is walking over its members.
    state_ = State::kEnding;
    close_code_ = CloseCode::kTryAgainLater;
    context_.loop.arm(*this, Duration::zero());
    return;
  }
  if (throttled_) return;
  throttled_ = true;
  progress_seen_ = kNoneSeen;
  stream_->notify_when_drained();
  // With pings off nothing else would look after a peer that stopped reading.
  if (!armed()) arm_liveness();
}

void Connection::on_drained() {
  if (!throttled_) return;
  throttled_ = false;
  resume_input();
  if (state_ == State::kOpen && !throttled_) handler_.on_writable();
}

void Connection::hold_input(bool on) {
  if (held_ == on || (on && state_ != State::kOpen)) return;
  held_ = on;
  if (!on && !throttled_) resume_input();
}

void Connection::resume_input() {
  if (!receiving() || held_) return;
  if (reading_off_) {
    reading_off_ = false;
    stream_->set_reading(true);
  }
  if (assembly_ && assembly_->carry) {
    const BufferRef carry = std::move(assembly_->carry);
    take_input({carry->mutable_data(), carry->size()});
  }
}

void Connection::close(CloseCode code, std::string_view reason) {
  const bool opening = state_ == State::kOpening;
  if (opening) answer_upgrade();
  if (state_ != State::kOpen) return;
  send_close(code, reason);
  close_code_ = code;
  state_ = State::kClosing;
  context_.loop.arm(*this, context_.options.close_timeout);
  // The peer's answer has to be read.
  const bool held = held_;
  held_ = false;
  if (opening || held) resume_input();
}

// The peer broke the protocol (RFC 6455 7.1.7): say so, half-close, and wait for its end of the
// TCP connection, because closing with unread input would reset it before the code is read.
void Connection::fail(CloseCode code, std::string_view reason) {
  if (!receiving()) return;
  static log::Limiter limiter;
  log::limited(limiter, context_.loop.now(), log::Level::kInfo, "websocket failed",
               {{"code", static_cast<int>(code)}, {"reason", reason}});
  if (state_ == State::kOpen) send_close(code, reason);
  close_code_ = code;
  state_ = State::kEnding;
  assembly_.reset();
  if (reading_off_) {
    reading_off_ = false;
    stream_->set_reading(true);
  }
  context_.loop.arm(*this, context_.options.close_timeout);
  stream_->finish();
}

void Connection::send_close(CloseCode code, std::string_view reason) {
  std::array<std::uint8_t, kCloseFrameBytesMax> frame;
  stream_->write(Bytes(frame).first(encode_close(frame.data(), code, reason)));
}

void Connection::on_closed() {
  end(state_ == State::kEnding ? close_code_ : CloseCode::kAbnormal);
}

void Connection::end(CloseCode code) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  disarm();
  assembly_.reset();
  stream_->close();
  // Not destroyed here: it may be calling us.
  context_.loop.defer_delete(std::move(stream_));
  handler_.on_closed(code);
}

void Connection::arm_liveness() {
  const ConnectionOptions& options = context_.options;
  const std::uint32_t now = context_.loop.now_ms();
  Duration next = reactor::TimerWheel::kNever;
  if (ping_sent_ || input_waits()) {
    next = options.ping_timeout;
  } else if (options.ping_interval.count() > 0) {
    next = options.ping_interval - Duration{now - last_input_ms_};
  }
  if (options.idle_timeout.count() > 0) {
    next = std::min(next, options.idle_timeout - Duration{now - last_message_ms_});
  }
  if (next != reactor::TimerWheel::kNever) context_.loop.arm(*this, next);
}

void Connection::on_timer() {
  if (state_ == State::kOpen) {
    check_liveness();
  } else {
    end(close_code_);  // the closing handshake took too long
  }
}

void Connection::check_liveness() {
  const ConnectionOptions& options = context_.options;
  const std::uint32_t now = context_.loop.now_ms();
  const bool idle = options.idle_timeout.count() > 0 &&
                    Duration{now - last_message_ms_} >= options.idle_timeout;
  if (idle) return close(CloseCode::kGoingAway, "idle for too long");
  if (throttled_) {
    // Its pongs are not being read, so reading from us is its sign of life, even if a busy channel
    // fills the queue as fast as it reads: what ends that is `queue_bytes_max`.
    const std::uint64_t progress = stream_->progress();
    if (progress == progress_seen_) return end(CloseCode::kAbnormal);
    progress_seen_ = progress;
  } else if (held_) {
    // Its pongs wait like the rest; whether it lives shows when they are read.
  } else if (ping_sent_) {
    return end(CloseCode::kAbnormal);
  } else if (options.ping_interval.count() > 0 &&
             Duration{now - last_input_ms_} >= options.ping_interval) {
    std::array<std::uint8_t, kHeaderBytesMax> header;
    const std::size_t size = write_header(header.data(), Opcode::kPing, true, false, 0);
    stream_->write(Bytes(header).first(size));
    ping_sent_ = true;
  }
  arm_liveness();
}

BufferRef encode_frame(Opcode opcode, Bytes payload) {
  std::array<std::uint8_t, kHeaderBytesMax> header;
  const std::size_t size = write_header(header.data(), opcode, true, false, payload.size());
  return Buffer::copy_of(Bytes(header).first(size), payload);
}

}  // namespace anywire::ws
