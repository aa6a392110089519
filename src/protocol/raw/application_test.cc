// What the application is asked about plain WebSocket clients, and what they see of its answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "protocol/raw/testing/raw_world.h"

namespace anywire::protocol::raw {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kCannotBeAsked = "close:4503:the application cannot be asked at the moment";

hub::ChannelRule rule_for(std::string_view pattern) {
  hub::ChannelRule rule;
  rule.pattern = *auth::Glob::parse(pattern);
  return rule;
}

// In `room:*` nothing is asked, in `door:*` about who comes, in `desk:*` about what is said.
hub::Rules rules() {
  hub::ChannelRule door = rule_for("door:*");
  door.subscribe_hook = true;
  hub::ChannelRule desk = rule_for("desk:*");
  desk.publish_hook = true;
  return hub::Rules({door, desk});
}

class RawApplicationTest : public RawWorld {
 protected:
  RawApplicationTest() : RawWorld({.expiry_grace = 5s}, rules()) { app = &fake; }

  std::string everywhere(std::string_view user) {
    return token(R"({"sub":")" + std::string(user) + R"(","exp":1700000060,"info":{"n":1},)"
                 R"("capability":{"*":["*"]}})");
  }
  static ConnectAnswer naming_room_1() {
    ConnectAnswer answer;
    answer.channels.emplace().emplace_back("room:1");
    return answer;
  }
  static AppRefusal refusal(bool retry, bool disconnect) {
    AppRefusal refused = FakeApp::no("not today");
    refused.retry = retry;
    refused.disconnect = disconnect;
    return refused;
  }
  void rewrite(std::string_view json) {
    fake.allow_publish(
        {.payload = PublishAnswer::Payload{broker::PayloadKind::kJson, std::string(json)}});
    settle();
  }
};

// ---- Connecting ----

TEST_F(RawApplicationTest, IsAskedWhoMayComeBeforeTheUpgradeIsAnswered) {
  fake.connects = true;
  const std::string bearer = everywhere("ann");
  const Log& log = join("/raw/room:1", bearer, {}, "https://app.example");
  EXPECT_THAT(log, IsEmpty());
  EXPECT_THAT(fake.asked, ElementsAre("connect by ann with " + bearer));
  EXPECT_EQ(fake.last_client, "") << "nobody knows it by a name yet";
  EXPECT_EQ(fake.last_info, "{\"n\":1}");
  EXPECT_EQ(fake.last_protocol, "raw");
  EXPECT_EQ(fake.last_address, "192.0.2.9");
  EXPECT_EQ(fake.last_origin, "https://app.example");
  fake.allow_connect();
  settle();
  EXPECT_THAT(log, ElementsAre("open"));
}

TEST_F(RawApplicationTest, IsNotAskedWhoMayComeUnlessItWantsToBe) {
  EXPECT_THAT(join("/raw/room:1", everywhere("ann")), ElementsAre("open"));
  EXPECT_THAT(fake.asked, IsEmpty());
}

TEST_F(RawApplicationTest, IsAskedAboutWhoShowsNoTokenToo) {
  fake.connects = true;
  const Log& log = join("/raw/room:1");
  EXPECT_THAT(fake.asked, ElementsAre("connect by  with "));
  fake.allow_connect();
  settle();
  EXPECT_THAT(log, ElementsAre("open", StartsWith("close:4450:"))) << "it has no right of its own";
}

TEST_F(RawApplicationTest, IsToldOnlySoMuchOfAnOrigin) {
  fake.connects = true;
  join("/raw/room:1", everywhere("ann"), {}, "https://" + std::string(1000, 'x'));
  EXPECT_EQ(fake.last_origin.size(), 255u);
}

TEST_F(RawApplicationTest, SaysWhoSomebodyIsAndWhatItMay) {
  fake.connects = true;
  const Log& log = join("/raw/room:1");
  fake.allow_connect({.user = "bob",
                      .info = "{\"n\":2}",
                      .capability = *auth::Capability::parse(R"({"room:*":["subscribe"]})"),
                      .channels = {},
                      .expires_ms = {},
                      .actions = {}});
  settle();
  EXPECT_THAT(log, ElementsAre("open"));
  EXPECT_THAT(listed("bob"), SizeIs(1));
  EXPECT_THAT(listed(""), IsEmpty());
  say(0, "what it may not");
  EXPECT_THAT(log.back(), StartsWith("close:4403:"));
}

TEST_F(RawApplicationTest, MayLeaveSomebodyLessThanItsToken) {
  fake.connects = true;
  const Log& log = join("/raw/room:1", everywhere("ann"));
  ConnectAnswer nothing;
  nothing.capability = auth::Capability();
  fake.allow_connect(std::move(nothing));
  settle();
  EXPECT_THAT(log, ElementsAre("open", StartsWith("close:4403:")));
}

TEST_F(RawApplicationTest, NamesChannelsThatNeedNoCapability) {
  fake.connects = true;
  const Log& named = join("/raw/room:1");
  fake.allow_connect(naming_room_1());
  settle();
  EXPECT_THAT(named, ElementsAre("open"));
  // What it names takes the place of what the token names.
  const Log& other = join("/raw/room:2", token(R"({"exp":1700000060,"channels":["room:2"]})"));
  fake.allow_connect(naming_room_1());
  settle();
  EXPECT_THAT(other, ElementsAre("open", StartsWith("close:4403:")));
}

TEST_F(RawApplicationTest, TheEarlierEndCounts) {
  fake.connects = true;
  const auto ends = [](std::uint64_t unix_ms) {
    ConnectAnswer answer;
    answer.expires_ms = unix_ms;
    return answer;
  };
  const Log& sooner = join("/raw/room:1", everywhere("ann"));
  fake.allow_connect(ends(1'700'000'010'000));
  const Log& later = join("/raw/room:1", everywhere("bob"));
  fake.allow_connect(ends(1'700'000'999'000));
  settle();
  pass(14s);
  EXPECT_THAT(sooner, ElementsAre("open")) << "it has the grace that everybody has";
  pass(2s);
  EXPECT_THAT(sooner, ElementsAre("open", StartsWith("close:4452:")));
  EXPECT_THAT(later, ElementsAre("open"));
  pass(50s);
  EXPECT_THAT(later, ElementsAre("open", StartsWith("close:4452:"))) << "its token has ended";
}

TEST_F(RawApplicationTest, SendsAwayInItsOwnWords) {
  fake.connects = true;
  const Log& refused = join("/raw/room:1", everywhere("ann"));
  fake.refuse_connect(refusal(false, false));
  EXPECT_THAT(refused, ElementsAre("open", "close:4403:not today"));
  const Log& later = join("/raw/room:1", everywhere("ann"));
  fake.refuse_connect(refusal(true, false));
  EXPECT_THAT(later, ElementsAre("open", "close:4503:not today")) << "it may come back";
  const Log& unasked = join("/raw/room:1", everywhere("ann"));
  fake.refuse_connect({});
  EXPECT_THAT(unasked, ElementsAre("open", kCannotBeAsked));
}

TEST_F(RawApplicationTest, ActsForAClientThatHasComeAndForNoOther) {
  fake.connects = true;
  const auto greet = [] {
    ConnectAnswer answer;
    answer.actions.push_back({.channel = "hello"});
    return answer;
  };
  join("/raw/room:1", everywhere("ann"));
  fake.allow_connect(greet());
  settle();
  const auto records = listed("ann");
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_THAT(fake.acted, ElementsAre("hello by " + records[0].client));
  join("/raw/room:1");
  fake.allow_connect(greet());
  settle();
  EXPECT_THAT(fake.acted, SizeIs(1)) << "the second one had no right to be there";
}

TEST_F(RawApplicationTest, AnswersNobodyWhenTheClientHasGoneMeanwhile) {
  fake.connects = true;
  const Log& lost = join("/raw/room:1", everywhere("ann"));
  lose(0);
  fake.allow_connect();
  const Log& revoked = join("/raw/room:1", ann());
  EXPECT_EQ(revoke({.kind = auth::Revocation::Kind::kToken, .name = "one"}), 1u);
  fake.allow_connect();
  settle();
  EXPECT_THAT(lost, IsEmpty());
  EXPECT_THAT(revoked, ElementsAre("open", StartsWith("close:4453:")));
  EXPECT_EQ(clients.on(0).size(), 0u);
  EXPECT_THAT(fake.gone, IsEmpty()) << "neither had been let in";
}

TEST_F(RawApplicationTest, HearsOnceOfEachThatLeaves) {
  join("/raw/room:1", everywhere("ann"));
  join("/raw/room:1", everywhere("bob"));
  lose(0);
  EXPECT_THAT(fake.gone, ElementsAre("ann"));
  lose(0);
  made.clear();
  EXPECT_THAT(fake.gone, ElementsAre("ann", "bob"));
}

// ---- Subscribing ----

TEST_F(RawApplicationTest, IsAskedAboutASubscriptionWhereTheRuleSaysSo) {
  const Log& log = join("/raw/door:1", everywhere("ann"));
  EXPECT_THAT(log, IsEmpty());
  EXPECT_THAT(fake.asked, ElementsAre("subscribe door:1 by ann"));
  EXPECT_EQ(fake.last_client.size(), ClientId::kBytes);
  fake.allow_subscribe();
  settle();
  EXPECT_THAT(log, ElementsAre("open"));
  say(0, "hello");
  EXPECT_THAT(heard(0), ElementsAre("text:hello"));
}

TEST_F(RawApplicationTest, IsNotAskedAboutWhatTheServerForbidsByItself) {
  EXPECT_THAT(join("/raw/door:1", ann()), ElementsAre("open", StartsWith("close:4403:")));
  EXPECT_THAT(fake.asked, IsEmpty());
}

TEST_F(RawApplicationTest, KeepsSomebodyOutInItsOwnWords) {
  const Log& refused = join("/raw/door:1", everywhere("ann"));
  fake.refuse_subscribe(refusal(false, false));
  EXPECT_THAT(refused, ElementsAre("open", "close:4403:not today"));
  const Log& unasked = join("/raw/door:1", everywhere("ann"));
  fake.refuse_subscribe({});
  EXPECT_THAT(unasked, ElementsAre("open", kCannotBeAsked));
  made.clear();
  EXPECT_THAT(fake.gone, IsEmpty()) << "it was never in";
}

TEST_F(RawApplicationTest, IsListedInItsChannelOnlyOnceItIsIn) {
  join("/raw/door:1", everywhere("ann"));
  ASSERT_THAT(listed("ann"), SizeIs(1));
  EXPECT_THAT(listed("ann")[0].channels, IsEmpty());
  fake.allow_subscribe();
  EXPECT_THAT(listed("ann")[0].channels, ElementsAre("door:1"));
}

TEST_F(RawApplicationTest, LetsNobodyInWhoHasGoneMeanwhile) {
  const Log& lost = join("/raw/door:1", everywhere("ann"));
  lose(0);
  fake.allow_subscribe();
  settle();
  EXPECT_THAT(lost, IsEmpty());
  EXPECT_EQ(group.hub(0).channels(), 0u);
}

TEST_F(RawApplicationTest, NobodyComesInWhereItHasTheSayAndThereIsNone) {
  app = nullptr;
  EXPECT_THAT(join("/raw/door:1", everywhere("ann")), ElementsAre("open", kCannotBeAsked));
}

// ---- Publishing ----

TEST_F(RawApplicationTest, HoldsAClientUntilItsMessageHasItsVerdict) {
  const Log& log = join("/raw/desk:1", everywhere("ann"));
  say(0, "hello");
  EXPECT_THAT(fake.asked, ElementsAre("publish desk:1 hello"));
  EXPECT_THAT(log, ElementsAre("open", "hold"));
  EXPECT_THAT(heard(0), IsEmpty());
  fake.allow_publish();
  settle();
  EXPECT_THAT(log, ElementsAre("open", "hold", "release", "frame"));
  EXPECT_THAT(heard(0), ElementsAre("text:hello"));
}

TEST_F(RawApplicationTest, IsAskedAboutOneMessageAfterTheOther) {
  const Log& log = join("/raw/desk:1", everywhere("ann"));
  say(0, "one");
  say(0, "two");
  EXPECT_THAT(fake.asked, SizeIs(1));
  fake.allow_publish();
  settle();
  EXPECT_THAT(fake.asked, ElementsAre("publish desk:1 one", "publish desk:1 two"));
  EXPECT_THAT(log, ElementsAre("open", "hold", "hold", "frame")) << "one still waits";
  fake.allow_publish();
  settle();
  EXPECT_THAT(heard(0), ElementsAre("text:one", "text:two"));
  EXPECT_EQ(std::count(log.begin(), log.end(), "release"), 1);
}

TEST_F(RawApplicationTest, WhatItRefusesIsCountedAndTheClientGoesOn) {
  const Log& log = join("/raw/desk:1", everywhere("ann"));
  say(0, "one");
  fake.refuse_publish(refusal(false, false));
  say(0, "two");
  fake.refuse_publish({});
  say(0, "three");
  fake.allow_publish();
  settle();
  EXPECT_EQ(adapter().refused(), 2u);
  EXPECT_THAT(heard(0), ElementsAre("text:three"));
  EXPECT_THAT(log, ElementsAre("open", "hold", "release", "hold", "release", "hold", "release",
                               "frame"));
}

TEST_F(RawApplicationTest, WhatItDropsIsNotCountedAsRefused) {
  const Log& log = join("/raw/desk:1", everywhere("ann"));
  say(0, "hello");
  PublishAnswer answer;
  answer.drop = true;
  fake.allow_publish(std::move(answer));
  settle();
  EXPECT_EQ(adapter().refused(), 0u);
  EXPECT_THAT(log, ElementsAre("open", "hold", "release"));
}

TEST_F(RawApplicationTest, OthersGetWhatItMadeOfAMessage) {
  join("/raw/desk:1", everywhere("ann"));
  join("/raw/desk:1", everywhere("bob"));
  say(0, "dirty");
  rewrite("\"clean\"");
  EXPECT_THAT(heard(0), ElementsAre("text:\"clean\""));
  EXPECT_THAT(heard(1), ElementsAre("text:\"clean\""));
}

TEST_F(RawApplicationTest, MaySendTheSenderAwayOverAMessage) {
  const Log& log = join("/raw/desk:1", everywhere("ann"));
  join("/raw/desk:1", everywhere("bob"));
  say(0, "bad words");
  fake.refuse_publish(refusal(false, true));
  settle();
  EXPECT_THAT(log, ElementsAre("open", "hold", "close:4403:not today"));
  EXPECT_EQ(adapter().refused(), 1u);
  EXPECT_THAT(heard(1), IsEmpty());
}

TEST_F(RawApplicationTest, AMessageOutlivesItsSender) {
  join("/raw/desk:1", everywhere("ann"));
  join("/raw/desk:1", everywhere("bob"));
  say(0, "one");
  say(0, "two");
  lose(0);
  fake.allow_publish();
  settle();
  fake.refuse_publish(refusal(false, true));
  settle();
  EXPECT_THAT(heard(1), ElementsAre("text:one"));
  EXPECT_EQ(adapter().refused(), 1u);
  EXPECT_EQ(fake.budget.used(), 0u);
}

TEST_F(RawApplicationTest, SaysWhoSpeaks) {
  join("/raw/desk:1", everywhere("ann"), {}, "https://app.example");
  say(0, "hello");
  EXPECT_EQ(fake.last_client, listed("ann").at(0).client);
  EXPECT_EQ(fake.last_info, "{\"n\":1}");
  EXPECT_EQ(fake.last_address, "192.0.2.9");
  EXPECT_EQ(fake.last_origin, "https://app.example");
}

TEST_F(RawApplicationTest, NothingIsPublishedWhereItHasTheSayAndThereIsNone) {
  app = nullptr;
  const Log& log = join("/raw/desk:1", everywhere("ann"));
  say(0, "hello");
  EXPECT_THAT(log, ElementsAre("open"));
  EXPECT_THAT(heard(0), IsEmpty());
  EXPECT_EQ(adapter().refused(), 1u);
}

TEST_F(RawApplicationTest, NothingIsPublishedThatTheServerCannotHold) {
  const Log& log = join("/raw/desk:1", everywhere("ann"));
  ASSERT_TRUE(fake.budget.take(1024 * 1024 - 8));
  say(0, "hello");
  EXPECT_THAT(log, ElementsAre("open")) << "it is not held either";
  EXPECT_THAT(fake.asked, IsEmpty());
  EXPECT_EQ(adapter().refused(), 1u);
}

}  // namespace
}  // namespace anywire::protocol::raw
