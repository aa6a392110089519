#include "broker/sqlite.h"

#include <gtest/gtest.h>

#include <thread>

#include "broker/testing/sqlite_fixture.h"

namespace anywire::broker {

// Each with a file of its own.
class SqliteContract final : public BrokerUnderTest {
 public:
  explicit SqliteContract(const BrokerLimits& limits)
      : under_test_({.path = folder_.file(), .sync_every_commit = false}, limits) {}
  Broker& broker() override { return under_test_.broker(); }
  ManualWallClock& clock() override { return under_test_.clock(); }
  void settle() override { under_test_.settle(); }

 private:
  TemporaryFolder folder_;
  SqliteUnderTest under_test_;
};

std::unique_ptr<BrokerUnderTest> make_sqlite(const BrokerLimits& limits) {
  return std::make_unique<SqliteContract>(limits);
}

INSTANTIATE_TEST_SUITE_P(
    Sqlite, BrokerContract,
    testing::Values(ContractCase{.name = "Durable",
                                 .durable = true,
                                 .history_outlives_memory = true,
                                 .make = make_sqlite},
                    ContractCase{.name = "Volatile", .make = make_sqlite}),
    contract_case_name);

namespace {

// ---- after the commit, not before

TEST_F(SqliteBrokerTest, AFlushIsAnsweredWhenAllBeforeItHasBeen) {
  start();
  const auto a = open("a", durable(10));
  std::vector<std::string> log;
  for (int i = 0; i < 3; ++i) {
    a->stream->publish({draft_of("x"), ""}, [&](const auto&) { log.push_back("published"); });
  }
  under_test_->broker().flush([&] { log.push_back("flushed"); });
  EXPECT_TRUE(log.empty());
  settle();
  EXPECT_EQ(log, (std::vector<std::string>{"published", "published", "published", "flushed"}));
}

TEST_F(SqliteBrokerTest, NothingIsToldWithinTheCall) {
  start();
  const auto a = open("a", durable(10));
  a->publish("1");
  EXPECT_TRUE(a->log.empty());
  EXPECT_EQ(a->stream->top().offset, 0u);
  settle();
  EXPECT_EQ(a->log, (std::vector<std::string>{"pub 1", "done"}));
}

TEST_F(SqliteBrokerTest, PublishesNeedNotWaitUntilTheStreamIsLoaded) {
  start();
  Listener a(under_test_->broker(), "a", durable(10));
  EXPECT_EQ(a.stream->top().epoch, 0u);
  a.publish("1");
  a.publish("2");
  a.read({});
  settle();
  EXPECT_EQ(a.texts(), "1 2");
  EXPECT_EQ(texts_of(a.pages.at(0)->publications), "1 2");
}

TEST_F(SqliteBrokerTest, WhatGathersIsWrittenTogether) {
  start();
  std::vector<std::unique_ptr<Listener>> all;
  for (int i = 0; i < 20; ++i) all.push_back(open("a" + std::to_string(i), durable(100)));
  const std::uint64_t before = under_test_->store().commits();
  for (int i = 0; i < 2000; ++i) all[static_cast<std::size_t>(i) % 20]->publish("x");
  settle();
  EXPECT_LT(under_test_->store().commits() - before, 1000u);
  for (const auto& one : all) EXPECT_EQ(one->last.offset, 100u);
}

TEST_F(SqliteBrokerTest, StreamsThatAreNotDurableDoNotTouchTheDisk) {
  start();
  StreamOptions options = durable(10);
  options.durable = false;
  const auto a = open("a", options);
  a->publish("1", "key");
  EXPECT_EQ(a->log, (std::vector<std::string>{"pub 1", "done"})) << "answered within the call";
  EXPECT_EQ(under_test_->store().commits(), 0u);
}

// ---- another life of the server

TEST_F(SqliteBrokerTest, EverythingSurvivesARestart) {
  start();
  auto a = open("a", durable(3));
  for (const char* text : {"1", "2", "3", "4"}) publish(*a, text);
  const PublishResult first = publish(*a, "5", "key");
  const Position top = a->stream->top();
  a.reset();
  start();
  a = open("a", durable(3));
  EXPECT_EQ(a->stream->top(), top);
  const HistoryPage page = read(*a);
  EXPECT_EQ(texts_of(page.publications), "3 4 5");
  EXPECT_EQ(page.oldest, 3u);
  EXPECT_EQ(page.top, top);
  const PublishResult again = publish(*a, "5", "key");
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.position, first.position);
  a->publish("other", "key");
  settle();
  EXPECT_EQ(a->answers.back().error(), BrokerError::kIdempotencyConflict);
  EXPECT_EQ(publish(*a, "6").position, (Position{top.epoch, 6}));
}

TEST_F(SqliteBrokerTest, WhatIsQueuedWhenTheServerStopsIsWritten) {
  start();
  auto a = open("a", durable(1000));
  for (int i = 0; i < 500; ++i) a->publish("x");
  a.reset();
  start();
  EXPECT_EQ(open("a", durable(1000))->stream->top().offset, 500u);
}

TEST_F(SqliteBrokerTest, APositionOfAnEmptyStreamSurvivesARestartForItsTime) {
  start();
  auto a = open("a", durable(0));
  publish(*a, "1");
  const Position top = a->stream->top();
  a.reset();
  start();
  pass(Duration(3'600'000));  // down for an hour; the time counts from the start
  EXPECT_EQ(open("a", durable(0))->stream->top(), top);
  pass(Duration(61'000));
  pass(Duration(61'000));
  EXPECT_NE(open("a", durable(0))->stream->top().epoch, top.epoch);
}

TEST_F(SqliteBrokerTest, AStreamNobodyOpensAfterARestartIsTrimmedAndForgotten) {
  start();
  StreamOptions options = durable(10);
  options.history_ttl = Duration(10'000);
  auto a = open("a", options);
  publish(*a, "1", "key");
  a.reset();
  start();
  for (int i = 0; i < 10; ++i) pass(Duration(120'000));
  under_test_.reset();
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(folder_.file().c_str(), &handle), SQLITE_OK);
  int rows = -1;
  sqlite3_exec(
      handle,
      "SELECT (SELECT count(*) FROM streams) + (SELECT count(*) FROM publications) + "
      "(SELECT count(*) FROM keys)",
      [](void* out, int, char** values, char**) {
        *static_cast<int*>(out) = std::stoi(values[0]);
        return 0;
      },
      &rows, nullptr);
  sqlite3_close(handle);
  EXPECT_EQ(rows, 0);
}

TEST_F(SqliteBrokerTest, ADeepHistoryIsReadFromDiskPageByPage) {
  start();
  auto a = open("a", durable(5000));
  for (int i = 1; i <= 3000; ++i) a->publish(std::to_string(i));
  settle();
  a.reset();
  start();
  a = open("a", durable(5000));
  HistoryQuery query{.after = 0, .limit = 700};
  std::uint64_t next = 1;
  for (bool more = true; more;) {
    const HistoryPage page = read(*a, query);
    for (const auto& p : page.publications) {
      ASSERT_EQ(p->offset, next++);
      EXPECT_EQ(text_of(*p), std::to_string(p->offset));
    }
    query.after = next - 1;
    more = page.more;
  }
  EXPECT_EQ(next, 3001u);
}

TEST_F(SqliteBrokerTest, TheNewestMessagesAreAnsweredFromMemory) {
  start();
  const auto a = open("a", durable(1000));
  for (int i = 0; i < 50; ++i) a->publish("x");
  settle();
  a->read({.after = 20});
  a->read({.order = HistoryQuery::Order::kBackward, .limit = 10});
  EXPECT_EQ(a->pages.size(), 2u) << "within the call";
}

// ---- durable or not may change

TEST_F(SqliteBrokerTest, AChangeOfDurableMovesTheChannelWithAReset) {
  start();
  StreamOptions memory = durable(10);
  memory.durable = false;
  const auto a = open("a", memory);
  publish(*a, "1");
  const Position in_memory = a->stream->top();
  a->stream->set_options(durable(10));
  EXPECT_EQ(a->stream->top().epoch, 0u);
  settle();
  EXPECT_EQ(a->resets, 1);
  EXPECT_NE(a->stream->top().epoch, in_memory.epoch);
  publish(*a, "2");
  EXPECT_EQ(texts_of(read(*a).publications), "2");
  const Position on_disk = a->stream->top();
  a->stream->set_options(memory);
  EXPECT_EQ(a->resets, 2);
  EXPECT_EQ(a->stream->top(), in_memory);
  a->stream->set_options(durable(10));
  settle();
  EXPECT_EQ(a->resets, 3);
  EXPECT_EQ(a->stream->top(), on_disk);
}

TEST_F(SqliteBrokerTest, WhatWasOnItsWayToDiskWhenDurableEndedIsAnsweredAndNotDelivered) {
  start();
  const auto a = open("a", durable(10));
  a->publish("1");
  StreamOptions memory = durable(10);
  memory.durable = false;
  a->stream->set_options(memory);
  settle();
  EXPECT_EQ(a->log, (std::vector<std::string>{"reset", "done"}));
}

// ---- limits

TEST_F(SqliteBrokerTest, TooMuchWaitingForTheDiskIsRefusedAtOnce) {
  start({.queue_bytes_max = 10'000});
  const auto a = open("a", durable(1000));
  for (int i = 0; i < 1000; ++i) a->publish(std::string(1000, 'x'));
  settle();
  ASSERT_EQ(a->answers.size(), 1000u);
  std::size_t refused = 0;
  for (const auto& answer : a->answers) {
    if (answer) continue;
    EXPECT_EQ(answer.error(), BrokerError::kOverloaded);
    ++refused;
  }
  EXPECT_GT(refused, 0u);
  EXPECT_EQ(a->got.size(), 1000u - refused);
  publish(*a, "and on it goes");
}

TEST_F(SqliteBrokerTest, TooManyRequestsAreRefusedAtOnce) {
  start({.queue_requests_max = 10});
  const auto a = open("a", durable(1000));
  for (int i = 0; i < 2000; ++i) a->publish("x");
  settle();
  EXPECT_EQ(a->answers.size(), 2000u);
  EXPECT_LT(a->got.size(), 2000u);
  publish(*a, "and on it goes");
}

TEST_F(SqliteBrokerTest, SmallBatchesKeepTheOrder) {
  start({.batch_requests_max = 3});
  const auto a = open("a", durable(1000)), b = open("b", durable(1000));
  for (int i = 0; i < 300; ++i) (i % 2 == 0 ? a : b)->publish(std::to_string(i));
  settle();
  EXPECT_EQ(a->last.offset, 150u);
  EXPECT_EQ(b->last.offset, 150u);
}

TEST_F(SqliteBrokerTest, AFullFileRefusesPublishesUntilThereIsRoom) {
  start({.file_bytes_max = 400'000});
  const auto a = open("a", durable(100'000));
  const auto small = open("small", durable(10));
  publish(*small, "1");
  for (int i = 0; i < 100; ++i) {
    a->publish(std::string(10'000, 'x'));
    settle();
  }
  const std::size_t had = a->got.size();
  EXPECT_GT(had, 10u);
  EXPECT_LT(had, 100u);
  EXPECT_EQ(a->answers.back().error(), BrokerError::kUnavailable);
  EXPECT_EQ(read(*a, {.after = 0, .bytes_max = 10'000'000}).publications.size(), had);
  EXPECT_EQ(texts_of(read(*small).publications), "1");
  // In one batch: what makes room is not undone for what finds none.
  a->publish(std::string(10'000, 'x'));
  under_test_->broker().clear("a");
  settle();
  EXPECT_EQ(a->resets, 1);
  publish(*a, std::string(10'000, 'x'));
  EXPECT_EQ(a->last.offset, 1u);
}

// ---- several loops

TEST_F(SqliteBrokerTest, LoopsShareOneStore) {
  const auto opened = SqliteStore::open({.path = folder_.file(), .sync_every_commit = false});
  ASSERT_TRUE(opened.has_value());
  SqliteStore& store = **opened;
  std::vector<std::thread> threads;
  for (int n = 0; n < 3; ++n) {
    threads.emplace_back([&store, n] {
      TestLoop loop;
      ManualWallClock clock;
      SqliteBroker broker(store, [&loop](Task task) { loop.post(std::move(task)); }, {}, clock);
      const auto settle = [&] {
        while (broker.waiting() > 0) loop.run_one();
      };
      for (int round = 0; round < 5; ++round) {
        Listener a(broker, "a" + std::to_string(n), durable(50));
        Listener b(broker, "b" + std::to_string(n), durable(500));
        for (int i = 0; i < 100; ++i) {
          a.publish(std::to_string(i), std::to_string(i));
          b.publish(std::to_string(i));
          if (i % 10 == 0) b.read({.after = 0});
          if (i % 30 == 0) settle();
        }
        broker.expire();
        settle();
        EXPECT_EQ(a.stream->top().offset, 100u) << "the same keys each round";
        EXPECT_EQ(b.stream->top().offset, static_cast<std::uint64_t>(round + 1) * 100);
      }
      settle();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace anywire::broker
