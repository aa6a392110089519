// What tests and fuzz targets of ws::Connection share: frames as clients write them, frames of the
// server as short texts, and Peer, a connection with a client in memory and a log of events.
//
// Thread: the loop's. Lifetime: a Peer outlives nothing but its wire; the context outlives it.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/testing/fake_stream.h"
#include "websocket/compression_pool.h"
#include "websocket/connection.h"
#include "websocket/deflate.h"
#include "websocket/frame_writer.h"
#include "websocket/mask.h"

namespace anywire::ws {

struct FrameShape {
  bool fin = true;
  bool rsv1 = false;
  std::uint32_t mask_key = 0xA1B2C3D4;
};

// A frame as a client sends it.
inline std::string client_frame(Opcode opcode, std::string_view payload, FrameShape shape = {}) {
  std::array<std::uint8_t, kHeaderBytesMax> header;
  const std::size_t size = write_masked_header(header.data(), opcode, shape.fin, shape.rsv1,
                                               payload.size(), shape.mask_key);
  std::string frame(as_text(Bytes(header).first(size)));
  std::vector<std::uint8_t> masked(payload.begin(), payload.end());
  unmask(masked, shape.mask_key, 0);
  return frame.append(as_text(masked));
}

// The head of a frame that claims `payload_bytes` and brings none.
inline std::string client_header(Opcode opcode, std::uint64_t payload_bytes,
                                 FrameShape shape = {}) {
  std::array<std::uint8_t, kHeaderBytesMax> header;
  const std::size_t size = write_masked_header(header.data(), opcode, shape.fin, shape.rsv1,
                                               payload_bytes, shape.mask_key);
  return std::string(as_text(Bytes(header).first(size)));
}

inline std::string close_payload(std::uint16_t code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return payload.append(reason);
}

inline std::string client_close(std::uint16_t code, std::string_view reason = {}) {
  return client_frame(Opcode::kClose, close_payload(code, reason));
}

// One message in frames of `piece_bytes`; the opcode and rsv1 go on the first only.
inline std::string client_fragments(Opcode opcode, std::string_view payload,
                                    std::size_t piece_bytes, bool rsv1 = false) {
  std::string frames;
  bool first = true;
  do {
    const std::string_view piece = payload.substr(0, piece_bytes);
    payload.remove_prefix(piece.size());
    frames += client_frame(first ? opcode : Opcode::kContinuation, piece,
                           {.fin = payload.empty(), .rsv1 = first && rsv1});
    first = false;
  } while (!payload.empty());
  return frames;
}

inline std::string deflated(Deflater& deflater, std::string_view message) {
  std::vector<std::uint8_t> out;
  if (!deflater.deflate(as_bytes(message), out)) return {};
  return std::string(as_text(out));
}

// Long payloads as their size and a hash, so that a log stays readable.
inline std::string shown(std::string_view payload) {
  if (payload.size() <= 64) return std::string(payload);
  return std::to_string(payload.size()) + "#" +
         std::to_string(std::hash<std::string_view>{}(payload) % 1'000'000);
}

// Frames of the server as texts: "text:hi", "ztext:hi" (compressed), "pong:", "close:1000:bye".
// What is no whole frame comes out as "rest:<bytes>", what breaks the rules as "broken".
inline std::vector<std::string> server_frames(std::string_view bytes,
                                              bool server_no_context = true) {
  std::vector<std::string> frames;
  Inflater inflater;
  while (!bytes.empty()) {
    const HeaderResult parsed =
        parse_header(as_bytes(bytes), {.expect_mask = false,
                                       .allow_rsv1 = true,
                                       .payload_bytes_max = std::uint64_t{1} << 40});
    if (parsed.status == HeaderStatus::kNeedMore ||
        bytes.size() - parsed.header_bytes < parsed.header.payload_bytes) {
      frames.push_back("rest:" + std::to_string(bytes.size()));
      break;
    }
    if (parsed.status != HeaderStatus::kOk || !parsed.header.fin) {
      frames.push_back("broken");
      break;
    }
    std::string_view payload =
        bytes.substr(parsed.header_bytes, static_cast<std::size_t>(parsed.header.payload_bytes));
    bytes.remove_prefix(parsed.header_bytes + payload.size());
    std::vector<std::uint8_t> inflated;
    if (parsed.header.rsv1) {
      if (inflater.inflate(as_bytes(payload), true, std::size_t{1} << 30, inflated) !=
          InflateStatus::kOk) {
        frames.push_back("broken deflate");
        break;
      }
      if (server_no_context) inflater.reset();
      payload = as_text(inflated);
    }
    const std::string z = parsed.header.rsv1 ? "z" : "";
    switch (parsed.header.opcode) {
      case Opcode::kText:
        frames.push_back(z + "text:" + shown(payload));
        break;
      case Opcode::kBinary:
        frames.push_back(z + "binary:" + shown(payload));
        break;
      case Opcode::kPing:
        frames.push_back("ping:" + shown(payload));
        break;
      case Opcode::kPong:
        frames.push_back("pong:" + shown(payload));
        break;
      case Opcode::kClose: {
        const auto close = parse_close(as_bytes(payload));
        frames.push_back(close ? "close:" + std::to_string(close->code) + ":" +
                                     std::string(close->reason)
                               : "close:broken");
        break;
      }
      case Opcode::kContinuation:
        frames.push_back("continuation");
        break;
    }
  }
  return frames;
}

inline constexpr std::string_view kResponse = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

// A connection, its owner and its client. `events` holds "text:...", "binary:...", "writable" and
// "closed:<code>" in the order in which the owner was told.
class Peer final : public ConnectionHandler {
 public:
  explicit Peer(ConnectionContext& context, std::optional<DeflateParams> deflate = {},
                std::string_view early = {})
      : wire(context.loop), context_(context), deflate_(deflate) {
    connection = std::make_unique<Connection>(context, *this);
    connection->attach(wire.make_stream(), std::string(kResponse), deflate, as_bytes(early));
  }
  ~Peer() {
    on_message_hook = nullptr;
    if (connection) connection->abort();
    context_.loop.turn(Duration::zero());
  }

