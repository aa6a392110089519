#include "protocol/transport/engine/packet.h"

namespace anywire::protocol::engine {

std::optional<Packet> parse_packet(std::string_view text, bool packed) {
  if (text.empty()) return std::nullopt;
  const char first = text.front();
  const std::string_view data = text.substr(1);
  if (first >= '0' && first <= '6') return Packet{static_cast<PacketType>(first - '0'), data};
  if (first == 'b' && packed) return Packet{PacketType::kBinary, data};
  return std::nullopt;
}

std::optional<Packet> PayloadReader::next() {
  const std::size_t end = rest_.find(kSeparator);
  const std::string_view text = rest_.substr(0, end);
  more_ = end != rest_.npos;
  rest_ = more_ ? rest_.substr(end + 1) : std::string_view();
  const std::optional<Packet> packet = parse_packet(text, true);
  if (!packet) more_ = false;
  return packet;
}

}  // namespace anywire::protocol::engine
