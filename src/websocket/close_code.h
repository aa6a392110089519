// Close status codes (RFC 6455 7.4 and the IANA registry): a value type, usable anywhere.
#pragma once

#include <cstdint>

namespace anywire::ws {

// An application's own code (3000-4999) is carried as static_cast<CloseCode>(code).
enum class CloseCode : std::uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kUnsupportedData = 1003,
  kNoStatus = 1005,  // never on the wire: the peer's Close frame had no code
  kAbnormal = 1006,  // never on the wire: the connection ended without a Close frame
  kInvalidPayload = 1007,
  kPolicyViolation = 1008,
  kMessageTooBig = 1009,
  kInternalError = 1011,
  kServiceRestart = 1012,
  kTryAgainLater = 1013,
};

// May this code stand in a Close frame? Registered codes except those reserved for local use
// (1004, 1005, 1006, 1015), the libraries' range 3000-3999 and the private range 4000-4999.
constexpr bool is_valid_on_wire(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace anywire::ws
