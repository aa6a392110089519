// Receivers that cannot take all: off the live list with a cursor, and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "hub/testing/hub_fixture.h"

namespace anywire::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Reason = Gap::Reason;

class SlowTest : public HubTest, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  void begin(SlowConsumer policy, int history_messages) {
    rule.history_messages = history_messages;
    rule.slow_consumer = policy;
    start(2);
    channel = owned_by(0);
    there().subscribe(channel, quick);
    there().subscribe(channel, slow);
    settle();
    slow.room = 1;  // takes one delivery, and says that it was the last
  }
  Hub& there() { return hub(GetParam()); }
  // One delivery each.
  void publish_each(int first, int last) {
    for (int i = first; i <= last; ++i) publish_range(channel, i, i);
  }
  void let_go_on(int room = -1) {
    slow.room = room;
    there().resume(slow);
    settle();
  }
  std::string channel;
  Listener quick, slow;
};

INSTANTIATE_TEST_SUITE_P(Loop, SlowTest, ::testing::Values(0u, 1u));

TEST_P(SlowTest, RecoversFromHistory) {
  begin(SlowConsumer::kRecover, 100);
  publish_each(1, 5);
  EXPECT_THAT(slow.heard, ElementsAre("1"));
  EXPECT_EQ(there().readers(), 1u);
  let_go_on();
  EXPECT_EQ(slow.heard, quick.heard);
  EXPECT_THAT(slow.gaps, IsEmpty());
  EXPECT_EQ(there().readers(), 0u);
  EXPECT_EQ(there().counters().stalls, 1u);
  publish_each(6, 6);
  EXPECT_EQ(slow.heard.back(), "6");
}

TEST_P(SlowTest, IsLiveAgainAtOnceWhenItMissedNothing) {
  begin(SlowConsumer::kRecover, 100);
  publish_each(1, 1);
  EXPECT_EQ(there().readers(), 1u);
  slow.room = -1;
  there().resume(slow);
  EXPECT_EQ(there().readers(), 0u);
  publish_each(2, 2);
  EXPECT_THAT(slow.heard, ElementsAre("1", "2"));
}

