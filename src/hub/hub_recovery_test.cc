// Joining with a position or a rewind, over channels with and without history.
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

// Loop 0 owns the channel; the receivers are on the loop of the parameter.
class RecoveryTest : public HubTest, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  void begin(int history_messages) {
    rule.history_messages = history_messages;
    rule.slow_consumer = SlowConsumer::kAuto;
    start(2);
    channel = owned_by(0);
  }
  Hub& there() { return hub(GetParam()); }
  void join(Listener& listener, const SubscribeOptions& options = {}) {
    there().subscribe(channel, listener, options);
    settle();
  }
  // Publishes 1..count and tells where that has led.
  broker::Position fill(int count) {
    Listener witness;
    hub(0).subscribe(channel, witness);
    publish_range(channel, 1, count);
    return witness.position;
  }
  std::string channel;
};

INSTANTIATE_TEST_SUITE_P(Loop, RecoveryTest, ::testing::Values(0u, 1u));

TEST_P(RecoveryTest, BeginsAtTheTopWithoutAPosition) {
  begin(100);
  const broker::Position top = fill(3);
  Listener a;
  join(a);
  EXPECT_EQ(a.last_joined.position, top);
  EXPECT_EQ(a.last_joined.top, 3u);
  EXPECT_TRUE(a.last_joined.recoverable);
  EXPECT_FALSE(a.last_joined.recovered);
  EXPECT_FALSE(a.last_joined.gap);
  publish_range(channel, 4, 4);
  EXPECT_THAT(a.heard, ElementsAre("4"));
}

TEST_P(RecoveryTest, GoesOnFromThePosition) {
  begin(100);
  const broker::Position top = fill(5);
  Listener a;
  join(a, {.since = broker::Position{top.epoch, 2}});
  EXPECT_TRUE(a.last_joined.recovered);
  EXPECT_EQ(a.last_joined.position.offset, 2u);
  EXPECT_EQ(a.last_joined.top, 5u);
  EXPECT_THAT(a.heard, ElementsAre("3", "4", "5"));
  publish_range(channel, 6, 7);
  EXPECT_THAT(a.heard, ElementsAre("3", "4", "5", "6", "7"));
  EXPECT_EQ(there().readers(), 0u);
  EXPECT_EQ(there().counters().recoveries, 1u);
}

// A receiver that was on another loop has what is still on its way to this one.
TEST_P(RecoveryTest, KnowsAPositionThatIsAheadOfItsLoop) {
  begin(0);
  Listener stays;
  join(stays);
  Listener witness;
  hub(0).subscribe(channel, witness);
  settle();
  publish(0, channel, "1");
  ASSERT_EQ(witness.position.offset, 1u);
  Listener moved;
  join(moved, {.since = witness.position});
  EXPECT_TRUE(moved.last_joined.recovered);
  EXPECT_FALSE(moved.last_joined.gap);
  EXPECT_EQ(moved.last_joined.position, witness.position);
  publish_range(channel, 2, 2);
  EXPECT_THAT(moved.heard, ElementsAre("2")) << "and not the first once more";
  EXPECT_THAT(stays.heard, ElementsAre("1", "2"));
}

TEST_P(RecoveryTest, IsThereAtOnceWhenNothingWasMissed) {
  begin(100);
  const broker::Position top = fill(5);
  Listener first, second;
  join(first);
  there().subscribe(channel, second, {.since = top});
  EXPECT_EQ(second.subscribed_calls, 1) << "this loop is live on the channel";
  EXPECT_TRUE(second.last_joined.recovered);
  EXPECT_THAT(second.heard, IsEmpty());
}

TEST_P(RecoveryTest, SaysWhatHistoryHasNoMore) {
  begin(3);
  const broker::Position top = fill(10);
  Listener a;
  join(a, {.since = broker::Position{top.epoch, 4}});
  EXPECT_FALSE(a.last_joined.recovered);
  ASSERT_TRUE(a.last_joined.gap);
  EXPECT_EQ(a.last_joined.gap->from, 5u);
  EXPECT_EQ(a.last_joined.gap->to, 7u);
  EXPECT_EQ(a.last_joined.gap->reason, Reason::kEvicted);
  EXPECT_THAT(a.heard, ElementsAre("8", "9", "10"));
  EXPECT_EQ(there().counters().lost_joining, 1u);
}

