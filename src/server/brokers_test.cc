// The brokers as the configuration wants them: in memory or on disk, within the server's limits.
#include "server/brokers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/log.h"
#include "broker/testing/sqlite_fixture.h"

namespace anywire::server {
namespace {

using broker::draft_of;
using broker::durable;
using broker::Listener;
using broker::StreamOptions;
using testing::EndsWith;
using testing::StartsWith;

StreamOptions volatile_options(std::size_t messages) {
  StreamOptions options = durable(messages);
  options.durable = false;
  return options;
}

class BrokersTest : public testing::Test {
 protected:
  void SetUp() override { log::configure({.level = log::Level::kError, .fd = -1}); }
  void TearDown() override { log::configure({}); }

  BrokerGroup& open(std::size_t loops) {
    for (std::size_t i = 0; i < loops; ++i) {
      loops_.push_back(*reactor::Loop::create({.index = static_cast<std::uint32_t>(i)}, clock_));
      loop_list_.push_back(loops_.back().get());
    }
    return open();
  }
  BrokerGroup& open() {
    group_.reset();
    auto opened = BrokerGroup::open(section_, loop_list_, wall_);
    if (!opened) {
      ADD_FAILURE() << opened.error().message;
      abort();
    }
    group_ = *std::move(opened);
    return *group_;
  }
  std::string refusal() {
    const auto opened = BrokerGroup::open(section_, loop_list_, wall_);
    return opened ? "" : opened.error().message;
  }
  // Turns the loops until `done` is true.
  template <typename Probe>
  void turn_until(Probe done) {
    while (!done()) {
      for (const auto& loop : loops_) loop->turn(Duration(1));
    }
  }
  // The answer to one publish.
  auto publish(Listener& listener, std::string_view text, std::string key = "") {
    listener.answers.clear();
    listener.publish(text, std::move(key));
    turn_until([&] { return !listener.answers.empty(); });
    return listener.answers[0];
  }

