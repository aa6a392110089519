#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hub/testing/hub_fixture.h"

namespace anywire::hub {
namespace {

TEST(HubThreads, GiveAllLoopsOneOrderWhileEverybodyPublishes) {
  constexpr std::uint32_t kLoops = 4;
  constexpr int kEach = 500;
  SystemClock clock;
  SystemWallClock wall;
  std::vector<std::unique_ptr<reactor::Loop>> loops;
  std::vector<std::unique_ptr<broker::MemoryBroker>> brokers;
  std::vector<HubSeat> seats;
  for (std::uint32_t i = 0; i < kLoops; ++i) {
    loops.push_back(*reactor::Loop::create({.index = i}, clock));
    brokers.push_back(std::make_unique<broker::MemoryBroker>(broker::BrokerLimits{}, wall));
    seats.push_back({*loops.back(), *brokers.back()});
  }
  const Rules rules;
  HubGroup group(seats, rules);
  std::vector<std::unique_ptr<Listener>> members;
  std::vector<std::promise<void>> subscribed(kLoops), complete(kLoops);
  for (std::uint32_t i = 0; i < kLoops; ++i) {
    Listener& member = *members.emplace_back(std::make_unique<Listener>());
    member.on_subscribed_hook = [&subscribed, i] { subscribed[i].set_value(); };
    member.on_publication_hook = [&member, &complete, i] {
      if (member.heard.size() == kLoops * kEach) complete[i].set_value();
    };
    loops[i]->post([&group, &member, i] { group.hub(i).subscribe("x", member); });
  }
  std::vector<std::thread> threads;
  for (auto& loop : loops) threads.emplace_back([&loop] { loop->run(); });
  for (auto& promise : subscribed) promise.get_future().wait();
  for (int n = 0; n < kEach; ++n) {
    for (std::uint32_t i = 0; i < kLoops; ++i) {
      loops[i]->post([&group, &member = *members[i], i, n] {
        group.hub(i).publish(member, draft_of(std::to_string(i) + ":" + std::to_string(n)));
      });
    }
  }
  for (auto& promise : complete) promise.get_future().wait();
  for (std::uint32_t i = 0; i < kLoops; ++i) {
    loops[i]->post([&group, &member = *members[i], i] { group.hub(i).unsubscribe(member); });
    loops[i]->stop();
  }
  for (std::thread& thread : threads) thread.join();
  for (auto& loop : loops) loop->turn(Duration::zero());
  std::map<std::string, int> next;
  for (const std::string& heard : members[0]->heard) {
    const std::size_t colon = heard.find(':');
    EXPECT_EQ(std::stoi(heard.substr(colon + 1)), next[heard.substr(0, colon)]++)
        << "each publisher's own order";
  }
  for (const auto& member : members) EXPECT_EQ(member->heard, members[0]->heard);
}

// Receivers that join late, rewind to the beginning, and stall now and then, on loops of their own.
TEST(HubThreads, BringEverybodyToTheLiveEdgeWhileEverybodyPublishes) {
  constexpr std::uint32_t kLoops = 3;
  constexpr int kEach = 400;
  SystemClock clock;
  SystemWallClock wall;
  ChannelRule rule;
  rule.history_messages = 10'000;
  const Rules rules({}, rule);
  std::vector<std::unique_ptr<reactor::Loop>> loops;
  std::vector<std::unique_ptr<broker::MemoryBroker>> brokers;
  std::vector<HubSeat> seats;
  for (std::uint32_t i = 0; i < kLoops; ++i) {
    loops.push_back(*reactor::Loop::create({.index = i}, clock));
    brokers.push_back(std::make_unique<broker::MemoryBroker>(broker::BrokerLimits{}, wall));
    seats.push_back({*loops.back(), *brokers.back()});
  }
  HubGroup group(seats, rules);
  std::vector<Listener> listeners(kLoops);
  std::vector<std::promise<void>> complete(kLoops);
  for (std::uint32_t i = 0; i < kLoops; ++i) {
    Listener& one = listeners[i];
    one.on_publication_hook = [&, i] {
      if (one.heard.size() == kLoops * kEach) complete[i].set_value();
      one.room = one.heard.size() % 7 == 0 ? 0 : -1;  // enough for now
      if (one.room < 0) return;
      loops[i]->post([&, i] {
        one.room = -1;
        group.hub(i).resume(one);
      });
    };
  }
  std::vector<std::thread> threads;
  for (auto& loop : loops) threads.emplace_back([&loop] { loop->run(); });
  for (int n = 0; n < kEach; ++n) {
    for (std::uint32_t i = 0; i < kLoops; ++i) {
      loops[i]->post([&group, i] { group.hub(i).publish("x", draft_of("message")); });
      if (n != 100 * static_cast<int>(i)) continue;
      loops[i]->post([&, i] { group.hub(i).subscribe("x", listeners[i], {.rewind = 10'000}); });
    }
  }
  for (auto& promise : complete) promise.get_future().wait();
  for (std::uint32_t i = 0; i < kLoops; ++i) {
    loops[i]->post([&group, &one = listeners[i], i] { group.hub(i).unsubscribe(one); });
    loops[i]->stop();
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 3; ++i) {
    for (auto& loop : loops) loop->turn(Duration::zero());
  }
  for (const Listener& one : listeners) {
    EXPECT_EQ(one.offsets.front(), 1u);
    EXPECT_TRUE(one.gaps.empty());
  }
}

}  // namespace
}  // namespace anywire::hub
