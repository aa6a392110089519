// Questions over a real HTTP server on the same loop.
#include "hooks/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "hooks/testing/dispatcher_fixture.h"

namespace anywire::hooks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(DispatcherTest, SignsWhatItSends) {
  make();
  ask(R"({"a":1})");
  EXPECT_TRUE(results.empty());
  until([&] { return !results.empty(); });
  EXPECT_THAT(results, ElementsAre("ok"));
  const Seen& seen = server.seen[0];
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/hooks");
  EXPECT_EQ(seen.header("content-type"), "application/json");
  EXPECT_EQ(seen.header("anywire-hook"), "publish");
  EXPECT_EQ(seen.header("anywire-timestamp"), "1767225600");
  // printf '%s' '1767225600.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
  EXPECT_EQ(seen.header("anywire-signature"),
            "v1=5a178d9c0a752b5853bf52551646d72a3506620c785b7cfaf493f8b2adddfbdd");
  EXPECT_FALSE(seen.header("anywire-delivery").empty());
}

TEST_F(DispatcherTest, EveryDeliveryHasAnIdOfItsOwn) {
  make();
  const std::string first = dispatcher->next_id();
  EXPECT_NE(first, dispatcher->next_id());
  EXPECT_THAT(first, HasSubstr("-"));
}

TEST_F(DispatcherTest, AsksSoManyAtOnceAndTheOthersInTheirOrder) {
  options.requests_max = 2;
  make();
  hold = true;
  for (int i = 0; i < 5; ++i) ask(std::to_string(i));
  until([&] { return held.size() == 2; });
  EXPECT_EQ(dispatcher->queued(), 3u);
  hold = false;
  release();
  until([&] { return results.size() == 5; });
  std::vector<std::string> bodies;
  for (const Seen& seen : server.seen) bodies.push_back(seen.body);
  EXPECT_THAT(std::vector(bodies.begin() + 2, bodies.end()), ElementsAre("2", "3", "4"));
  EXPECT_EQ(dispatcher->waiting().used(), 0u);
}

TEST_F(DispatcherTest, ShedsWhatIsTooMuch) {
  options.requests_max = 1;
  options.queue_max = 2;
  make();
  hold = true;
  for (int i = 0; i < 5; ++i) ask();
  EXPECT_TRUE(results.empty()) << "told inside send()";
  until([&] { return results.size() == 2; });
  EXPECT_THAT(results, ElementsAre("full", "full"));
  EXPECT_EQ(dispatcher->counters().shed, 2u);
}

