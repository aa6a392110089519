// Some loops in one thread, turned by hand, with a hub each, and subscribers that write down what
// they are told. Only tests include it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "broker/memory.h"
#include "hub/hub.h"

namespace anywire::hub {

inline broker::Draft draft_of(std::string_view text, std::string_view key = {}) {
  broker::Draft draft;
  draft.kind = broker::PayloadKind::kText;
  draft.payload = Buffer::copy_of(as_bytes(text));
  draft.key = key;
  return draft;
}

inline broker::PublishRequest request_of(std::string_view text, std::string_view key = {}) {
  return {.draft = draft_of(text), .idempotency_key = std::string(key)};
}

// Checks at every call that nothing is missing, repeated or untold.
class Listener final : public Subscriber {
 public:
  void on_subscribed(const Joined& joined) override {
    ++subscribed_calls;
    last_joined = joined;
    position = joined.position;
    if (on_subscribed_hook) on_subscribed_hook();
  }
  void on_refused(HubError error) override {
    EXPECT_FALSE(subscribed());
    refusals.push_back(error);
    if (on_refused_hook) on_refused_hook();
  }
  bool on_delivery(Delivery& delivery) override {
    if (subscribed_calls == 0) ++early;
    for (const broker::PublicationPtr& publication : delivery.publications()) {
      if (!subscribed()) return true;  // left over the one before
      EXPECT_EQ(publication->epoch, position.epoch);
      EXPECT_EQ(publication->offset, position.offset + 1);
      position = publication->position();
      heard.emplace_back(as_text(publication->payload->bytes()));
      offsets.push_back(publication->offset);
      if (on_publication_hook) on_publication_hook();
    }
    if (room == 0) return false;
    if (room > 0 && --room == 0) return false;
    return true;
  }
  void on_gap(const Gap& gap) override {
    EXPECT_EQ(gap.from, position.offset + 1);
    if (gap.reason == Gap::Reason::kNewEpoch) {
      EXPECT_NE(gap.position.epoch, position.epoch);
      EXPECT_EQ(gap.to, 0u);
    } else {
      EXPECT_EQ(gap.position.epoch, position.epoch);
      EXPECT_EQ(gap.position.offset, gap.to);
      EXPECT_GE(gap.to, gap.from);
    }
    position = gap.position;
    gaps.push_back(gap);
    if (on_gap_hook) on_gap_hook();
  }

  void on_hold() override { held = true; }
  void on_release() override {
    held = false;
    if (on_release_hook) on_release_hook();
  }

  bool held = false;
  int subscribed_calls = 0;
  int early = 0;  // deliveries before on_subscribed
  int room = -1;  // how many more deliveries it takes; -1 = any number
  Joined last_joined;
  broker::Position position;
  std::vector<std::string> heard;
  std::vector<std::uint64_t> offsets;
  std::vector<Gap> gaps;
  std::vector<HubError> refusals;
  std::function<void()> on_subscribed_hook;
  std::function<void()> on_refused_hook;
  std::function<void()> on_publication_hook;
  std::function<void()> on_gap_hook;
  std::function<void()> on_release_hook;
};

class HubTest : public ::testing::Test {
 protected:
  void start(std::uint32_t count) {
    rules = std::make_unique<Rules>(std::vector<ChannelRule>{}, rule);
    std::vector<HubSeat> seats;
    for (std::uint32_t i = 0; i < count; ++i) {
      loops.push_back(*reactor::Loop::create({.index = i, .receive_buffer_bytes = 64}, clock));
      brokers.push_back(make_broker());
      seats.push_back({*loops.back(), *brokers.back()});
    }
    group = std::make_unique<HubGroup>(seats, *rules);
  }
  virtual std::unique_ptr<broker::Broker> make_broker() {
    return std::make_unique<broker::MemoryBroker>(limits, wall, &random);
  }

  Hub& hub(std::uint32_t loop) { return group->hub(loop); }
  void turn(std::uint32_t loop) { loops[loop]->turn(Duration::zero()); }
  void settle() {
    for (int i = 0; i < 8; ++i) {
      for (std::uint32_t loop = 0; loop < loops.size(); ++loop) turn(loop);
    }
  }
  void pass(Duration time) {
    clock.advance(time);
    wall.advance(time);
    settle();
  }
  // A channel that `loop` owns.
  std::string owned_by(std::uint32_t loop) const {
    for (int i = 0;; ++i) {
      std::string name = "channel-" + std::to_string(i);
      if (&group->owner_of(name) == &group->hub(loop)) return name;
    }
  }
  void post(std::uint32_t loop, std::string_view channel, std::string_view payload) {
    hub(loop).publish(channel, draft_of(payload));
  }
  // And lets the turn end, which is when deliveries are made.
  void publish(std::uint32_t loop, std::string_view channel, std::string_view payload) {
    post(loop, channel, payload);
    turn(loop);
  }
  void publish_range(std::string_view channel, int first, int last) {
    for (int i = first; i <= last; ++i) post(0, channel, std::to_string(i));
    settle();
  }

  ChannelRule rule = ephemeral();
  broker::BrokerLimits limits;
  ManualClock clock;
  ManualWallClock wall;
  Random random{1};
  std::vector<std::unique_ptr<reactor::Loop>> loops;
  std::unique_ptr<Rules> rules;
  std::vector<std::unique_ptr<broker::Broker>> brokers;
  std::unique_ptr<HubGroup> group;

 private:
  static ChannelRule ephemeral() {
    ChannelRule rule;
    rule.slow_consumer = SlowConsumer::kDisconnect;
    return rule;
  }
};

}  // namespace anywire::hub
