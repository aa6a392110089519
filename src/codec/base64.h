// Base64 with the standard alphabet and padding (RFC 4648 section 4): pure functions, callable
// from any thread; arguments are read during the call only. base64_encoded_bytes() tells the size
// of an encoding, so a caller with a small fixed input can write into an array of its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace anywire::codec {

constexpr std::size_t base64_encoded_bytes(std::size_t input_bytes) {
  return (input_bytes + 2) / 3 * 4;
}

[[nodiscard]] std::string base64_encode(Bytes input);

// Writes exactly base64_encoded_bytes(input.size()) characters to `out`, no terminator.
void base64_encode_to(Bytes input, char* out);

// Strict: the length is a multiple of four, padding is present and only at the end, no white
// space, and the unused bits of the last character are zero, so that every byte string has one
// encoding only.
[[nodiscard]] Result<std::string> base64_decode(std::string_view text);

}  // namespace anywire::codec
