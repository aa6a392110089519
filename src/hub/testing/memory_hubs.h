// MemoryHubs: a HubGroup over given loops with all that it needs, streams in memory. Only tests
// include it.
//
// Thread: as HubGroup. Lifetime: the loops outlive it.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "broker/memory.h"
#include "hub/hub.h"

namespace anywire::hub {

class MemoryHubs {
 public:
  explicit MemoryHubs(const std::vector<reactor::Loop*>& loops, Rules rules = Rules())
      : rules_(std::move(rules)) {
    std::vector<HubSeat> seats;
    for (reactor::Loop* loop : loops) {
      brokers_.push_back(std::make_unique<broker::MemoryBroker>(broker::BrokerLimits(), clock_));
      seats.push_back({*loop, *brokers_.back()});
    }
    group_ = std::make_unique<HubGroup>(seats, rules_);
  }

  HubGroup& group() { return *group_; }
  Hub& hub(std::uint32_t loop) { return group_->hub(loop); }
  Hub& owner_of(std::string_view channel) { return group_->owner_of(channel); }

 private:
  const Rules rules_;
  SystemWallClock clock_;
  std::vector<std::unique_ptr<broker::MemoryBroker>> brokers_;
  std::unique_ptr<HubGroup> group_;
};

}  // namespace anywire::hub
