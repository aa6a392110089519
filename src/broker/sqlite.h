// SqliteBroker: a loop's broker on a machine with a disk. Streams whose options say `durable` go to
// the SqliteStore that all loops share, and are delivered and acknowledged when they are on disk;
// all others are a MemoryBroker's.
//
//   auto store = SqliteStore::open({.path = "/var/lib/anywire/history.db"});   // once per server
//   SqliteBroker broker(**store, post_to_this_loop, limits, wall_clock);       // once per loop
//
// Thread: the loop's, to which `post` brings the store's answers. Lifetime: the store outlives its
// brokers; what is queued when a broker goes is written, and nobody is told. `set_options` that
// changes `durable` is not called inside the stream's own sink.
// Limits: as BrokerLimits says; of durable streams memory holds the newest messages under the
// same total, and what it has no room for is read from disk.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/memory.h"
#include "broker/sqlite_store.h"

namespace anywire::broker {

class SqliteBroker final : public Broker {
 public:
  SqliteBroker(SqliteStore& store, SqliteStore::Post post, const BrokerLimits& limits,
               WallClock& clock, Random* random = nullptr);
  ~SqliteBroker() override;

  std::unique_ptr<Stream> open(std::string_view channel, const StreamOptions& options,
                               StreamSink& sink) override;
  // A durable stream that cannot be cleared because the disk fails keeps its history.
  void clear(std::string_view channel) override;
  void expire() override;
  // Calls `done` when everything asked before has been answered. It always comes, unless the broker
  // goes; not before the call returns.
  void flush(Task done);

  std::size_t history_bytes() const override { return memory_.history_bytes(); }
  // Of the durable ones those that are open; the disk knows the others.
  std::size_t streams() const override { return memory_.streams() + open_.size(); }

  // Requests the store has not answered yet.
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Durable;
  class Handle;
  // A request the store has not answered yet, and whom to tell.
  struct Waiting {
    StoreRequest::Kind kind = StoreRequest::Kind::kExpire;
    std::shared_ptr<Durable> stream;  // null where no open stream is concerned
    PublishDone published;
    HistoryDone read;
    StreamOptions options;            // kLoad, kOptions: they hold from this answer on
    Task flushed;
  };

  std::shared_ptr<Durable> open_durable(std::string_view channel, const StreamOptions& options,
                                        StreamSink& sink, bool announce);
  void release(Durable& stream);
  void load(const std::shared_ptr<Durable>& stream);
  void publish(const std::shared_ptr<Durable>& stream, PublishRequest request, PublishDone done);
  void read(const std::shared_ptr<Durable>& stream, const HistoryQuery& query, HistoryDone done);
  void apply(const std::shared_ptr<Durable>& stream, const StreamOptions& options);

  bool submit(StoreRequest request, Waiting waiting, bool must);
  void receive(std::vector<StoreReply> replies);
  void answer(Waiting& waiting, StoreReply& reply);
  void catch_up(Durable& stream, StoreReply& reply);
  void change_options(Durable& stream, const StreamOptions& options);
  void loaded(const std::shared_ptr<Durable>& stream, StoreReply& reply);
  void deliver(Durable& stream, const PublicationPtr& publication);
  void reset(Durable& stream, Position top);
  void schedule(Durable& stream);
  void unschedule(Durable& stream);

  SqliteStore& store_;
  WallClock& clock_;
  const Duration forget_after_;
  MemoryBroker memory_;
  std::shared_ptr<const SqliteStore::Client> client_;
  std::map<std::string, std::shared_ptr<Durable>, std::less<>> open_;
  std::set<std::pair<std::uint64_t, Durable*>> due_;    // whose cache holds what will be too old
  std::vector<std::weak_ptr<Durable>> not_loaded_;      // to be tried again
  std::deque<Waiting> waiting_;                         // in the order of the answers
  bool expiring_ = false;
};

}  // namespace anywire::broker
