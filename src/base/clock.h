// Clocks. A Loop reads the time from a Clock: steady, for whatever waits. A WallClock says what
// people and other machines call now: for times that are stored, shown or compared across restarts.
// It may jump, backwards too, when an operator or NTP sets it. Production uses the System kinds;
// tests and the simulator hand in Manual ones, which stand still until they are moved.
//
// Thread: the System kinds any; the Manual ones the thread that moves them.
#pragma once

#include <chrono>
#include <cstdint>

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

class WallClock {
 public:
  virtual ~WallClock() = default;
  // Milliseconds since 1970 (UTC, leap seconds not counted).
  virtual std::uint64_t unix_ms() = 0;
};

class SystemWallClock final : public WallClock {
 public:
  std::uint64_t unix_ms() override {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<Duration>(since).count());
  }
};

class ManualWallClock final : public WallClock {
 public:
  std::uint64_t unix_ms() override { return now_ms_; }
  void advance(Duration by) { now_ms_ += static_cast<std::uint64_t>(by.count()); }
  void set(std::uint64_t unix_ms) { now_ms_ = unix_ms; }

 private:
  std::uint64_t now_ms_ = 1'700'000'000'000;
};

}  // namespace anywire
