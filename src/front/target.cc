#include "front/target.h"

#include <algorithm>

#include "http/request.h"
#include "http/request_target.h"

namespace anywire::front {
namespace {

constexpr std::string_view kScheme = "http://";

std::unexpected<Error> refuse(const char* why) {
  return fail(ErrorCode::kInvalidArgument, why);
}

Result<Target> parse_unix(std::string_view text) {
  auto address = net::Address::parse(text);
  if (!address) return std::unexpected(address.error());
  Target target;
  target.authority = "localhost";
  target.text = text;
  target.addresses.push_back(*std::move(address));
  return target;
}

// Of "host:port", "[::1]:port" and both without a port; `authority` is a host by the grammar.
std::string_view split_port(std::string_view authority, std::uint16_t& port) {
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  const bool has_port = colon != std::string_view::npos &&
                        (bracket == std::string_view::npos || colon > bracket);
  if (!has_port) return authority;
  port = 0;
  for (const char c : authority.substr(colon + 1)) {
    port = static_cast<std::uint16_t>(port * 10 + (c - '0'));
  }
  return authority.substr(0, colon);
}

}  // namespace

Result<Target> Target::parse(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text);
  if (!http::equals_ignore_case(text.substr(0, kScheme.size()), kScheme)) {
    return refuse("it begins neither with http:// nor with unix:");
  }
  Target target;
  target.text = text;
  std::string_view authority = text.substr(kScheme.size());
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (!http::is_host(authority)) return refuse("behind http:// there must be a host and a port");
  target.authority = authority;
  const std::string_view host = split_port(authority, target.port);
  if (target.port == 0) return refuse("port 0 cannot be reached");
  if (http::equals_ignore_case(host, "localhost")) {
    target.addresses = {net::Address::ipv4({127, 0, 0, 1}, target.port),
                        net::Address::ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
                                           target.port)};
    return target;
  }
  if (auto address = net::Address::parse_ip(host); address && address->is_ip()) {
    address->set_port(target.port);
    target.addresses.push_back(*std::move(address));
  } else {
    target.name = host;
  }
  return target;
}

bool is_upstream(std::string_view text) { return text.empty() || Target::parse(text).has_value(); }

}  // namespace anywire::front
