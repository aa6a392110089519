// What may stand beside the code in a Close frame, RFC 6455 5.5.1: at most 123 bytes of UTF-8.
//
// Thread: any; a pure function. Lifetime: the result is a part of the argument.
#pragma once

#include <cstddef>
#include <string_view>

namespace anywire::protocol {

inline constexpr std::size_t kCloseReasonBytesMax = 123;

// The text may be somebody else's, so it is cut between characters.
inline std::string_view cut_close_reason(std::string_view reason) {
  if (reason.size() <= kCloseReasonBytesMax) return reason;
  std::size_t end = kCloseReasonBytesMax;
  while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xC0) == 0x80) --end;
  return reason.substr(0, end);
}

}  // namespace anywire::protocol
