#include "tls/tls_stream.h"

#include <algorithm>

namespace anywire::tls {
namespace {

constexpr std::size_t kRecordPlaintextMax = 16 * 1024;
// How much TLS's own answers (KeyUpdate, alerts) may pile up on top of the data.
constexpr std::size_t kAnswerBytesMax = 128 * 1024;

}  // namespace

using net::ReadResult;
using net::ReadStatus;

TlsStream::TlsStream(EncryptQueue& queue, std::shared_ptr<const Context> context,
                     std::unique_ptr<net::Stream> lower)
    : queue_(&queue), lower_(std::move(lower)), engine_(std::move(context)) {
  lower_->set_handler(*this);
}

TlsStream::~TlsStream() {
  if (in_dirty_ || in_later_) queue_->forget(*this);
}

bool TlsStream::detach() {
  if (!open() || !lower_->detach()) return false;
  if (in_dirty_ || in_later_) queue_->forget(*this);
  in_dirty_ = in_later_ = false;
  queue_ = nullptr;
  if (plaintext_) plaintext_->make_own();
  return true;
}

void TlsStream::attach(EncryptQueue& queue) {
  queue_ = &queue;
  if (plaintext_ || notify_drained_ || finishing_) mark_dirty();
  if (reading_ && engine_.has_buffered()) mark_later();
}

ReadResult TlsStream::read(MutableBytes into) {
  if (!open()) return {ReadStatus::kError};
  if (ended_) return {ReadStatus::kEnd};
  if (!engine_.established()) return {ReadStatus::kWouldBlock};
  ReadResult result = translate(engine_.read({}, into));
  if (result.status != ReadStatus::kWouldBlock) return result;
  // No more ciphertext than fits as plaintext, so that as a rule nothing stays behind.
  MutableBytes scratch = queue_->ciphertext_scratch();
  scratch = scratch.first(std::min(scratch.size(), std::max<std::size_t>(into.size(), 512)));
  const ReadResult below = lower_->read(scratch);
  switch (below.status) {
    case ReadStatus::kData:
      return translate(engine_.read(scratch.first(below.bytes), into));
    case ReadStatus::kWouldBlock:
      return result;
    case ReadStatus::kEnd:
      return end_of_input();
    case ReadStatus::kError:
      break;
  }
  break_off();
  return {ReadStatus::kError};
}

ReadResult TlsStream::translate(const EngineRead& result) {
  send_output();
  // A peer that keeps asking for answers and never reads them.
  const bool flooded = lower_->queued_bytes() > kCiphertextBytesMax + kAnswerBytesMax;
  if (flooded || result.status == EngineStatus::kFailed) {
    break_off();
    return {ReadStatus::kError};
  }
  if (result.status == EngineStatus::kClosed) return end_of_input();
  if (engine_.has_buffered() && reading_) mark_later();
  if (result.status == EngineStatus::kData) return {ReadStatus::kData, result.bytes};
  return {ReadStatus::kWouldBlock};
}

// From here on the socket below would report its end again and again.
ReadResult TlsStream::end_of_input() {
  ended_ = true;
  lower_->watch_for_end(false);
  lower_->set_reading(false);
  return {ReadStatus::kEnd};
}

void TlsStream::break_off() {
  broken_ = true;
  told_ = true;
  plaintext_.reset();
  lower_->set_reading(false);
}

void TlsStream::break_and_tell() {
  break_off();
  handler_->on_closed();
}

void TlsStream::send_output() {
  if (BufferRef output = engine_.take_output()) lower_->write(std::move(output));
}

void TlsStream::write(Bytes bytes) {
  if (!may_write() || bytes.empty()) return;
  if (!plaintext_) plaintext_ = std::make_unique<net::OutputQueue>();
  plaintext_->append(bytes);
  accept_output();
}

void TlsStream::write(BufferRef buffer) {
  if (!may_write() || buffer->size() == 0) return;
  if (!plaintext_) plaintext_ = std::make_unique<net::OutputQueue>();
  plaintext_->append(std::move(buffer));
  accept_output();
}

void TlsStream::write_framed(Bytes head, Bytes body, bool now) {
  if (!may_write() || head.size() + body.size() == 0) return;
  if (!plaintext_) plaintext_ = std::make_unique<net::OutputQueue>();
  plaintext_->append(head, body, now);
  accept_output();
}

void TlsStream::accept_output() {
  if (engine_.established()) {
    mark_dirty();
  } else if (plaintext_->bytes() > kEarlyBytesMax) {
    // The writer learns of it next turn: a callback inside its own `write` would surprise it.
    break_off();
    told_ = false;
    mark_later();
  }
}

std::size_t TlsStream::queued_bytes() const {
  return (plaintext_ ? plaintext_->bytes() : 0) + lower_->queued_bytes();
}

// The lower queue may run empty and begin to count anew, but only when plaintext has followed; so
// the two counts stand side by side and are not added up.
std::uint64_t TlsStream::progress() const {
  const std::uint64_t encrypted = plaintext_ ? plaintext_->consumed() : 0;
  return (encrypted << 32) | (lower_->progress() & 0xffff'ffff);
}

void TlsStream::mark_dirty() {
  if (in_dirty_) return;
  in_dirty_ = true;
  queue_->add_dirty(*this);
}

void TlsStream::mark_later() {
  if (in_later_) return;
  in_later_ = true;
  queue_->add_later(*this);
}

void TlsStream::set_reading(bool on) {
  if (reading_ == on || !open()) return;
  reading_ = on;
  // The handshake goes on whatever the handler thinks of plaintext.
  if (!engine_.established() || ended_) return;
  lower_->set_reading(on);
  if (on && engine_.has_buffered()) mark_later();
}

void TlsStream::notify_when_drained() {
  if (!open()) return;
  notify_drained_ = true;
  mark_dirty();
}

void TlsStream::finish() {
  if (!may_write()) return;
  finishing_ = true;
  mark_dirty();
}

void TlsStream::close_when_sent() {
  if (!open() || closing_) return;
  finishing_ = true;
  closing_ = true;
  mark_dirty();
}

void TlsStream::close() {
  if (closed_) return;
  closed_ = true;
  plaintext_.reset();
  if (engine_.failure() != nullptr && lower_->queued_bytes() > 0) {
    // The alert leaves at the end of the turn, before deferred deletion takes the socket away.
    lower_->close_when_sent();
  } else {
    lower_->close();
  }
}

void TlsStream::on_readable() {
  queue_->note_input();
  if (!open()) return;
  if (!engine_.established()) {
    advance_handshake();
    if (!open() || !engine_.has_buffered()) return;
  }
  if (reading_) handler_->on_readable();
}

void TlsStream::advance_handshake() {
  const MutableBytes scratch = queue_->ciphertext_scratch();
  const ReadResult below = lower_->read(scratch);
  if (below.status == ReadStatus::kWouldBlock) return;
  if (below.status != ReadStatus::kData) {
    break_and_tell();
    return;
  }
  const EngineStatus status = engine_.handshake(scratch.first(below.bytes));
  send_output();
  if (status == EngineStatus::kFailed) {
    break_and_tell();
  } else if (status == EngineStatus::kDone) {
    if (!reading_) lower_->set_reading(false);
    if (plaintext_ || finishing_) mark_dirty();
  }
}

// The stream below has room again.
void TlsStream::on_drained() {
  if (!open()) return;
  if (plaintext_) {
    encrypt();
    return;
  }
  if (!notify_drained_) return;
  notify_drained_ = false;
  handler_->on_drained();
  // Written inside the callback, after the turn's hook has run: it still leaves in this turn.
  if (open()) encrypt();
}

void TlsStream::on_closed() {
  if (open()) break_and_tell();
}

void TlsStream::encrypt() {
  if (!open() || !encrypt_some()) return;
  if (plaintext_ ? engine_.established() : notify_drained_) lower_->notify_when_drained();
  if (finishing_ && !plaintext_) end_output();
}

// Fills the stream below up to its share; false when the connection broke.
bool TlsStream::encrypt_some() {
  if (!engine_.established()) return true;
  while (plaintext_ && lower_->queued_bytes() < kCiphertextBytesMax) {
    const std::size_t room = kCiphertextBytesMax - lower_->queued_bytes();
    const bool encrypted = encrypt_records(std::min(plaintext_->bytes(), room));
    send_output();
    if (!encrypted) {
      break_and_tell();
      return false;
    }
    if (plaintext_->empty()) plaintext_.reset();
  }
  return true;
}

bool TlsStream::encrypt_records(std::size_t budget) {
  engine_.reserve_output(budget);
  while (budget > 0) {
    const std::size_t size = std::min(budget, kRecordPlaintextMax);
    Bytes record = plaintext_->front();
    if (record.size() < size) {
      const MutableBytes joined = queue_->plaintext_scratch().first(size);
      plaintext_->copy_head(joined.data(), size);
      record = joined;
    }
    if (!engine_.write(record.first(size))) return false;
    plaintext_->consume(size);
    budget -= size;
  }
  return true;
}

void TlsStream::end_output() {
  if (!finished_) {
    finished_ = true;
    engine_.close_notify();
    send_output();
    if (!closing_) lower_->finish();
  }
  if (closing_) lower_->close_when_sent();
}

void TlsStream::call_again() {
  in_later_ = false;
  if (closed_) return;
  if (broken_) {
    if (told_) return;
    told_ = true;
    handler_->on_closed();
    return;
  }
  if (!reading_ || ended_ || !engine_.has_buffered()) return;
  handler_->on_readable();
  // Whatever the handler left unread comes again, as it would from a socket.
  if (open() && reading_ && !ended_ && engine_.has_buffered()) mark_later();
}

}  // namespace anywire::tls
