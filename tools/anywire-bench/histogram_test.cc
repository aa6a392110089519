#include "histogram.h"

#include <gtest/gtest.h>

namespace anywire::bench {
namespace {

TEST(Histogram, AnswersZeroWhenEmpty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0u);
  EXPECT_EQ(histogram.total(), 0u);
}

TEST(Histogram, KeepsSmallValuesExactly) {
  for (std::uint64_t value = 0; value < 64; ++value) {
    Histogram histogram;
    histogram.add(value);
    EXPECT_EQ(histogram.quantile(0.5), value);
  }
}

TEST(Histogram, IsNeverBelowTheValueAndAtMostThreePercentAbove) {
  for (std::uint64_t value = 64; value < (std::uint64_t{1} << 39); value = value * 5 / 4 + 1) {
    Histogram histogram;
    histogram.add(value);
    const std::uint64_t found = histogram.quantile(1.0);
    EXPECT_GE(found, value);
    EXPECT_LE(found, value + value / 32);
  }
}

TEST(Histogram, FindsQuantilesByRank) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 20; ++value) histogram.add(value);
  EXPECT_EQ(histogram.quantile(0), 1u);
  EXPECT_EQ(histogram.quantile(0.5), 10u);
  EXPECT_EQ(histogram.quantile(1), 20u);
}

TEST(Histogram, CountsRepeatedValuesAtOnce) {
  Histogram histogram;
  histogram.add(3, 99);
  histogram.add(30, 1);
  EXPECT_EQ(histogram.total(), 100u);
  EXPECT_EQ(histogram.quantile(0.9), 3u);
  EXPECT_EQ(histogram.quantile(1), 30u);
}

TEST(Histogram, PutsHugeValuesIntoTheLastBucket) {
  Histogram histogram;
  histogram.add(~std::uint64_t{0});
  EXPECT_EQ(histogram.quantile(1), (std::uint64_t{1} << 40) - 1);
}

TEST(Histogram, ForgetsOnClear) {
  Histogram histogram;
  histogram.add(5);
  histogram.clear();
  EXPECT_EQ(histogram.total(), 0u);
  EXPECT_EQ(histogram.quantile(1), 0u);
}

}  // namespace
}  // namespace anywire::bench
