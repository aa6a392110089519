#include "server/brokers.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "server/config_value.h"

namespace anywire::server {
namespace {

// How often the file is looked through for what has had its time. Nobody waits for it: what is too
// old is not handed out in between.
constexpr Duration kSweepInterval{5000};

broker::BrokerLimits broker_limits(const HistorySection& section, std::size_t loops) {
  broker::BrokerLimits limits;
  limits.history_bytes_max = section.memory_max / loops;
  limits.idempotency_keys_max = static_cast<std::size_t>(section.idempotency_keys_max) / loops;
  limits.idle_streams_max /= loops;
  return limits;
}

// Something each loop has to do once. Outlives the wait for it, since a loop may be late.
struct Round {
  explicit Round(std::size_t loops) : left(loops) {}
  void arrive() {
    const std::lock_guard lock(mutex);
    if (--left == 0) all_arrived.notify_one();
  }

  std::mutex mutex;
  std::condition_variable all_arrived;
  std::size_t left;
};

using RoundTask = std::function<void(std::size_t loop, Task arrive)>;

// Runs `task` on each loop. True when all have arrived in time.
bool run_round(const std::vector<reactor::Loop*>& loops,
               std::chrono::steady_clock::time_point until, const RoundTask& task) {
  const auto round = std::make_shared<Round>(loops.size());
  for (std::size_t i = 0; i < loops.size(); ++i) {
    loops[i]->post([round, task, i] { task(i, [round] { round->arrive(); }); });
  }
  std::unique_lock lock(round->mutex);
  return round->all_arrived.wait_until(lock, until, [&] { return round->left == 0; });
}

}  // namespace

Result<std::unique_ptr<BrokerGroup>> BrokerGroup::open(const HistorySection& section,
                                                       const std::vector<reactor::Loop*>& loops,
                                                       WallClock& wall) {
  std::unique_ptr<BrokerGroup> group(new BrokerGroup(loops));
  const broker::BrokerLimits limits = broker_limits(section, loops.size());
  if (section.path.empty()) {
    for (std::size_t i = 0; i < loops.size(); ++i) {
      group->memory_.push_back(std::make_unique<broker::MemoryBroker>(limits, wall));
    }
    return group;
  }
  auto store = broker::SqliteStore::open(
      {.path = section.path, .file_bytes_max = section.disk_max});
  if (!store) {
    Error error = std::move(store.error());
    error.message = fmt::format("\"history.path\" ({}): {}", in_quotes_short(section.path),
                                error.message);
    return std::unexpected(std::move(error));
  }
  group->store_ = std::move(*store);
  for (reactor::Loop* loop : loops) {
    group->sqlite_.push_back(std::make_unique<broker::SqliteBroker>(
        *group->store_, [loop](Task task) { loop->post(std::move(task)); }, limits, wall));
  }
  loops[0]->arm(*group, kSweepInterval);
  return group;
}

// The store goes last: it writes what is queued, and whom it would tell is gone.
BrokerGroup::~BrokerGroup() = default;

broker::Broker& BrokerGroup::broker(std::size_t loop) {
  if (store_) return *sqlite_[loop];
  return *memory_[loop];
}

void BrokerGroup::on_timer() {
  sqlite_[0]->expire();
  loops_[0]->arm(*this, kSweepInterval);
}

bool BrokerGroup::settle(Duration patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  const RoundTask pass = [](std::size_t, Task arrive) { arrive(); };
  const RoundTask flush = [this](std::size_t loop, Task arrive) {
    if (store_) return sqlite_[loop]->flush(std::move(arrive));
    arrive();
  };
  // Mails from one loop to another keep their order. After the first round each owner has what the
  // loops had read, after the second it has the answers, after the third so have those who asked.
  return run_round(loops_, until, pass) && run_round(loops_, until, flush) &&
         run_round(loops_, until, pass);
}

}  // namespace anywire::server
