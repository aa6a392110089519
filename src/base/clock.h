// Clock: where a Loop reads the time. Production uses SystemClock; tests and the simulator hand in
// one they move by hand.
#pragma once

#include "base/time.h"

namespace anywire {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
};

// Stands still until told to move.
class ManualClock final : public Clock {
 public:
  TimePoint now() override { return now_; }
  void advance(Duration by) { now_ += by; }

 private:
  TimePoint now_{Duration{1000}};
};

}  // namespace anywire
