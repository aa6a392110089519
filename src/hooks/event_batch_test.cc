// Events over a real HTTP server on the same loop.
#include "hooks/event_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json_reader.h"
#include "hooks/testing/dispatcher_fixture.h"

namespace anywire::hooks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class EventBatchTest : public DispatcherTest {
 protected:
  void begin() {
    make();
    batch = std::make_unique<EventBatch>(*loop, *dispatcher, [this](std::string_view answer) {
      answers.emplace_back(answer);
      return answer == "bad" ? std::string("bad shape") : std::string();
    });
  }
  void add(int events) {
    for (int i = 0; i < events; ++i) {
      batch->add({.type = Event::Type::kJoin, .channel = std::to_string(count++), .client = "c"});
    }
  }
  void pass(Duration time) {
    clock.ahead += time;
    loop->turn(Duration::zero());
  }
  // Until so many requests have come and been answered.
  void until_asked(std::size_t times) {
    until([&] { return server.seen.size() >= times && dispatcher->under_way() == 0; });
    ASSERT_EQ(server.seen.size(), times);
  }
  // One event, which the application did not take the first time.
  void begin_in_vain() {
    begin();
    status = 503;
    add(1);
    pass(EventBatch::kDelay);
    until_asked(1);
  }
  // Until all is told, in steps of so long.
  void until_empty(Duration step) {
    until([&] {
      pass(step);
      return batch->waiting() == 0;
    });
  }
  // The first and last of the channels that a request tells of, and how many were lost.
  std::string told(std::size_t request) {
    codec::JsonReader reader;
    const auto value = reader.read(as_bytes(server.seen.at(request).body));
    if (!value) return "no JSON";
    std::string first, last;
    for (const codec::JsonValue event : value->find("events")->elements()) {
      last = *event.find("channel")->string();
      if (first.empty()) first = last;
    }
    return first + ".." + last + " lost " + std::string(value->find("lost")->raw());
  }

  int count = 0;
  std::vector<std::string> answers;
  std::unique_ptr<EventBatch> batch;
};

TEST_F(EventBatchTest, GathersForATenthOfASecond) {
  begin();
  add(2);
  loop->turn(Duration::zero());
  EXPECT_TRUE(server.seen.empty());
  pass(EventBatch::kDelay);
  until([&] { return server.seen.size() == 1; });
  EXPECT_THAT(server.seen[0].body, HasSubstr(R"("type":"events")"));
  EXPECT_THAT(server.seen[0].body, HasSubstr(R"({"type":"join","channel":"1","client":"c")"));
  EXPECT_THAT(server.seen[0].body, HasSubstr(R"("lost":0)"));
  until([&] { return batch->waiting() == 0; });
}

TEST_F(EventBatchTest, SendsAHundredAtOnce) {
  begin();
  add(250);
  until([&] { return server.seen.size() == 1; });
  EXPECT_THAT(server.seen[0].body, HasSubstr(R"("channel":"99")"));
  EXPECT_THAT(server.seen[0].body, Not(HasSubstr(R"("channel":"100")")));
  pass(Duration{200});
  until([&] {
    pass(Duration{100});
    return batch->waiting() == 0;
  });
  EXPECT_EQ(server.seen.size(), 3u);
}

TEST_F(EventBatchTest, SendsABatchAgainWithTheSameIdUntilItArrives) {
  begin_in_vain();
  status = 200;
  pass(EventBatch::kRetryMin);
  until([&] { return batch->waiting() == 0; });
  EXPECT_EQ(server.seen[0].header("anywire-delivery"), server.seen[1].header("anywire-delivery"));
}

TEST_F(EventBatchTest, CountsWhatIsLost) {
  begin();
  status = 503;
  add(static_cast<int>(EventBatch::kBatchMax + EventBatch::kEventsMax) + 7);
  EXPECT_EQ(batch->lost(), 7u);
  EXPECT_EQ(batch->waiting(), EventBatch::kBatchMax + EventBatch::kEventsMax);
  // The first batch is given up after so many attempts.
  until([&] {
    pass(EventBatch::kRetryMax);
    return batch->lost() > 7;
  });
  EXPECT_EQ(batch->lost(), 7 + EventBatch::kBatchMax);
  status = 200;
  until([&] {
    pass(EventBatch::kRetryMax);
    return batch->lost() == 0;
  });
  EXPECT_THAT(server.seen.back().body, HasSubstr(R"("lost":)"));
}

