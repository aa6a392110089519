// Writing of frame headers and Close frames (RFC 6455 5.2, 5.5.1) into the caller's array.
//
// Thread: any. Lifetime: arguments are used during the call only. No allocation. Lengths are always
// written in their shortest form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "websocket/close_code.h"
#include "websocket/frame_parser.h"

namespace anywire::ws {

inline constexpr std::size_t kCloseFrameBytesMax = 2 + kControlPayloadBytesMax;
inline constexpr std::size_t kCloseReasonBytesMax = kControlPayloadBytesMax - 2;

// Writes an unmasked header, as servers send it, and returns its size (2, 4 or 10).
std::size_t write_header(std::uint8_t out[kHeaderBytesMax], Opcode opcode, bool fin, bool rsv1,
                         std::uint64_t payload_bytes);

// Writes a masked header, as clients send it, and returns its size (6, 8 or 14). The payload must
// then be run through unmask() with the same key.
std::size_t write_masked_header(std::uint8_t out[kHeaderBytesMax], Opcode opcode, bool fin,
                                bool rsv1, std::uint64_t payload_bytes, std::uint32_t mask_key);

// Writes a whole unmasked Close frame to `out`, which holds kCloseFrameBytesMax, and returns its
// size. kNoStatus gives the frame without payload; any other code must be valid on the wire. A
// reason longer than kCloseReasonBytesMax is cut between two characters; one that is not UTF-8 is
// left out, because the peer would have to answer it with 1007.
std::size_t encode_close(std::uint8_t* out, CloseCode code, std::string_view reason);

}  // namespace anywire::ws
