// Principal: who calls the HTTP API, by the request's Authorization header, and what it may do.
//
//   Basic  the name of a key and its secret: the customer's application itself. It may do what the
//          key may grant.
//   Bearer a JWT: what its capability says, as the user it names.
//
// Thread: any. Lifetime: a Principal owns
// everything. Limits: auth::kTokenBytesMax for the credentials. Nothing of the credentials is in a
// problem's text.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "auth/authority.h"
#include "auth/capability.h"
#include "auth/identity.h"
#include "hub/rules.h"
#include "protocol/api/problem.h"
#include "protocol/clients.h"

namespace anywire::protocol::api {

struct Principal {
  bool is_key = false;  // by its secret
  std::string key;      // the name of the key, also of a token's
  std::string user;     // of a token; may be empty
  auth::Capability capability;
};

// `authorization` is the header's value, empty if there is none. A token of a key that nobody knows
// is refused, and new keys are looked for, so that it may do the next time.
std::expected<Principal, Problem> identify(std::string_view authorization,
                                           const auth::Authority& authority, auth::WallTime now);

// Whether it may do this on a channel. A key goes by its capability alone. A token goes by that and
// by the channel's rule, as its bearer would when connected, but for the protocols that a rule
// admits: they are about connections.
std::optional<Problem> may(const Principal& principal, auth::Operation operation,
                           std::string_view channel, const hub::ChannelRule& rule);
// On all channels that the pattern takes.
std::optional<Problem> may_list(const Principal& principal, const auth::Glob& pattern);
// Personal channels belong to their users; a key sees them, and a token its own.
bool sees(const Principal& principal, std::string_view channel);

// `manage` counts for a user where its pattern takes "$user:" and the user's id; for a client,
// whose user nobody knows beforehand, and for everybody at once where it takes every name.
std::optional<Problem> may_manage(const Principal& principal, std::string_view user);
// What it would hand on must be within what it has.
std::optional<Problem> may_hand_on(const Principal& principal, const auth::Capability& capability);

}  // namespace anywire::protocol::api
