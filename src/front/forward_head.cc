#include "front/forward_head.h"

#include <algorithm>
#include <array>
#include <span>

namespace anywire::front {
namespace {

using http::equals_ignore_case;

// RFC 9110 section 7.6.1, and what is written anew: Host, Expect and what frames the body.
constexpr std::array<std::string_view, 12> kNotForwarded{
    "connection",   "keep-alive", "proxy-connection", "te",   "trailer", "transfer-encoding",
    "content-length", "upgrade",  "http2-settings",   "host", "expect",  "proxy-authorization"};

// From somebody who is not trusted these are claims.
bool is_claim(std::string_view name) {
  constexpr std::string_view kPrefix = "x-forwarded-";
  return equals_ignore_case(name.substr(0, kPrefix.size()), kPrefix) ||
         equals_ignore_case(name, "forwarded") || equals_ignore_case(name, "x-real-ip");
}

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view one) { return equals_ignore_case(one, name); });
}

// Servers that hand fields on as variables (RFC 3875 section 4.1.18) read `X_Forwarded_For` as
// `X-Forwarded-For`. So a name with underscores that would be taken for one of those above, or for
// one that is written here, goes no further, whoever sent it.
bool passes_for_another(std::string_view name) {
  if (name.find('_') == name.npos) return false;
  std::string meant(name);
  std::replace(meant.begin(), meant.end(), '_', '-');
  return is_claim(meant) || is_one_of(kNotForwarded, meant);
}

// What the Connection fields name. Few requests have one with more than "keep-alive".
std::vector<std::string_view> connection_options(std::span<const http::Header> headers) {
  std::vector<std::string_view> options;
  for (const http::Header& header : headers) {
    if (!equals_ignore_case(header.name, "connection")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) options.push_back(http::next_list_member(rest));
  }
  return options;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

// All lines of a list field as one, without its empty members.
std::string joined(const http::RequestHead& head, std::string_view name) {
  std::string all;
  for (const http::Header& header : head.headers) {
    if (!equals_ignore_case(header.name, name) || header.value.empty()) continue;
    if (!all.empty()) all += ", ";
    all += header.value;
  }
  return all;
}

// RFC 7239 section 6: an IPv6 address stands in brackets, and what is no token in quotes.
std::string forwarded_node(const net::Address& address) {
  if (!address.is_ip()) return "unknown";
  if (address.family() == net::Family::kIpv4) return address.host();
  return "\"[" + address.host() + "]\"";
}

std::string forwarded_element(const net::Address& address, bool encrypted, std::string_view host) {
  std::string element = "for=" + forwarded_node(address);
  if (!host.empty()) {
    // The parser has let a host pass only if it has neither quote nor backslash.
    const bool is_token = http::is_token(host);
    element.append(";host=").append(is_token ? "" : "\"").append(host).append(is_token ? "" : "\"");
  }
  return element.append(";proto=").append(encrypted ? "https" : "http");
}

void extend(std::string& list, std::string_view member) {
  if (!list.empty()) list += ", ";
  list += member;
}

void append_forwarding(std::string& out, const http::RequestHead& head, const ClientSide& client) {
  const bool trusted = client.trusted.contains(client.peer);
  const net::Address peer = client.peer.unmapped();
  std::string addresses = trusted ? joined(head, "x-forwarded-for") : std::string();
  std::string elements = trusted ? joined(head, "forwarded") : std::string();
  if (peer.is_ip()) extend(addresses, peer.host());
  extend(elements, forwarded_element(peer, client.encrypted, head.host));
  if (!addresses.empty()) append_field(out, "X-Forwarded-For", addresses);
  if (!trusted || head.header("x-forwarded-proto").empty()) {
    append_field(out, "X-Forwarded-Proto", client.encrypted ? "https" : "http");
  }
  if (!head.host.empty() && (!trusted || head.header("x-forwarded-host").empty())) {
    append_field(out, "X-Forwarded-Host", head.host);
  }
  append_field(out, "Forwarded", elements);
}

// In origin form, as it was sent; an absolute target loses its authority, which Host holds.
void append_target(std::string& out, const http::RequestHead& head) {
  if (head.target.front() == '/' || head.target == "*") {
    out += head.target;
    return;
  }
  out += head.raw_path;
  if (!head.query.empty()) out.append("?").append(head.query);
}

}  // namespace

void write_request_head(std::string& out, const http::RequestHead& head, const ClientSide& client,
                        std::string_view authority) {
  out.append(head.method_text).append(" ");
  append_target(out, head);
  out.append(" HTTP/1.1\r\n");
  append_field(out, "Host", head.host.empty() ? authority : head.host);
  const std::vector<std::string_view> named = connection_options(head.headers);
  const bool trusted = client.trusted.contains(client.peer);
  for (const http::Header& header : head.headers) {
    if (is_one_of(kNotForwarded, header.name) || passes_for_another(header.name)) continue;
    if (is_claim(header.name)) {
      // Of a trusted proxy; the two that are lists follow in full.
      const bool is_extended = equals_ignore_case(header.name, "x-forwarded-for") ||
                               equals_ignore_case(header.name, "forwarded");
      if (!trusted || is_extended || header.value.empty()) continue;
      // A client may not have a proxy's word dropped by naming it.
    } else if (is_one_of(named, header.name)) {
      continue;
    }
    append_field(out, header.name, header.value);
  }
  append_forwarding(out, head, client);
  if (head.chunked) {
    append_field(out, "Transfer-Encoding", "chunked");
  } else if (head.content_length > 0 || head.find("content-length") != nullptr) {
    append_field(out, "Content-Length", std::to_string(head.content_length));
  }
  if (head.expects_continue) append_field(out, "Expect", "100-continue");
  if (head.is_websocket_upgrade()) {
    append_field(out, "Connection", "Upgrade");
    append_field(out, "Upgrade", "websocket");
  }
  out.append("\r\n");
}

std::vector<http::Header> forwardable_headers(const http::ReceivedHead& head) {
  const std::vector<std::string_view> named = connection_options(head.headers);
  const bool upgrades = head.status == 101 || head.status == 426;
  std::vector<http::Header> kept;
  kept.reserve(head.headers.size());
  for (const http::Header& header : head.headers) {
    if (equals_ignore_case(header.name, "upgrade")) {
      if (upgrades) kept.push_back(header);
      continue;
    }
    // An answer may well name its own host or what it expects; nothing is written anew here.
    const bool is_request_field = equals_ignore_case(header.name, "host") ||
                                  equals_ignore_case(header.name, "expect");
    if (!is_request_field && is_one_of(kNotForwarded, header.name)) continue;
    if (is_one_of(named, header.name)) continue;
    kept.push_back(header);
  }
  return kept;
}

}  // namespace anywire::front
