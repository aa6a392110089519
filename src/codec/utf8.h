// UTF-8 checking, whole or piece by piece.
//
// Utf8Validator answers, for a text that arrives in pieces of any size, whether what came so far
// can still be the beginning of well-formed UTF-8 (RFC 3629). It refuses at the very byte that
// makes the text hopeless: surrogates, overlong forms and code points above U+10FFFF are seen at
// the second byte of their sequence, not at the last. WebSocket needs this for fail-fast text
// messages (RFC 6455 8.1).
//
// Thread: none of its own; one validator belongs to one caller. Lifetime: arguments are read
// during the call only. Limits: four bytes of state, no allocation, time linear in the input.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace anywire::codec {

class Utf8Validator {
 public:
  // Reads the next piece. False means the text is broken, and stays broken until reset().
  [[nodiscard]] bool feed(Bytes piece);

  // True when no sequence is open: the text read so far may end here.
  [[nodiscard]] bool complete() const { return missing_ == 0; }

  void reset() { *this = Utf8Validator(); }

 private:
  bool step(std::uint8_t byte);
  bool refuse();

  std::uint8_t missing_ = 0;  // continuation bytes the open sequence still needs
  std::uint8_t low_ = 0x80;   // bounds of the next continuation byte; an empty range once refused
  std::uint8_t high_ = 0xBF;
};

static_assert(sizeof(Utf8Validator) <= 4);

// True when `text` is well-formed from its first byte to its last.
[[nodiscard]] bool is_valid_utf8(Bytes text);

}  // namespace anywire::codec
