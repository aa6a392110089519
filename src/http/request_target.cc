#include "http/request_target.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "codec/percent.h"
#include "http/chars.h"

namespace anywire::http {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_host_char(char c) {
  const char lower = to_lower(c);
  return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '-' || c == '.' || c == '_';
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) {
    return false;
  }
  unsigned value = 0;
  for (const char c : text) value = value * 10 + static_cast<unsigned>(c - '0');
  return value <= 65535;
}

bool is_ipv6(std::string_view text) {
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof copy || text.find('\0') != std::string_view::npos) return false;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  in6_addr ignored;
  return inet_pton(AF_INET6, copy, &ignored) == 1;
}

// Removes dot segments within `path`, which begins with '/'; answers the new size, or nothing when
// ".." would climb above the root.
std::optional<std::size_t> remove_dot_segments(char* path, std::size_t size) {
  std::size_t written = 0;
  std::size_t i = 0;
  while (i < size) {
    const auto* slash = static_cast<const char*>(std::memchr(path + i + 1, '/', size - i - 1));
    const std::size_t end = slash ? static_cast<std::size_t>(slash - path) : size;
    const std::string_view segment(path + i + 1, end - i - 1);
    const bool is_parent = segment == "..";
    if (is_parent) {
      if (written == 0) return std::nullopt;
      do --written;
      while (path[written] != '/');
    } else if (segment != ".") {
      std::memmove(path + written, path + i, end - i);
      written += end - i;
    }
    // A trailing dot segment names a directory, so its slash stays.
    if (end == size && (is_parent || segment == ".")) path[written++] = '/';
    i = end;
  }
  return written;
}

}  // namespace

bool split_target(std::string_view target, Method method, TargetParts& parts) {
  const bool clean = std::none_of(target.begin(), target.end(),
                                  [](char c) { return (char_class(c) & kNotTargetBit) != 0; });
  if (target.empty() || !clean) return false;
  parts = {};
  if (target == "*") {
    parts.raw_path = target;
    return method == Method::kOptions;
  }
  if (target.front() != '/') {
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) return false;
    const std::string_view name = target.substr(0, scheme);
    parts.is_https = equals_ignore_case(name, "https");
    if (!parts.is_https && !equals_ignore_case(name, "http")) return false;
    target.remove_prefix(scheme + 3);
    parts.host = target.substr(0, target.find_first_of("/?"));
    if (!is_host(parts.host)) return false;
    target.remove_prefix(parts.host.size());
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  // "http://host?x" has an empty path, which RFC 9110 section 4.2.3 calls equivalent to "/".
  parts.raw_path = question == 0 ? std::string_view("/") : target.substr(0, question);
  parts.query = target.substr(std::min(question + 1, target.size()));
  return true;
}

std::string_view normalize_path(std::string_view raw, std::vector<char>& scratch) {
  if (raw.empty() || raw.front() != '/') return {};
  const bool as_is = std::none_of(raw.begin(), raw.end(),
                                  [](char c) { return (char_class(c) & kPathWorkBit) != 0; });
  if (as_is) return raw;
  scratch.resize(raw.size());
  const std::optional<std::size_t> decoded = codec::percent_decode_into(raw, scratch.data());
  if (!decoded) return {};
  const std::string_view text(scratch.data(), *decoded);
  // More slashes than before means that one was hidden in an escape.
  if (std::count(text.begin(), text.end(), '/') != std::count(raw.begin(), raw.end(), '/')) {
    return {};
  }
  const bool unsafe = std::any_of(text.begin(), text.end(), [](char c) {
    return is_forbidden_in_head(c) || c == '\t' || c == '\\';
  });
  if (unsafe) return {};
  const std::optional<std::size_t> size = remove_dot_segments(scratch.data(), *decoded);
  if (!size) return {};
  return {scratch.data(), *size};
}

bool is_opaque_path(std::string_view raw) {
  std::string without(raw);
  bool found = false;
  for (std::size_t i = 0; i + 2 < without.size(); ++i) {
    if (without[i] != '%') continue;
    const char first = without[i + 1];
    const char second = to_lower(without[i + 2]);
    if ((first != '2' || second != 'f') && (first != '5' || second != 'c')) continue;
    // Something harmless of the same length.
    without.replace(i, 3, "%5f");
    found = true;
  }
  std::vector<char> scratch;
  return found && normalize_path(without, scratch).data() != nullptr;
}

bool is_host(std::string_view text) {
  std::string_view after;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) return false;
    after = text.substr(close + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view name = text.substr(0, colon);
    if (name.empty() || !std::all_of(name.begin(), name.end(), is_host_char)) return false;
    after = text.substr(colon);
  }
  return after.empty() || (after.front() == ':' && is_port(after.substr(1)));
}

}  // namespace anywire::http
