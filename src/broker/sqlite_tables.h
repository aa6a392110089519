// SqliteTables: what requests mean in terms of rows. Runs inside the transaction that SqliteStore
// opens around a batch, and knows neither threads nor queues. Internal to the SQLite broker.
//
// A failure shows in `Database::failed`; the caller then rolls back and calls `invalidate`.
// Thread: the writer's.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "broker/sqlite_database.h"
#include "broker/sqlite_request.h"

namespace anywire::broker {

class SqliteTables {
 public:
  // The connection was made anew; it stays until the next attach.
  void attach(Database* database);
  // What was read or written since the last commit is void.
  void invalidate();

  // Takes note of who holds which stream with which options: once per request, in their order,
  // whether its transaction succeeds or not.
  void note(const StoreRequest& request);
  StoreReply execute(StoreRequest& request);
  // Before the commit: writes back what the batch changed.
  void flush(std::uint64_t now_ms);
  // After the commit.
  void committed(std::span<StoreRequest> requests, std::span<StoreReply> replies);

 private:
  bool current(const StoredStream& stream) const { return stream.generation == generation_; }
  bool holds(const StoredStream& stream) const {
    const auto found = held_.find(stream.channel);
    return found != held_.end() && found->second.get() == &stream;
  }
  void bring_up(StoredStream& stream, StoreReply& reply);
  void reconcile(StoredStream& stream, StoreReply& reply);
  void change(const std::shared_ptr<StoredStream>& stream);

  void load(StoreRequest& request, StoreReply& reply);
  void publish(StoreRequest& request, StoreReply& reply);
  bool find_key(StoreRequest& request, StoreReply& reply);
  void read(StoredStream& stream, const HistoryQuery& query, HistoryPage& page);
  std::uint64_t first_not_before(const StreamRow& row, std::uint64_t time_ms);
  void clear(StoreRequest& request, StoreReply& reply);
  void release(StoreRequest& request);
  void expire(const StoreRequest& request);
  void look_after(const std::string& channel, std::uint64_t now_ms, std::uint64_t forget_ms);

  void trim_held(const StoreRequest& request);
  bool trim(StreamRow& row, const StreamOptions& options, std::uint64_t now_ms);
  void schedule(StreamRow& row, const StreamOptions& options);
  void update(StreamRow& row, const StreamOptions& options);

  Database* database_ = nullptr;
  std::uint64_t generation_ = 1;
  bool just_attached_ = false;
  std::map<std::string, std::shared_ptr<StoredStream>, std::less<>> held_;
  std::vector<std::shared_ptr<StoredStream>> changed_;  // in this transaction
  std::uint64_t keys_added_ = 0;                        // since the last expiry
  std::uint64_t streams_added_ = 0;
};

}  // namespace anywire::broker
