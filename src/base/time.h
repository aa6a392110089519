// Time. Everything that waits measures on the steady clock; a Loop caches "now" once per turn and
// hands it out, so code above the reactor never reads a clock itself and runs under simulated time.
#pragma once

#include <chrono>

namespace anywire {

using Duration = std::chrono::milliseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

}  // namespace anywire
