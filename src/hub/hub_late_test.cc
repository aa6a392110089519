// A store that answers late, or not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "hub/testing/hub_fixture.h"
#include "hub/testing/late_broker.h"

namespace anywire::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LateTest : public HubTest, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  LateTest() {
    rule.history_messages = 1000;
    rule.slow_consumer = SlowConsumer::kAuto;
    start(2);
    channel = owned_by(0);
  }
  std::unique_ptr<broker::Broker> make_broker() override {
    return std::make_unique<LateBroker>(limits, wall, &random);
  }
  LateBroker& store() { return static_cast<LateBroker&>(*brokers[0]); }
  Hub& there() { return hub(GetParam()); }
  void settle_all() {
    for (int i = 0; i < 12; ++i) {
      settle();
      store().run();
    }
    settle();
  }
  broker::Position fill(int count) {
    Listener witness;
    hub(0).subscribe(channel, witness);
    settle_all();
    for (int i = 1; i <= count; ++i) post(0, channel, std::to_string(i));
    settle_all();
    hub(0).unsubscribe(witness);
    return witness.position;
  }
  std::string channel;
};

INSTANTIATE_TEST_SUITE_P(Loop, LateTest, ::testing::Values(0u, 1u));

TEST_P(LateTest, IsInForceWhenTheStoreHasSaidHowFarItIs) {
  Listener a;
  there().subscribe(channel, a);
  settle();
  EXPECT_EQ(a.subscribed_calls, 0);
  settle_all();
  EXPECT_EQ(a.subscribed_calls, 1);
  EXPECT_NE(a.last_joined.position.epoch, 0u);
}

TEST_P(LateTest, DeliversAndAcknowledgesWhenTheStoreHasIt) {
  Listener a;
  there().subscribe(channel, a);
  settle_all();
  int answers = 0;
  there().publish(channel, request_of("1"), [&](auto result) {
    ++answers;
    EXPECT_EQ(result->position.offset, 1u);
  });
  settle();
  EXPECT_EQ(answers, 0);
  EXPECT_THAT(a.heard, IsEmpty());
  settle_all();
  EXPECT_EQ(answers, 1);
  EXPECT_THAT(a.heard, ElementsAre("1"));
}

TEST_P(LateTest, RefusesWhenTheStoreFails) {
  store().failing = true;
  Listener plain, back, after;
  there().subscribe(channel, plain);
  there().subscribe(channel, back, {.since = broker::Position{7, 7}});
  plain.on_refused_hook = [&] { there().subscribe(channel, after); };
  settle();
  store().run();
  store().failing = false;
  settle_all();
  EXPECT_THAT(plain.refusals, ElementsAre(HubError::kUnavailable));
  EXPECT_EQ(plain.subscribed_calls + back.subscribed_calls, static_cast<int>(back.subscribed()));
  EXPECT_EQ(after.subscribed_calls, 1) << "the next try finds the store well";
  there().unsubscribe(after);
  there().unsubscribe(back);
  settle_all();
  EXPECT_EQ(there().channels(), 0u);
}

TEST_P(LateTest, TellsThePublisherWhenTheStoreFails) {
  store().failing = true;
  std::vector<HubError> errors;
  there().publish(channel, request_of("1"), [&](auto r) { errors.push_back(r.error()); });
  there().history(channel, {}, [&](auto page) { errors.push_back(page.error()); });
  settle_all();
  EXPECT_THAT(errors, ElementsAre(HubError::kUnavailable, HubError::kUnavailable));
}

TEST_P(LateTest, ReadsAgainForWhoWasBehindAlready) {
  const broker::Position top = fill(3);
  Listener a;
  a.room = 1;
  there().subscribe(channel, a, {.since = broker::Position{top.epoch, 2}});
  settle_all();
  EXPECT_THAT(a.heard, ElementsAre("3"));
  post(0, channel, "4");
  settle_all();
  a.room = -1;
  store().failing = true;
  there().resume(a);
  settle_all();
  EXPECT_THAT(a.heard, ElementsAre("3"));
  store().failing = false;
  pass(Duration{1100});
  settle_all();
  EXPECT_THAT(a.heard, ElementsAre("3", "4"));
  EXPECT_THAT(a.gaps, IsEmpty());
  EXPECT_EQ(there().readers(), 0u);
}

TEST_P(LateTest, CatchesUpWhilePublishingNeverPauses) {
  const broker::Position top = fill(600);
  Listener a, anchor;
  there().subscribe(channel, anchor);
  settle_all();
  there().subscribe(channel, a, {.since = broker::Position{top.epoch, 0}});
  for (int i = 601; i <= 900; ++i) {
    post(0, channel, std::to_string(i));
    turn(0);
    turn(1);
    store().step();
  }
  EXPECT_GT(a.heard.size(), 300u) << "it gets on while others speak";
  settle_all();
  EXPECT_EQ(a.heard.size(), 900u);
  EXPECT_EQ(a.position, anchor.position);
  EXPECT_THAT(a.gaps, IsEmpty());
}

TEST_P(LateTest, TakesAnAnswerThatComesInsideAWalk) {
  const broker::Position top = fill(3);
  Listener anchor, late;
  hub(0).subscribe(channel, anchor);
  there().subscribe(channel, late);
  settle_all();
  there().unsubscribe(late);
  there().subscribe(channel, late, {.since = broker::Position{top.epoch, 1}});
  settle();
  anchor.on_publication_hook = [&] { store().run(); };
  post(0, channel, "4");
  store().step();
  settle_all();
  EXPECT_THAT(late.heard, ElementsAre("2", "3", "4"));
  EXPECT_THAT(late.gaps, IsEmpty());
}

TEST_P(LateTest, AnswersWhatWasAskedOfAChannelThatEverybodyHasLeft) {
  int answers = 0;
  there().publish(channel, request_of("1"), [&](auto) { ++answers; });
  there().history(channel, {}, [&](auto) { ++answers; });
  settle();
  pass(Duration{5000});
  EXPECT_EQ(hub(0).owned_channels(), 1u) << "open while an answer is due";
  settle_all();
  EXPECT_EQ(answers, 2);
  pass(Duration{2000});
  EXPECT_EQ(hub(0).owned_channels(), 0u);
}

}  // namespace
}  // namespace anywire::hub
