// SqliteStore: the one SQLite file of a server, and the one thread that touches it. All loops'
// brokers hand their requests in; the thread takes whatever has gathered, runs it as one
// transaction, and posts the answers back after the commit. So the more comes at once, the less
// each one costs (group commit), and nobody is told of what a crash could take back.
//
// The file belongs to this process alone while the store lives; a second server on the same file is
// refused. When the disk fails, everything is answered kUnavailable and one line is logged; the
// store goes on trying, and logs another line when it is well again.
//
// Thread: open, close and `posting` start-up's; `submit` any. A poster is called on the store's
// thread, and must stay callable until the store is gone. The destructor writes what is queued.
// Limits: queue_requests_max and queue_bytes_max; beyond them publishes and reads are refused.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "broker/sqlite_database.h"
#include "broker/sqlite_request.h"
#include "broker/sqlite_tables.h"

namespace anywire::broker {

struct SqliteOptions {
  std::string path;
  // Synchronous FULL: an acknowledged message survives a power cut. Otherwise NORMAL: it survives
  // the end of the process, but the machine's end may take back the last ones, and the offsets they
  // had are then given out once more.
  bool sync_every_commit = true;
  std::uint64_t file_bytes_max = 0;                 // 0 = as the disk allows
  std::size_t queue_requests_max = 65'536;
  std::size_t queue_bytes_max = 64 * 1024 * 1024;   // counted as history is
  std::size_t batch_requests_max = 4096;
  Duration retry_after{1000};                       // a failed file is not opened again before
  std::string vfs;  // SQLite's file layer; tests put a bad disk there
};

class SqliteStore {
 public:
  using Replies = std::vector<StoreReply>;
  // Runs a task on a loop; the replies to one client's requests come in the order of the requests.
  using Post = std::function<void(Task)>;
  using Receive = std::function<void(Replies)>;

  // Where the answers of one broker go. `receive` runs as a posted task.
  struct Client {
    Post post;
    std::shared_ptr<Receive> receive;  // called on the loop only
  };

  // The error is a sentence for the operator, about "the file": it is in use, not ours, of a newer
  // version, damaged, or cannot be made. A file of up to 256 MiB is read as a whole to find damage.
  static Result<std::unique_ptr<SqliteStore>> open(const SqliteOptions& options);
  ~SqliteStore();
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  // False when there is no room; what must not be refused (`must`) always finds some.
  bool submit(const std::shared_ptr<const Client>& client, StoreRequest request, bool must);

  // Counters for metrics.
  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  struct Batch {
    std::vector<StoreRequest> requests;
    std::vector<std::shared_ptr<const Client>> clients;  // of the same index
    std::vector<StoreReply> replies;
    std::size_t bytes = 0;
  };

  SqliteStore(const SqliteOptions& options, std::unique_ptr<Database> database);
  void run();
  bool take(Batch& batch);
  void process(Batch& batch);
  bool connected();
  bool transact(std::span<StoreRequest> requests, std::span<StoreReply> replies);
  void give_back(Batch& batch);
  void note_failure(int code, const std::string& message);
  void note_success(std::span<const StoreRequest> requests);

  const SqliteOptions options_;
  std::unique_ptr<Database> database_;  // null between a failure and the next attempt
  SqliteTables tables_;
  TimePoint retry_at_{};
  bool failing_ = false;
  bool logged_ = false;  // the failure that lasts
  TimePoint log_next_at_{};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> failures_{0};

  std::mutex mutex_;  // of what follows
  std::condition_variable wake_;
  Batch queue_;
  std::size_t bytes_waiting_ = 0;  // queued or being written
  bool stopping_ = false;

  std::thread thread_;  // last: everything is ready when it starts
};

}  // namespace anywire::broker
