// Address: one end of a connection: an IPv4 or IPv6 address with a port, or the path of a Unix
// socket. A value: compare, copy and move it freely; 32 bytes for IP, and one allocation only for a
// Unix path.
//
// Thread: a plain value. Lifetime: owns what it holds. Limits: a Unix path has at most 107 bytes.
// Nothing here makes a system call: names other than "localhost" are not resolved.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace anywire::net {

enum class Family : std::uint8_t { kNone, kIpv4, kIpv6, kUnix };

class Address {
 public:
  using Ipv4Bytes = std::array<std::uint8_t, 4>;
  using Ipv6Bytes = std::array<std::uint8_t, 16>;

  Address() = default;  // Family::kNone
  Address(const Address& other);
  Address& operator=(const Address& other);
  Address(Address&&) noexcept = default;
  Address& operator=(Address&&) noexcept = default;
  ~Address() = default;

  static Address ipv4(const Ipv4Bytes& bytes, std::uint16_t port);
  static Address ipv6(const Ipv6Bytes& bytes, std::uint16_t port, std::uint32_t scope_id = 0);
  // A leading NUL means Linux's abstract namespace; an empty path is an unnamed socket, which is
  // what a client that connects from one has.
  static Result<Address> unix_path(std::string_view path);

  // What accept(), getsockname() and the like fill in.
  static Result<Address> from_sockaddr(const sockaddr* address, socklen_t size);

  // Where to listen or connect, as people write it:
  //   "127.0.0.1:3001"  "[::1]:3001"  "[fe80::1%2]:3001" (the zone as a number)
  //   ":3001"           every interface: "[::]:3001", which also takes IPv4 on a dual-stack socket
  //   "localhost:3001"  127.0.0.1
  //   "unix:/run/anywire.sock", "unix:@name" (abstract)
  static Result<Address> parse(std::string_view text);

  // An IP address without a port, bare or an IPv6 one in brackets; the result has port 0.
  static Result<Address> parse_ip(std::string_view text);

  // Fills `out`; answers the size to pass to bind() or connect(), 0 for Family::kNone.
  socklen_t to_sockaddr(sockaddr_storage& out) const;

  Family family() const { return family_; }
  bool is_ip() const { return family_ == Family::kIpv4 || family_ == Family::kIpv6; }
  std::uint16_t port() const { return port_; }
  void set_port(std::uint16_t port) { port_ = port; }
  std::uint32_t scope_id() const { return scope_id_; }

  // The bytes of an IP address in network order: 4, 16, or none for other families.
  std::span<const std::uint8_t> ip_bytes() const;
  std::string_view path() const { return path_ ? std::string_view(*path_) : std::string_view(); }

  // An IPv4 address in IPv6's clothes (::ffff:a.b.c.d, what a dual-stack socket reports for an
  // IPv4 peer) as the IPv4 address it is; any other address unchanged.
  Address unmapped() const;

  // Reachable only from this machine: 127.0.0.0/8, ::1, their mapped form, and Unix sockets.
  bool is_loopback() const;
  bool is_unspecified() const;  // 0.0.0.0 or ::

  // The form parse() reads. host() is without the port and, for IPv6, without brackets.
  std::string to_string() const;
  std::string host() const;

  // Mapped and plain IPv4 are different values; unmapped() first where that is not wanted.
  friend bool operator==(const Address& a, const Address& b);

 private:
  Family family_ = Family::kNone;
  std::uint16_t port_ = 0;
  std::uint32_t scope_id_ = 0;
  Ipv6Bytes bytes_{};  // IPv4 uses the first four
  std::unique_ptr<const std::string> path_;
};

static_assert(sizeof(Address) <= 32);

}  // namespace anywire::net
