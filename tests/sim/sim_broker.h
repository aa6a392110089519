// SimBroker: the store of one loop, in memory underneath, as bad as a store may be: it answers
// later, in the order of the questions, like one behind a writer thread; it fails, and then it is
// not known what it did; it begins streams anew. Truth hears of everything it orders and hands out.
//
// Thread: the run's; what `step` does happens as if a mail from the store had arrived at the loop.
// Lifetime: what its constructor takes outlives it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "broker/memory.h"
#include "sim/scenario.h"
#include "sim/truth.h"

namespace anywire::sim {

struct SimBrokerOptions {
  bool late = false;
  Fault fault = Fault::kNone;
  broker::BrokerLimits limits;
  Random& epochs;
  Random& dice;
  // Called for each question: let `step` be called on this broker's loop, some time later.
  std::function<void()> soon;
};

class SimBroker final : public broker::Broker {
 public:
  SimBroker(SimBrokerOptions options, WallClock& wall, Truth& truth);
  ~SimBroker() override;

  std::unique_ptr<broker::Stream> open(std::string_view channel,
                                       const broker::StreamOptions& options,
                                       broker::StreamSink& sink) override;
  void clear(std::string_view channel) override;
  void expire() override { inner_.expire(); }
  std::size_t history_bytes() const override { return inner_.history_bytes(); }
  std::size_t streams() const override { return inner_.streams(); }
  std::size_t idempotency_keys() const { return inner_.idempotency_keys(); }

  // Answers the oldest question.
  void step();
  std::size_t due() const { return due_.size(); }
  // Whether history still has that message of an open stream; nothing if the stream is not open.
  std::optional<bool> has(std::string_view channel, std::uint64_t epoch, std::uint64_t offset);

  bool failing = false;

 private:
  struct State;
  class Handle;

  void ask(std::move_only_function<void()> question);
  bool fails() { return failing && options_.dice.below(2) == 0; }

  SimBrokerOptions options_;
  Truth& truth_;
  broker::MemoryBroker inner_;
  std::map<std::string, std::weak_ptr<State>, std::less<>> open_;
  std::deque<std::move_only_function<void()>> due_;
};

}  // namespace anywire::sim
