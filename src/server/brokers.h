// Broker group: the brokers of all loops. Without `history.path` each is a MemoryBroker; with it
// they share one SqliteStore, and the channels whose rule says `durable` are kept in its file.
//
// It also sees to it that what has had its time leaves the file though nobody uses the channels,
// and that nothing is on its way to disk when the server says goodbye.
//
// Thread: made and destroyed by the Server's thread, while no loop runs; `settle` is called there
// while they do; a broker belongs to its loop. Lifetime: loops and wall clock outlive it, and it
// outlives the hubs.
// Limits: those of [history], which are the whole server's, shared out among its loops.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "broker/broker.h"
#include "broker/memory.h"
#include "broker/sqlite.h"
#include "reactor/loop.h"
#include "server/config.h"

namespace anywire::server {

class BrokerGroup final : private reactor::Timer {
 public:
  // The error is one line for the operator: the file is in use, damaged, not ours, or cannot be
  // written.
  static Result<std::unique_ptr<BrokerGroup>> open(const HistorySection& section,
                                                   const std::vector<reactor::Loop*>& loops,
                                                   WallClock& wall);
  ~BrokerGroup() override;

  broker::Broker& broker(std::size_t loop);
  // Null without a file.
  const broker::SqliteStore* store() const { return store_.get(); }

  // Returns when everything that had been published is answered: the answers are with the
  // connections that asked. False when that took longer than `patience`.
  bool settle(Duration patience);

 private:
  BrokerGroup(const std::vector<reactor::Loop*>& loops) : loops_(loops) {}
  void on_timer() override;

  const std::vector<reactor::Loop*> loops_;
  std::unique_ptr<broker::SqliteStore> store_;
  // One per loop, of the one kind or of the other.
  std::vector<std::unique_ptr<broker::MemoryBroker>> memory_;
  std::vector<std::unique_ptr<broker::SqliteBroker>> sqlite_;
};

}  // namespace anywire::server
