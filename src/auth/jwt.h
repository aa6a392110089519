// JWT: verifying the tokens clients authenticate with (RFC 7519, as compact JWS, RFC 7515).
//
//   const auto token = verify(text, keys, {.issuer = "https://app.example"}, now);
//   if (!token) return refuse(name(token.error().code), token.error().text);
//   session.identity = std::move(token->identity);
//
// Claims that are read, all but `exp` optional:
//   exp, nbf, iat   seconds since 1970, fractions allowed
//   iss, aud        compared when the options say with what
//   jti             an id for the token, for logs and revocation
//   sub             the user's id, 1..255 bytes without control characters; without it the bearer
//                   is anonymous and may do what the capability says
//   info            any JSON, shown to others with presence
//   channels        list of channels the server subscribes the client to
//   capability      {"pattern": ["subscribe", "publish", "presence", "history", "rpc"] or ["*"]};
//                   without it nothing is granted. `manage` is not in "*"
// A claim of the wrong shape is an error, not ignored; claims of other names are ignored.
//
// Refused before anything else is believed: `alg` other than that of the key (so `none` and a swap
// of algorithms), `crit` (RFC 7515 4.1.11; we know no extension), a name twice in any object, white
// space, padding or stray bits in the base64url parts. `jku`, `jwk`, `x5u` and `x5c` are never
// read. Claims are parsed only once the signature is right.
//
// What the token says it may do is cut down to what its key allows, and what the key grants to all
// its tokens is added; `channels` that the key's bound does not let anybody subscribe to are left
// out.
//
// Error texts are fixed: nothing of a token is ever in them.
//
// Thread: any; a pure function of its arguments. Arguments are read during the call.
// Limits: kTokenBytesMax for the token, and what the header of each claim's constant says.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "auth/identity.h"
#include "auth/key.h"
#include "base/result.h"
#include "base/time.h"

namespace anywire::auth {

inline constexpr std::size_t kTokenBytesMax = 8 * 1024;
inline constexpr std::size_t kUserIdBytesMax = 255;
inline constexpr std::size_t kTokenIdBytesMax = 255;
inline constexpr std::size_t kTokenInfoBytesMax = 4 * 1024;  // as JSON, without white space
inline constexpr std::size_t kTokenChannelsMax = 128;
inline constexpr std::size_t kTokenChannelBytesMax = 255;

enum class TokenErrorCode {
  kTooLarge,
  kMalformed,             // not a JWT at all, or JSON that breaks a rule
  kUnsupportedAlgorithm,  // `alg` or `crit` ask for what the key does not do
  kUnknownKey,            // no key of this `kid`
  kBadSignature,
  kExpired,
  kNotYetValid,  // `nbf` or `iat` lie ahead
  kWrongIssuer,
  kWrongAudience,
  kInvalidClaim,  // a claim has the wrong shape, is too long or is missing
  kRevoked,       // by auth/revocations.h; nothing in the token says so
};

inline constexpr int kTokenErrorCodes = 11;

// Keys of a token without `kid` that are tried at most.
inline constexpr std::size_t kKeysTriedMax = 16;

// Stable, for logs, metrics and clients: "too_large", "malformed", "unsupported_algorithm",
// "unknown_key", "bad_signature", "expired", "not_yet_valid", "wrong_issuer", "wrong_audience",
// "invalid_claim", "revoked".
std::string_view name(TokenErrorCode code);

struct TokenError {
  TokenErrorCode code = TokenErrorCode::kMalformed;
  std::string_view text;  // a static sentence for the developer, without a full stop
};

struct VerifyOptions {
  Duration leeway{30'000};      // how far clocks may differ
  std::string issuer;           // what `iss` must be; empty: anything, or nothing
  std::string audience;         // what `aud` must be or have; empty: anything, or nothing
  bool expiry_required = true;  // refuse tokens without `exp`
};

struct Token {
  Identity identity;
  std::string id;      // `jti`, or empty
  std::string key_id;  // of the key that signed, or empty
  std::optional<WallTime> issued_at;
};

[[nodiscard]] std::expected<Token, TokenError> verify(std::string_view token, const KeySet& keys,
                                                      const VerifyOptions& options, WallTime now);

// Whether a key that this set does not have could have signed it: the token's header is
// well-formed, names an algorithm with public keys, and no `kid` that is in the set. Then it is
// worth looking for new keys. Says nothing about the signature.
[[nodiscard]] bool may_be_of_new_key(std::string_view token, const KeySet& keys);

// A token over `claims`, a JSON object as text that is taken as it is: for tests, `anywire token`
// and development. Fails only if OpenSSL does.
[[nodiscard]] Result<std::string> sign_hs256(const Key& key, std::string_view claims);

}  // namespace anywire::auth
