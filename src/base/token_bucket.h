// TokenBucket: how fast something may happen: so often in a time, and so often at once after a
// pause. A Rate says it as people do, a BucketShape as arithmetic needs it, and a TokenBucket is
// the state, one 64-bit number.
//
//   const BucketShape shape(Rate{.amount = 100, .burst = 300});    // 100/s burst 300
//   if (const auto wait = bucket.take(shape, 1, loop.now())) return refuse(*wait);
//
// The number is the time at which the bucket will be full again (the generic cell rate algorithm,
// ITU-T I.371): taking moves it on, and what would move it further than the burst from now is
// refused. So buckets fill without anybody touching them, a new one is full, and any number of
// threads may take from one without a lock.
//
// More than the burst at a time is taken from a full bucket only, and paid back like the rest: a
// message larger than the burst is not refused for ever.
//
// Thread: any. Time is the caller's; threads whose clocks differ a little may take a little more.
// Lifetime: a value without an owner. Limits: kRateMax; it must be possible to save up a burst
// within kFillMax.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace anywire {

struct Rate {
  std::uint64_t amount = 0;  // in the time `per`; 0: no limit
  Duration per{1'000};
  std::uint64_t burst = 0;   // at once, after a pause; 0: `amount`

  static constexpr std::uint64_t kRateMax = 1'000'000'000'000;
  static constexpr Duration kFillMax = std::chrono::days(366);

  bool limited() const { return amount != 0; }
  std::uint64_t at_once() const { return burst != 0 ? burst : amount; }

  bool operator==(const Rate&) const = default;
};

class BucketShape {
 public:
  BucketShape() = default;  // of no limit
  // `speed` times as fast as the rate, with a burst of `depth` times its.
  explicit BucketShape(const Rate& rate, double speed = 1, double depth = 1) {
    if (!rate.limited()) return;
    unit_ns_ = static_cast<double>(std::chrono::nanoseconds(rate.per).count()) /
               static_cast<double>(rate.amount) / speed;
    burst_ns_ = std::max<std::int64_t>(
        1, std::llround(unit_ns_ * static_cast<double>(rate.at_once()) * depth));
  }

  bool limited() const { return burst_ns_ != 0; }
  std::int64_t burst_ns() const { return burst_ns_; }
  std::int64_t cost_ns(std::uint64_t amount) const {
    constexpr double kMost = 4e18;
    return std::llround(std::min(unit_ns_ * static_cast<double>(amount), kMost / 4));
  }

 private:
  double unit_ns_ = 0;  // from one to the next
  std::int64_t burst_ns_ = 0;
};

class TokenBucket {
 public:
  // Nothing when it was taken; else how long it is until it could be, at least a millisecond.
  std::optional<Duration> take(const BucketShape& shape, std::uint64_t amount, TimePoint now) {
    const std::int64_t at = ns(now);
    const std::int64_t cost = shape.cost_ns(amount);
    const std::int64_t room = shape.burst_ns() - std::min(cost, shape.burst_ns());
    std::int64_t full_at = full_at_.load(std::memory_order_relaxed);
    for (;;) {
      const std::int64_t from = std::max(full_at, at);
      if (from - at > room) return wait(from - at - room);
      if (full_at_.compare_exchange_weak(full_at, from + cost, std::memory_order_relaxed)) {
        return std::nullopt;
      }
    }
  }

  // What was taken and not used after all.
  void give_back(const BucketShape& shape, std::uint64_t amount) {
    full_at_.fetch_sub(shape.cost_ns(amount), std::memory_order_relaxed);
  }

  bool full(TimePoint now) const { return full_at_.load(std::memory_order_relaxed) <= ns(now); }

 private:
  static std::int64_t ns(TimePoint time) {
    return std::chrono::nanoseconds(time.time_since_epoch()).count();
  }
  static Duration wait(std::int64_t ns) {
    return std::chrono::ceil<Duration>(std::chrono::nanoseconds(ns));
  }

  std::atomic<std::int64_t> full_at_{0};
};

}  // namespace anywire
