// Hierarchical timer wheel: five wheels of 64 slots, 1 ms to about 12 days; a deadline further
// away fires after that time (configuration allows at most a day). Arming, disarming and firing
// cost O(1); a timer moves between wheels at most four times in its life.
//
// Thread: the loop's. Lifetime: a Timer disarms itself on destruction and may be destroyed or
// armed again inside its own `on_timer`.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "base/time.h"

namespace anywire::reactor {

class TimerWheel;

// Something that wants to be called once at a deadline. Deadlines are kept in milliseconds modulo
// 2^32, which is why nothing may be armed further away than 12 days.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() { unlink(); }

  virtual void on_timer() = 0;

  bool armed() const { return previous_link_ != nullptr; }
  void disarm() { unlink(); }

 private:
  friend class TimerWheel;
  void unlink() {
    if (previous_link_ == nullptr) return;
    *previous_link_ = next_;
    if (next_ != nullptr) next_->previous_link_ = previous_link_;
    previous_link_ = nullptr;
    next_ = nullptr;
  }

  Timer** previous_link_ = nullptr;
  Timer* next_ = nullptr;
  std::uint32_t deadline_tick_ = 0;
};

class TimerWheel {
 public:
  explicit TimerWheel(TimePoint start) : start_(start) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  // Fires once, at or after `deadline`. Re-arming moves it.
  void arm(Timer& timer, TimePoint deadline);

  // Fires everything due up to `now`, in order of deadline by millisecond.
  void advance(TimePoint now);

  // How long the loop may sleep; kNever when nothing is armed. May be earlier than the next
  // deadline (a slot of a coarse wheel), never later.
  static constexpr Duration kNever = Duration::max();
  Duration until_next() const;

 private:
  static constexpr unsigned kLevels = 5;
  static constexpr unsigned kBits = 6;
  static constexpr unsigned kSlots = 1u << kBits;
  static constexpr std::uint32_t kDelayTicksMax = (1u << (kLevels * kBits)) - 1;

  void place(Timer& timer);
  void cascade(unsigned level);
  void fire_slot(unsigned slot);
  std::uint32_t next_stop() const;

  TimePoint start_;
  std::uint32_t now_tick_ = 0;
  std::array<std::array<Timer*, kSlots>, kLevels> wheels_{};
  // Bit set = slot may hold timers; cleared lazily when the slot is visited and empty.
  std::array<std::uint64_t, kLevels> occupied_{};
};

}  // namespace anywire::reactor