  broker::TemporaryFolder folder_;
  ManualClock clock_;
  ManualWallClock wall_;
  HistorySection section_;
  std::vector<std::unique_ptr<reactor::Loop>> loops_;
  std::vector<reactor::Loop*> loop_list_;
  std::unique_ptr<BrokerGroup> group_;
};

TEST_F(BrokersTest, WithoutAPathEverythingIsInMemory) {
  BrokerGroup& group = open(2);
  EXPECT_EQ(group.store(), nullptr);
  Listener stream(group.broker(1), "a", volatile_options(10));
  EXPECT_TRUE(publish(stream, "1").has_value());
  Listener disk(group.broker(0), "b", durable(10));
  EXPECT_EQ(publish(disk, "1").error(), broker::BrokerError::kUnavailable);
}

TEST_F(BrokersTest, WithAPathDurableStreamsOfAllLoopsAreInOneFile) {
  section_.path = folder_.file();
  broker::Position positions[2];
  for (int life = 0; life < 2; ++life) {
    BrokerGroup& group = life == 0 ? open(2) : open();
    ASSERT_NE(group.store(), nullptr);
    for (std::size_t loop = 0; loop < 2; ++loop) {
      // Channels have no home on disk: the other life has another number of loops perhaps.
      Listener stream(group.broker(life == 0 ? loop : 1 - loop), "a" + std::to_string(loop),
                      durable(10));
      const auto result = publish(stream, "x", "key");
      ASSERT_TRUE(result.has_value());
      if (life == 0) positions[loop] = result->position;
      EXPECT_EQ(result->duplicate, life == 1);
      EXPECT_EQ(result->position, positions[loop]);
    }
  }
}

TEST_F(BrokersTest, WithAPathOtherStreamsStayInMemory) {
  section_.path = folder_.file();
  BrokerGroup& group = open(1);
  Listener stream(group.broker(0), "a", volatile_options(10));
  stream.publish("1");
  EXPECT_EQ(stream.texts(), "1") << "within the call";
  EXPECT_EQ(group.store()->commits(), 0u);
}

TEST_F(BrokersTest, LoopsShareTheMemoryForHistory) {
  section_.memory_max = 1024 * 1024;
  for (const char* path : {"", "history.db"}) {
    section_.path = *path == '\0' ? "" : folder_.file(path);
    loops_.clear();
    loop_list_.clear();
    BrokerGroup& group = open(2);
    Listener stream(group.broker(0), "a", volatile_options(1000));
    for (int i = 0; i < 200; ++i) stream.publish(std::string(10'000, 'x'));
    EXPECT_LE(group.broker(0).history_bytes(), 512u * 1024);
    EXPECT_GT(group.broker(0).history_bytes(), 480u * 1024);
    stream.read({.after = 0, .bytes_max = 10'000'000});
    EXPECT_GT(stream.pages.at(0)->oldest, 100u) << "what went is not hidden";
    stream.stream.reset();
    group_.reset();
  }
}

TEST_F(BrokersTest, LoopsShareTheKeys) {
  section_.idempotency_keys_max = 10;
  BrokerGroup& group = open(2);
  Listener stream(group.broker(0), "a", volatile_options(0));
  for (int i = 0; i < 6; ++i) publish(stream, "x", std::to_string(i));
  EXPECT_FALSE(publish(stream, "x", "0")->duplicate) << "the oldest was forgotten";
  EXPECT_TRUE(publish(stream, "x", "5")->duplicate);
}

TEST_F(BrokersTest, TheFileHasItsLargestSize) {
  section_.path = folder_.file();
  section_.disk_max = 1024 * 1024;
  BrokerGroup& group = open(1);
  Listener stream(group.broker(0), "a", durable(100'000));
  std::size_t published = 0;
  while (publish(stream, std::string(10'000, 'x')).has_value()) ++published;
  EXPECT_GT(published, 50u);
  EXPECT_LT(published, 105u);
  EXPECT_LE(std::filesystem::file_size(folder_.file()), section_.disk_max);
}

TEST_F(BrokersTest, AFileThatCannotBeUsedIsRefusedInOneLineWithItsName) {
  section_.path = folder_.path() + "/missing/history.db";
  loops_.push_back(*reactor::Loop::create({.index = 0}, clock_));
  loop_list_.push_back(loops_.back().get());
  EXPECT_EQ(refusal(), "\"history.path\" (\"" + section_.path + "\"): the file, or its log, cannot "
                       "be opened or made: No such file or directory");
  section_.path = folder_.file();
  open();
  EXPECT_THAT(refusal(), StartsWith("\"history.path\" (\"" + section_.path + "\"): "));
  EXPECT_THAT(refusal(), EndsWith("another process uses the file, perhaps a second server"));
  group_.reset();
  EXPECT_EQ(refusal(), "");
}

TEST_F(BrokersTest, WhatHasHadItsTimeGoesThoughNobodyUsesIt) {
  section_.path = folder_.file();
  BrokerGroup& group = open(1);
  const auto sweeps = [&] { return group.store()->commits(); };
  for (std::uint64_t i = 1; i <= 3; ++i) {
    clock_.advance(Duration(5000));
    turn_until([&] { return sweeps() >= i; });
  }
  for (int i = 0; i < 10; ++i) loops_[0]->turn(Duration(0));
  EXPECT_EQ(sweeps(), 3u) << "only when it is time";
}

// The loops turn by themselves.
class RunningBrokersTest : public BrokersTest {
 protected:
  ~RunningBrokersTest() override { stop(); }
  void run() {
    for (const auto& loop : loops_) threads_.emplace_back([&loop] { loop->run(); });
  }
  void stop() {
    for (const auto& loop : loops_) loop->stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  std::vector<std::thread> threads_;
};

TEST_F(RunningBrokersTest, SettleWaitsUntilPublishersOfAllLoopsAreAnswered) {
  section_.path = folder_.file();
  BrokerGroup& group = open(2);
  auto stream = std::make_unique<Listener>(group.broker(1), "a", durable(1000));
  run();
  std::atomic<int> answered = 0;
  constexpr int kRounds = 20;
  for (int i = 1; i <= kRounds; ++i) {
    // As a client of loop 0 does with a channel of loop 1.
    loops_[0]->post([&] {
      loops_[1]->post([&] {
        stream->stream->publish({draft_of(std::string(10'000, 'x')), ""}, [&](const auto& result) {
          if (result) loops_[0]->post([&] { ++answered; });
        });
      });
    });
    EXPECT_TRUE(group.settle(Duration(60'000)));
    EXPECT_EQ(answered, i);
  }
  stop();
  stream.reset();
  group_.reset();
}

TEST_F(RunningBrokersTest, SettleHoldsWithMemoryAlone) {
  BrokerGroup& group = open(3);
  run();
  std::atomic<bool> passed = false;
  loops_[2]->post([&] { loops_[1]->post([&] { loops_[2]->post([&] { passed = true; }); }); });
  EXPECT_TRUE(group.settle(Duration(60'000)));
  EXPECT_TRUE(passed);
}

TEST_F(BrokersTest, SettleGivesUpWhenALoopHangs) {
  BrokerGroup& group = open(1);
  EXPECT_FALSE(group.settle(Duration(20)));
  EXPECT_FALSE(group.settle(Duration(0)));
  loops_[0]->turn(Duration(0));  // late, and of no harm
}

}  // namespace
}  // namespace anywire::server
