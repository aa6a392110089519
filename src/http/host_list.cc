#include "http/host_list.h"

#include <algorithm>
#include <array>

#include "http/authority.h"
#include "http/request.h"

namespace anywire::http {
namespace {

constexpr std::string_view kLocal = "local";
constexpr std::string_view kBelow = "*.";
// RFC 6761, RFC 6762, RFC 8375, and the one ICANN keeps for private use: never in the public DNS.
constexpr std::array<std::string_view, 4> kPrivateDomains = {"localhost", "local", "internal",
                                                             "home.arpa"};

bool is_local(std::string_view host) {
  if (is_ip_literal(host) || host.find('.') == host.npos) return true;
  return std::any_of(kPrivateDomains.begin(), kPrivateDomains.end(),
                     [&](std::string_view domain) { return is_below(host, domain); });
}

}  // namespace

Result<HostList::Pattern> HostList::parse_pattern(std::string_view text) {
  const auto wrong = [](const char* why) { return fail(ErrorCode::kInvalidArgument, why); };
  Pattern pattern;
  if (text.starts_with(kBelow)) {
    pattern.below = true;
    text.remove_prefix(kBelow.size());
  }
  const auto authority = parse_authority(text);
  if (!authority) return wrong("not a host name or an address, with or without a port");
  if (pattern.below && (is_ip_literal(authority->host) || authority->host.starts_with('.'))) {
    return wrong("behind *. a name is needed");
  }
  pattern.host = authority->host;
  pattern.port = authority->port;
  return pattern;
}

bool is_host_pattern(std::string_view text) { return HostList::parse_pattern(text).has_value(); }

Result<HostList> HostList::parse(std::span<const std::string> patterns) {
  HostList list;
  list.any_ = patterns.empty();
  for (const std::string& text : patterns) {
    if (text == kLocal) {
      list.local_ = true;
      continue;
    }
    auto pattern = parse_pattern(text);
    if (!pattern) return std::unexpected(pattern.error());
    list.patterns_.push_back(*std::move(pattern));
  }
  return list;
}

bool HostList::allows(std::string_view text) const {
  if (any_) return true;
  auto authority = parse_authority(text);
  if (!authority) return false;
  // The dot of a name that is written from the root on (RFC 1034 3.1) is no part of it.
  if (authority->host.size() > 1 && authority->host.ends_with('.')) {
    authority->host.remove_suffix(1);
  }
  const auto& host = authority->host;
  const auto& port = authority->port;
  if (local_ && is_local(host)) return true;
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
    if (!pattern.port.empty() && port != pattern.port) return false;
    return pattern.below ? is_below(host, pattern.host) : equals_ignore_case(host, pattern.host);
  });
}

}  // namespace anywire::http