TEST_P(RecoveryTest, SaysThatAPositionIsOfAnotherLifeOfTheStream) {
  begin(100);
  const broker::Position top = fill(3);
  Listener a;
  join(a, {.since = broker::Position{top.epoch + 1, 40}});
  EXPECT_FALSE(a.last_joined.recovered);
  ASSERT_TRUE(a.last_joined.gap);
  EXPECT_EQ(a.last_joined.gap->from, 41u);
  EXPECT_EQ(a.last_joined.gap->to, 0u);
  EXPECT_EQ(a.last_joined.gap->reason, Reason::kNewEpoch);
  EXPECT_EQ(a.last_joined.position.offset, 0u);
  EXPECT_THAT(a.heard, ElementsAre("1", "2", "3")) << "all of this life is new to it";
}

TEST_P(RecoveryTest, TakesNoPositionOfTheFuture) {
  begin(100);
  const broker::Position top = fill(3);
  Listener a;
  join(a, {.since = broker::Position{top.epoch, 4}});
  EXPECT_FALSE(a.last_joined.recovered);
  EXPECT_EQ(a.last_joined.gap->reason, Reason::kNewEpoch);
  EXPECT_EQ(a.last_joined.position, top);
  publish_range(channel, 4, 4);
  EXPECT_THAT(a.heard, ElementsAre("4"));
}

TEST_P(RecoveryTest, TellsOfTheLossWhereThereIsNoHistory) {
  begin(0);
  Listener anchor;
  join(anchor);
  const broker::Position top = fill(5);
  Listener missed, foreign, future, complete;
  join(missed, {.since = broker::Position{top.epoch, 2}});
  EXPECT_FALSE(missed.last_joined.recovered);
  EXPECT_FALSE(missed.last_joined.recoverable);
  EXPECT_EQ(missed.last_joined.gap->from, 3u);
  EXPECT_EQ(missed.last_joined.gap->to, 5u);
  join(foreign, {.since = broker::Position{top.epoch + 1, 2}});
  EXPECT_EQ(foreign.last_joined.gap->reason, Reason::kNewEpoch);
  join(future, {.since = broker::Position{top.epoch, 9}});
  EXPECT_EQ(future.last_joined.gap->reason, Reason::kNewEpoch);
  join(complete, {.since = top});
  EXPECT_TRUE(complete.last_joined.recovered);
  publish_range(channel, 6, 6);
  for (const Listener* one : {&missed, &foreign, &future, &complete}) {
    EXPECT_THAT(one->heard, ElementsAre("6"));
    EXPECT_EQ(one->subscribed_calls, 1);
  }
}

TEST_P(RecoveryTest, ReadsOfNothingWithoutHistoryWhereNobodyIsYet) {
  begin(0);
  const broker::Position top = fill(5);
  Listener a;
  join(a, {.since = broker::Position{top.epoch, 2}});
  EXPECT_EQ(a.last_joined.gap->from, 3u);
  EXPECT_EQ(a.last_joined.gap->to, 5u);
  EXPECT_EQ(a.last_joined.position, top);
}

TEST_P(RecoveryTest, RewindsByWhatHistoryHas) {
  begin(4);
  const broker::Position top = fill(6);
  Listener two, many, none;
  join(two, {.rewind = 2});
  join(many, {.rewind = 100});
  EXPECT_THAT(two.heard, ElementsAre("5", "6"));
  EXPECT_EQ(two.last_joined.position, (broker::Position{top.epoch, 4}));
  EXPECT_THAT(many.heard, ElementsAre("3", "4", "5", "6"));
  EXPECT_FALSE(many.last_joined.gap);
  const std::string other = channel + "-other";
  there().subscribe(other, none, {.rewind = 5});
  settle();
  EXPECT_EQ(none.subscribed_calls, 1);
  EXPECT_THAT(none.heard, IsEmpty());
}

