// The receiving half of Connection: from bytes to frames to messages.
#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "websocket/compression_pool.h"
#include "websocket/connection.h"
#include "websocket/frame_writer.h"
#include "websocket/mask.h"
#include "websocket/message_assembly.h"

namespace anywire::ws {
namespace {

// A payload with more than this still to come is read straight into its message.
constexpr std::uint64_t kDirectReadMin = 32 * 1024;
// Small enough that unmasking finds the bytes in the cache.
constexpr std::size_t kDirectReadMax = 256 * 1024;
// What one connection may read in one turn, so that others get theirs.
constexpr std::size_t kReadBudgetBytes = 1024 * 1024;

}  // namespace

void Connection::on_readable() {
  if (state_ == State::kEnding) return discard_input();
  if (input_waits() || state_ == State::kOpening) {
    // Only now it is known that the peer goes on sending; most never come here.
    reading_off_ = true;
    stream_->set_reading(false);
    return;
  }
  std::size_t budget = kReadBudgetBytes;
  while (receiving() && !input_waits()) {
    const bool direct = state_ == State::kOpen && assembly_ && assembly_->in_frame &&
                        !is_control(assembly_->frame.opcode) && !assembly_->compressed &&
                        assembly_->frame_left >= kDirectReadMin;
    const std::size_t read = direct ? read_into_message() : read_into_scratch();
    // A short read means the socket is empty; asking again would only cost a system call.
    if (read == 0 || read >= budget) return;
    budget -= read;
  }
}

// Each returns how much was read if more may be waiting, and 0 otherwise.
std::size_t Connection::read_into_scratch() {
  const MutableBytes scratch = context_.loop.receive_buffer();
  std::size_t kept = 0;
  if (assembly_ && assembly_->carry) {
    kept = assembly_->carry->size();
    std::memcpy(scratch.data(), assembly_->carry->data(), kept);
    assembly_->carry = BufferRef();
  }
  const MutableBytes room = scratch.subspan(kept);
  const std::size_t bytes = room.empty() ? 0 : read_some(room);
  if (stream_ == nullptr) return 0;
  const bool full = bytes == room.size();
  take_input(scratch.first(kept + bytes));
  return full ? bytes : 0;
}

std::size_t Connection::read_into_message() {
  MessageAssembly& a = *assembly_;
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(a.frame_left, kDirectReadMax));
  a.reserve(wanted, a.message_bytes() + a.frame_left);
  const MutableBytes room = a.message->free_space().first(wanted);
  const std::size_t bytes = read_some(room);
  if (bytes == 0 || stream_ == nullptr) return 0;
  const MutableBytes part = room.first(bytes);
  unmask(part, a.frame.mask_key, a.frame_done());
  a.frame_left -= bytes;
  a.message->commit(bytes);
  if (a.text && !a.utf8.feed(part)) {
    fail(CloseCode::kInvalidPayload, "text is not UTF-8");
    return 0;
  }
  if (a.frame_left == 0) end_frame();
  return bytes == wanted ? bytes : 0;
}

std::size_t Connection::read_some(MutableBytes room) {
  const net::ReadResult result = stream_->read(room);
  switch (result.status) {
    case net::ReadStatus::kData:
      last_input_ms_ = context_.loop.now_ms();
      ping_sent_ = false;
      return result.bytes;
    case net::ReadStatus::kWouldBlock:
      return 0;
    case net::ReadStatus::kEnd:
    case net::ReadStatus::kError:
      end(CloseCode::kAbnormal);
      return 0;
  }
  return 0;
}

void Connection::take_input(MutableBytes input) {
  const std::size_t used = process(input);
  if (used < input.size() && receiving()) {
    assembly().carry = Buffer::copy_of(input.subspan(used));
  } else if (assembly_ && assembly_->idle()) {
    assembly_.reset();
  }
}

HeaderRules Connection::rules() const {
  const std::size_t limit = context_.options.message_bytes_max;
  const std::size_t held = assembly_ ? assembly_->message_bytes() : 0;
  // Incompressible data grows a little when deflated, so only the inflated size is held to the
  // limit itself.
  const std::size_t slack = deflate_ ? limit / 8 + 64 : 0;
  return {.expect_mask = true,
          .allow_rsv1 = deflate_,
          .in_fragmented_message = assembly_ && assembly_->in_message,
          .payload_bytes_max = limit - std::min(limit, held) + slack};
}

