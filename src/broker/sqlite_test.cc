#include "broker/sqlite.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/log.h"
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

class SqliteBrokerTest : public testing::Test {
 protected:
  // Some of these provoke failures, which are logged.
  void SetUp() override { log::configure({.level = log::Level::kError, .fd = -1}); }
  void TearDown() override { log::configure({}); }

  SqliteUnderTest& start(SqliteOptions options = {}, const BrokerLimits& limits = {}) {
    under_test_.reset();
    options.path = folder_.file();
    options.sync_every_commit = false;  // a power cut is not what is tested here
    return under_test_.emplace(options, limits);
  }
  std::unique_ptr<Listener> open(const std::string& channel, const StreamOptions& options) {
    auto listener = std::make_unique<Listener>(under_test_->broker(), channel, options);
    settle();
    return listener;
  }
  void settle() { under_test_->settle(); }
  PublishResult publish(Listener& listener, std::string_view text, std::string key = "") {
    listener.answers.clear();
    listener.publish(text, std::move(key));
    settle();
    if (listener.answers.size() != 1 || !listener.answers[0]) {
      ADD_FAILURE() << text << " was not published";
      return {};
    }
    return *listener.answers[0];
  }
  HistoryPage read(Listener& listener, const HistoryQuery& query = {}) {
    listener.pages.clear();
    listener.read(query);
    settle();
    if (listener.pages.size() != 1 || !listener.pages[0]) {
      ADD_FAILURE() << "no page came";
      return {};
    }
    return std::move(*listener.pages[0]);
  }
  void pass(Duration time) {
    under_test_->clock().advance(time);
    under_test_->broker().expire();
    settle();
  }
  std::string refusal() {
    const auto store = SqliteStore::open({.path = folder_.file()});
    return store ? "" : store.error().message;
  }
  void sql(const std::string& text) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(folder_.file().c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }

  TemporaryFolder folder_;
  std::optional<SqliteUnderTest> under_test_;
};

// ---- after the commit, not before

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

// ---- whose file it is

TEST_F(SqliteBrokerTest, ASecondStoreOnTheSameFileIsRefused) {
  start();
  EXPECT_NE(refusal().find("another process uses"), std::string::npos) << refusal();
  under_test_.reset();
  EXPECT_EQ(refusal(), "");
}

TEST_F(SqliteBrokerTest, ASecondProcessOnTheSameFileIsRefused) {
  start();
  const auto a = open("a", durable(10));
  publish(*a, "1");
  const pid_t child = fork();
  if (child == 0) _exit(refusal().find("another process uses") != std::string::npos ? 0 : 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  publish(*a, "2");
}

TEST_F(SqliteBrokerTest, AFileOfANewerServerIsRefused) {
  start();
  under_test_.reset();
  sql("PRAGMA user_version = 2");
  EXPECT_NE(refusal().find("newer"), std::string::npos) << refusal();
  sql("PRAGMA user_version = 1");
  EXPECT_EQ(refusal(), "");
}

TEST_F(SqliteBrokerTest, AnotherApplicationsDatabaseIsRefusedAndLeftAlone) {
  sql("CREATE TABLE notes(text)");
  EXPECT_NE(refusal().find("another application"), std::string::npos) << refusal();
  sql("INSERT INTO notes VALUES('still there')");
}

TEST_F(SqliteBrokerTest, AFileThatIsNoDatabaseIsRefused) {
  std::FILE* file = std::fopen(folder_.file().c_str(), "w");
  for (int i = 0; i < 1000; ++i) std::fputs("this is not a database ", file);
  std::fclose(file);
  EXPECT_NE(refusal().find("not an SQLite file"), std::string::npos) << refusal();
}

TEST_F(SqliteBrokerTest, APlaceWhereNoFileCanBeIsRefusedWithItsName) {
  for (const std::string& path : {folder_.path() + "/missing/history.db", folder_.path()}) {
    const auto store = SqliteStore::open({.path = path});
    ASSERT_FALSE(store.has_value()) << path;
    EXPECT_NE(store.error().message.find(path), std::string::npos) << store.error().message;
  }
}

TEST_F(SqliteBrokerTest, OnlyItsOwnerMayReadTheFile) {
  start();
  const auto a = open("a", durable(10));
  publish(*a, "secret");
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_EQ(entry.status().permissions() & std::filesystem::perms(0077),
              std::filesystem::perms::none)
        << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 2) << "the file and its log";
}

TEST_F(SqliteBrokerTest, AFileThatMayNotBeWrittenIsRefused) {
  start();
  under_test_.reset();
  ASSERT_EQ(chmod(folder_.path().c_str(), 0555), 0);
  for (const mode_t mode : {0444, 0666}) {  // the file is the hindrance, then only its folder
    ASSERT_EQ(chmod(folder_.file().c_str(), mode), 0);
    const pid_t child = fork();
    if (child == 0) {
      // Root may write everywhere.
      if (getuid() == 0 && setuid(65534) != 0) _exit(2);
      const std::string reason = refusal();
      _exit(reason.find(folder_.file()) != std::string::npos ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << mode;
  }
  ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
}

TEST_F(SqliteBrokerTest, AHoleInTheFileIsAnErrorAndNotAShorterPage) {
  start();
  auto a = open("a", durable(1000)), b = open("b", durable(10));
  for (int i = 0; i < 500; ++i) a->publish("x");
  publish(*b, "b");
  a.reset();
  b.reset();
  under_test_.reset();
  sql("DELETE FROM publications WHERE offset = 100");
  start({.retry_after = Duration(0)});
  a = open("a", durable(1000));
  a->read({.after = 50});
  settle();
  ASSERT_EQ(a->pages.size(), 1u);
  EXPECT_EQ(a->pages[0].error(), BrokerError::kUnavailable);
  EXPECT_EQ(read(*a, {.after = 200}).publications.size(), 100u) << "the rest can be read";
  EXPECT_EQ(publish(*a, "x").position.offset, 501u);
  b = open("b", durable(10));
  EXPECT_EQ(texts_of(read(*b).publications), "b");
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
