// The file of the SQLite broker: how large it is, whose it is, and what is wrong with it.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "broker/testing/bad_disk.h"
#include "broker/testing/sqlite_fixture.h"

namespace anywire::broker {
namespace {

// ---- how large the file is

TEST_F(SqliteBrokerTest, AFileThatIsMostlyFreeBecomesSmaller) {
  start();
  const auto a = open("a", durable(100'000));
  for (int i = 0; i < 2000; ++i) a->publish(std::string(8000, 'x'));
  settle();
  under_test_->broker().clear("a");
  settle();
  const auto size = [&] { return std::filesystem::file_size(folder_.file()); };
  const auto grown = size();
  EXPECT_GT(grown, 10'000'000u);
  // A little each time, and some is kept for what comes.
  pass(Duration(1000));
  EXPECT_GT(size(), 8'000'000u);
  for (int i = 0; i < 30; ++i) pass(Duration(1000));
  const auto kept = size();
  EXPECT_LT(kept, 6'000'000u);
  EXPECT_GT(kept, 1'000'000u);
  pass(Duration(1000));
  EXPECT_EQ(size(), kept);
  publish(*a, "still good");
  EXPECT_EQ(texts_of(read(*a).publications), "still good");
}

TEST_F(SqliteBrokerTest, TheLogBesideTheFileDoesNotGrowWithoutEnd) {
  start();
  const auto a = open("a", durable(10));
  std::uintmax_t largest = 0;
  for (int i = 0; i < 300; ++i) {
    for (int n = 0; n < 10; ++n) a->publish(std::string(20'000, 'x'));
    settle();
    largest = std::max(largest, std::filesystem::file_size(folder_.file("history.db-wal")));
  }
  EXPECT_LT(largest, 8'000'000u) << "60 MB were written";
  EXPECT_LT(std::filesystem::file_size(folder_.file()), 4'000'000u);
}

TEST_F(SqliteBrokerTest, KeysThatHaveHadTheirTimeDoNotPileUp) {
  start();
  StreamOptions options = durable(1);
  options.idempotency_window = Duration(1000);
  auto a = open("a", options);
  // More in each second than a fixed number for each would take away.
  for (int second = 0; second < 4; ++second) {
    for (int i = 0; i < 9000; ++i) {
      a->publish("x", std::to_string(second) + "-" + std::to_string(i));
    }
    settle();
    pass(Duration(1000));
  }
  for (int i = 0; i < 3; ++i) pass(Duration(1000));
  a.reset();
  settle();
  under_test_.reset();
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(folder_.file().c_str(), &handle), SQLITE_OK);
  sqlite3_stmt* count = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(handle, "SELECT count(*) FROM keys", -1, &count, nullptr),
            SQLITE_OK);
  ASSERT_EQ(sqlite3_step(count), SQLITE_ROW);
  EXPECT_EQ(sqlite3_column_int(count, 0), 0);
  sqlite3_finalize(count);
  sqlite3_close(handle);
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
  EXPECT_NE(refusal().find("not an SQLite database"), std::string::npos) << refusal();
}

TEST_F(SqliteBrokerTest, APlaceWhereNoFileCanBeIsRefusedWithTheSystemsReason) {
  for (const auto& [path, reason] :
       {std::pair(folder_.path() + "/missing/history.db", "No such file or directory"),
        std::pair(folder_.path(), "Is a directory"),
        std::pair(std::string("/dev/null/history.db"), "Not a directory")}) {
    const auto store = SqliteStore::open({.path = path});
    ASSERT_FALSE(store.has_value()) << path;
    EXPECT_EQ(store.error().message,
              std::string("the file, or its log, cannot be opened or made: ") + reason);
  }
}

TEST_F(SqliteBrokerTest, ARelativePathIsAFileWhateverItsName) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  for (const char* name : {":memory:", "file:x?mode=memory", "-"}) {
    EXPECT_TRUE(SqliteStore::open({.path = name}).has_value()) << name;
    EXPECT_TRUE(std::filesystem::is_regular_file(folder_.file(name))) << name;
  }
  std::filesystem::current_path(before);
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
      const bool said = reason == "the file may not be written" ||
                        reason == "the file, or its log, cannot be opened or made: "
                                  "Permission denied";
      if (!said) std::fprintf(stderr, "%s\n", reason.c_str());
      _exit(said ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << mode;
  }
  ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
}

// A file with some pages of everything; the server is down.
class SqliteDamageTest : public SqliteBrokerTest {
 protected:
  void SetUp() override {
    SqliteBrokerTest::SetUp();
    start();
    {
      const auto a = open("a", durable(1000));
      for (int i = 0; i < 300; ++i) a->publish(std::string(1000, 'x'), "key" + std::to_string(i));
      settle();
    }
    under_test_.reset();
    size_ = std::filesystem::file_size(folder_.file());
  }
  void overwrite(std::uint64_t at, std::size_t bytes) {
    std::FILE* file = std::fopen(folder_.file().c_str(), "r+");
    ASSERT_EQ(std::fseek(file, static_cast<long>(at), SEEK_SET), 0);
    for (std::size_t i = 0; i < bytes; ++i) std::fputc(0x5a, file);
    std::fclose(file);
  }

  std::uint64_t size_ = 0;
};

TEST_F(SqliteDamageTest, AFileThatLostItsEndIsRefused) {
  EXPECT_EQ(refusal(), "");
  for (const std::uint64_t left : {size_ - 4096, size_ / 2, std::uint64_t{5000}}) {
    std::filesystem::resize_file(folder_.file(), left);
    EXPECT_NE(refusal().find("the file is damaged"), std::string::npos) << refusal();
  }
}

TEST_F(SqliteDamageTest, APageThatWasOverwrittenIsRefused) {
  const std::string copy = folder_.file("copy");
  std::filesystem::copy_file(folder_.file(), copy);
  const std::uint64_t pages = size_ / 4096;
  ASSERT_GT(pages, 50u);
  std::uint64_t unseen = 0;
  for (std::uint64_t page = 1; page < pages; page += 7) {
    overwrite(page * 4096, 200);
    const std::string reason = refusal();
    // What lies in the middle of a long payload is nobody's structure.
    if (reason.empty()) ++unseen;
    EXPECT_TRUE(reason.empty() || reason.find("the file is damaged") != std::string::npos)
        << reason;
    EXPECT_EQ(reason.find('\n'), std::string::npos) << "one line";
    std::filesystem::copy_file(copy, folder_.file(),
                               std::filesystem::copy_options::overwrite_existing);
  }
  EXPECT_LT(unseen, pages / 70);
  EXPECT_EQ(refusal(), "");
}

TEST_F(SqliteDamageTest, AFullDiskAtTheStartIsSaid) {
  // Whatever it is that finds no room first: file, log or tables.
  BadDisk disk;
  std::set<std::string> reasons;
  for (int n = 1; n <= 30; ++n) {
    for (const char* name : {"history.db", "history.db-wal", "history.db-journal"}) {
      std::filesystem::remove(folder_.file(name));
    }
    disk.fail_at(n, SQLITE_FULL, true);
    const auto store = SqliteStore::open({.path = folder_.file(), .vfs = BadDisk::kName});
    disk.heal();
    if (!store) reasons.insert(store.error().message);
  }
  EXPECT_TRUE(reasons.contains("the disk is full"));
  for (const std::string& reason : reasons) EXPECT_EQ(reason.find('\n'), std::string::npos);
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

}  // namespace
}  // namespace anywire::broker