TEST_P(RecoveryTest, PagesThroughALongHistory) {
  begin(5000);
  const broker::Position top = fill(2000);
  Listener a;
  join(a, {.since = broker::Position{top.epoch, 0}});
  settle();
  ASSERT_EQ(a.heard.size(), 2000u);
  EXPECT_EQ(a.heard.back(), "2000");
  EXPECT_GE(there().counters().pages, 8u);
  EXPECT_EQ(there().readers(), 0u);
}

TEST_P(RecoveryTest, NeitherRepeatsNorLosesWhatIsPublishedMeanwhile) {
  begin(5000);
  const broker::Position top = fill(1000);
  Listener a;
  there().subscribe(channel, a, {.since = broker::Position{top.epoch, 0}});
  for (int i = 1001; i <= 1100; ++i) {
    post(static_cast<std::uint32_t>(i % 2), channel, std::to_string(i));
    turn(static_cast<std::uint32_t>(i / 2 % 2));
  }
  settle();
  ASSERT_EQ(a.heard.size(), 1100u);  // Listener checks the offsets
  EXPECT_THAT(a.gaps, IsEmpty());
}

TEST_P(RecoveryTest, ServesOnesWithAndWithoutAPositionOnAFreshLoop) {
  begin(100);
  const broker::Position top = fill(3);
  Listener plain, back, rewinding;
  there().subscribe(channel, back, {.since = broker::Position{top.epoch, 1}});
  there().subscribe(channel, plain);
  there().subscribe(channel, rewinding, {.rewind = 1});
  settle();
  publish_range(channel, 4, 4);
  EXPECT_THAT(back.heard, ElementsAre("2", "3", "4"));
  EXPECT_THAT(plain.heard, ElementsAre("4"));
  EXPECT_THAT(rewinding.heard, ElementsAre("3", "4"));
}

TEST_P(RecoveryTest, ForgetsWhoLeavesBeforeTheAnswer) {
  begin(100);
  const broker::Position top = fill(3);
  Listener stays;
  {
    Listener gone;
    there().subscribe(channel, gone, {.since = broker::Position{top.epoch, 0}});
    there().unsubscribe(gone);
    there().subscribe(channel, gone, {.since = broker::Position{top.epoch, 2}});
    settle();
    EXPECT_THAT(gone.heard, ElementsAre("3")) << "the first answer is not for the second stay";
    there().unsubscribe(gone);
    there().subscribe(channel, gone, {.since = broker::Position{top.epoch, 0}});
  }
  settle();
  EXPECT_EQ(there().readers(), 0u);
  EXPECT_EQ(there().channels(), 0u);
  join(stays);
  publish_range(channel, 4, 4);
  EXPECT_THAT(stays.heard, ElementsAre("4"));
}

TEST_P(RecoveryTest, AllowsLeavingInsideEachCallback) {
  begin(100);
  const broker::Position top = fill(40);
  Listener at_once, after_one;
  at_once.on_subscribed_hook = [&] { there().unsubscribe(at_once); };
  after_one.on_publication_hook = [&] { there().unsubscribe(after_one); };
  join(at_once, {.since = broker::Position{top.epoch, 0}});
  join(after_one, {.since = broker::Position{top.epoch, 0}});
  EXPECT_THAT(at_once.heard, IsEmpty());
  EXPECT_THAT(after_one.heard, ElementsAre("1"));
  EXPECT_EQ(there().channels(), 0u);
}

TEST_P(RecoveryTest, LetsAReaderPublishWhatItHears) {
  begin(100);
  const broker::Position top = fill(3);
  Listener a;
  int echoes = 0;
  a.on_publication_hook = [&] {
    if (++echoes <= 3) there().publish(a, draft_of("echo " + a.heard.back()));
  };
  join(a, {.since = broker::Position{top.epoch, 0}});
  EXPECT_THAT(a.heard, ElementsAre("1", "2", "3", "echo 1", "echo 2", "echo 3"));
}

