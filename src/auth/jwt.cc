#include "auth/jwt.h"

#include <fmt/format.h>

#include <array>

#include "auth/claims.h"
#include "base/bytes.h"
#include "codec/base64url.h"

namespace anywire::auth {
namespace {

using Code = TokenErrorCode;

constexpr std::array<std::string_view, kTokenErrorCodes> kNames{
    "too_large",     "malformed", "unsupported_algorithm", "unknown_key",    "bad_signature",
    "expired",       "not_yet_valid", "wrong_issuer",      "wrong_audience", "invalid_claim",
    "revoked"};

std::unexpected<TokenError> refuse(Code code, std::string_view text) {
  return std::unexpected(TokenError{code, text});
}

struct Parts {
  std::string_view header, payload, signature;  // still base64url
  std::string_view signed_input;                // "header.payload"
};

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == token.npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

// A token's `kid` is a hint of the peer's: it only chooses among our own keys (RFC 7515 4.1.4).
bool fits(const Key& key, const TokenHeader& header) {
  return !header.has_key_id || key.id().empty() || key.id() == header.key_id;
}

// The key that made the signature. Which of the refusals it is, matters to whoever looks for the
// mistake: another key, another algorithm, or a broken token.
std::expected<const Key*, TokenError> find_signer(const KeySet& keys, const TokenHeader& header,
                                                  const Parts& parts) {
  const Result<std::string> signature = codec::base64url_decode(parts.signature);
  if (!signature) return refuse(Code::kMalformed, "the signature is not base64url");
  bool known = false;
  std::size_t tried = 0;
  for (const Key& key : keys.keys()) {
    if (!fits(key, header)) continue;
    known = true;
    if (!key.goes_by(header.algorithm)) continue;
    if (++tried > kKeysTriedMax) break;
    if (key.verify(parts.signed_input, *signature)) return &key;
  }
  if (!known) return refuse(Code::kUnknownKey, "no key fits the token");
  if (tried == 0) {
    return refuse(Code::kUnsupportedAlgorithm, "the token names another algorithm than the key's");
  }
  return refuse(Code::kBadSignature, "the signature does not match");
}

// The header, if what stands where it should is one.
std::expected<TokenHeader, TokenError> header_of(const Parts& parts) {
  const Result<std::string> json = codec::base64url_decode(parts.header);
  if (!json) return refuse(Code::kMalformed, "the header is not base64url");
  return read_header(*json);
}

// What the key that signed makes of what the token says.
void apply_rights(const Key& key, Identity& identity) {
  if (key.bound() == nullptr) return;
  const Capability bound = key.bound()->for_user(identity.user_id);
  identity.capability = identity.capability.within(bound);
  std::erase_if(identity.channels, [&](const std::string& channel) {
    return !bound.allows(Operation::kSubscribe, channel);
  });
  identity.capability.add(key.grants()->for_user(identity.user_id));
}

}  // namespace

std::string_view name(TokenErrorCode code) { return kNames[static_cast<std::size_t>(code)]; }

std::expected<Token, TokenError> verify(std::string_view token, const KeySet& keys,
                                        const VerifyOptions& options, WallTime now) {
  if (token.size() > kTokenBytesMax) return refuse(Code::kTooLarge, "a token has at most 8 KiB");
  const std::optional<Parts> parts = split(token);
  if (!parts) return refuse(Code::kMalformed, "a token is three parts with dots between");
  const auto header = header_of(*parts);
  if (!header) return std::unexpected(header.error());
  const auto signer = find_signer(keys, *header, *parts);
  if (!signer) return std::unexpected(signer.error());

  const Result<std::string> claims = codec::base64url_decode(parts->payload);
  if (!claims) return refuse(Code::kMalformed, "the payload is not base64url");
  auto verified = read_claims(*claims, options, now);
  if (!verified) return verified;
  verified->key_id = (*signer)->id();
  apply_rights(**signer, verified->identity);
  return verified;
}

bool may_be_of_new_key(std::string_view token, const KeySet& keys) {
  if (token.size() > kTokenBytesMax) return false;
  const std::optional<Parts> parts = split(token);
  if (!parts) return false;
  const auto header = header_of(*parts);
  if (!header) return false;
  const bool asymmetric =
      header->algorithm == "Ed25519" || header->algorithm == "Ed448" ||
      !is_symmetric(parse_algorithm(header->algorithm).value_or(Algorithm::kHs256));
  return asymmetric && (!header->has_key_id || keys.find(header->key_id) == nullptr);
}

Result<std::string> sign_hs256(const Key& key, std::string_view claims) {
  // A key's id needs no escaping; Key sees to that.
  const std::string kid = key.id().empty() ? "" : fmt::format(R"(,"kid":"{}")", key.id());
  const std::string header =
      fmt::format(R"({{"alg":"{}","typ":"JWT"{}}})", name(key.algorithm()), kid);
  const std::string input = codec::base64url_encode(as_bytes(header)) + '.' +
                            codec::base64url_encode(as_bytes(claims));
  const Result<std::string> signature = key.sign(input);
  if (!signature) return std::unexpected(signature.error());
  return input + '.' + codec::base64url_encode(as_bytes(*signature));
}

}  // namespace anywire::auth