std::size_t Connection::process(MutableBytes input) {
  std::size_t used = 0;
  while (used < input.size() && receiving() && !input_waits()) {
    if (assembly_ && assembly_->in_frame) {
      used += continue_frame(input.subspan(used));
      continue;
    }
    const HeaderResult parsed = parse_header(input.subspan(used), rules());
    if (parsed.status == HeaderStatus::kNeedMore) break;
    if (parsed.status != HeaderStatus::kOk) {
      fail(parsed.status == HeaderStatus::kTooBig ? CloseCode::kMessageTooBig
                                                  : CloseCode::kProtocolError,
           parsed.reason);
      break;
    }
    used += parsed.header_bytes;
    const std::uint64_t payload_bytes = parsed.header.payload_bytes;
    if (input.size() - used >= payload_bytes) {
      input_ends_ = input.size() - used == payload_bytes;
      take_payload(parsed.header, input.subspan(used, static_cast<std::size_t>(payload_bytes)));
      input_ends_ = false;
      used += static_cast<std::size_t>(payload_bytes);
    } else {
      begin_frame(parsed.header);
    }
  }
  return used;
}

// A frame that lies in the input as a whole: the common case.
void Connection::take_payload(const FrameHeader& header, MutableBytes payload) {
  unmask(payload, header.mask_key, 0);
  if (is_control(header.opcode)) return take_control(header.opcode, payload);
  if (header.fin && header.opcode != Opcode::kContinuation && !header.rsv1) {
    return deliver_whole(header.opcode == Opcode::kText, payload);
  }
  begin_frame(header);
  if (!receiving()) return;
  assembly_->frame_left = 0;
  add_to_message(payload);
  if (receiving()) end_frame();
}

void Connection::begin_frame(const FrameHeader& header) {
  MessageAssembly& a = assembly();
  a.frame = header;
  a.frame_left = header.payload_bytes;
  a.in_frame = true;
  a.control_bytes = 0;
  if (is_control(header.opcode)) return;
  if (header.opcode != Opcode::kContinuation) {
    a.in_message = true;
    a.text = header.opcode == Opcode::kText;
    a.compressed = header.rsv1;
    a.utf8.reset();
  }
  // The slack in rules() is for compressed frames only.
  if (!a.compressed &&
      a.message_bytes() + header.payload_bytes > context_.options.message_bytes_max) {
    fail(CloseCode::kMessageTooBig, "message too big");
  }
}

std::size_t Connection::continue_frame(MutableBytes input) {
  MessageAssembly& a = *assembly_;
  const MutableBytes part =
      input.first(static_cast<std::size_t>(std::min<std::uint64_t>(a.frame_left, input.size())));
  unmask(part, a.frame.mask_key, a.frame_done());
  a.frame_left -= part.size();
  if (is_control(a.frame.opcode)) {
    std::memcpy(a.control.data() + a.control_bytes, part.data(), part.size());
    a.control_bytes = static_cast<std::uint8_t>(a.control_bytes + part.size());
  } else {
    add_to_message(part);
    if (!receiving()) return part.size();
  }
  if (a.frame_left == 0) end_frame();
  return part.size();
}

void Connection::add_to_message(Bytes part) {
  MessageAssembly& a = *assembly_;
  if (state_ != State::kOpen) return;  // nobody will see it
  if (a.compressed) {
    inflate(part, false);
    return;
  }
  if (!part.empty()) {
    a.reserve(part.size(), a.message_bytes() + part.size() + a.frame_left);
    a.message->append(part);
  }
  if (a.text && !a.utf8.feed(part)) fail(CloseCode::kInvalidPayload, "text is not UTF-8");
}

void Connection::end_frame() {
  MessageAssembly& a = *assembly_;
  a.in_frame = false;
  if (is_control(a.frame.opcode)) {
    // The payload is copied because the answer may free the assembly.
    const std::array<std::uint8_t, kControlPayloadBytesMax> payload = a.control;
    take_control(a.frame.opcode, Bytes(payload).first(a.control_bytes));
    return;
  }
  if (a.frame.fin) deliver_assembled();
}

