// Classes of bytes in an HTTP/1.1 head, as one table. For the parsers and writers of this folder.
//
// Pure data: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace anywire::http {

inline constexpr std::uint8_t kTokenBit = 1;      // tchar, RFC 9110 section 5.6.2
inline constexpr std::uint8_t kForbiddenBit = 2;  // control bytes but tab: nowhere in a head line
inline constexpr std::uint8_t kNotTargetBit = 4;  // controls, space, '#', DEL and non-ASCII
inline constexpr std::uint8_t kPathWorkBit = 8;   // makes a path differ from its decoded form

inline constexpr std::array<std::uint8_t, 256> kCharTable = [] {
  std::array<std::uint8_t, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] |= kTokenBit;
  for (int c = 'a'; c <= 'z'; ++c) table[c] |= kTokenBit;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] |= kTokenBit;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
    table[static_cast<std::uint8_t>(c)] |= kTokenBit;
  }
  for (int c = 0; c < 256; ++c) {
    if ((c < 0x20 && c != '\t') || c == 0x7f) table[c] |= kForbiddenBit;
    if (c <= 0x20 || c >= 0x7f || c == '#') table[c] |= kNotTargetBit;
    if (c == '%' || c == '.' || c == '\\') table[c] |= kPathWorkBit;
  }
  return table;
}();

inline std::uint8_t char_class(char c) { return kCharTable[static_cast<std::uint8_t>(c)]; }
inline bool is_token_char(char c) { return (char_class(c) & kTokenBit) != 0; }
inline bool is_forbidden_in_head(char c) { return (char_class(c) & kForbiddenBit) != 0; }

}  // namespace anywire::http
