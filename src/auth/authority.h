// Authority: all that decides what a credential is worth: the keys, what is asked of tokens, which
// of them have been revoked, and the tickets. One for a server.
//
// Thread: any; the parts have their own locks, and the options do not change. Lifetime: outlives
// whoever verifies.
#pragma once

#include <expected>
#include <string_view>
#include <utility>

#include "auth/jwt.h"
#include "auth/key_ring.h"
#include "auth/revocations.h"
#include "auth/tickets.h"

namespace anywire::auth {

struct Authority {
  explicit Authority(VerifyOptions wanted = {}, KeySet configured = {},
                     const RevocationsOptions& revocation_options = {})
      : verify_options(std::move(wanted)),
        keys(std::move(configured)),
        revocations(revocation_options) {}

  // As auth::verify, and not revoked.
  std::expected<Token, TokenError> verify(std::string_view token, WallTime now) const;

  // The ticket is void afterwards. kMalformed when there is none of that text (any more).
  std::expected<Token, TokenError> redeem(std::string_view ticket, WallTime now);

  const VerifyOptions verify_options;
  KeyRing keys;
  Revocations revocations;
  Tickets tickets;
};

}  // namespace anywire::auth
