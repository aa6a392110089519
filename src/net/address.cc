#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>

namespace anywire::net {
namespace {

constexpr std::size_t kUnixPathMax = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t kUnixHeader = offsetof(sockaddr_un, sun_path);
constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// Decimal digits only, the whole text, no sign, no leading zero.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  if (text.front() < '0' || text.front() > '9') return std::nullopt;
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// inet_pton wants a terminated string. A NUL inside the text would cut it short, so it is refused.
template <typename Bytes>
bool parse_bytes(int family, std::string_view text, Bytes& bytes) {
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof copy || text.find('\0') != std::string_view::npos) return false;
  std::copy(text.begin(), text.end(), copy);
  copy[text.size()] = '\0';
  return inet_pton(family, copy, bytes.data()) == 1;
}

std::optional<Address> parse_ipv6(std::string_view text) {
  const std::size_t percent = std::min(text.find('%'), text.size());
  Address::Ipv6Bytes bytes{};
  if (!parse_bytes(AF_INET6, text.substr(0, percent), bytes)) return std::nullopt;
  if (percent == text.size()) return Address::ipv6(bytes, 0);
  const auto scope_id = parse_number<std::uint32_t>(text.substr(percent + 1));
  if (!scope_id || *scope_id == 0) return std::nullopt;
  return Address::ipv6(bytes, 0, *scope_id);
}

std::optional<Address> parse_ipv4(std::string_view text) {
  Address::Ipv4Bytes bytes{};
  if (!parse_bytes(AF_INET, text, bytes)) return std::nullopt;
  return Address::ipv4(bytes, 0);
}

std::unexpected<Error> bad_address(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("\"{}\" is not an address: {}", text.substr(0, 128), why));
}

}  // namespace

Address::Address(const Address& other)
    : family_(other.family_),
      port_(other.port_),
      scope_id_(other.scope_id_),
      bytes_(other.bytes_),
      path_(other.path_ ? std::make_unique<const std::string>(*other.path_) : nullptr) {}

Address& Address::operator=(const Address& other) {
  if (this != &other) *this = Address(other);
  return *this;
}

Address Address::ipv4(const Ipv4Bytes& bytes, std::uint16_t port) {
  Address address;
  address.family_ = Family::kIpv4;
  address.port_ = port;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

Address Address::ipv6(const Ipv6Bytes& bytes, std::uint16_t port, std::uint32_t scope_id) {
  Address address;
  address.family_ = Family::kIpv6;
  address.port_ = port;
  address.scope_id_ = scope_id;
  address.bytes_ = bytes;
  return address;
}

Result<Address> Address::unix_path(std::string_view path) {
  if (path.size() > kUnixPathMax) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a Unix socket path has at most {} bytes", kUnixPathMax));
  }
  // Only the first byte may be NUL, and then something has to follow it.
  if (path.find('\0', 1) != std::string_view::npos || path == std::string_view("\0", 1)) {
    return fail(ErrorCode::kInvalidArgument, "a Unix socket path holds a NUL");
  }
  Address address;
  address.family_ = Family::kUnix;
  if (!path.empty()) address.path_ = std::make_unique<const std::string>(path);
  return address;
}

Result<Address> Address::from_sockaddr(const sockaddr* address, socklen_t size) {
  const auto too_short = [] {
    return fail(ErrorCode::kInvalidArgument, "a socket address is cut short");
  };
  if (size < sizeof(sa_family_t)) return too_short();
  sa_family_t family;
  std::memcpy(&family, reinterpret_cast<const char*>(address) + offsetof(sockaddr, sa_family),
              sizeof family);
  if (family == AF_INET) {
    sockaddr_in in;
    if (size < sizeof in) return too_short();
    std::memcpy(&in, address, sizeof in);
    Ipv4Bytes bytes;
    std::memcpy(bytes.data(), &in.sin_addr, bytes.size());
    return ipv4(bytes, ntohs(in.sin_port));
  }
  if (family == AF_INET6) {
    sockaddr_in6 in;
    if (size < sizeof in) return too_short();
    std::memcpy(&in, address, sizeof in);
    Ipv6Bytes bytes;
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return ipv6(bytes, ntohs(in.sin6_port), in.sin6_scope_id);
  }
  if (family == AF_UNIX) {
    // The path fills the rest, with or without a NUL at its end.
    const std::size_t length = size > kUnixHeader ? size - kUnixHeader : 0;
    std::string_view path(reinterpret_cast<const char*>(address) + kUnixHeader, length);
    const std::size_t end = path.find('\0', 1);
    return unix_path(path.substr(0, end));
  }
  return fail(ErrorCode::kInvalidArgument, "a socket address of an unknown family");
}

