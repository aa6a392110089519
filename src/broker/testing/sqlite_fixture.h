// What tests of the SQLite broker share: a folder that goes away, a loop that is only a queue, the
// broker as the contract suite wants it, and a fixture that restarts it. Only tests include it.
//
// Thread: the test's; TestLoop::post any.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/log.h"
#include "broker/sqlite.h"
#include "broker/testing/contract.h"

namespace anywire::broker {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    path_ = (std::filesystem::temp_directory_path() / "anywire-broker-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name = "history.db") const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class TestLoop {
 public:
  void post(Task task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    wake_.notify_one();
  }
  void run_one() {
    Task task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return !tasks_.empty(); });
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
};

// A server's store with one loop.
class SqliteUnderTest final : public BrokerUnderTest {
 public:
  SqliteUnderTest(const SqliteOptions& options, const BrokerLimits& limits) {
    auto opened = SqliteStore::open(options);
    if (!opened) {
      ADD_FAILURE() << opened.error().message;
      abort();
    }
    store_ = std::move(*opened);
    broker_ = std::make_unique<SqliteBroker>(
        *store_, [this](Task task) { loop_.post(std::move(task)); }, limits, clock_);
  }

  SqliteBroker& broker() override { return *broker_; }
  ManualWallClock& clock() override { return clock_; }
  SqliteStore& store() { return *store_; }
  void settle() override {
    while (broker_->waiting() > 0) loop_.run_one();
  }

 private:
  ManualWallClock clock_;
  TestLoop loop_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<SqliteBroker> broker_;
};

inline StreamOptions durable(std::size_t messages) {
  StreamOptions options;
  options.history_messages = messages;
  options.durable = true;
  return options;
}

// A server that can be started again on the same file.
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

}  // namespace anywire::broker
