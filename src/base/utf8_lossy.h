// Reading text that may not be UTF-8: one character at a time, with U+FFFD for what is not.
//
// Broken sequences are replaced the way browsers and Node do (WHATWG Encoding, UTF-8 decoder;
// Unicode chapter 3, "maximal subpart"): a truncated but so far valid sequence is one U+FFFD, and
// every other stray byte is one of its own. To refuse broken text instead, validate it whole.
//
// Thread: any; pure functions. The view is read during the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace anywire {

inline constexpr char32_t kReplacementCharacter = 0xfffd;

struct LossyCharacter {
  char32_t code_point = 0;
  std::uint8_t length = 0;  // bytes consumed, 1..4
  bool valid = true;        // false when the code point stands for broken bytes
};

// The first character of `text`, which must not be empty.
constexpr LossyCharacter decode_lossy(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  if (first < 0xc2 || first > 0xf4) return {kReplacementCharacter, 1, false};

  const std::uint8_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  // The second byte is narrower after four first bytes: no overlong forms, no surrogates, nothing
  // above U+10FFFF (RFC 3629 section 4).
  unsigned char low = 0x80, high = 0xbf;
  if (first == 0xe0) low = 0xa0;
  if (first == 0xed) high = 0x9f;
  if (first == 0xf0) low = 0x90;
  if (first == 0xf4) high = 0x8f;

  char32_t code_point = first & (0xff >> (length + 1));
  for (std::uint8_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) {
      return {kReplacementCharacter, i, false};
    }
    code_point = (code_point << 6) | (byte(i) & 0x3f);
    low = 0x80;
    high = 0xbf;
  }
  return {code_point, length, true};
}

// `code_point` must not be a surrogate nor above U+10FFFF.
inline void append_utf8(std::string& out, char32_t code_point) {
  const auto add = [&](char32_t bits) { out += static_cast<char>(bits); };
  if (code_point < 0x80) {
    add(code_point);
  } else if (code_point < 0x800) {
    add(0xc0 | (code_point >> 6));
    add(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    add(0xe0 | (code_point >> 12));
    add(0x80 | ((code_point >> 6) & 0x3f));
    add(0x80 | (code_point & 0x3f));
  } else {
    add(0xf0 | (code_point >> 18));
    add(0x80 | ((code_point >> 12) & 0x3f));
    add(0x80 | ((code_point >> 6) & 0x3f));
    add(0x80 | (code_point & 0x3f));
  }
}

}  // namespace anywire
