#include "websocket/frame_writer.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "codec/utf8.h"

namespace anywire::ws {

namespace {

std::string_view clip_reason(std::string_view reason) {
  std::size_t size = std::min(reason.size(), kCloseReasonBytesMax);
  // A cut in front of a continuation byte (10xxxxxx) would split a character: move to its lead.
  while (size > 0 && size < reason.size() && (reason[size] & 0xC0) == 0x80) --size;
  return reason.substr(0, size);
}

}  // namespace

std::size_t write_header(std::uint8_t out[kHeaderBytesMax], Opcode opcode, bool fin, bool rsv1,
                         std::uint64_t payload_bytes) {
  out[0] = static_cast<std::uint8_t>((fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) |
                                     static_cast<std::uint8_t>(opcode));
  if (payload_bytes < 126) {
    out[1] = static_cast<std::uint8_t>(payload_bytes);
    return 2;
  }
  const int length_bytes = payload_bytes <= 0xFFFF ? 2 : 8;
  out[1] = length_bytes == 2 ? 126 : 127;
  for (int i = 0; i < length_bytes; ++i) {
    out[2 + i] = static_cast<std::uint8_t>(payload_bytes >> (8 * (length_bytes - 1 - i)));
  }
  return 2 + static_cast<std::size_t>(length_bytes);
}

std::size_t write_masked_header(std::uint8_t out[kHeaderBytesMax], Opcode opcode, bool fin,
                                bool rsv1, std::uint64_t payload_bytes, std::uint32_t mask_key) {
  const std::size_t size = write_header(out, opcode, fin, rsv1, payload_bytes);
  out[1] |= 0x80;
  std::memcpy(out + size, &mask_key, sizeof mask_key);
  return size + sizeof mask_key;
}

std::size_t encode_close(std::uint8_t* out, CloseCode code, std::string_view reason) {
  if (code == CloseCode::kNoStatus) return write_header(out, Opcode::kClose, true, false, 0);

  const auto number = static_cast<std::uint16_t>(code);
  AW_ASSERT(is_valid_on_wire(number));
  reason = clip_reason(reason);
  if (!codec::is_valid_utf8(as_bytes(reason))) reason = {};

  const std::size_t header = write_header(out, Opcode::kClose, true, false, 2 + reason.size());
  out[header] = static_cast<std::uint8_t>(number >> 8);
  out[header + 1] = static_cast<std::uint8_t>(number);
  std::copy(reason.begin(), reason.end(), out + header + 2);
  return header + 2 + reason.size();
}

}  // namespace anywire::ws
