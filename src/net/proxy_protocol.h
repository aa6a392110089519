// ProxyHeaderParser: the PROXY protocol header, versions 1 and 2, with which a load balancer says
// whose connection it carries. Without I/O.
//
// Use only on a listener that is configured for it, and then on every connection of it: the header
// is mandatory there, because where it may be missing anybody may forge it.
//
// Feed what arrived until the status is no longer kNeedMore; `consumed` bytes of each input belong
// to the header, what follows them is the connection's own data. The verdict depends on the bytes
// alone, not on how they were cut.
//
// Thread: one. Lifetime: inputs are not kept. Limits: 107 bytes for version 1 (its specification's
// figure), ProxyHeaderLimits for version 2; a split header is buffered as it comes, never ahead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "net/address.h"

namespace anywire::net {

struct ProxyHeaderLimits {
  std::size_t header_bytes_max = 1024;  // of version 2, everything included; at least 16
};

class ProxyHeaderParser {
 public:
  enum class Status : std::uint8_t { kNeedMore, kDone, kError };

  struct Output {
    Status status = Status::kNeedMore;
    std::size_t consumed = 0;
  };

  explicit ProxyHeaderParser(const ProxyHeaderLimits& limits = {}) : limits_(limits) {}

  // After kDone or kError it must not be called again.
  Output feed(Bytes input);

  // Set after kDone when the header names both ends. Not set for LOCAL (the balancer's own health
  // check), UNKNOWN and AF_UNSPEC: then the addresses of the socket itself are the true ones.
  const std::optional<Address>& source() const { return source_; }
  const std::optional<Address>& destination() const { return destination_; }

  // A static text that says what is wrong; valid after kError.
  const char* error() const { return error_; }

 private:
  // How the bytes so far look: more are needed, they are `size` bytes of header, or refused.
  struct Verdict {
    Status status = Status::kNeedMore;
    std::size_t size = 0;
  };

  Verdict judge(Bytes bytes);
  Verdict judge_v1(std::string_view text);
  Verdict judge_v2(Bytes bytes);
  bool parse_v1(std::string_view line);
  bool parse_v2(std::uint8_t family, Bytes body);
  Verdict refuse(const char* why);

  ProxyHeaderLimits limits_;
  std::string buffer_;
  std::optional<Address> source_;
  std::optional<Address> destination_;
  const char* error_ = "";
};

}  // namespace anywire::net
