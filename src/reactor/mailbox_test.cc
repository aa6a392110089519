#include "reactor/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <thread>
#include <vector>

namespace anywire::reactor {
namespace {

bool woken(const Mailbox& mailbox) {
  pollfd entry{mailbox.wake_fd(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

void drain(const Mailbox& mailbox) {
  std::uint64_t count = 0;
  ASSERT_EQ(::read(mailbox.wake_fd(), &count, sizeof count), static_cast<ssize_t>(sizeof count));
}

TEST(Mailbox, RunsTasksInTheOrderTheyWerePosted) {
  Mailbox mailbox;
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) mailbox.post([&order, i] { order.push_back(i); });
  EXPECT_EQ(mailbox.run_posted(), 100u);
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(mailbox.run_posted(), 0u);
}

TEST(Mailbox, ATaskPostedByATaskRunsTheNextTime) {
  Mailbox mailbox;
  int runs = 0;
  mailbox.post([&] {
    ++runs;
    mailbox.post([&] { ++runs; });
  });
  EXPECT_EQ(mailbox.run_posted(), 1u);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(mailbox.run_posted(), 1u);
  EXPECT_EQ(runs, 2);
}

TEST(Mailbox, RunsTheFirstOnesWhenToldHowMany) {
  Mailbox mailbox;
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) mailbox.post([&order, i] { order.push_back(i); });
  EXPECT_EQ(mailbox.run_posted(2), 2u);
  EXPECT_EQ(order, (std::vector<int>{0, 1}));
  EXPECT_EQ(mailbox.run_posted(0), 0u);
  mailbox.post([&order] { order.push_back(5); });
  EXPECT_EQ(mailbox.run_posted(), 4u);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST(Mailbox, WritesToTheDescriptorOnlyForASleeper) {
  Mailbox mailbox;
  mailbox.post([] {});
  EXPECT_FALSE(woken(mailbox));
  mailbox.run_posted();
  ASSERT_TRUE(mailbox.begin_sleep());
  mailbox.post([] {});
  EXPECT_TRUE(woken(mailbox));
  drain(mailbox);
  mailbox.post([] {});
  EXPECT_FALSE(woken(mailbox)) << "one wake-up is enough";
  mailbox.end_sleep();
  EXPECT_EQ(mailbox.run_posted(), 2u);
}

TEST(Mailbox, ForbidsSleepingOnUnreadMail) {
  Mailbox mailbox;
  mailbox.post([] {});
  EXPECT_FALSE(mailbox.begin_sleep());
  mailbox.end_sleep();
  mailbox.run_posted();
  EXPECT_TRUE(mailbox.begin_sleep());
  mailbox.end_sleep();
}

TEST(Mailbox, DropsUnrunTasksWithItself) {
  auto owned = std::make_shared<int>(1);
  {
    Mailbox mailbox;
    mailbox.post([owned] {});
    EXPECT_EQ(owned.use_count(), 2);
  }
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(Mailbox, ReleasesTasksOnceRun) {
  auto owned = std::make_shared<int>(1);
  Mailbox mailbox;
  mailbox.post([owned] {});
  mailbox.run_posted();
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(Mailbox, LosesNothingFromFourThreadsAndKeepsTheOrderOfEach) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 20'000;
  Mailbox mailbox;
  std::vector<int> next(kThreads, 0);
  bool in_order = true;
  std::vector<std::thread> posters;
  for (int t = 0; t < kThreads; ++t) {
    posters.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        mailbox.post([&, t, i] {
          in_order = in_order && next[static_cast<std::size_t>(t)] == i;
          next[static_cast<std::size_t>(t)] = i + 1;
        });
      }
    });
  }
  // Sleeps as a loop does; a lost wake-up would leave it in `poll` for good.
  std::size_t ran = 0;
  while (ran < std::size_t{kThreads} * kTasks) {
    if (mailbox.begin_sleep()) {
      pollfd entry{mailbox.wake_fd(), POLLIN, 0};
      ASSERT_EQ(::poll(&entry, 1, 60'000), 1) << "lost wake-up";
      drain(mailbox);
    }
    mailbox.end_sleep();
    ran += mailbox.run_posted();
  }
  for (std::thread& poster : posters) poster.join();
  EXPECT_TRUE(in_order);
  EXPECT_EQ(next, std::vector<int>(kThreads, kTasks));
}

}  // namespace
}  // namespace anywire::reactor
