// Reading of frame headers (RFC 6455 5.2) and Close payloads (5.5.1), without I/O and without
// state: the caller shows the bytes it has and the rules that hold now, and is told what they mean.
//
// A header is refused as early as its first wrong byte is visible, so a peer cannot keep a hopeless
// frame open. Nothing is allocated; a claimed length is only a number here, and the caller
// bounds it through HeaderRules::payload_bytes_max.
//
// Thread: any. Lifetime: arguments are read during the call; ClosePayload::reason points into the
// argument of parse_close(). `reason` texts are static.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <string_view>

#include "base/bytes.h"
#include "websocket/close_code.h"

namespace anywire::ws {

enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

constexpr bool is_control(Opcode opcode) { return (static_cast<std::uint8_t>(opcode) & 8) != 0; }

inline constexpr std::size_t kHeaderBytesMax = 14;
inline constexpr std::size_t kControlPayloadBytesMax = 125;

struct FrameHeader {
  Opcode opcode = Opcode::kContinuation;
  bool fin = false;
  bool rsv1 = false;
  std::uint64_t payload_bytes = 0;
  std::uint32_t mask_key = 0;  // the wire bytes as memcpy loads them, which is what unmask() takes
  bool masked = false;
};

struct HeaderRules {
  bool expect_mask = true;             // true on the server, false on a client (RFC 6455 5.1)
  bool allow_rsv1 = false;             // permessage-deflate was agreed on (RFC 7692 6)
  bool in_fragmented_message = false;  // a data frame without FIN came, its end did not
  std::uint64_t payload_bytes_max = 0;  // for this data frame: message limit minus what is held
};

enum class HeaderStatus : std::uint8_t {
  kNeedMore,       // fine so far; header_bytes is the least the header can end up with
  kOk,             // header and header_bytes are set; the payload follows
  kProtocolError,  // close with 1002; reason says why
  kTooBig,         // close with 1009; reason says why
};

struct HeaderResult {
  HeaderStatus status = HeaderStatus::kNeedMore;
  std::uint8_t header_bytes = 0;
  FrameHeader header;
  const char* reason = nullptr;
};

// Looks at no more than the first kHeaderBytesMax bytes of `input`.
HeaderResult parse_header(Bytes input, const HeaderRules& rules);

// `code` is 1005 (CloseCode::kNoStatus) when the frame had no payload.
struct ClosePayload {
  std::uint16_t code = 0;
  std::string_view reason;
};

// The error is the code to answer with: kProtocolError for a lone byte or a code that may not
// stand on the wire, kInvalidPayload for a reason that is not UTF-8.
[[nodiscard]] std::expected<ClosePayload, CloseCode> parse_close(Bytes payload);

namespace detail {

HeaderResult parse_extended_header(Bytes input, const HeaderRules& rules);
HeaderResult parse_single_byte(Bytes input, const HeaderRules& rules);

constexpr HeaderResult refuse_header(const char* reason) {
  return {HeaderStatus::kProtocolError, 0, {}, reason};
}

constexpr const char* first_byte_error(std::uint8_t first, const HeaderRules& rules) {
  constexpr unsigned kKnownOpcodes = 0b111'0000'0111;  // 0-2 and 8-10
  const unsigned opcode = first & 0x0F;
  if ((first & 0x30) != 0) return "reserved bit set";
  if ((kKnownOpcodes >> opcode & 1) == 0) return "reserved opcode";
  if ((first & 0x40) != 0) {
    if (!rules.allow_rsv1) return "compressed frame without an agreement to compress";
    // RFC 7692 6.1: only the first frame of a message carries the bit, control frames never do.
    if (opcode == 0 || (opcode & 8) != 0) return "compression bit on a control or later frame";
  }
  if ((opcode & 8) != 0) {
    return (first & 0x80) != 0 ? nullptr : "fragmented control frame";
  }
  if ((opcode == 0) == rules.in_fragmented_message) return nullptr;
  return opcode == 0 ? "continuation without a message to continue"
                     : "new message inside a fragmented one";
}

}  // namespace detail

[[gnu::hot]] inline HeaderResult parse_header(Bytes input, const HeaderRules& rules) {
  if (input.size() < 2) [[unlikely]] return detail::parse_single_byte(input, rules);
  const std::uint8_t first = input[0];
  const std::uint8_t second = input[1];
  if (const char* reason = detail::first_byte_error(first, rules)) [[unlikely]] {
    return detail::refuse_header(reason);
  }
  const bool masked = (second & 0x80) != 0;
  if (masked != rules.expect_mask) [[unlikely]] {
    return detail::refuse_header(masked ? "masked frame from a server"
                                        : "unmasked frame from a client");
  }
  const std::uint64_t payload_bytes = second & 0x7F;
  if (payload_bytes > kControlPayloadBytesMax) {
    return detail::parse_extended_header(input, rules);
  }
  if (payload_bytes > rules.payload_bytes_max && (first & 8) == 0) [[unlikely]] {
    return {HeaderStatus::kTooBig, 0, {}, "message too big"};
  }
  const std::uint8_t header_bytes = masked ? 6 : 2;
  if (input.size() < header_bytes) [[unlikely]] {
    return {HeaderStatus::kNeedMore, header_bytes, {}, nullptr};
  }
  HeaderResult result{HeaderStatus::kOk,
                      header_bytes,
                      {static_cast<Opcode>(first & 0x0F), (first & 0x80) != 0,
                       (first & 0x40) != 0, payload_bytes, 0, masked},
                      nullptr};
  if (masked) std::memcpy(&result.header.mask_key, input.data() + 2, 4);
  return result;
}

}  // namespace anywire::ws
