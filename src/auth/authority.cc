#include "auth/authority.h"

namespace anywire::auth {
namespace {

std::expected<Token, TokenError> unless_revoked(const Revocations& revocations, Token token,
                                                WallTime now) {
  if (!revocations.revoked(stamp_of(token), token.identity.user_id, now)) return token;
  return std::unexpected(TokenError{TokenErrorCode::kRevoked, "the token has been revoked"});
}

}  // namespace

std::expected<Token, TokenError> Authority::verify(std::string_view token, WallTime now) const {
  auto verified = auth::verify(token, *keys.keys(), verify_options, now);
  if (!verified) return verified;
  return unless_revoked(revocations, *std::move(verified), now);
}

std::expected<Token, TokenError> Authority::redeem(std::string_view ticket, WallTime now) {
  std::optional<Token> token = tickets.redeem(ticket, now);
  if (!token) {
    return std::unexpected(TokenError{TokenErrorCode::kMalformed,
                                      "the ticket was used already, has expired, or is none"});
  }
  return unless_revoked(revocations, *std::move(token), now);
}

}  // namespace anywire::auth
