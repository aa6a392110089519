#include "protocol/transport/engine_frame.h"

#include <algorithm>
#include <array>
#include <vector>

#include "codec/base64.h"
#include "protocol/transport/engine/packet.h"
#include "websocket/connection.h"
#include "websocket/frame_writer.h"

namespace anywire::protocol {
namespace {

constexpr std::array<std::uint8_t, 1> kMessageDigit{'4'};

BufferRef encode_frame(bool text, Bytes payload) {
  if (!text) return ws::encode_frame(ws::Opcode::kBinary, payload);
  std::array<std::uint8_t, ws::kHeaderBytesMax + 1> head;
  const std::size_t size =
      ws::write_header(head.data(), ws::Opcode::kText, true, false, payload.size() + 1);
  head[size] = kMessageDigit[0];
  return Buffer::copy_of(Bytes(head).first(size + 1), payload);
}

void append(std::vector<std::uint8_t>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_frame(std::vector<std::uint8_t>& out, ws::Opcode opcode, Bytes payload) {
  std::array<std::uint8_t, ws::kHeaderBytesMax> head;
  append(out, Bytes(head).first(
                  ws::write_header(head.data(), opcode, true, false, payload.size())));
  append(out, payload);
}

}  // namespace

BufferRef encode_engine_packet(bool text, Bytes payload) {
  if (text) return Buffer::copy_of(kMessageDigit, payload);
  BufferRef packet = Buffer::allocate(1 + codec::base64_encoded_bytes(payload.size()));
  char* const out = reinterpret_cast<char*>(packet->mutable_data());
  out[0] = 'b';
  codec::base64_encode_to(payload, out + 1);
  packet->commit(1 + codec::base64_encoded_bytes(payload.size()));
  return packet;
}

BufferRef encode_engine_message(Transport::Encoding form, bool text, Bytes payload,
                                ws::CompressionPool& pool) {
  if (form == Transport::Encoding::kPackets) return encode_engine_packet(text, payload);
  if (form == Transport::Encoding::kCompressed) {
    BufferRef frame;
    if (text) {
      const BufferRef packet = encode_engine_packet(true, payload);
      frame = pool.encode_shared(ws::Opcode::kText, packet->bytes());
    } else {
      frame = pool.encode_shared(ws::Opcode::kBinary, payload);
    }
    if (frame) return frame;
  }
  return encode_frame(text, payload);
}

BufferRef packets_to_frames(std::string_view packets) {
  std::vector<std::uint8_t> out;
  out.reserve(packets.size() + 2 * ws::kHeaderBytesMax);
  while (true) {
    const std::size_t end = packets.find(engine::kSeparator);
    const std::string_view one = packets.substr(0, end);
    if (one.starts_with('b')) {
      const auto bytes = codec::base64_decode(one.substr(1));
      if (!bytes) return {};
      append_frame(out, ws::Opcode::kBinary, as_bytes(*bytes));
    } else {
      append_frame(out, ws::Opcode::kText, as_bytes(one));
    }
    if (end == packets.npos) return Buffer::copy_of(out);
    packets.remove_prefix(end + 1);
  }
}

}  // namespace anywire::protocol
