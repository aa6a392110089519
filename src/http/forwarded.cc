#include "http/forwarded.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace anywire::http {
namespace {

// The members of a list header from right to left, over all its lines, one per call.
class ReverseList {
 public:
  ReverseList(const RequestHead& head, std::string_view name)
      : head_(head), name_(name), line_(head.headers.size()) {}

  std::optional<std::string_view> next() {
    while (!rest_) {
      if (line_ == 0) return std::nullopt;
      const Header& header = head_.headers[--line_];
      if (equals_ignore_case(header.name, name_)) rest_ = header.value;
    }
    const std::size_t comma = rest_->rfind(',');
    const bool is_last = comma == std::string_view::npos;
    const std::string_view member = rest_->substr(is_last ? 0 : comma + 1);
    rest_ = is_last ? std::nullopt : std::optional(rest_->substr(0, comma));
    return trim_whitespace(member);
  }

 private:
  const RequestHead& head_;
  std::string_view name_;
  std::size_t line_;
  std::optional<std::string_view> rest_;  // of the current line, still to be read
};

// An address with or without a port: some proxies append the one they saw.
std::optional<net::Address> parse_member(std::string_view text) {
  Result<net::Address> address = net::Address::parse_ip(text);
  if (!address) {
    // parse() would also take names for listeners ("localhost", "unix:"), which nobody may claim.
    const bool may_be_ip = !text.empty() && (text.front() == '[' || (text.front() >= '0' &&
                                                                    text.front() <= '9'));
    if (may_be_ip) address = net::Address::parse(text);
  }
  if (!address || !address->is_ip() || address->scope_id() != 0) return std::nullopt;
  return address->unmapped();
}

}  // namespace

Client find_client(const RequestHead& head, const net::Address& peer, bool peer_is_secure,
                   const net::CidrList& trusted) {
  Client client{peer.unmapped(), peer_is_secure};
  if (!trusted.contains(peer)) return client;

  ReverseList addresses(head, "x-forwarded-for");
  std::size_t hops = 0;
  while (trusted.contains(client.address)) {
    const auto member = addresses.next();
    if (!member) break;
    std::optional<net::Address> address = parse_member(*member);
    if (!address) break;
    client.address = *std::move(address);
    ++hops;
  }

  // A proxy that appends its scheme as well makes a list that runs beside the other one: take the
  // member of the same hop. One that replaces the value leaves a single member, which is taken too.
  // Members further left come from the client.
  ReverseList schemes(head, "x-forwarded-proto");
  std::optional<std::string_view> scheme = schemes.next();
  for (std::size_t hop = 1; hop < hops && scheme; ++hop) {
    const auto further = schemes.next();
    if (!further) break;
    scheme = further;
  }
  if (!scheme) return client;
  const auto says = [&](std::string_view name) { return equals_ignore_case(*scheme, name); };
  if (says("https") || says("wss")) client.is_secure = true;
  if (says("http") || says("ws")) client.is_secure = false;
  return client;
}

}  // namespace anywire::http
