// Cidr and CidrList: blocks of addresses, as configuration names them, for instance the proxies
// whose word about a client's address is believed.
//
// Thread: plain values; contains() is const and may be called from any thread. Limits: the list is
// as long as the configuration makes it and is searched from front to back.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace anywire::net {

class Cidr {
 public:
  // "10.0.0.0/8", "2001:db8::/32", a single address, or "unix" for every peer on a Unix socket.
  // Bits behind the prefix must be zero: "10.0.0.1/8" is more often a slip than a wish. A block of
  // mapped IPv4 ("::ffff:10.0.0.0/104") is the IPv4 block.
  static Result<Cidr> parse(std::string_view text);

  // Mapped IPv4 counts as IPv4, so "10.0.0.0/8" holds ::ffff:10.1.2.3 and "::/0" does not.
  // Family::kNone is in no block.
  bool contains(const Address& address) const;

  std::string to_string() const;

 private:
  Address base_;  // port 0; Family::kUnix for "unix"
  std::uint8_t prefix_bits_ = 0;
};

class CidrList {
 public:
  CidrList() = default;

  // Every entry must parse; the error names the first that does not.
  static Result<CidrList> parse(std::span<const std::string> entries);

  bool contains(const Address& address) const;
  bool empty() const { return blocks_.empty(); }

 private:
  std::vector<Cidr> blocks_;
};

}  // namespace anywire::net
