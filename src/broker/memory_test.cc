#include "broker/memory.h"

#include <gtest/gtest.h>

#include <set>

#include "broker/testing/contract.h"

namespace anywire::broker {

class MemoryUnderTest final : public BrokerUnderTest {
 public:
  explicit MemoryUnderTest(const BrokerLimits& limits) : broker_(limits, clock_) {}
  Broker& broker() override { return broker_; }
  ManualWallClock& clock() override { return clock_; }
  void settle() override {}

 private:
  ManualWallClock clock_;
  MemoryBroker broker_;
};

INSTANTIATE_TEST_SUITE_P(
    Memory, BrokerContract,
    testing::Values(ContractCase{.name = "Memory", .make = [](const BrokerLimits& limits) {
      return std::make_unique<MemoryUnderTest>(limits);
    }}),
    contract_case_name);

namespace {

StreamOptions keeping(std::size_t messages) {
  StreamOptions options;
  options.history_messages = messages;
  return options;
}

HistoryPage read(Listener& listener, const HistoryQuery& query = {}) {
  listener.pages.clear();
  listener.read(query);
  return std::move(*listener.pages.at(0));
}

class MemoryBrokerTest : public testing::Test {
 protected:
  MemoryBroker& start(const BrokerLimits& limits = {}) { return broker_.emplace(limits, clock_); }
  std::unique_ptr<Listener> open(const std::string& channel, const StreamOptions& options = {}) {
    return std::make_unique<Listener>(*broker_, channel, options);
  }

