// Credentials: what a request shows of who sends it, before anything of it is believed. The places
// where one may be, the first that has something counts:
//
//   the first message of a protocol that has one     (not seen here)
//   ?ticket=...                                      made by the HTTP API, good once
//   Authorization: Bearer ...
//   Sec-WebSocket-Protocol: ..., anywire.token.<jwt> for browsers; never selected
//   a cookie, if its name is configured              only from a page whose Origin is named
//
// A cookie comes with every request a browser makes, whoever's page makes it; so it counts only
// where the operator has named the Origin, and "*" names nobody. Without an Origin it does not
// count either. The others are put there on purpose by who has them.
//
// Thread: any; a pure function. Lifetime: owns what it keeps.
// Limits: of each credential one byte more than a token may have is kept, enough to be refused.
#pragma once

#include <string>
#include <string_view>

#include "http/request.h"
#include "net/address.h"
#include "protocol/adapter.h"

namespace anywire::protocol {

inline constexpr std::string_view kTokenSubprotocol = "anywire.token.";
inline constexpr std::string_view kTicketParameter = "ticket";

struct Credentials {
  std::string ticket;
  std::string token;
  // A cookie of that name was there, and did not count.
  bool cookie_ignored = false;

  bool any() const { return !ticket.empty() || !token.empty(); }
};

// `cookie` is the name of the cookie that may hold a token; empty: none may.
Credentials read_credentials(const http::RequestHead& request, const Caller& caller,
                             std::string_view cookie);

}  // namespace anywire::protocol
