#include "client.h"

#include <fmt/format.h>

#include <array>

#include "base/buffer.h"
#include "http/chars.h"
#include "websocket/frame_writer.h"
#include "websocket/mask.h"

namespace anywire::bench {
namespace {

constexpr std::uint32_t kMask = 0x3E97C25B;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return result;
}

// The value of a header in a lower-cased response head, or the empty text.
std::string_view header_value(std::string_view lower_head, std::string_view original,
                              std::string_view lower_name) {
  const std::size_t at = lower_head.find(fmt::format("\r\n{}:", lower_name));
  if (at == std::string_view::npos) return {};
  std::string_view value = original.substr(at + lower_name.size() + 3);
  value = value.substr(0, value.find("\r\n"));
  while (value.starts_with(' ')) value.remove_prefix(1);
  while (value.ends_with(' ')) value.remove_suffix(1);
  return value;
}

}  // namespace

Client::Client(Engine& engine, ClientHandler& handler, std::uint32_t id)
    : engine_(engine), handler_(handler), reader_(engine.options().offer_deflate), id_(id) {}

Client::~Client() = default;

Result<void> Client::connect(std::uint32_t source) {
  const auto fd = engine_.open_socket(source);
  if (!fd) return std::unexpected(fd.error());
  auto stream = net::TcpStream::adopt(engine_.flush_queue(), *fd);
  if (!stream) return std::unexpected(stream.error());
  stream_ = std::move(*stream);
  stream_->set_handler(*this);
  stream_->write(as_bytes(engine_.upgrade_request()));
  phase_ = Phase::kUpgrading;
  return {};
}

void Client::on_readable() {
  const MutableBytes buffer = engine_.loop().receive_buffer();
  const net::ReadResult result = stream_->read(buffer);
  if (result.status == net::ReadStatus::kWouldBlock) return;
  if (result.status != net::ReadStatus::kData) return finish(got_close_);
  Bytes input(buffer.data(), result.bytes);
  if (phase_ == Phase::kUpgrading && !take_head(input)) return;
  if (const char* error = reader_.feed(input, *this)) fail(error);
}

// True once the head is complete; `input` is then what follows it.
bool Client::take_head(Bytes& input) {
  const std::size_t before = head_.size();
  head_ += as_text(input);
  const std::size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    if (head_.size() > kHeadBytesMax) fail("response head too big");
    return false;
  }
  input = input.subspan(end + 4 - before);
  head_.resize(end + 2);
  if (!accept_head(head_)) return false;
  head_ = std::string();
  phase_ = Phase::kDialect;
  if (!engine_.options().dialect.socketio) opened();
  return phase_ != Phase::kClosed;
}

bool Client::accept_head(std::string_view head) {
  if (!head.starts_with("HTTP/1.1 101 ")) {
    fail(fmt::format("no upgrade: {}", head.substr(0, head.find('\r'))));
    return false;
  }
  const std::string lowered = lower(head);
  if (header_value(lowered, head, "sec-websocket-accept") != engine_.expected_accept()) {
    fail("wrong Sec-WebSocket-Accept");
    return false;
  }
  if (header_value(lowered, head, "sec-websocket-protocol") !=
      engine_.options().dialect.subprotocol) {
    fail("wrong Sec-WebSocket-Protocol");
    return false;
  }
  compression_agreed_ =
      header_value(lowered, head, "sec-websocket-extensions").starts_with("permessage-deflate");
  return true;
}

void Client::opened() {
  phase_ = Phase::kOpen;
  handler_.on_open(*this);
}

bool Client::on_frame(const Message& message) {
  if (!ws::is_control(message.opcode)) [[likely]] {
    if (phase_ == Phase::kOpen && !engine_.options().dialect.socketio) [[likely]] {
      handler_.on_message(*this, message);
      return phase_ != Phase::kClosed && !engine_.failed();
    }
    if (phase_ != Phase::kOpen && phase_ != Phase::kDialect) return phase_ != Phase::kClosed;
    const DialectStep step = dialect_step(engine_.options().dialect, as_text(message.head));
    if (!step.answer.empty()) send_text(step.answer);
    if (step.opened) opened();
    if (!step.consumed && phase_ == Phase::kOpen) handler_.on_message(*this, message);
    return phase_ != Phase::kClosed && !engine_.failed();
  }
  if (message.opcode == ws::Opcode::kPing) send_frame(ws::Opcode::kPong, message.head);
  if (message.opcode == ws::Opcode::kClose) {
    got_close_ = true;
    if (phase_ != Phase::kClosing) {
      const auto close = ws::parse_close(message.head);
      fail(fmt::format("the server closed the connection: {} {}", close ? close->code : 0,
                       close ? close->reason : ""));
      return false;
    }
    // RFC 6455 7.1.1: the server closes TCP first, so that it and not the client waits in
    // TIME_WAIT; the end of the stream brings `finish`.
  }
  return phase_ != Phase::kClosed;
}

void Client::close() {
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kClosing;
  const std::array<std::uint8_t, 2> code{1000 >> 8, 1000 & 0xFF};
  send_frame(ws::Opcode::kClose, code);
}

void Client::send_frame(ws::Opcode opcode, Bytes payload) {
  BufferRef frame = Buffer::allocate(ws::kHeaderBytesMax + payload.size());
  frame->commit(ws::write_masked_header(frame->mutable_data(), opcode, true, false, payload.size(),
                                        kMask));
  const std::size_t header = frame->size();
  frame->append(payload);
  ws::unmask({frame->mutable_data() + header, payload.size()}, kMask, 0);
  stream_->write(std::move(frame));
}

void Client::send_text(std::string_view text) { send_frame(ws::Opcode::kText, as_bytes(text)); }

void Client::finish(bool orderly) {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  stream_->close();
  engine_.loop().defer_delete(std::move(stream_));
  handler_.on_closed(*this, orderly);
}

void Client::fail(std::string_view why) {
  engine_.fail(fmt::format("connection {}: {}", id_, why));
  finish(false);
}

}  // namespace anywire::bench