Result<Address> Address::parse(std::string_view text) {
  if (text.starts_with("unix:")) {
    std::string path(text.substr(5));
    if (path.empty()) return bad_address(text, "the path is missing");
    if (path.front() == '@') path.front() = '\0';
    return unix_path(path);
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return bad_address(text, "expected HOST:PORT, [IPV6]:PORT, :PORT or unix:/PATH");
  }
  const std::string_view host = text.substr(0, colon);
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!port) return bad_address(text, "the port is not a number from 0 to 65535");
  if (host.empty()) return ipv6({}, *port);
  if (host == "localhost") return ipv4({127, 0, 0, 1}, *port);
  if (host.front() != '[' && host.find(':') != std::string_view::npos) {
    return bad_address(text, "an IPv6 address stands in brackets, as in [::1]:3001");
  }
  Result<Address> address = parse_ip(host);
  if (!address) {
    return bad_address(text, "the host is neither an IP address nor localhost; other names are not "
                             "resolved");
  }
  address->port_ = *port;
  return address;
}

Result<Address> Address::parse_ip(std::string_view text) {
  const bool bracketed = text.size() >= 2 && text.front() == '[' && text.back() == ']';
  std::optional<Address> address =
      parse_ipv6(bracketed ? text.substr(1, text.size() - 2) : text);
  if (!address && !bracketed) address = parse_ipv4(text);
  if (!address) return bad_address(text, "expected an IPv4 or IPv6 address");
  return *std::move(address);
}

socklen_t Address::to_sockaddr(sockaddr_storage& out) const {
  std::memset(&out, 0, sizeof out);
  if (family_ == Family::kIpv4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port_);
    std::memcpy(&in.sin_addr, bytes_.data(), 4);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  if (family_ == Family::kIpv6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port_);
    in.sin6_scope_id = scope_id_;
    std::memcpy(&in.sin6_addr, bytes_.data(), 16);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  if (family_ == Family::kUnix) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    const std::string_view name = path();
    std::copy(name.begin(), name.end(), un.sun_path);
    std::memcpy(&out, &un, sizeof un);
    // An abstract name is as long as the size says; a path ends with its NUL; unnamed is nothing.
    const bool is_path = !name.empty() && name.front() != '\0';
    return static_cast<socklen_t>(kUnixHeader + name.size() + (is_path ? 1 : 0));
  }
  return 0;
}

std::span<const std::uint8_t> Address::ip_bytes() const {
  if (family_ == Family::kIpv4) return std::span(bytes_).first(4);
  if (family_ == Family::kIpv6) return bytes_;
  return {};
}

Address Address::unmapped() const {
  if (family_ != Family::kIpv6 ||
      !std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes_.begin())) {
    return *this;
  }
  return ipv4({bytes_[12], bytes_[13], bytes_[14], bytes_[15]}, port_);
}

bool Address::is_loopback() const {
  if (family_ == Family::kUnix) return true;
  const Address plain = unmapped();
  if (plain.family_ == Family::kIpv4) return plain.bytes_[0] == 127;
  const Ipv6Bytes one = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return plain.family_ == Family::kIpv6 && plain.bytes_ == one;
}

bool Address::is_unspecified() const { return is_ip() && bytes_ == Ipv6Bytes{}; }

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  switch (family_) {
    case Family::kIpv4:
      inet_ntop(AF_INET, bytes_.data(), text, sizeof text);
      return text;
    case Family::kIpv6:
      inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
      return scope_id_ == 0 ? std::string(text) : fmt::format("{}%{}", text, scope_id_);
    case Family::kUnix: {
      std::string name(path());
      if (!name.empty() && name.front() == '\0') name.front() = '@';
      return "unix:" + name;
    }
    case Family::kNone:
      break;
  }
  return "none";
}

std::string Address::to_string() const {
  if (family_ == Family::kIpv4) return fmt::format("{}:{}", host(), port_);
  if (family_ == Family::kIpv6) return fmt::format("[{}]:{}", host(), port_);
  return host();
}

bool operator==(const Address& a, const Address& b) {
  return a.family_ == b.family_ && a.port_ == b.port_ && a.scope_id_ == b.scope_id_ &&
         a.bytes_ == b.bytes_ && a.path() == b.path();
}

}  // namespace anywire::net
