#include "url.h"

namespace anywire::bench {

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "ws://";
  if (!text.starts_with(kScheme)) {
    return fail(ErrorCode::kInvalidArgument, "the URL has to begin with ws://");
  }
  text.remove_prefix(kScheme.size());
  const std::size_t slash = text.find_first_of("/?");
  Url url;
  url.host = text.substr(0, slash);
  url.target = slash == std::string_view::npos ? "/" : std::string(text.substr(slash));
  if (url.target.front() == '?') url.target.insert(0, "/");
  // Address::parse takes ":80" for every interface, which is nowhere to connect to.
  if (url.host.empty() || url.host.front() == ':') {
    return fail(ErrorCode::kInvalidArgument, "the URL names no host");
  }
  const bool has_port = url.host.find(':', url.host.rfind(']') + 1) != std::string::npos;
  auto address = net::Address::parse(has_port ? url.host : url.host + ":80");
  if (!address) return std::unexpected(address.error());
  if (!address->is_ip()) return fail(ErrorCode::kInvalidArgument, "the URL needs an IP address");
  url.address = *address;
  return url;
}

}  // namespace anywire::bench
