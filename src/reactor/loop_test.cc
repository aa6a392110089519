#include "reactor/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace anywire::reactor {
namespace {

class Probe final : public Watcher, public Timer, public TurnEndHook {
 public:
  explicit Probe(std::function<void()> work = {}) : then(std::move(work)) {}
  void on_ready(std::uint32_t ready) override {
    last_ready = ready;
    run();
  }
  void on_timer() override { run(); }
  void on_turn_end() override { run(); }

  std::function<void()> then;
  std::uint32_t last_ready = 0;
  int calls = 0;

 private:
  void run() {
    ++calls;
    if (then) then();
  }
};

class LoopTest : public ::testing::Test {
 protected:
  LoopTest() {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
  }
  ~LoopTest() override {
    for (const int fd : fds) ::close(fd);
  }
  void turn() { loop->turn(Duration::zero()); }

  ManualClock clock;
  std::unique_ptr<Loop> loop = *Loop::create({.index = 3}, clock);
  std::array<int, 2> fds{};
};

TEST_F(LoopTest, TurnsWithoutTheKernelForASimulator) {
  std::string log;
  Probe hook([&log] { log += "h"; });
  loop->add_turn_end_hook(hook);
  for (int i = 0; i < 3; ++i) loop->post([&log, i] { log += std::to_string(i); });
  clock.advance(Duration{7});
  const TimePoint before = loop->now();
  loop->turn_for_test([&] { log += loop->now() == before + Duration{7} ? "a" : "?"; }, 2);
  EXPECT_EQ(log, "a01h") << "arrivals in their time, some of the mail, then the end of the turn";
  loop->turn_for_test([&log] { log += "a"; }, SIZE_MAX);
  EXPECT_EQ(log, "a01ha2h");
  loop->remove_turn_end_hook(hook);
}

TEST_F(LoopTest, ReportsReadinessAsLongAsItLasts) {
  Probe watcher;
  ASSERT_TRUE(loop->watch(fds[0], kReadable, watcher));
  turn();
  EXPECT_EQ(watcher.calls, 0);
  ASSERT_EQ(::write(fds[1], "x", 1), 1);
  turn();
  turn();
  EXPECT_EQ(watcher.calls, 2);
  EXPECT_EQ(watcher.last_ready, kReadable);
  loop->update(fds[0], kWritable, watcher);
  turn();
  EXPECT_EQ(watcher.last_ready, kWritable);
  loop->update(fds[0], 0, watcher);
  turn();
  EXPECT_EQ(watcher.calls, 3);
  loop->update(fds[0], kReadable, watcher);
  loop->unwatch(fds[0]);
  turn();
  EXPECT_EQ(watcher.calls, 3);
}

TEST_F(LoopTest, ReportsAHangUpEvenWithoutInterest) {
  Probe watcher;
  ASSERT_TRUE(loop->watch(fds[0], 0, watcher));
  ::shutdown(fds[0], SHUT_RDWR);
  turn();
  EXPECT_EQ(watcher.last_ready & kError, kError);
}

TEST_F(LoopTest, CannotWatchWhatIsNotADescriptor) {
  Probe watcher;
  const auto watched = loop->watch(-1, kReadable, watcher);
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().code, ErrorCode::kIo);
  EXPECT_EQ(watched.error().system_errno, EBADF);
}

TEST_F(LoopTest, ATurnGoesReadinessThenTasksThenTimersThenHooksThenDeletion) {
  std::string order;
  Probe watcher([&] { order += "watcher "; });
  Probe timer([&] { order += "timer "; });
  Probe first_hook([&] { order += "first "; });
  Probe second_hook([&] { order += "second "; });
  struct Doomed {
    explicit Doomed(std::string& text) : out(text) {}
    ~Doomed() { out += "deleted"; }
    std::string& out;
  };
  ASSERT_TRUE(loop->watch(fds[0], kWritable, watcher));
  loop->add_turn_end_hook(first_hook);
  loop->add_turn_end_hook(second_hook);
  loop->arm(timer, Duration{5});
  clock.advance(Duration{5});
  loop->post([&] { order += "task "; });
  loop->defer_delete(std::make_unique<Doomed>(order));
  turn();
  EXPECT_EQ(order, "watcher task timer first second deleted");
  loop->remove_turn_end_hook(first_hook);
  order.clear();
  loop->update(fds[0], 0, watcher);
  turn();
  EXPECT_EQ(order, "second ");
}

TEST_F(LoopTest, DeferredDeletionReachesWhatADestructorAdds) {
  struct Link {
    Link(Loop& l, int& c, int n) : loop(l), count(c), left(n) {}
    ~Link() {
      ++count;
      if (left > 0) loop.defer_delete(std::make_unique<Link>(loop, count, left - 1));
    }
    Loop& loop;
    int& count;
    int left;
  };
  int destroyed = 0;
  loop->defer_delete(std::make_unique<Link>(*loop, destroyed, 20));
  turn();
  EXPECT_EQ(destroyed, 21);
}

TEST_F(LoopTest, DestroysWhatIsStillDoomedWithItself) {
  auto owned = std::make_shared<int>(1);
  loop->defer_delete(std::make_unique<std::shared_ptr<int>>(owned));
  loop.reset();
  EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(LoopTest, TimeStandsStillWithinATurn) {
  const TimePoint before = loop->now();
  clock.advance(Duration{40});
  EXPECT_EQ(loop->now(), before);
  EXPECT_EQ(loop->now_ms(), 0u);
  turn();
  EXPECT_EQ(loop->now(), before + Duration{40});
  EXPECT_EQ(loop->now_ms(), 40u);
  EXPECT_EQ(loop->index(), 3u);
}

TEST_F(LoopTest, MailLetsNoTurnSleep) {
  int runs = 0;
  loop->post([&] {
    ++runs;
    loop->post([&] { ++runs; });
  });
  loop->turn(TimerWheel::kNever);
  loop->turn(TimerWheel::kNever);
  EXPECT_EQ(runs, 2);
}

TEST(Loop, SleepsUntilATimerAndWakesForMailFromOtherThreads) {
  SystemClock clock;
  const auto loop = *Loop::create({}, clock);
  Probe timer([&] { loop->stop(); });
  loop->arm(timer, Duration{20});
  const TimePoint started = clock.now();
  loop->run();
  EXPECT_EQ(timer.calls, 1);
  EXPECT_GE(clock.now() - started, Duration{20});

  const auto second = *Loop::create({}, clock);
  int runs = 0;
  std::thread poster([&] {
    for (int i = 0; i < 1000; ++i) second->post([&] { ++runs; });
    second->stop();
  });
  second->run();
  poster.join();
  EXPECT_EQ(runs, 1000);
}

TEST(Loop, FourLoopsPassABallAround) {
  constexpr int kLoops = 4;
  constexpr int kHops = 4000;
  SystemClock clock;
  std::vector<std::unique_ptr<Loop>> loops;
  for (std::uint32_t i = 0; i < kLoops; ++i) loops.push_back(*Loop::create({.index = i}, clock));
  int hops = 0;
  std::function<void(std::size_t)> pass = [&](std::size_t where) {
    if (++hops == kHops) {
      for (auto& loop : loops) loop->stop();
      return;
    }
    const std::size_t next = (where + 1) % kLoops;
    loops[next]->post([&pass, next] { pass(next); });
  };
  loops[0]->post([&] { pass(0); });
  std::vector<std::thread> threads;
  for (auto& loop : loops) threads.emplace_back([&loop] { loop->run(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(hops, kHops);
}

}  // namespace
}  // namespace anywire::reactor
