#include "protocol/api/principal.h"

#include <fmt/core.h>

#include <memory>
#include <tuple>
#include <utility>

#include "codec/base64.h"
#include "http/request.h"
#include "protocol/rights.h"

namespace anywire::protocol::api {
namespace {

using std::string_view;

std::unexpected<Problem> unauthorized(std::string message) {
  return std::unexpected(Problem{.code = Code::kUnauthorized, .message = std::move(message)});
}

Problem forbidden(std::string message) {
  return {.code = Code::kForbidden, .message = std::move(message)};
}

// The rest behind a scheme's name, whose case does not matter (RFC 9110 11.1); null if it is
// another.
string_view credentials_of(string_view header, string_view scheme) {
  const string_view start = header.substr(0, scheme.size());
  if (!http::equals_ignore_case(start, scheme) || header.size() <= scheme.size() ||
      header[scheme.size()] != ' ') {
    return {};
  }
  return http::trim_whitespace(header.substr(scheme.size()));
}

std::expected<Principal, Problem> identify_key(string_view encoded,
                                               const auth::Authority& authority) {
  const auto pair = codec::base64_decode(encoded);
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    return unauthorized("Basic takes base64 of the key's name, a colon and its secret");
  }
  const string_view name = string_view(*pair).substr(0, colon);
  const string_view secret = string_view(*pair).substr(colon + 1);
  const std::shared_ptr<const auth::KeySet> keys = authority.keys.keys();
  const auth::Key* key = keys->find(name);
  // The secret is compared in constant time. That a key of this name exists is no secret.
  if (key == nullptr || !key->is_secret(secret)) {
    return unauthorized("there is no such key with this secret");
  }
  const auth::Capability* const bound = key->bound();
  return Principal{.is_key = true,
                   .key = key->id(),
                   .user = {},
                   .capability = bound != nullptr ? bound->for_user({})
                                                  : auth::Capability::unbounded()};
}

std::expected<Principal, Problem> identify_token(string_view text,
                                                 const auth::Authority& authority,
                                                 auth::WallTime now) {
  auto token = authority.verify(text, now);
  if (!token) {
    auth::KeySource* const source = authority.keys.source();
    if (source != nullptr && auth::may_be_of_new_key(text, *authority.keys.keys())) {
      std::ignore = source->look_again([] {});
    }
    return unauthorized(fmt::format("{}: {}", auth::name(token.error().code), token.error().text));
  }
  return Principal{.is_key = false,
                   .key = std::move(token->key_id),
                   .user = std::move(token->identity.user_id),
                   .capability = std::move(token->identity.capability)};
}

string_view verb(auth::Operation operation) {
  switch (operation) {
    case auth::Operation::kSubscribe: return "subscribe to";
    case auth::Operation::kPublish: return "publish to";
    case auth::Operation::kPresence: return "see who is in";
    case auth::Operation::kHistory: return "read the history of";
    case auth::Operation::kRpc: return "call";
    case auth::Operation::kManage: return "manage";
  }
  return "use";
}

string_view subject(const Principal& principal) {
  return principal.is_key ? "this key" : "this token";
}

}  // namespace

std::expected<Principal, Problem> identify(string_view authorization,
                                           const auth::Authority& authority,
                                           auth::WallTime now) {
  if (authorization.empty()) {
    return unauthorized("the API needs \"Authorization: Basic\" with a key's name and secret, or "
                        "\"Authorization: Bearer\" with a token");
  }
  if (const string_view basic = credentials_of(authorization, "Basic"); !basic.empty()) {
    return identify_key(basic, authority);
  }
  if (const string_view bearer = credentials_of(authorization, "Bearer"); !bearer.empty()) {
    return identify_token(bearer, authority, now);
  }
  return unauthorized("Authorization is \"Basic\" or \"Bearer\" and credentials");
}

std::optional<Problem> may(const Principal& principal, auth::Operation operation,
                           string_view channel, const hub::ChannelRule& rule) {
  bool granted = principal.capability.allows(operation, channel);
  if (!principal.is_key && !is_reserved(channel)) {
    granted = granted || hub::permits(rule, operation,
                                      {.user_id = principal.user,
                                       .capability = principal.capability},
                                      channel);
  }
  if (!principal.is_key && is_reserved(channel) && operation != auth::Operation::kPublish) {
    granted = !is_closed_to(channel, principal.user);
  }
  // Of the server's own names only those of users exist.
  if (is_reserved(channel) && !channel.starts_with(kPersonalPrefix)) granted = false;
  if (granted) return std::nullopt;
  return forbidden(
      fmt::format("{} may not {} \"{}\"", subject(principal), verb(operation), channel));
}

std::optional<Problem> may_list(const Principal& principal, const auth::Glob& pattern) {
  if (principal.capability.allows(auth::Operation::kSubscribe, pattern)) return std::nullopt;
  return forbidden(fmt::format("{} may not subscribe to all channels that \"{}\" takes",
                               subject(principal), pattern.pattern()));
}

bool sees(const Principal& principal, string_view channel) {
  return principal.is_key || !is_closed_to(channel, principal.user);
}

std::optional<Problem> may_manage(const Principal& principal, string_view user) {
  using auth::Operation;
  const bool granted =
      user.empty() ? principal.capability.allows(Operation::kManage, auth::Glob())
                   : principal.capability.allows(Operation::kManage,
                                              std::string(kPersonalPrefix).append(user));
  if (granted) return std::nullopt;
  return forbidden(user.empty()
                       ? fmt::format("{} may not \"manage\" all clients", subject(principal))
                       : fmt::format("{} may not \"manage\" this user", subject(principal)));
}

std::optional<Problem> may_hand_on(const Principal& principal, const auth::Capability& capability) {
  if (capability.within(principal.capability) == capability) return std::nullopt;
  return forbidden(fmt::format("the \"capability\" is more than {} has", subject(principal)));
}

}  // namespace anywire::protocol::api