TEST_F(DispatcherTest, BytesThatWaitHaveALimit) {
  options.queue_bytes_max = 10'000;
  make();
  hold = true;
  ask(std::string(6'000, 'x'));
  ask(std::string(6'000, 'x'));
  until([&] { return !results.empty() && held.size() == 1; });
  EXPECT_THAT(results, ElementsAre("full"));
  release();
  until([&] { return results.size() == 2; });
  EXPECT_EQ(dispatcher->waiting().used(), 0u);
}

TEST_F(DispatcherTest, WhoWaitsTooLongForItsTurnIsTold) {
  options.requests_max = 1;
  options.timeout = Duration{60'000};
  make();
  hold = true;
  ask();
  until([&] { return held.size() == 1; });
  ask();
  clock.ahead = Duration{60'001};
  until([&] { return !results.empty(); });
  EXPECT_EQ(results[0], "no answer");
}

TEST_F(DispatcherTest, OpensAfterFiveFailuresAndTriesAgain) {
  make();
  status = 500;
  for (int i = 0; i < 5; ++i) ask_and_wait();
  EXPECT_THAT(results, ElementsAre("bad answer", "bad answer", "bad answer", "bad answer",
                                   "bad answer"));
  ask_and_wait();
  EXPECT_EQ(results.back(), "open");
  EXPECT_EQ(server.seen.size(), 5u);
  clock.ahead += Circuit::kWaitMin;
  loop->turn(Duration::zero());
  ask_and_wait();
  EXPECT_EQ(results.back(), "bad answer");
  clock.ahead += Circuit::kWaitMin;
  loop->turn(Duration::zero());
  ask_and_wait();
  EXPECT_EQ(results.back(), "open") << "it waits twice as long";
  clock.ahead += Circuit::kWaitMin;
  loop->turn(Duration::zero());
  status = 200;
  ask_and_wait();
  EXPECT_EQ(results.back(), "ok");
  ask_and_wait();
  EXPECT_EQ(results.back(), "ok");
}

TEST_F(DispatcherTest, WhatIsNotOfShapeIsAFailureToo) {
  make();
  body = "bad";
  for (int i = 0; i < 5; ++i) ask_and_wait();
  ask_and_wait();
  EXPECT_EQ(results.back(), "open");
}

TEST_F(DispatcherTest, OneQuestionThatIsNotLikedSaysNothingOfTheOthers) {
  make();
  status = 413;
  for (int i = 0; i < 10; ++i) ask_and_wait();
  EXPECT_EQ(results.back(), "bad answer");
}

TEST_F(DispatcherTest, WhoWaitsIsToldWhenTheCircuitOpens) {
  options.requests_max = 5;
  make();
  hold = true;
  // Each of the first four failures makes room for one more; the fifth opens the circuit.
  for (int i = 0; i < 12; ++i) ask();
  until([&] { return held.size() == 5; });
  for (auto& reply : std::exchange(held, {})) reply({.status = 500});
  until([&] { return results.size() == 8; });
  EXPECT_EQ(std::ranges::count(results, "open"), 3);
  EXPECT_EQ(dispatcher->queued(), 0u);
  until([&] { return held.size() == 4; });
  release();
  until([&] { return results.size() == 12; });
  EXPECT_EQ(dispatcher->waiting().used(), 0u);
}

TEST_F(DispatcherTest, RepeatsOnlyWhatMayBeRepeated) {
  make();
  int asked = 0;
  server.set_answer([&](const Seen&, const TestServer::Reply& reply) {
    if (++asked % 2 == 1) return server.hang_up();
    reply({.body = "ok"});
  });
  ask("{}", true);
  until([&] { return results.size() == 1; });
  EXPECT_EQ(results[0], "ok");
  EXPECT_EQ(server.seen[0].header("anywire-delivery"), server.seen[1].header("anywire-delivery"));
  EXPECT_EQ(server.seen[0].body, server.seen[1].body);
  EXPECT_EQ(dispatcher->counters().repeated, 1u);
  ask("{}", false);
  until([&] { return results.size() == 2; });
  EXPECT_EQ(results[1], "no answer");
  EXPECT_EQ(asked, 3);
}

TEST_F(DispatcherTest, DroppedWithQuestionsItTellsNobody) {
  options.requests_max = 1;
  options.queue_max = 1;
  make();
  hold = true;
  for (int i = 0; i < 3; ++i) ask();
  dispatcher.reset();
  for (int i = 0; i < 5; ++i) loop->turn(Duration{5});
  EXPECT_TRUE(results.empty());
}

// ---- The circuit ----

TEST(Circuit, DoublesItsWaitUpToHalfAMinute) {
  Circuit circuit;
  TimePoint now{Duration{1000}};
  for (int i = 0; i < Circuit::kFailuresMax - 1; ++i) EXPECT_FALSE(circuit.failed(now, false));
  EXPECT_TRUE(circuit.failed(now, false));
  Duration wait = Circuit::kWaitMin;
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(circuit.admit(now + wait - Duration{1}), Circuit::Pass::kNo);
    now += wait;
    EXPECT_EQ(circuit.admit(now), Circuit::Pass::kProbe);
    EXPECT_EQ(circuit.admit(now), Circuit::Pass::kNo) << "one probe at a time";
    EXPECT_FALSE(circuit.failed(now, true));
    wait = std::min(2 * wait, Circuit::kWaitMax);
  }
  EXPECT_EQ(circuit.wait(), Circuit::kWaitMax);
  now += wait;
  EXPECT_EQ(circuit.admit(now), Circuit::Pass::kProbe);
  EXPECT_TRUE(circuit.succeeded());
  EXPECT_EQ(circuit.admit(now), Circuit::Pass::kYes);
  EXPECT_EQ(circuit.wait(), Circuit::kWaitMin);
}

TEST(Circuit, ASuccessStartsTheCountAnew) {
  Circuit circuit;
  const TimePoint now{Duration{1000}};
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(circuit.failed(now, false));
    EXPECT_FALSE(circuit.succeeded());
  }
  EXPECT_FALSE(circuit.open());
}

}  // namespace
}  // namespace anywire::hooks
