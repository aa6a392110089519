// The lexical pieces of JSON (RFC 8259): numbers, white space, escapes. Shared by the reader, the
// writer and the converter; others want codec/json_reader.h or codec/json_writer.h.
//
// Thread: any; pure functions. Arguments are read during the call only. Limits: none needed; time
// is linear and nothing is allocated but what is appended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace anywire::codec {

// The four characters of section 2; no others of Unicode's count.
constexpr bool is_json_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Whether all of `token` is one number by the grammar of section 6. Its value may be too large or
// too precise for any type.
[[nodiscard]] bool is_json_number(std::string_view token);

// The value of a token that is_json_number(). A whole number, or nothing if it is written with a
// fraction or exponent, is out of range, or is "-0", whose sign would be lost.
[[nodiscard]] std::optional<std::uint64_t> json_u64(std::string_view token);
[[nodiscard]] std::optional<std::int64_t> json_i64(std::string_view token);

// The nearest double; nothing if that is infinite, or zero though the number is not.
[[nodiscard]] std::optional<double> json_double(std::string_view token);

// The value of the four hexadecimal digits `text` begins with.
[[nodiscard]] std::optional<std::uint32_t> read_hex4(std::string_view text);

// `code_point` is at most U+10FFFF and no surrogate.
void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace anywire::codec
