// Receivers that join, leave, come back, stall and publish at random, while loops turn and stores
// answer in random order, histories are evicted and streams begin anew. Listener checks every
// receiver for order, repetitions and untold gaps; this checks that what it heard is what was
// published, and that all end at the same place. A failure names its seed.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "hub/testing/hub_fixture.h"
#include "hub/testing/late_broker.h"

namespace anywire::hub {
namespace {

struct World {
  std::string name;
  std::uint32_t loops = 1;
  bool late = false;    // the store answers later
  bool lossy = false;   // history is small, streams are cleared
  bool failing = false;  // the store fails now and then
  SlowConsumer policy = SlowConsumer::kRecover;
  bool window = false;
  bool conflate = false;
  int history_messages = 20'000;
};

void PrintTo(const World& world, std::ostream* out) { *out << world.name; }

class RandomHubTest : public HubTest, public ::testing::WithParamInterface<World> {
 protected:
  struct Walker {
    std::uint32_t loop = 0;
    Listener listener;
    std::optional<broker::Position> since;  // of this stay
    std::optional<broker::Position> left_at;
  };

  std::unique_ptr<broker::Broker> make_broker() override {
    if (!GetParam().late) return HubTest::make_broker();
    return std::make_unique<LateBroker>(limits, wall, &random);
  }
  void run_seed(std::uint32_t seed);
  void step(Walker& walker);
  void join(Walker& walker);
  void leave(Walker& walker);
  void say(Walker& walker);
  void answer_one();
  void settle_all();
  void check_joined(const Walker& walker) const;
  void check_heard(const Walker& walker) const;
  void check_end(const std::vector<std::unique_ptr<Walker>>& walkers, const Walker& anchor);

  std::uint32_t dice(std::uint32_t sides) {
    return static_cast<std::uint32_t>(engine() % sides);
  }

