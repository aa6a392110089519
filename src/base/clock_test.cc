#include "base/clock.h"

#include <gtest/gtest.h>

#include <ctime>

namespace anywire {
namespace {

TEST(SystemClock, NeverGoesBack) {
  SystemClock clock;
  TimePoint last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const TimePoint now = clock.now();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(ManualClock, StandsStillUntilMoved) {
  ManualClock clock;
  const TimePoint start = clock.now();
  EXPECT_EQ(clock.now(), start);
  clock.advance(Duration(250));
  EXPECT_EQ(clock.now() - start, Duration(250));
}

TEST(SystemWallClock, AgreesWithTheTimeOfDay) {
  SystemWallClock clock;
  const auto before = static_cast<std::uint64_t>(std::time(nullptr));
  const std::uint64_t now_ms = clock.unix_ms();
  const auto after = static_cast<std::uint64_t>(std::time(nullptr));
  // time() reads a coarser clock, which may lag a tick behind.
  EXPECT_GE(now_ms / 1000, before);
  EXPECT_LE(now_ms / 1000, after + 1);
}

TEST(ManualWallClock, StandsStillUntilMoved) {
  ManualWallClock clock;
  const std::uint64_t start = clock.unix_ms();
  EXPECT_EQ(clock.unix_ms(), start);
  clock.advance(Duration(1500));
  EXPECT_EQ(clock.unix_ms(), start + 1500);
}

TEST(ManualWallClock, CanBeSetBackAsARealOneCan) {
  ManualWallClock clock;
  clock.set(5000);
  EXPECT_EQ(clock.unix_ms(), 5000u);
  clock.advance(Duration(-1000));
  EXPECT_EQ(clock.unix_ms(), 4000u);
}

}  // namespace
}  // namespace anywire
