#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

namespace anywire {
namespace {

TEST(Random, RepeatsItselfForTheSameSeed) {
  Random a(42), b(42), c(43);
  std::vector<std::uint64_t> from_a, from_b, from_c;
  for (int i = 0; i < 100; ++i) {
    from_a.push_back(a.next());
    from_b.push_back(b.next());
    from_c.push_back(c.next());
  }
  EXPECT_EQ(from_a, from_b);
  EXPECT_NE(from_a, from_c);
}

// Computed independently from the published definitions of splitmix64 and xoshiro256++; a replayed
// simulation depends on these never changing.
TEST(Random, KeepsItsSequenceAcrossReleases) {
  Random random(0);
  EXPECT_EQ(random.next(), 0x53175d61490b23dfu);
  EXPECT_EQ(random.next(), 0x61da6f3dc380d507u);
  EXPECT_EQ(random.next(), 0x5c0fdf91ec9a7bfcu);
}

TEST(Random, StaysBelowTheBoundAndReachesEveryValue) {
  Random random(1);
  for (const std::uint64_t bound : {1u, 2u, 3u, 7u, 10u}) {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(random.below(bound));
    EXPECT_EQ(seen.size(), bound);
    EXPECT_LT(*seen.rbegin(), bound);
  }
}

TEST(Random, StandsInForTheKernelWhileATestSaysSo) {
  const auto draw = [] {
    std::vector<std::uint8_t> bytes(21);
    secure_random(bytes);
    return bytes;
  };
  const auto replayed = [&draw] {
    Random source(9);
    const SecureRandomForTest replaced(source);
    return draw();
  };
  const std::vector<std::uint8_t> first = replayed();
  EXPECT_EQ(first, replayed());
  EXPECT_NE(first, draw()) << "and no longer";
}

TEST(Random, TakesTheLargestBound) {
  Random random(1);
  for (int i = 0; i < 100; ++i) EXPECT_LT(random.below(UINT64_MAX), UINT64_MAX);
}

TEST(Random, SpreadsValuesEvenly) {
  Random random(7);
  std::vector<int> counts(10);
  for (int i = 0; i < 100'000; ++i) ++counts[random.below(10)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);  // five standard deviations
}

TEST(Random, KeepsUnitInTheHalfOpenInterval) {
  Random random(3);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = random.unit();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Random, JittersUpToAndIncludingTheMaximum) {
  Random random(5);
  std::set<Duration> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.jitter(Duration(3)));
  EXPECT_EQ(seen, (std::set<Duration>{Duration(0), Duration(1), Duration(2), Duration(3)}));
}

TEST(Random, JittersNothingWithoutAMaximum) {
  Random random(5);
  EXPECT_EQ(random.jitter(Duration(0)), Duration(0));
  EXPECT_EQ(random.jitter(Duration(-5)), Duration(0));
}

TEST(Random, FillsAnyLength) {
  for (std::size_t size = 0; size < 20; ++size) {
    Random a(9), b(9);
    std::vector<std::uint8_t> bytes(size + 1, 0xee), longer(64);
    a.fill(MutableBytes(bytes).first(size));
    b.fill(longer);
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end() - 1, longer.begin())) << size;
    EXPECT_EQ(bytes.back(), 0xee) << size;
  }
}

TEST(Random, GivesEachThreadItsOwnSequence) {
  const Random* here = &Random::local();
  EXPECT_EQ(here, &Random::local());
  std::uint64_t elsewhere = 0;
  std::thread([&] { elsewhere = Random::local().next(); }).join();
  EXPECT_NE(Random::local().next(), elsewhere);
}

TEST(SecureRandom, FillsTheWholeBuffer) {
  // Long enough that getrandom may answer in parts; 64 zero bytes in a row have odds of 2^-512.
  std::vector<std::uint8_t> bytes(100'000);
  secure_random(bytes);
  for (std::size_t i = 0; i + 64 <= bytes.size(); i += 64) {
    const auto block = std::span(bytes).subspan(i, 64);
    EXPECT_TRUE(std::any_of(block.begin(), block.end(), [](std::uint8_t b) { return b != 0; }));
  }
}

TEST(SecureRandom, DiffersEachTime) {
  std::vector<std::uint8_t> a(32), b(32);
  secure_random(a);
  secure_random(b);
  EXPECT_NE(a, b);
}

TEST(SecureRandom, LeavesAnEmptyBufferAlone) { secure_random({}); }

}  // namespace
}  // namespace anywire
