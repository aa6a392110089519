#include "codec/base64.h"

#include <array>
#include <cstdint>

namespace anywire::codec {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNotADigit = 0xFF;

constexpr std::array<std::uint8_t, 256> kDigits = [] {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNotADigit);
  for (std::size_t value = 0; value < kAlphabet.size(); ++value) {
    digits[static_cast<std::uint8_t>(kAlphabet[value])] = static_cast<std::uint8_t>(value);
  }
  return digits;
}();

char digit(std::uint32_t group, int shift) { return kAlphabet[(group >> shift) & 63]; }

}  // namespace

void base64_encode_to(Bytes input, char* out) {
  std::size_t at = 0;
  for (; at + 3 <= input.size(); at += 3) {
    const std::uint32_t group = static_cast<std::uint32_t>(input[at]) << 16 |
                                static_cast<std::uint32_t>(input[at + 1]) << 8 | input[at + 2];
    *out++ = digit(group, 18);
    *out++ = digit(group, 12);
    *out++ = digit(group, 6);
    *out++ = digit(group, 0);
  }
  const std::size_t rest = input.size() - at;
  if (rest == 0) return;
  std::uint32_t group = static_cast<std::uint32_t>(input[at]) << 16;
  if (rest == 2) group |= static_cast<std::uint32_t>(input[at + 1]) << 8;
  *out++ = digit(group, 18);
  *out++ = digit(group, 12);
  *out++ = rest == 2 ? digit(group, 6) : '=';
  *out++ = '=';
}

std::string base64_encode(Bytes input) {
  std::string out(base64_encoded_bytes(input.size()), '\0');
  base64_encode_to(input, out.data());
  return out;
}

Result<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) {
    return fail(ErrorCode::kInvalidArgument, "base64 length is not a multiple of four");
  }
  if (text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);

  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t held = 0;
  int held_bits = 0;
  for (const char character : text) {
    const std::uint8_t value = kDigits[static_cast<std::uint8_t>(character)];
    if (value == kNotADigit) {
      return fail(ErrorCode::kInvalidArgument, "base64 text leaves its alphabet");
    }
    held = held << 6 | value;
    held_bits += 6;
    if (held_bits < 8) continue;
    held_bits -= 8;
    out.push_back(static_cast<char>(held >> held_bits));
    held &= (1U << held_bits) - 1;
  }
  if (held != 0) return fail(ErrorCode::kInvalidArgument, "base64 text ends in stray bits");
  return out;
}

}  // namespace anywire::codec
