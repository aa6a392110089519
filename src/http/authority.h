// Authority: the host and port of an Origin, a Host header or a pattern for either, taken apart
// (RFC 3986 3.2, without user information).
//
// Pure functions. Thread: any. Lifetime: views into the argument. Limits: none; one pass.
#pragma once

#include <optional>
#include <string_view>

namespace anywire::http {

struct Authority {
  std::string_view host;  // of IPv6 with its brackets
  std::string_view port;  // digits; empty when there is none
};

// Nothing when the host is empty or has bytes that no registered name, IPv4 or bracketed IPv6
// address has, or when there is a colon and no port from 0 to 65535 behind it.
std::optional<Authority> parse_authority(std::string_view text);

// An IPv4 address, or anything in brackets that may be an IPv6 one.
bool is_ip_literal(std::string_view host);

// Whether `host` is one or more labels, a dot, and `base`; whatever the case.
bool is_below(std::string_view host, std::string_view base);

}  // namespace anywire::http
