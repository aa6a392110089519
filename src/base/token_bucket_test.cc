#include "base/token_bucket.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace anywire {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{Duration{1'000'000}};

int taken(TokenBucket& bucket, const BucketShape& shape, int tries, TimePoint now) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += bucket.take(shape, 1, now) ? 0 : 1;
  return count;
}

TEST(TokenBucket, TakesABurstAndThenTheRate) {
  const BucketShape shape({.amount = 100, .per = 1s, .burst = 5});
  TokenBucket bucket;
  EXPECT_EQ(taken(bucket, shape, 10, kStart), 5);
  EXPECT_EQ(taken(bucket, shape, 10, kStart + 10ms), 1);
  EXPECT_EQ(taken(bucket, shape, 1, kStart + 19ms), 0) << "not quite yet";
  EXPECT_EQ(taken(bucket, shape, 10, kStart + 20ms), 1) << "and what came in between cost nothing";
  EXPECT_EQ(taken(bucket, shape, 10, kStart + 1h), 5) << "no more is saved up than a burst";
}

TEST(TokenBucket, HoldsAsManyAtOnceAsTheRateNamesUnlessABurstIsGiven) {
  const BucketShape shape({.amount = 60, .per = 1min});
  TokenBucket bucket;
  EXPECT_EQ(taken(bucket, shape, 100, kStart), 60);
  EXPECT_EQ(taken(bucket, shape, 100, kStart + 999ms), 0);
  EXPECT_EQ(taken(bucket, shape, 100, kStart + 1s), 1);
}

TEST(TokenBucket, KeepsTheRateOverALongTime) {
  const BucketShape shape({.amount = 3, .per = 1s, .burst = 1});
  TokenBucket bucket;
  int count = 0;
  for (int ms = 0; ms < 3'600'000; ms += 7) count += taken(bucket, shape, 1, kStart + Duration(ms));
  // Every third of a second, rounded up to the next look.
  EXPECT_NEAR(count, 3 * 3600, 3 * 3600 / 40);
}

TEST(TokenBucket, SaysHowLongToWait) {
  const BucketShape shape({.amount = 10, .per = 1s, .burst = 2});
  TokenBucket bucket;
  EXPECT_EQ(bucket.take(shape, 2, kStart), std::nullopt);
  EXPECT_EQ(bucket.take(shape, 1, kStart), 100ms);
  EXPECT_EQ(bucket.take(shape, 2, kStart), 200ms);
  EXPECT_EQ(bucket.take(shape, 1, kStart + 99ms), 1ms);
  EXPECT_EQ(bucket.take(shape, 1, kStart + 100ms), std::nullopt) << "and then it is true";
  const BucketShape quick({.amount = 1'000'000, .per = 1s, .burst = 1});
  TokenBucket other;
  EXPECT_EQ(other.take(quick, 1, kStart), std::nullopt);
  EXPECT_EQ(other.take(quick, 1, kStart), 1ms) << "never nothing";
}

TEST(TokenBucket, TakesMoreThanABurstFromAFullBucketAndIsPaidBack) {
  const BucketShape shape({.amount = 100, .per = 1s, .burst = 100});
  TokenBucket bucket;
  EXPECT_EQ(bucket.take(shape, 1000, kStart), std::nullopt);
  EXPECT_EQ(bucket.take(shape, 1, kStart + 8s), 1010ms);
  EXPECT_EQ(bucket.take(shape, 1000, kStart + 9s), 1000ms) << "it needs all of a full one";
  EXPECT_EQ(bucket.take(shape, 1000, kStart + 10s), std::nullopt);
}

TEST(TokenBucket, GivesBackWhatWasNotUsed) {
  const BucketShape shape({.amount = 1, .per = 1s, .burst = 3});
  TokenBucket bucket;
  EXPECT_EQ(bucket.take(shape, 3, kStart), std::nullopt);
  bucket.give_back(shape, 2);
  EXPECT_EQ(taken(bucket, shape, 5, kStart), 2);
}

TEST(TokenBucket, KnowsWhenItIsFull) {
  const BucketShape shape({.amount = 10, .per = 1s});
  TokenBucket bucket;
  EXPECT_TRUE(bucket.full(kStart));
  bucket.take(shape, 1, kStart);
  EXPECT_FALSE(bucket.full(kStart + 99ms));
  EXPECT_TRUE(bucket.full(kStart + 100ms));
}

TEST(TokenBucket, MayBeMadeFasterAndDeeperThanItsRate) {
  const Rate rate{.amount = 10, .per = 1s, .burst = 4};
  TokenBucket fast, deep;
  const BucketShape ten_times(rate, 10, 10);
  EXPECT_EQ(taken(fast, ten_times, 100, kStart), 40);
  EXPECT_EQ(taken(fast, ten_times, 100, kStart + 100ms), 10);
  const BucketShape twice(rate, 1, 2);
  EXPECT_EQ(taken(deep, twice, 100, kStart), 8);
  EXPECT_EQ(taken(deep, twice, 100, kStart + 100ms), 1);
}

TEST(TokenBucket, BearsTheLargestNumbers) {
  const BucketShape most({.amount = Rate::kRateMax, .per = 1s, .burst = Rate::kRateMax});
  TokenBucket bucket;
  EXPECT_EQ(bucket.take(most, Rate::kRateMax, kStart), std::nullopt);
  EXPECT_NE(bucket.take(most, Rate::kRateMax, kStart), std::nullopt);
  const BucketShape slow({.amount = 1, .per = 1h, .burst = 8784});
  TokenBucket other;
  EXPECT_EQ(other.take(slow, 8784, kStart), std::nullopt);
  EXPECT_EQ(other.take(slow, 1, kStart), 1h);
  EXPECT_EQ(other.take(slow, UINT64_MAX, kStart + 24h * 367), std::nullopt);
  EXPECT_GT(*other.take(slow, 1, kStart + 24h * 367), 24h * 1000) << "no overflow";
}

TEST(TokenBucket, IsNoLimitWithoutARate) {
  EXPECT_FALSE(BucketShape().limited());
  EXPECT_FALSE(BucketShape(Rate{}).limited());
  EXPECT_TRUE(BucketShape(Rate{.amount = 1}).limited());
}

TEST(TokenBucket, IsTakenFromByManyThreadsAtOnceWithoutLosingCount) {
  constexpr int kThreads = 4;
  const BucketShape shape({.amount = 1, .per = 1h, .burst = 5000});
  TokenBucket bucket;
  std::array<int, kThreads> counts{};
  {
    std::vector<std::jthread> threads;
    for (int& count : counts) {
      threads.emplace_back([&] {
        for (int i = 0; i < 4000; ++i) {
          if (bucket.take(shape, 1, kStart)) continue;
          ++count;
          // What is given back may be had again.
          if (i % 4 == 0) {
            bucket.give_back(shape, 1);
            --count;
          }
        }
      });
    }
  }
  int total = 0;
  for (const int count : counts) total += count;
  // A refusal may be of one that is given back right afterwards.
  EXPECT_LE(total, 5000);
  EXPECT_GE(total + taken(bucket, shape, 5000, kStart), 5000);
}

}  // namespace
}  // namespace anywire