TEST_P(SlowTest, StallsAgainInTheMiddleOfAPage) {
  begin(SlowConsumer::kRecover, 1000);
  publish_each(1, 1);
  const std::string large(10'000, 'x');  // two of them are no run
  for (int i = 2; i <= 20; ++i) post(0, channel, large + std::to_string(i));
  settle();
  let_go_on(3);
  EXPECT_EQ(slow.heard.size(), 4u);
  EXPECT_EQ(there().readers(), 1u);
  there().resume(slow);
  there().resume(slow);  // asked for already
  slow.room = 5;
  settle();
  EXPECT_EQ(slow.heard.size(), 9u);
  let_go_on();
  EXPECT_EQ(slow.heard, quick.heard);
  EXPECT_THAT(slow.gaps, IsEmpty());
}

TEST_P(SlowTest, IsToldWhatWasEvictedMeanwhile) {
  begin(SlowConsumer::kRecover, 3);
  publish_each(1, 10);
  let_go_on();
  EXPECT_THAT(slow.heard, ElementsAre("1", "8", "9", "10"));
  ASSERT_EQ(slow.gaps.size(), 1u);
  EXPECT_EQ(slow.gaps[0].from, 2u);
  EXPECT_EQ(slow.gaps[0].to, 7u);
  EXPECT_EQ(slow.gaps[0].reason, Reason::kEvicted);
  EXPECT_EQ(there().counters().skipped, 6u);
}

TEST_P(SlowTest, IsToldOfTheLossWithoutHistory) {
  begin(SlowConsumer::kRecover, 0);
  publish_each(1, 4);
  let_go_on();
  publish_each(5, 5);
  EXPECT_THAT(slow.heard, ElementsAre("1", "5"));
  ASSERT_EQ(slow.gaps.size(), 1u);
  EXPECT_EQ(slow.gaps[0].reason, Reason::kEvicted);
}

TEST_P(SlowTest, GetsTheLatestWhereTheRuleSaysSo) {
  begin(SlowConsumer::kLatest, 100);
  publish_each(1, 9);
  let_go_on();
  EXPECT_THAT(slow.heard, ElementsAre("1", "9"));
  ASSERT_EQ(slow.gaps.size(), 1u);
  EXPECT_EQ(slow.gaps[0].from, 2u);
  EXPECT_EQ(slow.gaps[0].to, 8u);
  EXPECT_EQ(slow.gaps[0].reason, Reason::kSlow);
  publish_each(10, 10);
  EXPECT_EQ(slow.heard.back(), "10");
}

TEST_P(SlowTest, MissesWhatWasSaidWhereTheRuleDrops) {
  begin(SlowConsumer::kDrop, 100);
  publish_each(1, 9);
  slow.room = -1;
  there().resume(slow);
  EXPECT_EQ(there().readers(), 0u);
  publish_each(10, 10);
  EXPECT_THAT(slow.heard, ElementsAre("1", "10"));
  ASSERT_EQ(slow.gaps.size(), 1u);
  EXPECT_EQ(slow.gaps[0].to, 9u);
  EXPECT_EQ(slow.gaps[0].reason, Reason::kSlow);
}

TEST_P(SlowTest, IsServedOnWhereItHasToEndItself) {
  begin(SlowConsumer::kDisconnect, 100);
  publish_each(1, 3);
  EXPECT_THAT(slow.heard, ElementsAre("1", "2", "3"));
  EXPECT_EQ(there().readers(), 0u);
  there().resume(slow);
  publish_each(4, 4);
  EXPECT_EQ(slow.heard.size(), 4u);
}

TEST_P(SlowTest, IsToldOfAResetWhenItComesBack) {
  begin(SlowConsumer::kRecover, 100);
  publish_each(1, 3);
  brokers[0]->clear(channel);
  settle();
  publish_each(4, 5);
  EXPECT_THAT(slow.gaps, IsEmpty());
  let_go_on();
  EXPECT_THAT(slow.heard, ElementsAre("1", "4", "5"));
  ASSERT_EQ(slow.gaps.size(), 1u);
  EXPECT_EQ(slow.gaps[0].reason, Reason::kNewEpoch);
}

TEST_P(SlowTest, MayLeaveAndReturnWhileStalledOrReading) {
  begin(SlowConsumer::kRecover, 100);
  publish_each(1, 3);
  there().unsubscribe(slow);
  EXPECT_EQ(there().readers(), 0u);
  there().subscribe(channel, slow);
  settle();
  publish_each(4, 5);
  there().resume(slow);
  there().unsubscribe(slow);
  slow.room = -1;
  there().subscribe(channel, slow);
  settle();
  publish_each(6, 6);
  EXPECT_THAT(slow.heard, ElementsAre("1", "4", "6"));
}

TEST_P(SlowTest, MayLeaveInsideTheSignalOfTheGap) {
  begin(SlowConsumer::kRecover, 2);
  publish_each(1, 9);
  slow.on_gap_hook = [&] { there().unsubscribe(slow); };
  let_go_on();
  EXPECT_FALSE(slow.subscribed());
  EXPECT_THAT(slow.heard, ElementsAre("1"));
  EXPECT_EQ(there().readers(), 0u);
}

TEST_P(SlowTest, KeepsTheChannelWhenAllOthersLeave) {
  begin(SlowConsumer::kRecover, 100);
  publish_each(1, 2);
  there().unsubscribe(quick);
  publish_each(3, 4);
  let_go_on();
  EXPECT_THAT(slow.heard, ElementsAre("1", "2", "3", "4"));
  there().unsubscribe(slow);
  settle();
  EXPECT_EQ(there().channels(), 0u);
}

TEST_P(SlowTest, CostsNothingPerMessage) {
  begin(SlowConsumer::kRecover, 10);
  std::vector<std::unique_ptr<Listener>> crowd;
  for (int i = 0; i < 100; ++i) {
    there().subscribe(channel, *crowd.emplace_back(std::make_unique<Listener>()));
    crowd.back()->room = 1;
  }
  settle();
  publish_range(channel, 1, 1);
  EXPECT_EQ(there().readers(), 101u);
  const std::weak_ptr<const broker::Publication> old = [&] {
    std::weak_ptr<const broker::Publication> seen;
    there().history(channel, {.limit = 1}, [&](auto page) { seen = page->publications[0]; });
    settle();
    return seen;
  }();
  EXPECT_FALSE(old.expired());
  publish_range(channel, 2, 40);
  EXPECT_TRUE(old.expired()) << "nobody but history holds it";
  for (auto& one : crowd) {
    one->room = -1;
    there().resume(*one);
  }
  settle();
  for (auto& one : crowd) {
    EXPECT_EQ(one->heard.size(), 11u);
    EXPECT_EQ(one->heard.back(), "40");
  }
}

// Those who were cut off together are given the same bytes when they are back together.
TEST_P(SlowTest, SharesFramesAmongThoseWhoComeBackTogether) {
  struct Framer final : Subscriber {
    void on_subscribed(const Joined&) override {}
    bool on_delivery(Delivery& delivery) override {
      frames.push_back(delivery.frame(0, [this](const broker::Publication& one) {
        ++*encodings;
        return Buffer::copy_of(one.payload->bytes());
      }));
      return takes_more;
    }
    std::vector<BufferRef> frames;
    bool takes_more = false;
    int* encodings = nullptr;
  };
  begin(SlowConsumer::kRecover, 100);
  int encodings = 0;
  std::vector<Framer> crowd(50);
  for (Framer& one : crowd) {
    one.encodings = &encodings;
    there().subscribe(channel, one);
  }
  settle();
  publish_range(channel, 1, 1);
  EXPECT_EQ(encodings, 1);
  publish_range(channel, 2, 21);
  for (Framer& one : crowd) {
    one.takes_more = true;
    there().resume(one);
  }
  settle();
  EXPECT_EQ(encodings, 21);
  for (Framer& one : crowd) {
    ASSERT_EQ(one.frames.size(), 2u);
    EXPECT_EQ(one.frames[1]->data(), crowd[0].frames[1]->data());
  }
}

class WindowTest : public HubTest {
 protected:
  void begin(bool conflate) {
    rule.flush_window = Duration{5};
    rule.conflate = conflate;
    start(1);
    hub(0).subscribe("x", a);
    hub(0).subscribe("x", b);
  }
  void post_keyed(std::string_view text, std::string_view key) {
    hub(0).publish("x", draft_of(text, key));
  }
  Listener a, b;
};

TEST_F(WindowTest, WaitsForTheWindowAndSendsAllAlong) {
  begin(false);
  publish(0, "x", "1");
  clock.advance(Duration{3});
  publish(0, "x", "2");
  EXPECT_THAT(a.heard, IsEmpty());
  pass(Duration{2});
  EXPECT_THAT(a.heard, ElementsAre("1", "2"));
  publish(0, "x", "3");
  EXPECT_EQ(a.heard.size(), 2u);
  pass(Duration{5});
  EXPECT_THAT(b.heard, ElementsAre("1", "2", "3"));
}

TEST_F(WindowTest, ServesEachChannelByItsOwnWindow) {
  begin(false);
  Listener other;
  hub(0).subscribe("y", other);
  publish(0, "x", "1");
  pass(Duration{3});
  publish(0, "y", "one");
  pass(Duration{2});
  EXPECT_EQ(a.heard.size(), 1u);
  EXPECT_THAT(other.heard, IsEmpty());
  pass(Duration{3});
  EXPECT_EQ(other.heard.size(), 1u);
}

TEST_F(WindowTest, DoesNotWaitWhenThereIsEnough) {
  begin(false);
  for (int i = 0; i < 70; ++i) post(0, "x", std::to_string(i));
  EXPECT_EQ(a.heard.size(), Hub::kPendingMax);
  pass(Duration{5});
  EXPECT_EQ(a.heard.size(), 70u);
}

TEST_F(WindowTest, SurvivesThatEverybodyLeavesInTheWindow) {
  begin(false);
  publish(0, "x", "1");
  hub(0).unsubscribe(a);
  hub(0).unsubscribe(b);
  pass(Duration{5});
  EXPECT_THAT(a.heard, IsEmpty());
  EXPECT_EQ(hub(0).channels(), 0u);
}

TEST_F(WindowTest, SendsOnlyTheNewestOfAKeyAndSaysSo) {
  begin(true);
  post_keyed("ada 1", "ada");
  post_keyed("bob 1", "bob");
  post_keyed("ada 2", "ada");
  post_keyed("keyless", "");
  post_keyed("ada 3", "ada");
  pass(Duration{5});
  EXPECT_THAT(a.heard, ElementsAre("bob 1", "keyless", "ada 3"));
  EXPECT_THAT(a.offsets, ElementsAre(2, 4, 5));
  ASSERT_EQ(a.gaps.size(), 2u);
  for (const Gap& gap : a.gaps) EXPECT_EQ(gap.reason, Reason::kConflated);
  EXPECT_EQ(a.gaps[1].from, 3u);
  EXPECT_EQ(a.gaps[1].to, 3u);
  EXPECT_EQ(b.heard, a.heard);
  EXPECT_EQ(hub(0).counters().skipped, 0u) << "no loss";
}

TEST_F(WindowTest, MakesRoomByConflating) {
  begin(true);
  for (int i = 1; i <= 1000; ++i) post_keyed(std::to_string(i), "key");
  EXPECT_THAT(a.heard, IsEmpty());
  pass(Duration{5});
  EXPECT_THAT(a.heard, ElementsAre("1000"));
  EXPECT_EQ(a.position.offset, 1000u);
}

TEST_F(WindowTest, HandsAJoinerNothingTwice) {
  rule.history_messages = 100;
  begin(false);
  publish(0, "x", "1");
  pass(Duration{5});
  publish(0, "x", "2");
  Listener back;
  hub(0).subscribe("x", back, {.since = broker::Position{a.position.epoch, 0}});
  publish(0, "x", "3");  // read with the page, and pending
  pass(Duration{5});
  EXPECT_THAT(back.heard, ElementsAre("1", "2", "3"));
  EXPECT_EQ(back.last_joined.top, 3u);
  publish(0, "x", "4");
  Listener ahead;
  hub(0).subscribe("x", ahead, {.since = broker::Position{a.position.epoch, 4}});
  EXPECT_TRUE(ahead.last_joined.recovered);
  pass(Duration{5});
  EXPECT_THAT(ahead.heard, IsEmpty());
}

}  // namespace
}  // namespace anywire::hub