TEST_F(EventBatchTest, IsTheApplicationsEventsHookAndHearsItsAnswer) {
  begin();
  add(1);
  pass(EventBatch::kDelay);
  until_asked(1);
  EXPECT_EQ(server.seen[0].header("anywire-hook"), "events");
  EXPECT_THAT(server.seen[0].body,
              HasSubstr(R"("id":")" + server.seen[0].header("anywire-delivery") + '"'));
  EXPECT_THAT(answers, ElementsAre("ok"));
}

TEST_F(EventBatchTest, OneIsUnderWayAtATime) {
  begin();
  hold = true;
  add(100);
  until([&] { return held.size() == 1; });
  add(150);
  for (int i = 0; i < 5; ++i) pass(Duration{1'000});
  EXPECT_EQ(server.seen.size(), 1u);
  EXPECT_EQ(batch->waiting(), 250u);
  hold = false;
  release();
  until_empty(EventBatch::kDelay);
  ASSERT_EQ(server.seen.size(), 3u);
  EXPECT_EQ(told(0), "0..99 lost 0");
  EXPECT_EQ(told(1), "100..199 lost 0");
  EXPECT_EQ(told(2), "200..249 lost 0");
}

TEST_F(EventBatchTest, WhatComesMeanwhileWaitsBehindWhatIsToldAgain) {
  begin_in_vain();
  add(150);
  loop->turn(Duration::zero());
  EXPECT_EQ(dispatcher->under_way(), 0u) << "nor does it make that come sooner";
  pass(EventBatch::kRetryMin);
  until_asked(2);
  EXPECT_EQ(told(1), "0..0 lost 0") << "the same batch, not a larger one";
  status = 200;
  until_empty(2 * EventBatch::kRetryMin);
  EXPECT_EQ(told(2), "0..0 lost 0");
  EXPECT_EQ(told(3), "1..100 lost 0");
  EXPECT_EQ(told(4), "101..150 lost 0");
}

TEST_F(EventBatchTest, WaitsTwiceAsLongEachTime) {
  begin_in_vain();
  for (const std::size_t times : {1u, 2u, 4u}) {
    const std::size_t before = server.seen.size();
    pass(static_cast<Duration::rep>(times) * EventBatch::kRetryMin);
    until_asked(before + 1);
  }
  pass(4 * EventBatch::kRetryMin);
  for (int i = 0; i < 5; ++i) loop->turn(Duration::zero());
  EXPECT_EQ(server.seen.size(), 4u) << "the fifth waits for eight seconds";
  pass(4 * EventBatch::kRetryMin);
  until_asked(5);
}

TEST_F(EventBatchTest, ANewBatchHasAnIdOfItsOwn) {
  begin();
  for (std::size_t i = 1; i <= 2; ++i) {
    add(1);
    pass(EventBatch::kDelay);
    until_asked(i);
  }
  EXPECT_NE(server.seen[0].header("anywire-delivery"), server.seen[1].header("anywire-delivery"));
  EXPECT_EQ(told(1), "1..1 lost 0");
}

TEST_F(EventBatchTest, TellsOnceHowManyAreLost) {
  begin();
  hold = true;
  add(static_cast<int>(EventBatch::kBatchMax + EventBatch::kEventsMax) + 3);
  until([&] { return held.size() == 1; });
  EXPECT_EQ(told(0), "0..99 lost 0") << "nothing was lost yet when it went";
  hold = false;
  release();
  until([&] {
    pass(EventBatch::kDelay);
    return server.seen.size() >= 3 && dispatcher->under_way() == 0;
  });
  EXPECT_EQ(told(1), "100..199 lost 3");
  EXPECT_EQ(told(2), "200..299 lost 0");
  EXPECT_EQ(batch->lost(), 0u);
}

// What could not be read was not what the application should have said, but it has the events.
TEST_F(EventBatchTest, WhatWasAnsweredHasArrivedWhateverTheAnswer) {
  begin();
  body = "bad";
  add(1);
  pass(EventBatch::kDelay);
  until_asked(1);
  EXPECT_THAT(answers, ElementsAre("bad"));
  EXPECT_EQ(dispatcher->counters().failed, 1u);
  EXPECT_EQ(batch->waiting(), 0u);
  for (int i = 0; i < 5; ++i) pass(EventBatch::kRetryMax);
  EXPECT_EQ(server.seen.size(), 1u);
  EXPECT_EQ(batch->lost(), 0u);
}

}  // namespace
}  // namespace anywire::hooks