  void open() { connection->open(); }
  // Opens, takes the 101 and reads nothing from now on.
  void stall() {
    open();
    turn();
    wire.window = 0;
  }
  void say(std::string_view bytes) { wire.deliver(bytes); }
  void say_in_pieces(std::string_view bytes, std::size_t piece_bytes) {
    while (!bytes.empty()) {
      say(bytes.substr(0, piece_bytes));
      bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
    }
  }
  // Its owner sends a binary message of so many bytes.
  void send(std::size_t payload_bytes) {
    connection->send(Opcode::kBinary, as_bytes(std::string(payload_bytes, 'x')));
  }
  // Readiness, then a whole turn of the loop.
  void turn() {
    wire.pump();
    context_.loop.turn(Duration::zero());
  }
  // What the server has said behind its 101.
  std::vector<std::string> frames() const {
    if (wire.sent.size() < kResponse.size()) return {};
    return server_frames(std::string_view(wire.sent).substr(kResponse.size()),
                         !deflate_ || deflate_->server_no_context_takeover);
  }
  bool ended() const { return connection == nullptr; }

  void on_message(Message& message) override {
    if (in_callback) ++nested;
    in_callback = true;
    ++messages;
    if (message.owned) ++owned_messages;
    largest_message = std::max(largest_message, message.data.size());
    events.push_back((message.text ? "text:" : "binary:") + shown(as_text(message.data)));
    if (on_message_hook) on_message_hook(message);
    in_callback = false;
  }
  void on_writable() override {
    events.push_back("writable");
    if (on_writable_hook) on_writable_hook();
  }
  void on_closed(CloseCode code) override {
    events.push_back("closed:" + std::to_string(static_cast<unsigned>(code)));
    context_.loop.defer_delete(std::move(connection));
  }

  net::FakeWire wire;
  std::unique_ptr<Connection> connection;
  std::vector<std::string> events;
  std::function<void(Message&)> on_message_hook;
  std::function<void()> on_writable_hook;
  std::size_t messages = 0;
  std::size_t owned_messages = 0;
  std::size_t largest_message = 0;
  int nested = 0;
  bool in_callback = false;

 private:
  ConnectionContext& context_;
  std::optional<DeflateParams> deflate_;
};

// A loop under a clock moved by hand, and what its connections share. Change `context.options`
// before the first Peer is made.
struct Bench {
  void advance(Duration by) {
    clock.advance(by);
    loop->turn(Duration::zero());
  }
  void turn() { loop->turn(Duration::zero()); }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  CompressionPool compression{3};
  ConnectionContext context{.loop = *loop, .options = {}, .compression = compression};
};

}  // namespace anywire::ws
