#include "websocket/frame_parser.h"

#include <algorithm>

#include "codec/utf8.h"

namespace anywire::ws {

namespace detail {

HeaderResult parse_single_byte(Bytes input, const HeaderRules& rules) {
  if (!input.empty()) {
    if (const char* reason = first_byte_error(input[0], rules)) return refuse_header(reason);
  }
  return {HeaderStatus::kNeedMore, 2, {}, nullptr};
}

// Lengths of 16 or 64 bits. The first two bytes have been checked, but for the control frame that
// is too long. With some length bytes still to come, the length is known to lie between two
// bounds, and that is enough to refuse most wrong lengths before they are complete.
HeaderResult parse_extended_header(Bytes input, const HeaderRules& rules) {
  const std::uint8_t first = input[0];
  if ((first & 8) != 0) return refuse_header("control frame longer than 125 bytes");

  const bool masked = (input[1] & 0x80) != 0;
  const bool is_short = (input[1] & 0x7F) == 126;
  const std::size_t length_bytes = is_short ? 2 : 8;
  const auto header_bytes = static_cast<std::uint8_t>(2 + length_bytes + (masked ? 4 : 0));
  const HeaderResult need_more{HeaderStatus::kNeedMore, header_bytes, {}, nullptr};

  const std::size_t seen_bytes = std::min(input.size() - 2, length_bytes);
  if (seen_bytes == 0) return need_more;
  std::uint64_t seen = 0;
  for (const std::uint8_t byte : input.subspan(2, seen_bytes)) seen = seen << 8 | byte;

  const std::size_t unseen_bits = (length_bytes - seen_bytes) * 8;  // at most 56
  const std::uint64_t at_least = seen << unseen_bits;
  const std::uint64_t at_most = at_least | ((std::uint64_t{1} << unseen_bits) - 1);
  if ((at_least >> 63) != 0) return refuse_header("length with its highest bit set");
  if (at_most < (is_short ? 126 : 65536)) return refuse_header("length not in its shortest form");
  if (at_least > rules.payload_bytes_max) {
    return {HeaderStatus::kTooBig, 0, {}, "message too big"};
  }
  if (input.size() < header_bytes) return need_more;

  HeaderResult result{HeaderStatus::kOk,
                      header_bytes,
                      {static_cast<Opcode>(first & 0x0F), (first & 0x80) != 0,
                       (first & 0x40) != 0, seen, 0, masked},
                      nullptr};
  if (masked) std::memcpy(&result.header.mask_key, input.data() + 2 + length_bytes, 4);
  return result;
}

}  // namespace detail

std::expected<ClosePayload, CloseCode> parse_close(Bytes payload) {
  if (payload.empty()) {
    return ClosePayload{static_cast<std::uint16_t>(CloseCode::kNoStatus), {}};
  }
  if (payload.size() == 1) return std::unexpected(CloseCode::kProtocolError);
  const auto code = static_cast<std::uint16_t>(payload[0] << 8 | payload[1]);
  if (!is_valid_on_wire(code)) return std::unexpected(CloseCode::kProtocolError);
  const Bytes reason = payload.subspan(2);
  if (!codec::is_valid_utf8(reason)) return std::unexpected(CloseCode::kInvalidPayload);
  return ClosePayload{code, as_text(reason)};
}

}  // namespace anywire::ws