TEST_P(RecoveryTest, RecoversThroughHistoryThatOutlivesItsChannel) {
  begin(100);
  const broker::Position top = fill(3);
  pass(Duration{3000});
  EXPECT_EQ(hub(0).owned_channels(), 0u);
  publish_range(channel, 4, 5);  // nobody is there to hear
  Listener a;
  join(a, {.since = top});
  EXPECT_THAT(a.heard, ElementsAre("4", "5"));
  EXPECT_TRUE(a.last_joined.recovered);
}

TEST_P(RecoveryTest, TellsEverybodyOfAReset) {
  begin(100);
  const broker::Position top = fill(3);
  Listener a, b;
  join(a);
  join(b, {.since = broker::Position{top.epoch, 1}});
  a.on_gap_hook = [&] { there().unsubscribe(a); };
  post(0, channel, "4");
  brokers[0]->clear(channel);
  settle();
  publish_range(channel, 5, 5);
  EXPECT_THAT(a.heard, ElementsAre("4"));
  EXPECT_THAT(b.heard, ElementsAre("2", "3", "4", "5"));
  EXPECT_THAT(b.offsets, ElementsAre(2, 3, 4, 1));
  for (const Listener* one : {&a, &b}) {
    ASSERT_EQ(one->gaps.size(), 1u);
    EXPECT_EQ(one->gaps[0].reason, Reason::kNewEpoch);
    EXPECT_EQ(one->gaps[0].from, 5u);
  }
}

TEST_P(RecoveryTest, AnswersHistoryFromAnyLoop) {
  begin(100);
  const broker::Position top = fill(10);
  std::vector<std::uint64_t> offsets;
  broker::HistoryQuery query;
  query.order = broker::HistoryQuery::Order::kBackward;
  query.before = 8;
  query.limit = 3;
  there().history(channel, query, [&](auto page) {
    ASSERT_TRUE(page);
    EXPECT_EQ(page->top, top);
    EXPECT_TRUE(page->more);
    for (const auto& one : page->publications) offsets.push_back(one->offset);
  });
  settle();
  EXPECT_THAT(offsets, ElementsAre(7, 6, 5));
}

TEST_P(RecoveryTest, RefusesHistoryWhereTheRuleKeepsNone) {
  begin(0);
  std::vector<HubError> errors;
  there().history(channel, {}, [&](auto page) { errors.push_back(page.error()); });
  settle();
  EXPECT_THAT(errors, ElementsAre(HubError::kNoHistory));
}

TEST_P(RecoveryTest, AnswersThePublisherWithThePosition) {
  begin(100);
  std::vector<broker::PublishResult> results;
  std::vector<HubError> errors;
  const auto done = [&](auto result) {
    if (result) {
      results.push_back(*result);
    } else {
      errors.push_back(result.error());
    }
  };
  there().publish(channel, request_of("a"), done);
  there().publish(channel, request_of("b", "key"), done);
  there().publish(channel, request_of("b", "key"), done);
  there().publish(channel, request_of("c", "key"), done);
  settle();
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].position.offset, 1u);
  EXPECT_EQ(results[1].position.offset, 2u);
  EXPECT_FALSE(results[1].duplicate);
  EXPECT_EQ(results[2].position, results[1].position);
  EXPECT_TRUE(results[2].duplicate);
  EXPECT_THAT(errors, ElementsAre(HubError::kIdempotencyConflict));
}

TEST_P(RecoveryTest, OrdersForNobodyOnlyWhatLeavesATrace) {
  begin(0);
  there().publish(channel, draft_of("lost"));
  settle();
  EXPECT_EQ(hub(0).owned_channels(), 0u);
  EXPECT_EQ(brokers[0]->streams(), 0u);
  int answers = 0;
  there().publish(channel, request_of("asked for"), [&](auto) { ++answers; });
  there().publish(channel, request_of("keyed", "key"));
  settle();
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(hub(0).owned_channels(), 1u) << "held open for the next";
  pass(Duration{1100});
  EXPECT_EQ(hub(0).owned_channels(), 0u);
}

}  // namespace
}  // namespace anywire::hub
