// Tamper: the planted faults of one run that lie on the way from the server to a client. Each
// proves that a checker can fail.
//
// Thread: the run's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "sim/scenario.h"

namespace anywire::sim {

class Tamper {
 public:
  Tamper(Fault fault, std::uint64_t seed) : fault_(fault), dice_(seed) {}

  // The messages that come instead of `text`, one message in JSON. `epoch` is that of the cursor
  // the client has in the channel, if it has one.
  std::vector<std::string> instead_of(std::string text, std::string_view epoch);
  // True now and then if `fault` is the one that is planted.
  bool strikes(Fault fault) { return fault_ == fault && dice_.below(8) == 0; }
  bool planted(Fault fault) const { return fault_ == fault; }

 private:
  Fault fault_;
  Random dice_;
};

}  // namespace anywire::sim
