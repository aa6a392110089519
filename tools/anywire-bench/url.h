// The address of the server under test, from a ws:// URL.
//
// Pure functions. Thread: any. Only numeric hosts and "localhost": a load generator that resolves
// names would measure the resolver.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/address.h"

namespace anywire::bench {

struct Url {
  net::Address address;
  std::string host;    // as it goes into the Host header
  std::string target;  // path and query, at least "/"
};

Result<Url> parse_url(std::string_view text);

}  // namespace anywire::bench
