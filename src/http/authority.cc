#include "http/authority.h"

#include <algorithm>

#include "http/request.h"

namespace anywire::http {
namespace {

constexpr std::size_t kPortDigits = 5;
constexpr int kHighestPort = 65535;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '.' ||
         c == '_';
}

bool is_ipv6_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > kPortDigits) return false;
  int port = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    port = port * 10 + (c - '0');
  }
  return port <= kHighestPort;
}

// The size of the host that `text` begins with; 0 when there is none.
std::size_t host_size(std::string_view text) {
  if (!text.starts_with('[')) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_name_char);
    return static_cast<std::size_t>(end - text.begin());
  }
  const std::size_t close = text.find(']');
  if (close == text.npos || close < 3) return 0;  // "[::]" is the shortest
  const std::string_view inside = text.substr(1, close - 1);
  return std::all_of(inside.begin(), inside.end(), is_ipv6_char) ? close + 1 : 0;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  const std::size_t size = host_size(text);
  if (size == 0) return std::nullopt;
  Authority authority{text.substr(0, size), {}};
  const std::string_view rest = text.substr(size);
  if (rest.empty()) return authority;
  if (rest.front() != ':' || !is_port(rest.substr(1))) return std::nullopt;
  authority.port = rest.substr(1);
  return authority;
}

bool is_ip_literal(std::string_view host) {
  if (host.starts_with('[')) return host.ends_with(']');
  int dots = 0;
  int digits = 0;
  int part = 0;
  for (const char c : host) {
    if (c == '.') {
      if (digits == 0) return false;
      ++dots;
      digits = part = 0;
    } else if (is_digit(c) && ++digits <= 3) {
      part = part * 10 + (c - '0');
      if (part > 255) return false;
    } else {
      return false;
    }
  }
  return dots == 3 && digits > 0;
}

bool is_below(std::string_view host, std::string_view base) {
  if (host.size() < base.size() + 2) return false;
  const std::size_t labels = host.size() - base.size() - 1;
  if (host[labels] != '.' || !equals_ignore_case(host.substr(labels + 1), base)) return false;
  const std::string_view before = host.substr(0, labels);
  // Labels are not empty.
  return before.front() != '.' && before.back() != '.' && before.find("..") == before.npos;
}

}  // namespace anywire::http
