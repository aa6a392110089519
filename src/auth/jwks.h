// JWKS: the public keys that somebody who signs tokens publishes (RFC 7517, RFC 7518 6, RFC 8037).
//
//   {"keys": [{"kty": "EC", "crv": "P-256", "kid": "2026-11", "use": "sig", "x": "..", "y": ".."}]}
//
// What is of no use for verifying signatures is skipped, since such a document serves others, too:
// keys of another `kty`, curve or `alg`, for another `use` or other `key_ops`. So are keys that
// break a rule: bad numbers, weak or huge ones, a `kid` that is there twice or is no plain text.
// Symmetric keys ("oct") are refused wherever the document comes from: a secret that is published
// is none. So is one with private numbers ("d"), which the world has seen by now; what it was good
// for has to be replaced.
//
// A key is bound to one algorithm: its `alg`, or without one RS256 for RSA, the one of its curve
// for EC, and EdDSA.
//
// Thread: any; pure functions. The text is read during the call.
// Limits: kJwksBytesMax bytes, kJwksKeysMax keys; more are an error, not a selection.
#pragma once

#include <cstddef>
#include <string_view>

#include "auth/key.h"
#include "base/result.h"

namespace anywire::auth {

inline constexpr std::size_t kJwksBytesMax = 256 * 1024;
inline constexpr std::size_t kJwksKeysMax = 100;

struct Jwks {
  KeySet keys;
  std::size_t skipped = 0;  // entries that are of no use here
  std::size_t refused = 0;  // of these, such as should never have been published
};

// What all its keys allow and grant. Fails when the document is none.
Result<Jwks> read_jwks(std::string_view json, const Capability& bound, const Capability& grants);

// One key, {"kty": ...}; fails if it would be skipped above.
Result<Key> read_jwk(std::string_view json);

}  // namespace anywire::auth
