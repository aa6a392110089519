// Runner: runs scenarios, and makes those that fail small.
//
// Thread: one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sim/record.h"
#include "sim/scenario.h"

namespace anywire::sim {

struct Outcome {
  std::optional<Violation> violation;
  std::vector<std::string> lines;  // unless not traced
};

Outcome run(const Scenario& scenario, Fault fault = Fault::kNone,
            Tracing tracing = Tracing::kOff);

// The fewest steps found, within so many runs, with which the same check still fails.
Scenario shrink(const Scenario& scenario, Fault fault, Check check, std::size_t runs_max);

}  // namespace anywire::sim
