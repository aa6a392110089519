#include "hub/patterns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "hub/testing/hub_fixture.h"

namespace anywire::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Watcher final : public PatternSubscriber {
 public:
  void on_subscribed() override {
    ++subscribed_calls;
    if (on_subscribed_hook) on_subscribed_hook();
  }
  bool on_delivery(Delivery& delivery) override {
    for (const auto& one : delivery.publications()) {
      heard.push_back(one->channel + " " + std::string(as_text(one->payload->bytes())));
    }
    if (on_delivery_hook) on_delivery_hook();
    return takes_more;
  }
  void on_missed(std::uint64_t messages) override { missed.push_back(messages); }

  int subscribed_calls = 0;
  bool takes_more = true;
  std::vector<std::string> heard;
  std::vector<std::uint64_t> missed;
  std::function<void()> on_subscribed_hook;
  std::function<void()> on_delivery_hook;
};

// Three loops; the watchers are on the first.
class PatternsTest : public HubTest {
 protected:
  PatternsTest() { start(3); }
  void watch(std::string_view pattern, Watcher& watcher) {
    hub(0).subscribe(*auth::Glob::parse(pattern), watcher);
    settle();
  }
  void say(std::string_view channel, std::string_view text, std::uint32_t loop = 1) {
    post(loop, channel, text);
    settle();
  }
};

TEST_F(PatternsTest, HearsAllChannelsThatMatchWhoeverOwnsThem) {
  Watcher rooms, all;
  watch("room-*", rooms);
  watch("*", all);
  EXPECT_EQ(rooms.subscribed_calls, 1);
  for (const char* channel : {"room-1", "room-2", "hall", "room-3", "room-4"}) say(channel, "hi");
  EXPECT_THAT(rooms.heard, ElementsAre("room-1 hi", "room-2 hi", "room-3 hi", "room-4 hi"));
  EXPECT_EQ(all.heard.size(), 5u);
}

TEST_F(PatternsTest, IsInForceOnlyWhenAllOwnersKnow) {
  Watcher a;
  hub(0).subscribe(*auth::Glob::parse("*"), a);
  turn(0);
  turn(1);
  turn(0);
  EXPECT_EQ(a.subscribed_calls, 0);
  settle();
  EXPECT_EQ(a.subscribed_calls, 1);
  Watcher second;
  hub(0).subscribe(*auth::Glob::parse("*"), second);
  EXPECT_EQ(second.subscribed_calls, 1) << "they know already";
}

TEST_F(PatternsTest, GoesAlongWithPlainSubscriptions) {
  Watcher watcher;
  Listener listener;
  hub(0).subscribe("room-1", listener);
  watch("room-*", watcher);
  say("room-1", "both");
  EXPECT_THAT(listener.heard, ElementsAre("both"));
  EXPECT_THAT(watcher.heard, ElementsAre("room-1 both"));
}

TEST_F(PatternsTest, KeepsTheOrderOfEachChannel) {
  Watcher watcher;
  watch("room-*", watcher);
  for (int i = 0; i < 100; ++i) post(2, "room-1", std::to_string(i));
  settle();
  ASSERT_EQ(watcher.heard.size(), 100u);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(watcher.heard[i], "room-1 " + std::to_string(i));
  }
}

// A session hears a channel by a pattern until it is subscribed to the channel itself, and by that
// only from then on: each message must come by exactly one of the two, in order.
TEST_F(PatternsTest, HandsAChannelOverToItsOwnSubscription) {
  Watcher all;
  watch("channel-*", all);
  int handed_over = 0;  // rounds in which both had a part
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE(seed);
    Random choice(seed);
    const std::string channel = owned_by(static_cast<std::uint32_t>(seed % 2));
    Watcher watcher;
    Listener listener, another;
    watch("channel-*", watcher);
    if (seed % 3 == 0) hub(0).subscribe(channel, another);
    settle();
    std::size_t by_pattern = 0;  // heard before the channel's own subscription was in force
    listener.on_subscribed_hook = [&] { by_pattern = watcher.heard.size(); };
    all.heard.clear();
    for (int step = 0; step < 24; ++step) {
      const auto loop = static_cast<std::uint32_t>(choice.below(3));
      if (choice.below(2) == 0) {
        post(loop, channel, std::to_string(step));
      } else {
        turn(loop);
      }
      if (step == 12) hub(0).subscribe(channel, listener);
    }
    settle();
    std::vector<std::string> heard(watcher.heard.begin(),
                                   watcher.heard.begin() + static_cast<std::ptrdiff_t>(by_pattern));
    for (const std::string& said : listener.heard) heard.push_back(channel + " " + said);
    EXPECT_EQ(heard, all.heard);
    if (by_pattern > 0 && !listener.heard.empty()) ++handed_over;
  }
  EXPECT_GT(handed_over, 300);
}

TEST_F(PatternsTest, LearnsOfPatternsThatComeAndGo) {
  Watcher first, second;
  watch("a*", first);
  say("ab", "1");
  watch("*b", second);
  say("ab", "2");
  hub(0).unsubscribe(first);
  say("ab", "3");
  EXPECT_THAT(first.heard, ElementsAre("ab 1", "ab 2"));
  EXPECT_THAT(second.heard, ElementsAre("ab 2", "ab 3"));
  hub(0).unsubscribe(second);
  settle();
  EXPECT_EQ(hub(0).patterns(), 0u);
  pass(Duration{1100});
  say("ab", "4");
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(hub(i).owned_channels(), 0u);
}

