// HostList: the names this server answers to, by the Host a request names (RFC 9110 7.2).
//
// A page of another site whose name was made to point at this machine ("DNS rebinding") is of the
// same origin as what it then asks for, so no check of the Origin stops it; its Host is still its
// own name.
//
//   app.example            that name, on any port
//   app.example:8443       on that port
//   *.app.example          every name below it, never app.example itself; also with a port
//   [::1], 192.0.2.1       an address
//   local                  what no page of the Internet can be called: addresses, names without a
//                          dot, and those below localhost, local, internal and home.arpa
//
// Thread: any, once made. Lifetime: owns its patterns; views are read during the call. Limits: none
// of its own; a look costs one pass over the Host for each pattern.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace anywire::http {

// Whether it is one of the above.
bool is_host_pattern(std::string_view text);

class HostList {
 public:
  HostList() = default;  // takes any
  static Result<HostList> parse(std::span<const std::string> patterns);

  // `host` as RequestHead has it, empty when the request named none.
  bool allows(std::string_view host) const;

 private:
  struct Pattern {
    std::string host;  // behind "*." if `below`
    std::string port;  // empty: any
    bool below = false;
  };
  friend bool is_host_pattern(std::string_view text);
  static Result<Pattern> parse_pattern(std::string_view text);

  bool any_ = true;
  bool local_ = false;
  std::vector<Pattern> patterns_;
};

}  // namespace anywire::http