  std::mt19937 engine;
  std::string channel;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> truth;
  int said = 0;
};

void RandomHubTest::answer_one() {
  if (!GetParam().late) return;
  LateBroker& store = static_cast<LateBroker&>(*brokers[dice(GetParam().loops)]);
  store.failing = GetParam().failing && dice(10) == 0;
  store.step();
  store.failing = false;
}

void RandomHubTest::settle_all() {
  for (int i = 0; i < 40; ++i) {
    settle();
    for (auto& one : brokers) {
      if (GetParam().late) static_cast<LateBroker&>(*one).run();
    }
    if (i % 10 == 5) pass(Duration{1100});
  }
}

void RandomHubTest::join(Walker& walker) {
  SubscribeOptions options;
  if (walker.left_at && dice(4) != 0) {
    options.since = walker.left_at;
  } else if (dice(3) == 0) {
    options.rewind = dice(10);
  }
  walker.since = options.since;
  hub(walker.loop).subscribe(channel, walker.listener, options);
}

void RandomHubTest::check_joined(const Walker& walker) const {
  const Joined& joined = walker.listener.last_joined;
  if (!walker.since) {
    EXPECT_FALSE(joined.recovered || joined.gap);
    return;
  }
  ASSERT_EQ(joined.recovered, !joined.gap);
  if (joined.recovered) {
    EXPECT_EQ(joined.position, *walker.since);
  } else {
    EXPECT_EQ(joined.gap->from, walker.since->offset + 1);
    EXPECT_TRUE(GetParam().lossy) << "nothing was lost here";
  }
}

void RandomHubTest::check_heard(const Walker& walker) const {
  EXPECT_EQ(walker.listener.early, 0);
  for (const Gap& gap : walker.listener.gaps) {
    if (GetParam().lossy || gap.reason == Gap::Reason::kConflated) continue;
    EXPECT_EQ(gap.reason, Gap::Reason::kSlow) << "nothing was lost here";
    EXPECT_NE(GetParam().policy, SlowConsumer::kRecover);
  }
}

void RandomHubTest::leave(Walker& walker) {
  if (walker.listener.subscribed_calls > 0) walker.left_at = walker.listener.position;
  hub(walker.loop).unsubscribe(walker.listener);
  check_heard(walker);
  walker.listener.subscribed_calls = 0;
  walker.listener.gaps.clear();
  walker.listener.heard.clear();
}

void RandomHubTest::say(Walker& walker) {
  std::string text = std::to_string(++said);
  broker::PublishRequest request = request_of(text);
  request.draft.key = std::to_string(dice(3));
  hub(walker.loop).publish(channel, std::move(request), [this, text](const auto& result) {
    if (!result) return;
    const auto [at, fresh] =
        truth.emplace(std::pair{result->position.epoch, result->position.offset}, text);
    EXPECT_TRUE(fresh) << "two messages at one place";
  });
}

void RandomHubTest::step(Walker& walker) {
  const std::uint32_t what = dice(100);
  if (what < 40) {
    turn(dice(GetParam().loops));
  } else if (what < 55) {
    answer_one();
  } else if (what < 75) {
    for (std::uint32_t i = dice(6); i > 0; --i) say(walker);
  } else if (what < 80) {
    walker.listener.room = dice(3) == 0 ? -1 : static_cast<int>(dice(3));
  } else if (what < 88) {
    if (walker.listener.subscribed()) hub(walker.loop).resume(walker.listener);
  } else if (what < 90) {
    clock.advance(Duration{static_cast<int>(dice(4))});
  } else if (what == 90 && GetParam().lossy) {
    for (auto& one : brokers) one->clear(channel);
  } else if (walker.listener.subscribed()) {
    leave(walker);
  } else {
    join(walker);
  }
}

void RandomHubTest::check_end(const std::vector<std::unique_ptr<Walker>>& walkers,
                              const Walker& anchor) {
  for (const auto& walker : walkers) {
    Listener& one = walker->listener;
    if (!one.subscribed()) continue;
    ASSERT_EQ(one.subscribed_calls, 1);
    EXPECT_EQ(one.position, anchor.listener.position) << "it has been told of everything";
    check_heard(*walker);
    hub(walker->loop).unsubscribe(one);
  }
}

void RandomHubTest::run_seed(std::uint32_t seed) {
  engine.seed(seed);
  channel = "random-" + std::to_string(seed);
  truth.clear();
  Walker anchor;
  while (&hub(anchor.loop) != &group->owner_of(channel)) ++anchor.loop;
  hub(anchor.loop).subscribe(channel, anchor.listener);
  settle_all();
  ASSERT_EQ(anchor.listener.subscribed_calls, 1);
  std::vector<std::unique_ptr<Walker>> walkers;
  for (std::uint32_t i = 0; i < 7; ++i) {
    Walker& walker = *walkers.emplace_back(std::make_unique<Walker>());
    walker.loop = i % GetParam().loops;
    walker.listener.on_subscribed_hook = [this, &walker] { check_joined(walker); };
    walker.listener.on_publication_hook = [this, &walker] {
      const Listener& one = walker.listener;
      const auto at = truth.find({one.position.epoch, one.position.offset});
      if (at != truth.end()) {
        EXPECT_EQ(at->second, one.heard.back());
      }
      if (GetParam().loops == 1 && dice(20) == 0) say(walker);
    };
  }
  for (int i = 0; i < 400 && !HasFailure(); ++i) step(*walkers[dice(7)]);
  for (auto& walker : walkers) walker->listener.room = -1;
  for (int i = 0; i < 3; ++i) {
    settle_all();
    for (auto& walker : walkers) {
      if (walker->listener.subscribed()) hub(walker->loop).resume(walker->listener);
    }
  }
  settle_all();
  check_end(walkers, anchor);
  for (std::size_t i = 0; i < anchor.listener.heard.size() && !GetParam().lossy; ++i) {
    const auto at = truth.find({anchor.listener.position.epoch, anchor.listener.offsets[i]});
    if (at != truth.end()) {
      ASSERT_EQ(at->second, anchor.listener.heard[i]);
    }
  }
  hub(anchor.loop).unsubscribe(anchor.listener);
  settle_all();
  for (std::uint32_t i = 0; i < GetParam().loops; ++i) {
    EXPECT_EQ(hub(i).channels(), 0u);
    EXPECT_EQ(hub(i).readers(), 0u);
    EXPECT_EQ(hub(i).owned_channels(), 0u);
  }
}

TEST_P(RandomHubTest, NeverLies) {
  const World& world = GetParam();
  rule.history_messages = world.history_messages;
  rule.slow_consumer = world.policy;
  rule.flush_window = Duration{world.window ? 3 : 0};
  rule.conflate = world.conflate;
  start(world.loops);
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    run_seed(seed);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Worlds, RandomHubTest,
    ::testing::Values(
        World{.name = "one", .loops = 1}, World{.name = "three", .loops = 3},
        World{.name = "lossy", .loops = 3, .lossy = true, .history_messages = 12},
        World{.name = "forgetful", .loops = 3, .lossy = true, .history_messages = 0},
        World{.name = "late", .loops = 3, .late = true},
        World{.name = "latelossy", .loops = 3, .late = true, .lossy = true, .history_messages = 9},
        World{.name = "lateone", .loops = 1, .late = true, .lossy = true, .history_messages = 9},
        World{.name = "windows", .loops = 3, .window = true},
        World{.name = "conflating", .loops = 3, .window = true, .conflate = true},
        World{.name = "latest", .loops = 3, .policy = SlowConsumer::kLatest},
        World{.name = "dropping", .loops = 3, .policy = SlowConsumer::kDrop},
        World{.name = "ending", .loops = 3, .policy = SlowConsumer::kDisconnect}),
    [](const auto& world) { return world.param.name; });

}  // namespace
}  // namespace anywire::hub
