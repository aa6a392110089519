// Several loops of one process that a test turns by hand. Only tests include it.
//
// Thread: one. Lifetime: the clock outlives the loops.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "reactor/loop.h"

namespace anywire::reactor {

using Loops = std::vector<std::unique_ptr<Loop>>;

inline Loops make_loops(Clock& clock, std::uint32_t count = 2) {
  Loops all;
  for (std::uint32_t i = 0; i < count; ++i) all.push_back(*Loop::create({.index = i}, clock));
  return all;
}

}  // namespace anywire::reactor