void Connection::deliver_whole(bool text, MutableBytes payload) {
  if (state_ != State::kOpen) return;
  if (payload.size() > context_.options.message_bytes_max) {
    return fail(CloseCode::kMessageTooBig, "message too big");
  }
  if (text && !codec::is_valid_utf8(payload)) {
    return fail(CloseCode::kInvalidPayload, "text is not UTF-8");
  }
  last_message_ms_ = context_.loop.now_ms();
  Message message{.text = text, .data = payload, .owned = {}};
  handler_.on_message(message);
}

void Connection::deliver_assembled() {
  MessageAssembly& a = *assembly_;
  a.in_message = false;
  if (state_ != State::kOpen) return;
  if (a.compressed && !inflate({}, true)) return;
  if (a.text && !a.utf8.complete()) {
    return fail(CloseCode::kInvalidPayload, "text is not UTF-8");
  }
  last_message_ms_ = context_.loop.now_ms();
  const std::vector<std::uint8_t> inflated = std::move(a.inflated);
  Message message{.text = a.text, .data = inflated, .owned = std::move(a.message)};
  if (message.owned) message.data = message.owned->bytes();
  if (a.idle()) assembly_.reset();
  handler_.on_message(message);
}

bool Connection::inflate(Bytes part, bool message_ends) {
  MessageAssembly& a = *assembly_;
  const bool keeps_context = !params_.client_no_context_takeover;
  std::unique_ptr<Inflater>& inflater = keeps_context ? kept().inflater : a.inflater;
  if (!inflater) inflater = context_.compression.take_inflater();
  const std::size_t before = a.inflated.size();
  const InflateStatus status =
      inflater->inflate(part, message_ends, context_.options.message_bytes_max, a.inflated);
  // Before the status, so that the verdict does not depend on how the data was cut: what came out
  // ahead of a failure is the same either way.
  if (a.text && !a.utf8.feed(Bytes(a.inflated).subspan(before))) {
    fail(CloseCode::kInvalidPayload, "text is not UTF-8");
    return false;
  }
  if (status == InflateStatus::kTooBig) {
    fail(CloseCode::kMessageTooBig, "message too big when decompressed");
    return false;
  }
  if (status == InflateStatus::kInvalid) {
    fail(CloseCode::kInvalidPayload, "compressed data is broken");
    return false;
  }
  if (message_ends && !keeps_context) {
    context_.compression.give_back(std::move(inflater));
  }
  return true;
}

void Connection::take_control(Opcode opcode, Bytes payload) {
  if (opcode == Opcode::kClose) return take_close(payload);
  if (opcode != Opcode::kPing || state_ != State::kOpen) return;
  std::array<std::uint8_t, kHeaderBytesMax> header;
  const std::size_t size = write_header(header.data(), Opcode::kPong, true, false, payload.size());
  stream_->write_framed(Bytes(header).first(size), payload);
  after_write();
}

// RFC 6455 5.5.1 and 7.1: answer with what was said, which is what a browser then shows as the
// reason, and the server closes TCP first.
void Connection::take_close(Bytes payload) {
  const auto close = parse_close(payload);
  if (!close) {
    return fail(close.error(), close.error() == CloseCode::kProtocolError
                                   ? "broken Close frame"
                                   : "close reason is not UTF-8");
  }
  close_code_ = static_cast<CloseCode>(close->code);
  if (state_ == State::kOpen) send_close(close_code_, close->reason);
  state_ = State::kEnding;
  assembly_.reset();
  context_.loop.arm(*this, context_.options.close_timeout);
  stream_->close_when_sent();
}

void Connection::discard_input() {
  const net::ReadResult result = stream_->read(context_.loop.receive_buffer());
  if (result.status == net::ReadStatus::kEnd || result.status == net::ReadStatus::kError) {
    end(close_code_);
  }
}

MessageAssembly& Connection::assembly() {
  if (!assembly_) assembly_ = std::make_unique<MessageAssembly>();
  return *assembly_;
}

}  // namespace anywire::ws
