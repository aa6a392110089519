#include "reactor/timer_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace anywire::reactor {
namespace {

constexpr TimePoint kStart{Duration{5'000}};

TimePoint at(std::int64_t ms) { return kStart + Duration{ms}; }

class Probe final : public Timer {
 public:
  void on_timer() override {
    ++fired;
    if (then) then();
  }
  int fired = 0;
  std::function<void()> then;
};

TEST(TimerWheel, FiresAtTheDeadlineAndNotBefore) {
  // Both sides of each border between the wheels.
  for (const std::int64_t delay : {1LL, 2LL, 63LL, 64LL, 65LL, 4095LL, 4096LL, 4097LL, 262'143LL,
                                   262'144LL, 262'145LL, 16'777'215LL, 16'777'216LL,
                                   1'073'741'823LL}) {
    // From several positions within the wheels.
    for (const std::int64_t position : {0LL, 1LL, 63LL, 64LL, 4095LL, 123'456LL}) {
      TimerWheel wheel(kStart);
      wheel.advance(at(position));
      Probe timer;
      wheel.arm(timer, at(position + delay));
      wheel.advance(at(position + delay - 1));
      ASSERT_EQ(timer.fired, 0) << delay << " from " << position;
      wheel.advance(at(position + delay));
      ASSERT_EQ(timer.fired, 1) << delay << " from " << position;
      EXPECT_FALSE(timer.armed());
    }
  }
}

TEST(TimerWheel, APastDeadlineFiresAtTheNextTick) {
  TimerWheel wheel(kStart);
  wheel.advance(at(1000));
  Probe timer;
  wheel.arm(timer, at(10));
  wheel.advance(at(1000));
  EXPECT_EQ(timer.fired, 0);
  wheel.advance(at(1001));
  EXPECT_EQ(timer.fired, 1);
}

TEST(TimerWheel, FiresInOrderOfDeadlineInOneAdvance) {
  TimerWheel wheel(kStart);
  std::vector<int> order;
  const std::int64_t deadlines[] = {5000, 3, 64, 70'000, 63, 4096, 300'000};
  Probe timers[7];
  for (int i = 0; i < 7; ++i) {
    timers[i].then = [&order, &deadlines, i] { order.push_back(static_cast<int>(deadlines[i])); };
    wheel.arm(timers[i], at(deadlines[i]));
  }
  wheel.advance(at(400'000));
  EXPECT_EQ(order, (std::vector<int>{3, 63, 64, 4096, 5000, 70'000, 300'000}));
}

TEST(TimerWheel, ArmingAgainMovesTheDeadline) {
  TimerWheel wheel(kStart);
  Probe timer;
  wheel.arm(timer, at(100));
  wheel.arm(timer, at(5000));
  wheel.advance(at(4999));
  EXPECT_EQ(timer.fired, 0);
  wheel.arm(timer, at(5001));
  wheel.advance(at(5000));
  EXPECT_EQ(timer.fired, 0);
  wheel.advance(at(5001));
  EXPECT_EQ(timer.fired, 1);
}

TEST(TimerWheel, DisarmedAndDestroyedTimersDoNotFire) {
  TimerWheel wheel(kStart);
  Probe timer;
  auto doomed = std::make_unique<Probe>();
  bool fired = false;
  doomed->then = [&fired] { fired = true; };
  wheel.arm(timer, at(50));
  wheel.arm(*doomed, at(50));
  timer.disarm();
  doomed.reset();
  EXPECT_FALSE(timer.armed());
  wheel.advance(at(100));
  EXPECT_EQ(timer.fired, 0);
  EXPECT_FALSE(fired);
}

TEST(TimerWheel, ACallbackMayArmItsOwnTimerAgain) {
  TimerWheel wheel(kStart);
  Probe timer;
  std::int64_t now = 0;
  timer.then = [&] { wheel.arm(timer, at(now + 10)); };
  wheel.arm(timer, at(10));
  for (now = 1; now <= 100; ++now) wheel.advance(at(now));
  EXPECT_EQ(timer.fired, 10);
}

TEST(TimerWheel, ACallbackThatArmsItselfForNowDoesNotHoldUpTheLoop) {
  TimerWheel wheel(kStart);
  Probe timer;
  timer.then = [&] { wheel.arm(timer, at(1000)); };
  wheel.arm(timer, at(10));
  wheel.advance(at(1000));
  EXPECT_EQ(timer.fired, 2) << "once at 10, once at 1000; the third waits for the next advance";
  wheel.advance(at(1001));
  EXPECT_EQ(timer.fired, 3);
}

TEST(TimerWheel, ACallbackMayDestroyItsOwnTimerAndOthersOfTheSameTick) {
  TimerWheel wheel(kStart);
  std::vector<std::unique_ptr<Probe>> timers;
  int fired = 0;
  for (int i = 0; i < 5; ++i) {
    timers.push_back(std::make_unique<Probe>());
    timers.back()->then = [&] {
      ++fired;
      timers.clear();
    };
    wheel.arm(*timers.back(), at(20));
  }
  wheel.advance(at(30));
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(wheel.until_next(), TimerWheel::kNever);
}

TEST(TimerWheel, ACallbackMayDisarmOthersOfTheSameTick) {
  TimerWheel wheel(kStart);
  Probe first;
  Probe second;
  first.then = [&] { second.disarm(); };
  second.then = [&] { first.disarm(); };
  wheel.arm(first, at(20));
  wheel.arm(second, at(20));
  wheel.advance(at(30));
  EXPECT_EQ(first.fired + second.fired, 1);
}

TEST(TimerWheel, ADestroyedWheelLeavesItsTimersDisarmed) {
  Probe timer;
  {
    TimerWheel wheel(kStart);
    wheel.arm(timer, at(20));
  }
  EXPECT_FALSE(timer.armed());
}

TEST(TimerWheel, SleepNeverOvershootsADeadlineAndEndsAtIt) {
  TimerWheel wheel(kStart);
  EXPECT_EQ(wheel.until_next(), TimerWheel::kNever);
  Probe timer;
  wheel.arm(timer, at(300'000));
  std::int64_t now = 0;
  int wakes = 0;
  while (timer.fired == 0) {
    const Duration sleep = wheel.until_next();
    ASSERT_GT(sleep, Duration::zero());
    ASSERT_LE(now + sleep.count(), 300'000);
    now += sleep.count();
    wheel.advance(at(now));
    ++wakes;
  }
  EXPECT_EQ(now, 300'000);
  EXPECT_LE(wakes, 5) << "one per wheel at most";
  EXPECT_EQ(wheel.until_next(), TimerWheel::kNever);
}

TEST(TimerWheel, SurvivesTheWrapOfItsTickCounter) {
  TimerWheel wheel(kStart);
  const std::int64_t wrap = std::int64_t{1} << 32;
  wheel.advance(at(wrap - 1000));
  Probe before;
  Probe after;
  Probe far;
  wheel.arm(before, at(wrap - 1));
  wheel.arm(after, at(wrap + 5));
  wheel.arm(far, at(wrap + 500'000));
  wheel.advance(at(wrap - 2));
  EXPECT_EQ(before.fired, 0);
  wheel.advance(at(wrap + 4));
  EXPECT_EQ(before.fired, 1);
  EXPECT_EQ(after.fired, 0);
  wheel.advance(at(wrap + 5));
  EXPECT_EQ(after.fired, 1);
  wheel.advance(at(wrap + 499'999));
  EXPECT_EQ(far.fired, 0);
  wheel.advance(at(wrap + 500'000));
  EXPECT_EQ(far.fired, 1);
}

// The same operations against a sorted list, which is slow and obviously right.
class Model {
 public:
  explicit Model(unsigned seed) : random_(seed) {
    for (int i = 0; i < kTimers; ++i) {
      timers_[i].then = [this, i] { on_fired(i); };
    }
  }

  void step() {
    const int i = static_cast<int>(random_() % kTimers);
    switch (random_() % 8) {
      case 0: case 1: case 2: arm(i); break;
      case 3: disarm(i); break;
      default: advance(); break;
    }
    ASSERT_EQ(timers_[i].armed(), deadlines_.contains(i));
  }

 private:
  static constexpr int kTimers = 50;

  std::int64_t random_delay() {
    // As many short ones as long ones, over all wheels.
    return static_cast<std::int64_t>(random_() % (1ull << (random_() % 25)));
  }
  void arm(int i) {
    // What is due already fires at the next tick, counted from where the wheel stands.
    const std::int64_t deadline = now_ + random_delay() - 2;
    wheel_.arm(timers_[i], at(deadline));
    deadlines_[i] = std::max(deadline, position_ + 1);
  }
  void disarm(int i) {
    timers_[i].disarm();
    deadlines_.erase(i);
  }
  void advance() {
    now_ += random_delay();
    fired_.clear();
    last_ = position_;
    wheel_.advance(at(now_));
    position_ = now_;
    for (const auto& [i, deadline] : deadlines_) {
      ASSERT_GT(deadline, now_) << "timer " << i << " is late";
    }
    check_sleep();
  }
  void check_sleep() {
    std::int64_t earliest = -1;
    for (const auto& [i, deadline] : deadlines_) {
      if (earliest < 0 || deadline < earliest) earliest = deadline;
    }
    if (earliest < 0) return;
    ASSERT_LE(wheel_.until_next().count(), earliest - now_);
  }
  void on_fired(int i) {
    ASSERT_TRUE(deadlines_.contains(i)) << "timer " << i << " was not armed";
    const std::int64_t deadline = deadlines_[i];
    deadlines_.erase(i);
    ASSERT_LE(deadline, now_) << "timer " << i << " is early";
    ASSERT_GE(deadline, last_) << "timer " << i << " is out of order";
    last_ = deadline;
    position_ = deadline;
    // Some callbacks disarm or arm something.
    const int other = static_cast<int>(random_() % kTimers);
    if (random_() % 4 == 0) arm(other);
    if (random_() % 16 == 0) disarm(other);
  }

  std::mt19937_64 random_;
  TimerWheel wheel_{kStart};
  Probe timers_[kTimers];
  std::map<int, std::int64_t> deadlines_;
  std::vector<int> fired_;
  std::int64_t now_ = 0;
  std::int64_t position_ = 0;
  std::int64_t last_ = 0;
};

TEST(TimerWheel, BehavesLikeASortedList) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    Model model(seed);
    for (int i = 0; i < 10'000 && !::testing::Test::HasFatalFailure(); ++i) model.step();
    ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace anywire::reactor
