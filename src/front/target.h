// Target: where the application's server is, as `front.upstream` says it:
//
//   http://127.0.0.1:3000   http://localhost:3000   http://[::1]:3000   http://web:3000
//   unix:/run/next.sock
//
// A name is resolved at start and again when it cannot be reached (see Resolver); "localhost" is
// 127.0.0.1 and ::1, tried in this order, whatever the machine's resolver thinks.
//
// Thread: a plain value. Lifetime: owns what it holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace anywire::front {

struct Target {
  std::string authority;  // "127.0.0.1:3000": what a request without Host is sent with
  std::string text;       // for people: as it was configured
  // Tried one after the other; empty while a name has not been resolved.
  std::vector<net::Address> addresses;
  std::string name;  // to be resolved; empty when the addresses are final
  std::uint16_t port = 80;

  // TLS, a path, a query and credentials are refused: what is behind us is next door.
  static Result<Target> parse(std::string_view text);
};

// For the configuration.
bool is_upstream(std::string_view text);

}  // namespace anywire::front
