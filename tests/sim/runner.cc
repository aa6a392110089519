#include "sim/runner.h"

#include <algorithm>

#include "sim/world.h"

namespace anywire::sim {

Outcome run(const Scenario& scenario, Fault fault, Tracing tracing) {
  World world(scenario, fault, tracing);
  world.run();
  return {world.record().violation(), world.record().lines()};
}

Scenario shrink(const Scenario& scenario, Fault fault, Check check, std::size_t runs_max) {
  Scenario best = scenario;
  const auto still_fails = [&](const Scenario& one) {
    const Outcome outcome = run(one, fault);
    return outcome.violation && outcome.violation->check == check;
  };
  std::size_t runs = 0;
  for (std::size_t piece = best.steps.size() / 2; piece > 0; piece /= 2) {
    for (std::size_t at = 0; at < best.steps.size() && runs < runs_max;) {
      Scenario without = best;
      const auto begin = without.steps.begin() + static_cast<std::ptrdiff_t>(at);
      const std::size_t count = std::min(piece, without.steps.size() - at);
      without.steps.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
      ++runs;
      if (still_fails(without)) {
        best = std::move(without);
      } else {
        at += piece;
      }
    }
  }
  return best;
}

}  // namespace anywire::sim
