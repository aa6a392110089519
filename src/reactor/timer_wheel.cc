#include "reactor/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace anywire::reactor {

TimerWheel::~TimerWheel() {
  for (auto& wheel : wheels_) {
    for (Timer*& head : wheel) {
      while (head != nullptr) head->unlink();
    }
  }
}

void TimerWheel::arm(Timer& timer, TimePoint deadline) {
  timer.unlink();
  // Measured from the wheel's own position, which lags behind the clock until the next `advance`.
  // A timer due already waits for the next tick, so that a callback which re-arms itself with no
  // delay cannot keep `advance` from returning.
  const std::int64_t position = now_tick_;
  const std::int64_t wanted = (deadline - start_).count();
  const auto distance = static_cast<std::int32_t>(static_cast<std::uint32_t>(wanted - position));
  const auto ticks = std::clamp<std::int64_t>(distance, 1, kDelayTicksMax);
  timer.deadline_tick_ = now_tick_ + static_cast<std::uint32_t>(ticks);
  place(timer);
}

void TimerWheel::place(Timer& timer) {
  const std::uint32_t distance = timer.deadline_tick_ - now_tick_;
  unsigned level = 0;
  while (level + 1 < kLevels && distance >= (1u << ((level + 1) * kBits))) ++level;
  const unsigned slot = (timer.deadline_tick_ >> (level * kBits)) & (kSlots - 1);
  Timer*& head = wheels_[level][slot];
  timer.next_ = head;
  if (head != nullptr) head->previous_link_ = &timer.next_;
  head = &timer;
  timer.previous_link_ = &head;
  occupied_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::cascade(unsigned level) {
  const unsigned slot = (now_tick_ >> (level * kBits)) & (kSlots - 1);
  Timer* list = wheels_[level][slot];
  wheels_[level][slot] = nullptr;
  occupied_[level] &= ~(std::uint64_t{1} << slot);
  while (list != nullptr) {
    Timer& timer = *list;
    list = timer.next_;
    timer.next_ = nullptr;
    place(timer);
  }
}

void TimerWheel::fire_slot(unsigned slot) {
  Timer*& head = wheels_[0][slot];
  // A callback may disarm, destroy or arm any timer; taking one at a time from the head survives
  // all of that. New timers land at least one tick later, so this ends.
  while (head != nullptr) {
    Timer& timer = *head;
    timer.unlink();
    timer.on_timer();
  }
  occupied_[0] &= ~(std::uint64_t{1} << slot);
}

// The next tick at which something can happen: a level-0 slot that holds timers, or the start of
// a coarser slot that has to be spread out.
std::uint32_t TimerWheel::next_stop() const {
  std::uint32_t best = kDelayTicksMax;
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const unsigned shift = level * kBits;
    const unsigned current = (now_tick_ >> shift) & (kSlots - 1);
    const std::uint64_t rotated = std::rotr(occupied_[level], static_cast<int>(current));
    // Bit 0 is the current slot: already visited, so anything in it is a whole turn away.
    const std::uint64_t ahead = rotated & ~std::uint64_t{1};
    const unsigned slots = ahead != 0 ? static_cast<unsigned>(std::countr_zero(ahead)) : kSlots;
    const std::uint32_t at = ((now_tick_ >> shift) + slots) << shift;
    best = std::min(best, at - now_tick_);
  }
  return best;
}

void TimerWheel::advance(TimePoint now) {
  const auto target = static_cast<std::uint32_t>((now - start_).count());
  while (now_tick_ != target) {
    const std::uint32_t left = target - now_tick_;
    const std::uint32_t step = std::min(next_stop(), left);
    now_tick_ += step;
    for (unsigned level = kLevels - 1; level > 0; --level) {
      if ((now_tick_ & ((1u << (level * kBits)) - 1)) == 0) cascade(level);
    }
    fire_slot(now_tick_ & (kSlots - 1));
  }
}

Duration TimerWheel::until_next() const {
  const bool empty = std::all_of(occupied_.begin(), occupied_.end(),
                                 [](std::uint64_t bits) { return bits == 0; });
  return empty ? kNever : Duration{next_stop()};
}

}  // namespace anywire::reactor
