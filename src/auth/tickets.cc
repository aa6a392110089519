#include "auth/tickets.h"

#include <openssl/evp.h>

#include <array>

#include "base/bytes.h"
#include "base/random.h"
#include "codec/base64url.h"

namespace anywire::auth {

Tickets::Digest Tickets::digest_of(std::string_view ticket) {
  Digest digest{};
  unsigned size = 0;
  EVP_Digest(ticket.data(), ticket.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return digest;
}

Result<std::string> Tickets::issue(Token token, Duration time, WallTime now) {
  if (time <= Duration::zero() || time > kTicketTimeMax) {
    return fail(ErrorCode::kInvalidArgument, "a ticket lives for at most 60 seconds");
  }
  std::array<std::uint8_t, 16> bits{};
  secure_random(bits);
  std::string ticket = codec::base64url_encode(bits);
  const Digest digest = digest_of(ticket);
  const std::lock_guard lock(mutex_);
  drop_expired(now);
  if (kept_.size() >= kTicketsMax) {
    return fail(ErrorCode::kLimit, "there are as many unused tickets as there may be");
  }
  kept_.emplace(digest, Kept{std::move(token), now + time});
  ends_.emplace(now + time, digest);
  return ticket;
}

std::optional<Token> Tickets::redeem(std::string_view ticket, WallTime now) {
  if (ticket.size() != kTicketChars) return std::nullopt;
  const Digest digest = digest_of(ticket);
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(digest);
  if (found == kept_.end()) return std::nullopt;
  Kept kept = std::move(found->second);
  kept_.erase(found);
  ends_.erase({kept.until, digest});
  if (now >= kept.until) return std::nullopt;
  return std::move(kept.token);
}

std::size_t Tickets::size() const {
  const std::lock_guard lock(mutex_);
  return kept_.size();
}

void Tickets::drop_expired(WallTime now) {
  while (!ends_.empty() && ends_.begin()->first <= now) {
    kept_.erase(ends_.begin()->second);
    ends_.erase(ends_.begin());
  }
}

}  // namespace anywire::auth
