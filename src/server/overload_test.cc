#include "server/overload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/clock.h"

namespace anywire::server {
namespace {

using Memory = Overload::Memory;

constexpr std::size_t kMax = 1000;

class OverloadTest : public ::testing::Test {
 protected:
  void start(const OverloadOptions& options) {
    overload = std::make_unique<Overload>(options);
    watch = std::make_unique<OverloadWatch>(
        *loop, *overload,
        OverloadWatch::Deeds{.resident = [this] { return resident; },
                             .give_memory_back =
                                 [this] {
                                   ++trims;
                                   resident = std::min(resident, after_trim) - kept;
                                   kept = 0;
                                 },
                             .disconnect_slowest =
                                 [this](std::size_t bytes, std::size_t most) {
                                   asked.push_back(bytes);
                                   EXPECT_EQ(most, OverloadWatch::kClosedPerLookMax);
                                   const std::size_t freed = std::min(bytes, slow);
                                   slow -= freed;
                                   resident -= keeps_freed ? 0 : freed;
                                   kept += keeps_freed ? freed : 0;
                                   return freed > 0 ? std::size_t{1} : std::size_t{0};
                                 }});
    loop->turn(Duration::zero());
  }
  // Looks that come when they should.
  void look(int times = 1) {
    for (int i = 0; i < times; ++i) {
      clock.advance(OverloadWatch::kLookInterval);
      loop->turn(Duration::zero());
    }
  }
  // One that comes so late.
  void look_late(Duration lag) {
    clock.advance(lag);
    look();
  }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  std::unique_ptr<Overload> overload;
  std::size_t resident = 100;
  std::size_t after_trim = SIZE_MAX;  // what is left then, at most
  std::size_t slow = 0;               // what slow readers have unread
  bool keeps_freed = false;           // until it is told to give it back
  std::size_t kept = 0;
  int trims = 0;
  std::vector<std::size_t> asked;
  std::unique_ptr<OverloadWatch> watch;
};

TEST_F(OverloadTest, IsOffUnlessThereIsACeiling) {
  start({});
  resident = SIZE_MAX;
  look_late(Duration(60'000));
  EXPECT_FALSE(watch->turns_newcomers_away());
  EXPECT_EQ(trims, 0);
}

TEST_F(OverloadTest, TurnsNewcomersAwayAtTheCeilingUntilNineTenthsAreLeft) {
  start({.memory_max = kMax});
  resident = 999;
  look(3);
  EXPECT_FALSE(watch->turns_newcomers_away());
  resident = 1000;
  look();
  EXPECT_TRUE(watch->turns_newcomers_away());
  EXPECT_EQ(overload->memory(), Memory::kShort);
  resident = 900;
  look(5);
  EXPECT_TRUE(watch->turns_newcomers_away()) << "no flapping";
  resident = 899;
  look();
  EXPECT_FALSE(watch->turns_newcomers_away());
  EXPECT_TRUE(asked.empty()) << "who reads slowly has been left alone";
}

TEST_F(OverloadTest, DisconnectsSlowReadersATenthAboveTheCeiling) {
  start({.memory_max = kMax});
  slow = 600;
  resident = 1099;
  look(3);
  EXPECT_TRUE(asked.empty());
  resident = 1100;
  look();
  EXPECT_THAT(asked, testing::ElementsAre(201)) << "as much as it takes to be below nine tenths";
  look();
  EXPECT_FALSE(watch->turns_newcomers_away());
  EXPECT_EQ(asked.size(), 1u);
}

TEST_F(OverloadTest, GoesOnUntilNineTenthsAreLeft) {
  start({.memory_max = kMax, .loops = 4});
  slow = 10'000;
  resident = 1300;
  look(100);
  // A quarter of what is too much, each time: the other loops do their part.
  ASSERT_GE(asked.size(), 3u);
  EXPECT_EQ(asked[0], 101u);
  EXPECT_EQ(asked[1], 75u);
  EXPECT_LT(resident, 900u);
  EXPECT_FALSE(watch->turns_newcomers_away());
}

TEST_F(OverloadTest, GivesBackWhatIsOnlyKeptForLaterFirst) {
  start({.memory_max = kMax});
  look(20);
  resident = 1500;
  after_trim = 300;
  look();
  EXPECT_EQ(trims, 1);
  EXPECT_FALSE(watch->turns_newcomers_away());
  resident = 1500;
  after_trim = SIZE_MAX;
  look(9);
  EXPECT_EQ(trims, 1) << "not more often than once in a second";
  look(2);
  EXPECT_EQ(trims, 2);
}

TEST_F(OverloadTest, CountsWhatDisconnectingHasWonBeforeItDisconnectsMore) {
  start({.memory_max = kMax});
  slow = 600;
  keeps_freed = true;
  resident = 1099;
  look();
  EXPECT_EQ(trims, 0);
  look(10);
  EXPECT_EQ(trims, 1) << "nothing to be won";
  resident = 1200;
  look();
  EXPECT_THAT(asked, testing::ElementsAre(301));
  EXPECT_EQ(resident, 1200u) << "freed, and kept for later";
  look();
  EXPECT_EQ(trims, 2) << "at once, not when the second is over";
  EXPECT_FALSE(watch->turns_newcomers_away());
  EXPECT_EQ(asked.size(), 1u);
}

TEST_F(OverloadTest, ALoopDisconnectsOnceForAMeasurement) {
  start({.memory_max = kMax, .loops = 2});
  const std::unique_ptr<reactor::Loop> other = *reactor::Loop::create({.index = 1}, clock);
  int other_asked = 0;
  const OverloadWatch watch_there(
      *other, *overload,
      OverloadWatch::Deeds{.resident = nullptr,
                           .give_memory_back = nullptr,
                           .disconnect_slowest = [&](std::size_t, std::size_t) {
                             ++other_asked;
                             return std::size_t{1};
                           }});
  const auto look_there = [&](int times) {
    for (int i = 0; i < times; ++i) {
      clock.advance(OverloadWatch::kLookInterval);
      other->turn(Duration::zero());
    }
  };
  resident = 1300;
  look();
  look_there(5);
  EXPECT_EQ(other_asked, 1) << "the first loop is late, and nothing has been measured";
  look();
  look_there(5);
  EXPECT_EQ(other_asked, 2);
}

TEST_F(OverloadTest, DoesNothingWhereTheSystemDoesNotSay) {
  start({.memory_max = kMax});
  resident = 0;
  look(3);
  EXPECT_FALSE(watch->turns_newcomers_away());
}

TEST_F(OverloadTest, TurnsNewcomersAwayWhenALoopIsLateTwiceInARow) {
  start({.loop_lag_max = Duration(200)});
  look_late(Duration(200));
  EXPECT_FALSE(watch->turns_newcomers_away()) << "once may happen to anybody";
  look();
  look_late(Duration(200));
  EXPECT_FALSE(watch->turns_newcomers_away());
  look_late(Duration(250));
  EXPECT_TRUE(watch->turns_newcomers_away());
  look(9);
  EXPECT_TRUE(watch->turns_newcomers_away());
  look_late(Duration(190));
  look(9);
  EXPECT_TRUE(watch->turns_newcomers_away()) << "a second without a break";
  look();
  EXPECT_FALSE(watch->turns_newcomers_away());
  EXPECT_TRUE(asked.empty());
}

TEST(ResidentBytes, AreThoseOfThisProcess) {
  const std::size_t before = resident_bytes();
  EXPECT_GT(before, std::size_t{1} << 20);
  const std::vector<char> more(64 << 20, 'x');
  EXPECT_GE(resident_bytes(), before + more.size() / 2);
}

}  // namespace
}  // namespace anywire::server
