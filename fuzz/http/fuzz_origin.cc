// Origins and hosts, patterns and requests: the first line is a pattern, the second what is held
// against it. What a pattern with a star takes must be what a person reading it would expect.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "http/authority.h"
#include "http/host_list.h"
#include "http/origin_list.h"
#include "http/request.h"

using anywire::http::Authority;
using anywire::http::HostList;
using anywire::http::OriginList;

namespace {

// The host behind "://", found in another way than the list does: from its end.
void check_origin(std::string_view pattern, std::string_view origin) {
  const auto list = OriginList::parse(std::vector<std::string>{std::string(pattern)});
  AW_ASSERT(list.has_value() == anywire::http::is_origin_pattern(pattern));
  if (!list) return;
  AW_ASSERT(!list->names(origin) || list->allows(origin));
  // Any site can make a page of origin "null", so that it may be let in but names nobody.
  AW_ASSERT(origin != "null" || !list->names(origin));
  AW_ASSERT(list->any() || origin == "null" || list->allows(origin) == list->names(origin));
  if (pattern == "*" || pattern == "null" || !list->names(origin)) return;
  // What is named has the pattern's scheme, and nothing in it could end a host early.
  AW_ASSERT(origin.find_first_of("#?@\\, %\t*") == origin.npos);
  const std::size_t colon = pattern.find(':');
  AW_ASSERT(anywire::http::equals_ignore_case(origin.substr(0, colon), pattern.substr(0, colon)));
  AW_ASSERT(origin.find('/', colon + 3) == origin.npos);
}

void check_host(std::string_view pattern, std::string_view host) {
  const auto list = HostList::parse(std::vector<std::string>{std::string(pattern)});
  AW_ASSERT(list.has_value() == anywire::http::is_host_pattern(pattern));
  if (!list || !list->allows(host)) return;
  AW_ASSERT(anywire::http::parse_authority(host).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string_view pattern = text.substr(0, line);
  const std::string_view value = line < text.size() ? text.substr(line + 1) : std::string_view();
  check_origin(pattern, value);
  check_host(pattern, value);
  if (const auto authority = anywire::http::parse_authority(value)) {
    AW_ASSERT(value.starts_with(authority->host) && value.ends_with(authority->port));
    (void)anywire::http::is_ip_literal(authority->host);
  }
  return 0;
}
