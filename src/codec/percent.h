// Percent-encoding (RFC 3986 section 2.1). Pure functions: any thread, nothing kept.
//
// Decoding is strict: a '%' that is not followed by two hexadecimal digits refuses the whole text,
// so nobody downstream sees a half-decoded string. Bytes other than escapes pass through untouched:
// '+' stays '+' (only HTML forms mean a space by it), and whether the result is UTF-8, or holds a
// NUL or a slash, is the caller's question because only the caller knows where the text goes.
//
// Limits: the output is never longer than the input when decoding, at most three times as long when
// encoding.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace anywire::codec {

// Decodes `text` into `out`, which has room for text.size() bytes; answers how many were written,
// or nothing for a broken escape. `out` may be text.data() itself: the write never overtakes the
// read.
std::optional<std::size_t> percent_decode_into(std::string_view text, char* out);

// The same into a new string.
Result<std::string> percent_decode(std::string_view text);

// Escapes every byte that RFC 3986 section 2.3 does not call unreserved (letters, digits, "-._~"),
// with upper-case digits. What comes out is safe as one path segment or one query value, and
// decodes to exactly `bytes`.
std::string percent_encode(std::string_view bytes);

}  // namespace anywire::codec