TEST_F(PatternsTest, AllowsLeavingInsideCallbacks) {
  Watcher a, b, c;
  a.on_delivery_hook = [&] {
    hub(0).unsubscribe(a);
    hub(0).unsubscribe(b);
  };
  c.on_subscribed_hook = [&] { hub(0).unsubscribe(c); };
  watch("x*", a);
  watch("x*", b);
  watch("*", c);
  say("x1", "1");
  say("x1", "2");
  EXPECT_THAT(a.heard, ElementsAre("x1 1"));
  EXPECT_THAT(b.heard, IsEmpty());
  EXPECT_EQ(hub(0).patterns(), 0u);
}

TEST_F(PatternsTest, LeavesBeforeItIsInForceAndReturns) {
  Watcher a;
  {
    Watcher gone;
    hub(0).subscribe(*auth::Glob::parse("x*"), gone);
  }
  hub(0).subscribe(*auth::Glob::parse("x*"), a);
  settle();
  EXPECT_EQ(a.subscribed_calls, 1);
  say("x1", "1");
  EXPECT_THAT(a.heard, ElementsAre("x1 1"));
}

TEST_F(PatternsTest, CountsWhatAStalledOneMisses) {
  Watcher a;
  watch("*", a);
  a.takes_more = false;
  say("x", "1");
  say("x", "2");
  say("y", "3");
  EXPECT_THAT(a.heard, ElementsAre("x 1"));
  a.takes_more = true;
  hub(0).resume(a);
  hub(0).resume(a);
  EXPECT_THAT(a.missed, ElementsAre(2u));
  say("x", "4");
  EXPECT_EQ(a.heard.back(), "x 4");
}

// One of many places goes at a time; nobody else's message may be lost or told twice by that.
TEST_F(PatternsTest, ServesTheRestOfAPatternThatManyLeave) {
  constexpr std::size_t kWatchers = 40;
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (std::size_t i = 0; i < kWatchers; ++i) {
    watchers.push_back(std::make_unique<Watcher>());
    hub(0).subscribe(*auth::Glob::parse("x*"), *watchers.back());
  }
  settle();
  Random choice(7);
  std::size_t said = 0;
  while (!watchers.empty()) {
    say("x1", std::to_string(++said));
    for (const auto& watcher : watchers) ASSERT_EQ(watcher->heard.size(), said);
    const auto gone = static_cast<std::ptrdiff_t>(choice.below(watchers.size()));
    watchers.erase(watchers.begin() + gone);
  }
  EXPECT_EQ(hub(0).patterns(), 0u);
}

// With two patterns that take a channel, the owner serves the loop for one of them: when that goes
// the other must do.
TEST_F(PatternsTest, ServesALoopForAnotherPatternWhenOneGoes) {
  auto first = std::make_unique<Watcher>();
  Watcher second;
  watch("ab*", *first);
  watch("*", second);
  say("abc", "1");
  first.reset();
  say("abc", "2");
  EXPECT_THAT(second.heard, ElementsAre("abc 1", "abc 2"));
}

TEST_F(PatternsTest, MaySubscribeInsideADelivery) {
  Watcher old, fresh;
  old.on_delivery_hook = [&] {
    if (!fresh.subscribed()) hub(0).subscribe(*auth::Glob::parse("a*"), fresh);
  };
  watch("*", old);
  say("ab", "1");
  say("ab", "2");
  say("ac", "3");
  EXPECT_THAT(fresh.heard, ElementsAre("ab 2", "ac 3"));
  EXPECT_THAT(old.heard, ElementsAre("ab 1", "ab 2", "ac 3"));
}

// Against asking every pattern for every message, with patterns that come and go on all loops.
TEST_F(PatternsTest, AgreesWithAskingEveryPattern) {
  const std::vector<std::string> texts{"*", "a*", "ab*", "b?", "*b", "abc", "??", "a*c", "ab?"};
  const std::vector<std::string> channels{"a", "ab", "abc", "b", "bb", "cab", "c"};
  struct Seat {
    std::uint32_t loop;
    auth::Glob glob;
    Watcher watcher;
    std::size_t due = 0;
  };
  std::vector<std::unique_ptr<Seat>> seats;
  Random choice(11);
  std::size_t heard = 0;
  for (int step = 0; step < 4000; ++step) {
    const std::size_t kind = choice.below(4);
    if (kind == 0 && seats.size() < 12) {
      const std::string& text = texts[choice.below(texts.size())];
      seats.push_back(std::make_unique<Seat>(static_cast<std::uint32_t>(choice.below(3)),
                                             *auth::Glob::parse(text)));
      hub(seats.back()->loop).subscribe(seats.back()->glob, seats.back()->watcher);
      settle();
    } else if (kind == 1 && !seats.empty()) {
      seats.erase(seats.begin() + static_cast<std::ptrdiff_t>(choice.below(seats.size())));
      settle();
    } else {
      const std::string& channel = channels[choice.below(channels.size())];
      say(channel, "x", static_cast<std::uint32_t>(choice.below(3)));
      for (const auto& seat : seats) {
        if (seat->glob.matches(channel)) ++seat->due, ++heard;
        ASSERT_EQ(seat->watcher.heard.size(), seat->due) << step << " " << seat->glob.pattern();
      }
    }
  }
  EXPECT_GT(heard, 1000u);
}

TEST_F(PatternsTest, RemembersABoundedNumberOfChannels) {
  Watcher a;
  watch("*", a);
  for (int i = 0; i < 10'500; ++i) post(0, "channel-" + std::to_string(i), "x");
  settle();
  EXPECT_EQ(a.heard.size(), 10'500u);
}

}  // namespace
}  // namespace anywire::hub
