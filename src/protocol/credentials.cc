#include "protocol/credentials.h"

#include <algorithm>

#include "auth/jwt.h"

namespace anywire::protocol {
namespace {

using std::string_view;

constexpr string_view kBearer = "Bearer ";

std::string kept(string_view credential) {
  return std::string(credential.substr(0, auth::kTokenBytesMax + 1));
}

// RFC 6750 2.1; the scheme's case does not count (RFC 9110 11.1).
string_view bearer_token(const http::RequestHead& request) {
  const string_view value = request.header("Authorization");
  if (!http::equals_ignore_case(value.substr(0, kBearer.size()), kBearer)) return {};
  return http::trim_whitespace(value.substr(kBearer.size()));
}

// A token's characters are those of subprotocols (RFC 7515 3.1, RFC 6455 4.1).
string_view subprotocol_token(const http::RequestHead& request) {
  for (const http::Header& header : request.headers) {
    if (!http::equals_ignore_case(header.name, "Sec-WebSocket-Protocol")) continue;
    for (string_view rest = header.value; !rest.empty();) {
      const string_view one = http::next_list_member(rest);
      if (one.starts_with(kTokenSubprotocol)) return one.substr(kTokenSubprotocol.size());
    }
  }
  return {};
}

// RFC 6265 5.4: pairs with "; " between, in one header or several. The first of that name counts.
string_view cookie_value(const http::RequestHead& request, string_view name) {
  for (const http::Header& header : request.headers) {
    if (!http::equals_ignore_case(header.name, "Cookie")) continue;
    for (string_view rest = header.value; !rest.empty();) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      const string_view pair = http::trim_whitespace(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (!pair.starts_with(name) || pair.substr(name.size(), 1) != "=") continue;
      string_view value = pair.substr(name.size() + 1);
      if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
        value = value.substr(1, value.size() - 2);
      }
      return value;
    }
  }
  return {};
}

// Tickets need no percent-encoding, so none is undone: what has any is no ticket.
string_view query_ticket(string_view query) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) == kTicketParameter && equals < pair.size()) {
      return pair.substr(equals + 1);
    }
  }
  return {};
}

}  // namespace

Credentials read_credentials(const http::RequestHead& request, const Caller& caller,
                             string_view cookie) {
  Credentials found;
  found.ticket = kept(query_ticket(request.query));
  found.token = kept(bearer_token(request));
  if (found.token.empty()) found.token = kept(subprotocol_token(request));
  if (found.any() || cookie.empty()) return found;
  const string_view value = cookie_value(request, cookie);
  if (caller.origin_named) {
    found.token = kept(value);
  } else {
    found.cookie_ignored = !value.empty();
  }
  return found;
}

}  // namespace anywire::protocol