  ManualWallClock clock_;
  std::optional<MemoryBroker> broker_;
};

TEST_F(MemoryBrokerTest, AnswersWithinTheCall) {
  start();
  const auto a = open("a", keeping(5));
  a->publish("1");
  EXPECT_EQ(a->log, (std::vector<std::string>{"pub 1", "done"}));
  EXPECT_EQ(texts_of(read(*a).publications), "1");
}

TEST_F(MemoryBrokerTest, RefusesToCallDurableWhatIsNot) {
  start();
  StreamOptions options = keeping(5);
  options.durable = true;
  const auto a = open("a", options);
  a->publish("1");
  ASSERT_EQ(a->answers.size(), 1u);
  EXPECT_EQ(a->answers[0].error(), BrokerError::kUnavailable);
  EXPECT_TRUE(a->got.empty());
}

TEST_F(MemoryBrokerTest, ASeedGivesTheSameEpochs) {
  const auto epochs = [&](std::uint64_t seed) {
    Random random(seed);
    MemoryBroker broker({}, clock_, &random);
    std::vector<std::uint64_t> all;
    for (const char* name : {"a", "b", "c"}) {
      all.push_back(Listener(broker, name, {}).stream->top().epoch);
    }
    return all;
  };
  EXPECT_EQ(epochs(1), epochs(1));
  EXPECT_NE(epochs(1), epochs(2));
}

TEST_F(MemoryBrokerTest, EpochsDifferWithoutASeed) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(new_epoch(nullptr));
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_FALSE(seen.contains(0));
}

TEST_F(MemoryBrokerTest, PagesHoldReferencesAndNoCopies) {
  start();
  const auto a = open("a", keeping(5));
  a->publish("1");
  EXPECT_EQ(read(*a).publications[0].get(), a->got[0].get());
}

TEST_F(MemoryBrokerTest, TheStreamLongestUnusedLosesItsHeadFirst) {
  BrokerLimits limits;
  limits.history_bytes_max = 10 * (kPublicationCost + 101);
  start(limits);
  const auto a = open("a", keeping(100)), b = open("b", keeping(100)), c = open("c", keeping(100));
  for (auto* one : {&a, &b, &c}) {
    for (int i = 0; i < 3; ++i) (*one)->publish(std::string(100, 'x'));
  }
  read(*a);  // used again: b is the longest unused now
  for (int i = 0; i < 3; ++i) c->publish(std::string(100, 'x'));
  EXPECT_EQ(read(*a).oldest, 1u);
  EXPECT_EQ(read(*b).oldest, 3u);
  EXPECT_EQ(read(*c).oldest, 1u);
  EXPECT_LE(broker_->history_bytes(), limits.history_bytes_max);
}

TEST_F(MemoryBrokerTest, EvictionKeepsTheEpochOfAStream) {
  BrokerLimits limits;
  limits.history_bytes_max = 2000;
  start(limits);
  const auto a = open("a", keeping(100)), b = open("b", keeping(100));
  a->publish("1");
  const Position top = a->stream->top();
  for (int i = 0; i < 10; ++i) b->publish("x");
  const HistoryPage page = read(*a);
  EXPECT_EQ(page.top, top);
  EXPECT_EQ(page.oldest, 2u);
  EXPECT_EQ(a->resets, 0);
}

TEST_F(MemoryBrokerTest, AnIdleStreamThatLostAllToEvictionIsForgottenLater) {
  BrokerLimits limits;
  limits.history_bytes_max = 2000;
  start(limits);
  open("idle", keeping(100))->publish("1");
  const auto b = open("b", keeping(100));
  for (int i = 0; i < 10; ++i) b->publish("x");
  EXPECT_EQ(broker_->streams(), 2u);
  clock_.advance(limits.forget_after);
  broker_->expire();
  EXPECT_EQ(broker_->streams(), 1u);
}

TEST_F(MemoryBrokerTest, AMessageLargerThanTheTotalIsDeliveredAndNotKept) {
  BrokerLimits limits;
  limits.history_bytes_max = 1000;
  start(limits);
  const auto a = open("a", keeping(100));
  a->publish("1");
  a->publish(std::string(5000, 'x'));
  EXPECT_EQ(a->got.size(), 2u);
  EXPECT_EQ(broker_->history_bytes(), 0u);
  EXPECT_EQ(read(*a).oldest, 3u);
}

TEST_F(MemoryBrokerTest, HistoryBytesCountEverythingOnceAndGoBackToZero) {
  start();
  auto a = open("a", keeping(4));
  for (int i = 0; i < 100; ++i) a->publish(std::string(100, 'x'));
  EXPECT_EQ(broker_->history_bytes(), 4 * (kPublicationCost + 101));
  a->stream->set_options({});
  EXPECT_EQ(broker_->history_bytes(), 0u);
}

TEST_F(MemoryBrokerTest, TheOldestKeysGoFirstWhenThereAreTooMany) {
  BrokerLimits limits;
  limits.idempotency_keys_max = 10;
  start(limits);
  const auto a = open("a"), b = open("b");
  a->publish("first", "a0");
  for (int i = 0; i < 9; ++i) b->publish("b", "b" + std::to_string(i));
  a->publish("first", "a0");
  EXPECT_TRUE(a->answers.back()->duplicate);
  a->publish("second", "a1");
  EXPECT_EQ(broker_->idempotency_keys(), 10u);
  a->publish("first", "a0");
  EXPECT_FALSE(a->answers.back()->duplicate);
  b->publish("b", "b8");
  EXPECT_TRUE(b->answers.back()->duplicate);
}

TEST_F(MemoryBrokerTest, KeysGoWhenTheirWindowEnds) {
  start();
  auto a = open("a");
  for (int i = 0; i < 100; ++i) a->publish("x", std::to_string(i));
  EXPECT_EQ(broker_->idempotency_keys(), 100u);
  clock_.advance(StreamOptions{}.idempotency_window);
  broker_->expire();
  EXPECT_EQ(broker_->idempotency_keys(), 0u);
}

TEST_F(MemoryBrokerTest, AShorterWindowHoldsForLaterKeysOnly) {
  start();
  StreamOptions options;
  options.idempotency_window = Duration(100'000);
  const auto a = open("a", options);
  a->publish("long", "long");
  options.idempotency_window = Duration(1000);
  a->stream->set_options(options);
  a->publish("short", "short");
  clock_.advance(Duration(1000));
  broker_->expire();
  a->publish("long", "long");
  EXPECT_TRUE(a->answers.back()->duplicate);
  a->publish("other", "short");
  EXPECT_FALSE(a->answers.back()->duplicate);
}

TEST_F(MemoryBrokerTest, TooManyIdleStreamsForgetTheLongestIdle) {
  BrokerLimits limits;
  limits.idle_streams_max = 100;
  start(limits);
  const auto held = open("held");
  for (int i = 0; i < 1000; ++i) open("idle" + std::to_string(i))->publish("x");
  EXPECT_EQ(broker_->streams(), 101u);
  EXPECT_EQ(open("idle950")->stream->top().offset, 1u);
  EXPECT_EQ(open("idle100")->stream->top().offset, 0u);
}

TEST_F(MemoryBrokerTest, AnIdleStreamWithHistoryIsForgottenAfterThoseWithout) {
  BrokerLimits limits;
  limits.idle_streams_max = 10;
  start(limits);
  open("kept", keeping(5))->publish("1");
  for (int i = 0; i < 100; ++i) open("idle" + std::to_string(i))->publish("x");
  EXPECT_EQ(open("kept", keeping(5))->stream->top().offset, 1u);
  for (int i = 0; i < 100; ++i) open("full" + std::to_string(i), keeping(5))->publish("x");
  EXPECT_EQ(broker_->streams(), 10u);
  EXPECT_EQ(open("kept", keeping(5))->stream->top().offset, 0u) << "but in the end it is";
}

TEST_F(MemoryBrokerTest, ExpireLooksOnlyAtWhatIsDue) {
  // 100,000 idle streams with history for an hour: a thousand calls take no time when nothing is
  // due.
  BrokerLimits limits;
  limits.idle_streams_max = 200'000;
  start(limits);
  StreamOptions options = keeping(1);
  options.history_ttl = Duration(3'600'000);
  for (int i = 0; i < 100'000; ++i) {
    MemoryBroker& broker = *broker_;
    struct Deaf final : StreamSink {
      void on_publication(const PublicationPtr&) override {}
      void on_reset(Position) override {}
    } sink;
    broker.open("idle" + std::to_string(i), options, sink)->publish({draft_of("x"), ""}, {});
  }
  SystemClock steady;
  const TimePoint before = steady.now();
  for (int i = 0; i < 1000; ++i) {
    clock_.advance(Duration(1000));
    broker_->expire();
  }
  EXPECT_LT((steady.now() - before).count(), 500);  // a full scan each time takes many seconds
  EXPECT_EQ(broker_->streams(), 100'000u);
  clock_.advance(Duration(3'600'000));
  broker_->expire();
  EXPECT_EQ(broker_->history_bytes(), 0u);
  clock_.advance(Duration(60'000));
  broker_->expire();
  EXPECT_EQ(broker_->streams(), 0u);
}

TEST_F(MemoryBrokerTest, AClearInsideACallbackKeepsTheOrderOfEvents) {
  start();
  const auto a = open("a", keeping(10));
  a->then = [&](const Publication& p) {
    if (text_of(p) != "1") return;
    a->publish("2");
    broker_->clear("a");
    a->publish("3");
  };
  a->publish("1");
  EXPECT_EQ(a->log, (std::vector<std::string>{"pub 1", "done", "pub 2", "done", "reset", "pub 3",
                                              "done"}));
  EXPECT_EQ(a->last.offset, 1u);
  EXPECT_EQ(texts_of(read(*a).publications), "3");
}

TEST_F(MemoryBrokerTest, AStreamDroppedWhileItHandsOutAnswersTheRest) {
  start();
  const auto a = open("a", keeping(10));
  a->then = [&](const Publication& p) {
    if (text_of(p) == "1") a->publish("2");
  };
  a->stream->publish({draft_of("1"), ""}, [&](auto) { a->stream.reset(); });
  EXPECT_EQ(a->log, (std::vector<std::string>{"pub 1", "done"})) << "only the answer of 2 came";
  clock_.advance(Duration(60'000));
  broker_->expire();
  EXPECT_EQ(broker_->streams(), 1u) << "its history stays";
}

TEST_F(MemoryBrokerTest, ExpireAndFloodsOfStreamsInsideACallbackAreSafe) {
  BrokerLimits limits;
  limits.idle_streams_max = 2;
  limits.forget_after = Duration(0);
  limits.history_bytes_max = 1000;
  start(limits);
  const auto a = open("a", keeping(10));
  a->then = [&](const Publication& p) {
    for (int i = 0; i < 10; ++i) {
      open(text_of(p) + std::to_string(i), keeping(5))->publish("x");
      broker_->expire();
    }
  };
  for (int i = 0; i < 20; ++i) a->publish(std::to_string(i));
  EXPECT_EQ(a->got.size(), 20u);
  EXPECT_LE(broker_->streams(), 3u);
}

TEST_F(MemoryBrokerTest, ASinkThatAlwaysPublishesAgainNeedsNoStack) {
  start();
  const auto a = open("a");
  a->then = [&](const Publication& p) {
    if (p.offset < 100'000) a->publish("x");
  };
  a->publish("x");
  EXPECT_EQ(a->last.offset, 100'000u);
}

}  // namespace
}  // namespace anywire::broker
