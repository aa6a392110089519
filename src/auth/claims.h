// Claims: the JSON inside a token, read strictly; the half of auth/jwt.h that comes after the
// base64 and the signature. For jwt.cc only.
//
// Thread: any; pure functions. The text is read during the call.
// Limits: the caller bounds the text (kTokenBytesMax); time is O(n log n) in it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "auth/jwt.h"

namespace anywire::auth {

struct TokenHeader {
  std::string algorithm;
  std::string key_id;
  bool has_key_id = false;
};

std::expected<TokenHeader, TokenError> read_header(std::string_view json);

// Everything but the signature: shapes, times, issuer, audience. `key_id` is left to the caller.
std::expected<Token, TokenError> read_claims(std::string_view json, const VerifyOptions& options,
                                             WallTime now);

}  // namespace anywire::auth
