#include "http/origin_list.h"

#include <algorithm>
#include <optional>

#include "http/authority.h"

namespace anywire::http {
namespace {

constexpr std::string_view kSeparator = "://";
constexpr std::string_view kBelow = "*.";
constexpr std::string_view kAnyPort = ":*";

struct Origin {
  std::string_view scheme;
  Authority authority;
};

// RFC 3986 3.1.
bool is_scheme(std::string_view text) {
  const auto letter = [](char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; };
  const auto rest = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  return !text.empty() && letter(text.front()) && std::all_of(text.begin(), text.end(), rest);
}

std::optional<Origin> parse_origin(std::string_view text) {
  const std::size_t at = text.find(kSeparator);
  if (at == text.npos || !is_scheme(text.substr(0, at))) return std::nullopt;
  const auto authority = parse_authority(text.substr(at + kSeparator.size()));
  if (!authority) return std::nullopt;
  return Origin{text.substr(0, at), *authority};
}

// Browsers leave it out.
bool is_default_port(std::string_view scheme, std::string_view port) {
  return (scheme == "http" && port == "80") || (scheme == "https" && port == "443");
}

bool has_upper_case(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return to_lower(c) != c; });
}

}  // namespace

Result<OriginList::Pattern> OriginList::parse_pattern(std::string_view text) {
  const auto wrong = [](const char* why) { return fail(ErrorCode::kInvalidArgument, why); };
  Pattern pattern;
  if (text.ends_with(kAnyPort)) {
    pattern.any_port = true;
    text.remove_suffix(kAnyPort.size());
  }
  const std::size_t at = text.find(kSeparator);
  if (at == text.npos) return wrong("an origin has a scheme: https://...");
  std::string without_star(text);
  if (text.substr(at + kSeparator.size()).starts_with(kBelow)) {
    pattern.below = true;
    without_star.erase(at + kSeparator.size(), kBelow.size());
  }
  const auto origin = parse_origin(without_star);
  if (!origin) return wrong("not an origin as browsers send it");
  const auto& [scheme, authority] = *origin;
  if (has_upper_case(text)) return wrong("browsers send origins in lower case");
  if (is_default_port(scheme, authority.port)) return wrong("browsers leave a default port out");
  if (pattern.any_port && !authority.port.empty()) return wrong("two ports");
  if (pattern.below) {
    if (is_ip_literal(authority.host)) return wrong("an address has no names below it");
    // All of a top-level domain would be anybody's.
    const bool has_dot = authority.host.find('.') != authority.host.npos;
    if (authority.host.starts_with('.') || (!has_dot && authority.host != "localhost")) {
      return wrong("behind *. a whole domain is needed");
    }
  }
  pattern.scheme = scheme;
  pattern.host = authority.host;
  pattern.port = authority.port;
  return pattern;
}

bool is_origin_pattern(std::string_view text) {
  return text == "*" || text == "null" || OriginList::parse_pattern(text).has_value();
}

Result<OriginList> OriginList::parse(std::span<const std::string> patterns) {
  OriginList list;
  for (const std::string& text : patterns) {
    if (text == "*") {
      list.any_ = true;
    } else if (text == "null") {
      list.null_ = true;
    } else {
      auto pattern = parse_pattern(text);
      if (!pattern) return std::unexpected(pattern.error());
      list.patterns_.push_back(*std::move(pattern));
    }
  }
  return list;
}

bool OriginList::matches(const Pattern& pattern, std::string_view text) {
  const auto origin = parse_origin(text);
  if (!origin || !equals_ignore_case(origin->scheme, pattern.scheme)) return false;
  const auto& [host, port] = origin->authority;
  if (!pattern.any_port && port != pattern.port) return false;
  return pattern.below ? is_below(host, pattern.host) : equals_ignore_case(host, pattern.host);
}

bool OriginList::names(std::string_view origin) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const Pattern& pattern) { return matches(pattern, origin); });
}

bool OriginList::allows(const RequestHead& head) const {
  const Header* origin = head.find("Origin");
  return origin == nullptr || allows(origin->value);
}

bool OriginList::names(const RequestHead& head) const {
  const Header* origin = head.find("Origin");
  return origin != nullptr && names(origin->value);
}

}  // namespace anywire::http
