// MemoryBroker: streams in memory, for one loop. Everything is answered within the call; only what
// a sink or a `done` publishes or clears on a stream that is just handing something out waits until
// that is through, so that no sink is entered twice and order holds.
//
// Thread: the loop's. Lifetime: `clock` and `random` outlive the broker, the broker its handles.
// Limits: BrokerLimits. A publish to a stream without history and without a key allocates the
// Publication and nothing else. Durable streams are refused (kUnavailable): there is no disk here.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "broker/broker.h"
#include "broker/history.h"
#include "broker/key_table.h"

namespace anywire::broker {

// Never 0. From `random` when given, so that a simulation can be replayed; otherwise such as nobody
// can guess.
std::uint64_t new_epoch(Random* random);

class MemoryBroker final : public Broker {
 public:
  MemoryBroker(const BrokerLimits& limits, WallClock& clock, Random* random = nullptr);
  ~MemoryBroker() override;

  std::unique_ptr<Stream> open(std::string_view channel, const StreamOptions& options,
                               StreamSink& sink) override;
  void clear(std::string_view channel) override;
  void expire() override;

  std::size_t history_bytes() const override { return pool_.bytes(); }
  std::size_t streams() const override { return states_.size(); }

  std::size_t idempotency_keys() const { return keys_.size(); }
  // For a broker that keeps histories of its own under the same limit.
  HistoryPool& pool() { return pool_; }

 private:
  struct State;
  class Handle;
  struct Event;
  using Due = std::pair<std::uint64_t, State*>;

  State& find_or_create(std::string_view channel);
  void release(State& state);
  void publish(State& state, PublishRequest&& request, PublishDone&& done);
  void read(State& state, const HistoryQuery& query, HistoryDone done);
  void hand_out(State& state, Event event);
  void give(State& state, Event& event);
  void apply(State& state, const StreamOptions& options);
  void schedule(State& state);
  void unschedule(State& state);
  void settle_idle(State& state);
  void leave_idle(State& state);
  void forget(State& state);

  const BrokerLimits limits_;
  WallClock& clock_;
  Random* random_;
  HistoryPool pool_;
  KeyTable keys_;
  std::map<std::string, std::unique_ptr<State>, std::less<>> states_;
  std::set<Due> due_;           // those with something that will outlive its time
  std::list<State*> idle_;      // nobody holds them; the longest so first
  std::list<State*> spent_;     // of these, those with neither history nor keys; in order of that
};

}  // namespace anywire::broker
