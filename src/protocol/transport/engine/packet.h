// Packets of Engine.IO 4 as texts: what a WebSocket text frame holds one of, and what the body of a
// poll's answer or of a POST holds any number of, with a 0x1e between two.
//
//   4hello 0x1e 2 0x1e bAQIDBA==
//
// A packet is a digit and what it is about. A message of bytes is a `b` and base64 in such a body,
// and a binary frame without any prefix on a WebSocket.
//
// Pure functions. Thread: any. Lifetime: views are into the argument.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace anywire::protocol::engine {

constexpr char kSeparator = '\x1e';

enum class PacketType : std::uint8_t {
  kOpen,
  kClose,
  kPing,
  kPong,
  kMessage,
  kUpgrade,
  kNoop,
  kBinary,  // a message, in base64
};

struct Packet {
  PacketType type = PacketType::kNoop;
  std::string_view data;
};

// Nothing when the text is empty or begins with anything else. kBinary only where `packed`: within
// a body. Its base64 is not looked at.
std::optional<Packet> parse_packet(std::string_view text, bool packed);

// The packets of a body, one after the other. An empty body holds one empty, hence broken, packet.
class PayloadReader {
 public:
  PayloadReader() = default;
  explicit PayloadReader(std::string_view body) : rest_(body), more_(true) {}

  bool more() const { return more_; }
  // Call while there are more. Nothing for a broken one, after which there is no way to go on.
  std::optional<Packet> next();

 private:
  std::string_view rest_;
  bool more_ = false;
};

}  // namespace anywire::protocol::engine
