// A disk that fails at every moment it can: nothing acknowledged is lost, nothing is delivered
// twice or with a hole, and when the disk is well again, so is the broker.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <set>

#include "base/log.h"
#include "broker/testing/bad_disk.h"
#include "broker/testing/sqlite_fixture.h"

namespace anywire::broker {
namespace {

class SqliteDiskTest : public testing::Test {
 protected:
  void SetUp() override { log::configure({.level = log::Level::kError, .fd = -1}); }
  void TearDown() override { log::configure({}); }

  SqliteOptions options() {
    return {.path = folder_.file(), .retry_after = Duration(0), .vfs = BadDisk::kName};
  }

  TemporaryFolder folder_;
  BadDisk disk_;
};

// Publishes the numbers up to `to`, a few at a time; gives the keys of those refused, and counts
// those that had been published already.
std::vector<int> publish_numbers(SqliteUnderTest& server, Listener& stream, int from, int to,
                                 int* duplicates = nullptr) {
  std::vector<int> refused;
  for (int i = from; i <= to; ++i) {
    stream.stream->publish({draft_of(std::to_string(i)), std::to_string(i)}, [&, i](auto result) {
      if (!result) refused.push_back(i);
      if (result && result->duplicate && duplicates != nullptr) ++*duplicates;
    });
    if (i % 4 == 0) server.settle();
  }
  server.settle();
  return refused;
}

// One run with a failure at the n-th operation. False when the run has fewer operations. Counts
// what was on disk though it had been refused.
bool survive_failure(BadDisk& disk, const SqliteOptions& options, int n, std::pair<int, bool> how,
                     int& found_on_disk) {
  std::vector<std::string> delivered;
  Position top;
  {
    SqliteUnderTest server(options, {});
    Listener stream(server.broker(), "a", durable(1000));
    server.settle();
    EXPECT_TRUE(publish_numbers(server, stream, 1, 8).empty());
    disk.fail_at(n, how.first, how.second);
    std::vector<int> refused = publish_numbers(server, stream, 9, 24);
    const bool failed = disk.has_failed();
    EXPECT_TRUE(failed || refused.empty());
    disk.heal();
    // Whoever was refused tries again, under the same key.
    for (const int number : refused) {
      EXPECT_TRUE(publish_numbers(server, stream, number, number, &found_on_disk).empty())
          << "not well again";
    }
    EXPECT_TRUE(publish_numbers(server, stream, 25, 28).empty());
    EXPECT_EQ(stream.resets, 0);
    for (const auto& p : stream.got) delivered.push_back(text_of(*p));
    std::set<std::string> once(delivered.begin(), delivered.end());
    EXPECT_EQ(delivered.size(), 28u);
    EXPECT_EQ(once.size(), 28u) << "something was doubled";
    top = stream.stream->top();
    if (!failed) return false;
  }
  SqliteUnderTest server(options, {});
  Listener stream(server.broker(), "a", durable(1000));
  stream.read({.after = 0});
  server.settle();
  EXPECT_EQ(stream.stream->top(), top);
  std::vector<std::string> kept;
  for (const auto& p : stream.pages.at(0)->publications) kept.push_back(text_of(*p));
  EXPECT_EQ(kept, delivered);
  return true;
}

class SqliteDiskEveryMoment : public SqliteDiskTest,
                              public testing::WithParamInterface<std::pair<int, bool>> {};

TEST_P(SqliteDiskEveryMoment, AFailureLosesNothingAndDoublesNothing) {
  int moments = 0, found_on_disk = 0;
  for (int n = 1; n < 200; ++n) {
    std::filesystem::remove(folder_.file());
    if (!survive_failure(disk_, options(), n, GetParam(), found_on_disk)) break;
    ++moments;
    ASSERT_FALSE(HasFailure()) << "failure at operation " << n;
  }
  EXPECT_GT(moments, 10);
  // When only the sync at the end fails and goes on failing, the log has the whole transaction.
  if (GetParam().second) {
    EXPECT_GT(found_on_disk, 0) << "the suite misses its hardest case";
  }
}

INSTANTIATE_TEST_SUITE_P(Codes, SqliteDiskEveryMoment,
                         testing::Values(std::pair(SQLITE_IOERR_WRITE, false),
                                         std::pair(SQLITE_IOERR_WRITE, true),
                                         std::pair(SQLITE_FULL, false),
                                         std::pair(SQLITE_FULL, true)));

TEST_F(SqliteDiskTest, WhileTheDiskFailsEverythingIsAnsweredAndVolatileStreamsGoOn) {
  SqliteUnderTest server(options(), {});
  Listener stream(server.broker(), "a", durable(10));
  StreamOptions memory = durable(10);
  memory.durable = false;
  Listener other(server.broker(), "b", memory);
  server.settle();
  disk_.fail_at(1, SQLITE_IOERR_WRITE, true);
  stream.publish("1");
  server.settle();
  stream.publish("2");
  Listener late(server.broker(), "late", durable(10));
  late.read({});
  other.publish("memory");
  server.settle();
  EXPECT_EQ(stream.answers.at(0).error(), BrokerError::kUnavailable);
  EXPECT_EQ(stream.answers.at(1).error(), BrokerError::kUnavailable);
  EXPECT_EQ(late.pages.at(0).error(), BrokerError::kUnavailable);
  EXPECT_EQ(late.stream->top().epoch, 0u);
  EXPECT_TRUE(stream.got.empty());
  EXPECT_EQ(other.texts(), "memory");
  disk_.heal();
  server.broker().expire();  // tries to load once more
  server.settle();
  EXPECT_NE(late.stream->top().epoch, 0u);
  late.publish("at last");
  server.settle();
  EXPECT_EQ(late.texts(), "at last");
}

TEST_F(SqliteDiskTest, AStreamThatCouldNotBeLoadedLoadsWithItsFirstPublication) {
  auto server = std::make_unique<SqliteUnderTest>(options(), BrokerLimits{});
  {
    Listener stream(server->broker(), "a", durable(10));
    EXPECT_TRUE(publish_numbers(*server, stream, 1, 3).empty());
  }
  server.reset();
  server = std::make_unique<SqliteUnderTest>(options(), BrokerLimits{});
  disk_.fail_at(1, SQLITE_IOERR_WRITE, true);
  Listener stream(server->broker(), "a", durable(5));
  server->settle();
  EXPECT_EQ(stream.stream->top().epoch, 0u);
  disk_.heal();
  stream.publish("4");
  server->settle();
  EXPECT_EQ(stream.texts(), "4");
  EXPECT_EQ(stream.last.offset, 4u);
  stream.read({.after = 0});
  server->settle();
  EXPECT_EQ(texts_of(stream.pages.at(0)->publications), "1 2 3 4");
  EXPECT_EQ(stream.pages.at(0)->oldest, 1u);
}

TEST_F(SqliteDiskTest, AReadFindsAStreamLoadedThatCouldNotBeBefore) {
  SqliteUnderTest server(options(), {});
  disk_.fail_at(1, SQLITE_IOERR_WRITE, true);
  Listener stream(server.broker(), "a", durable(5));
  server.settle();
  EXPECT_EQ(stream.stream->top().epoch, 0u);
  disk_.heal();
  stream.read({});
  server.settle();
  ASSERT_TRUE(stream.pages.at(0).has_value());
  EXPECT_EQ(stream.stream->top(), stream.pages[0]->top);
  EXPECT_NE(stream.stream->top().epoch, 0u);
}

TEST_F(SqliteDiskTest, AnOlderCopyOfTheFileIsAnotherEpoch) {
  auto server = std::make_unique<SqliteUnderTest>(options(), BrokerLimits{});
  {
    Listener before(server->broker(), "a", durable(10));
    EXPECT_TRUE(publish_numbers(*server, before, 1, 3).empty());
  }
  server.reset();
  std::filesystem::copy_file(folder_.file(), folder_.file("backup"));
  server = std::make_unique<SqliteUnderTest>(options(), BrokerLimits{});
  Listener stream(server->broker(), "a", durable(10));
  EXPECT_TRUE(publish_numbers(*server, stream, 4, 6).empty());
  // The disk fails, and what comes back is yesterday's backup.
  disk_.fail_at(1, SQLITE_IOERR_WRITE, true);
  stream.publish("lost");
  server->settle();
  std::filesystem::remove(folder_.file("history.db-wal"));
  std::filesystem::remove(folder_.file());
  std::filesystem::rename(folder_.file("backup"), folder_.file());
  disk_.heal();
  const Position had = stream.stream->top();
  stream.publish("7");
  server->settle();
  EXPECT_EQ(stream.resets, 1);
  EXPECT_NE(stream.last.epoch, had.epoch) << "offsets 4 to 6 were given out already";
  EXPECT_EQ(stream.last.offset, 4u);
  stream.read({.after = 0});
  server->settle();
  EXPECT_EQ(texts_of(stream.pages.at(0)->publications), "1 2 3 7");
}

TEST_F(SqliteDiskTest, AFileThatWasRemovedIsAnotherEpoch) {
  SqliteUnderTest server(options(), {});
  Listener stream(server.broker(), "a", durable(10));
  EXPECT_TRUE(publish_numbers(server, stream, 1, 3).empty());
  disk_.fail_at(1, SQLITE_IOERR_WRITE, true);
  stream.publish("lost");
  server.settle();
  std::filesystem::remove(folder_.file("history.db-wal"));
  std::filesystem::remove(folder_.file());
  disk_.heal();
  stream.publish("new");
  server.settle();
  EXPECT_EQ(stream.resets, 1);
  EXPECT_EQ(stream.last.offset, 1u);
}

TEST_F(SqliteDiskTest, AFileThatAnotherTookMeanwhileIsLeftToItUntilItLetsGo) {
  SqliteUnderTest server(options(), {});
  Listener stream(server.broker(), "a", durable(10));
  EXPECT_TRUE(publish_numbers(server, stream, 1, 3).empty());
  disk_.fail_at(1, SQLITE_IOERR_WRITE, false);
  stream.publish("x");
  server.settle();
  {
    const auto other = SqliteStore::open({.path = folder_.file()});
    ASSERT_TRUE(other.has_value()) << other.error().message;
    stream.publish("x");
    server.settle();
    EXPECT_EQ(stream.answers.back().error(), BrokerError::kUnavailable);
  }
  stream.publish("4");
  server.settle();
  EXPECT_EQ(stream.texts(), "1 2 3 4");
  EXPECT_EQ(stream.resets, 0);
}

TEST_F(SqliteDiskTest, AFailureIsLoggedOnceAndSoIsTheRecovery) {
  const std::string path = folder_.file("log");
  std::FILE* file = std::fopen(path.c_str(), "w+");
  log::configure({.format = log::Format::kJson, .fd = fileno(file)});
  SqliteUnderTest server(options(), {});
  Listener stream(server.broker(), "a", durable(10));
  server.settle();
  disk_.fail_at(1, SQLITE_IOERR_WRITE, true);
  for (int i = 0; i < 20; ++i) {
    stream.publish("x");
    server.settle();
  }
  disk_.heal();
  for (int i = 0; i < 5; ++i) {
    stream.publish("x");
    server.settle();
  }
  std::rewind(file);
  std::string text(10'000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
  EXPECT_NE(text.find("is not available"), std::string::npos);
  EXPECT_NE(text.find("available again"), std::string::npos);
}

TEST_F(SqliteDiskTest, AfterAFailureTheFileIsNotTriedAgainAtOnce) {
  SqliteOptions patient = options();
  patient.retry_after = Duration(3'600'000);
  SqliteUnderTest server(patient, {});
  Listener stream(server.broker(), "a", durable(10));
  server.settle();
  disk_.fail_at(1, SQLITE_IOERR_WRITE, false);
  stream.publish("x");
  server.settle();
  for (int i = 0; i < 100; ++i) stream.publish("x");
  server.settle();
  EXPECT_EQ(server.store().failures(), 1u);
  EXPECT_EQ(stream.answers.size(), 101u);
  EXPECT_TRUE(stream.got.empty());
}

}  // namespace
}  // namespace anywire::broker
