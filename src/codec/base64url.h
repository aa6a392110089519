// Base64 as JWTs use it: the URL-safe alphabet without padding (RFC 4648 section 5, RFC 7515
// section 2). Pure functions, callable from any thread; arguments are read during the call only.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace anywire::codec {

[[nodiscard]] std::string base64url_encode(Bytes input);

// Strict, so that every byte string has one encoding only: no padding, no white space, nothing of
// the standard alphabet ('+', '/'), and the unused bits of the last character are zero.
[[nodiscard]] Result<std::string> base64url_decode(std::string_view text);

}  // namespace anywire::codec
