// What tests of the SQLite broker share: a folder that goes away, a loop that is only a queue, and
// the broker as the contract suite wants it. Only tests include it.
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
#include <string>

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

}  // namespace anywire::broker
