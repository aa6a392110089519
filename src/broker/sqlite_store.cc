#include "broker/sqlite_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace anywire::broker {

namespace {

constexpr Duration kLogPause{10'000};

// After these the connection is good still, and it may be one request's fault alone.
bool one_request_may_be_to_blame(int code) {
  return code == SQLITE_FULL || code == SQLITE_TOOBIG || code == SQLITE_CONSTRAINT ||
         code == SQLITE_CORRUPT || code == SQLITE_NOMEM;
}

DatabaseOptions database_options(const SqliteOptions& options, bool inspect) {
  return {.path = options.path,
          .sync_every_commit = options.sync_every_commit,
          .file_bytes_max = options.file_bytes_max,
          .vfs = options.vfs,
          .inspect = inspect};
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteOptions& options) {
  Result<std::unique_ptr<Database>> database = Database::open(database_options(options, true));
  if (!database) return std::unexpected(std::move(database.error()));
  return std::unique_ptr<SqliteStore>(new SqliteStore(options, std::move(*database)));
}

SqliteStore::SqliteStore(const SqliteOptions& options, std::unique_ptr<Database> database)
    : options_(options), database_(std::move(database)) {
  tables_.attach(database_.get());
  thread_ = std::thread([this] { run(); });
}

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool SqliteStore::submit(const std::shared_ptr<const Client>& client, StoreRequest request,
                         bool must) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (!must && (queue_.requests.size() >= options_.queue_requests_max ||
                  bytes_waiting_ + request.bytes > options_.queue_bytes_max)) {
      return false;
    }
    first = queue_.requests.empty();
    bytes_waiting_ += request.bytes;
    queue_.requests.push_back(std::move(request));
    queue_.clients.push_back(client);
  }
  if (first) wake_.notify_one();
  return true;
}

void SqliteStore::run() {
  Batch batch;
  while (take(batch)) {
    process(batch);
    give_back(batch);
  }
  // Closing writes the log back into the file; on this thread, like all that touches it.
  tables_.attach(nullptr);
  database_.reset();
}

// Waits for requests. False when the store stops and none are left.
bool SqliteStore::take(Batch& batch) {
  batch = {};
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return stopping_ || !queue_.requests.empty(); });
  if (queue_.requests.size() <= options_.batch_requests_max) {
    std::swap(batch, queue_);
  } else {
    const auto count = static_cast<std::ptrdiff_t>(options_.batch_requests_max);
    const auto take_front = [count](auto& from, auto& to) {
      to.assign(std::make_move_iterator(from.begin()),
                std::make_move_iterator(from.begin() + count));
      from.erase(from.begin(), from.begin() + count);
    };
    take_front(queue_.requests, batch.requests);
    take_front(queue_.clients, batch.clients);
  }
  for (const StoreRequest& request : batch.requests) batch.bytes += request.bytes;
  return !batch.requests.empty();
}

void SqliteStore::process(Batch& batch) {
  const std::size_t count = batch.requests.size();
  batch.replies.resize(count);
  const std::span<StoreRequest> requests(batch.requests);
  const std::span<StoreReply> replies(batch.replies);
  if (transact(requests, replies)) return;
  // Where one may be to blame, each is tried alone: a file that is full must not keep those waiting
  // who read, or make room.
  if (!database_ || count == 1) return;
  for (std::size_t i = 0; i < count; ++i) transact(requests.subspan(i, 1), replies.subspan(i, 1));
}

bool SqliteStore::transact(std::span<StoreRequest> requests, std::span<StoreReply> replies) {
  if (!connected()) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      tables_.note(requests[i]);
      replies[i] = {.error = BrokerError::kUnavailable};
    }
    return false;
  }
  database_->begin();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    tables_.note(requests[i]);
    if (!database_->failed()) replies[i] = tables_.execute(requests[i]);
  }
  if (!database_->failed()) tables_.flush(requests.back().now_ms);
  if (database_->commit()) {
    tables_.committed(requests, replies);
    commits_.fetch_add(1, std::memory_order_relaxed);
    note_success(requests);
    return true;
  }
  for (StoreReply& reply : replies) reply = {.error = BrokerError::kUnavailable};
  const int code = database_->error();
  note_failure(code, database_->message());
  database_->rollback();
  tables_.invalidate();
  if (!one_request_may_be_to_blame(code)) {
    tables_.attach(nullptr);
    database_.reset();
    retry_at_ = SystemClock().now() + options_.retry_after;
  }
  return false;
}

bool SqliteStore::connected() {
  if (database_) return true;
  const TimePoint now = SystemClock().now();
  if (now < retry_at_) return false;
  Result<std::unique_ptr<Database>> database = Database::open(database_options(options_, false));
  if (!database) {
    retry_at_ = now + options_.retry_after;
    note_failure(SQLITE_CANTOPEN, database.error().message);
    return false;
  }
  database_ = std::move(*database);
  tables_.attach(database_.get());
  return true;
}

// One task per client, whose replies stay in the order of its requests.
void SqliteStore::give_back(Batch& batch) {
  {
    const std::lock_guard lock(mutex_);
    bytes_waiting_ -= batch.bytes;
  }
  std::vector<std::pair<const Client*, Replies>> mails;  // as many as there are loops at most
  for (std::size_t i = 0; i < batch.replies.size(); ++i) {
    const Client* client = batch.clients[i].get();
    auto mail = std::ranges::find(mails, client, &std::pair<const Client*, Replies>::first);
    if (mail == mails.end()) mail = mails.insert(mails.end(), {client, {}});
    mail->second.push_back(std::move(batch.replies[i]));
  }
  for (auto& [client, replies] : mails) {
    client->post([receive = client->receive, answers = std::move(replies)]() mutable {
      if (*receive) (*receive)(std::move(answers));
    });
  }
}

void SqliteStore::note_failure(int code, const std::string& message) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  if (std::exchange(failing_, true)) return;
  // A disk at its limit fails and recovers many times a second.
  const TimePoint now = SystemClock().now();
  logged_ = now >= log_next_at_;
  if (!logged_) return;
  log_next_at_ = now + kLogPause;
  log::error("durable history is not available",
             {{"file", options_.path}, {"code", code}, {"reason", message}});
}

void SqliteStore::note_success(std::span<const StoreRequest> requests) {
  if (!failing_) return;
  // That reading works says nothing about a disk that was full.
  const auto writes = [](const StoreRequest& r) { return r.kind == StoreRequest::Kind::kPublish; };
  if (std::ranges::none_of(requests, writes)) return;
  failing_ = false;
  if (logged_) log::info("durable history is available again", {{"file", options_.path}});
}

}  // namespace anywire::broker
