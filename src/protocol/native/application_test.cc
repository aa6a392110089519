// What a native session asks the customer's application, and what it does with the answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "protocol/fake_app_for_test.h"
#include "protocol/native/testing/channels_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class NativeApplicationTest : public ChannelsTest {
 protected:
  NativeApplicationTest() {
    app = &fake;
    rule.history_messages = 100;
    hub::ChannelRule asked = rule;
    asked.pattern = *auth::Glob::parse("asked:*");
    asked.subscribe_hook = asked.publish_hook = true;
    rules.push_back(asked);
  }
  ~NativeApplicationTest() override { settle(); }

  void send(TestClient& client, int id, std::string_view channel, std::string_view text) {
    client.say(R"({"type":"publish","id":)" + std::to_string(id) + R"(,"channel":")" +
               std::string(channel) + R"(","text":")" + std::string(text) + "\"}");
    settle();
  }

  FakeApp fake;
};

// ---- Calls ----

TEST_F(NativeApplicationTest, CallsTheApplicationAndAnswersInAnyOrder) {
  auto client = connect(token(R"({"sub":"ann","capability":{"*":["rpc"]}})"));
  client->say(R"([{"type":"rpc","id":2,"method":"sum","data":[1,2]},
                  {"type":"rpc","id":3,"method":"what"},{"type":"rpc","id":4,"method":"down"},
                  {"type":"rpc","id":5,"method":"no"}])");
  EXPECT_THAT(fake.asked, ElementsAre("sum([1,2]) by ann", "what() by ann", "down() by ann",
                                      "no() by ann"));
  fake.answer_call("3");
  fake.refuse_call({.code = AppRefusal::Code::kNoHandler});
  fake.refuse_call({});
  fake.refuse_call(FakeApp::no("not today", "closed"));
  EXPECT_THAT(
      client->heard(),
      ElementsAre(R"({"type":"result","id":2,"data":3})",
                  HasSubstr(R"("id":3,"code":"no_handler")"),
                  HasSubstr(R"("id":4,"code":"app_unavailable")"),
                  AllOf(HasSubstr(R"("id":5,"code":"refused","message":"not today")"),
                        HasSubstr(R"("retry":false,"reason":"closed")"))));
}

TEST_F(NativeApplicationTest, CallsTheApplicationOnlyForWhoMay) {
  auto client = connect(token(R"({"sub":"ann","capability":{"su*":["rpc"]}})"));
  client->say(R"([{"type":"rpc","id":2,"method":"sum"},{"type":"rpc","id":3,"method":"what"}])");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("forbidden")));
  EXPECT_THAT(fake.asked, ElementsAre("sum() by ann"));
  client.reset();
  fake.answer_call("4");
}

// ---- Publishing ----

TEST_F(NativeApplicationTest, AsksAboutMessagesWhereTheRuleSaysSo) {
  auto client = connect(token(R"({"sub":"ann"})"));
  send(*client, 2, "free", "one");
  EXPECT_THAT(fake.asked, IsEmpty());
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("type":"published","id":2)")));
  send(*client, 3, "asked:1", "two");
  EXPECT_THAT(fake.asked, ElementsAre("publish asked:1 two"));
  EXPECT_EQ(fake.last_protocol, "native");
  EXPECT_EQ(fake.last_client, client->last("client"));
  EXPECT_THAT(client->heard(), IsEmpty());
  fake.allow_publish();
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("type":"published","id":3)")));
  EXPECT_EQ(fake.budget.used(), 0u);
}

TEST_F(NativeApplicationTest, LaterMessagesOfTheSessionWaitAndAllElseFlows) {
  auto listener = connect();
  subscribe(*listener, "free");
  auto client = connect(token(R"({"sub":"ann"})"));
  auto other = connect();
  send(*client, 2, "asked:1", "one");
  send(*client, 3, "free", "two");
  send(*client, 4, "asked:1", "three");
  client->say(R"({"type":"ping","id":5})");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("type":"pong","id":5)")));
  send(*other, 2, "free", "other");
  EXPECT_THAT(listener->heard(), ElementsAre(HasSubstr("other")));
  EXPECT_THAT(fake.asked, SizeIs(1));
  fake.allow_publish();
  settle();
  EXPECT_THAT(listener->heard(), ElementsAre(HasSubstr("two")));
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("id":2)"), HasSubstr(R"("id":3)")));
  EXPECT_THAT(fake.asked, ElementsAre("publish asked:1 one", "publish asked:1 three"));
  fake.allow_publish();
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("id":4)")));
}

TEST_F(NativeApplicationTest, TellsARefusalInTheApplicationsWords) {
  auto client = connect(token(R"({"sub":"ann"})"));
  send(*client, 2, "asked:1", "bad");
  AppRefusal refused = FakeApp::no("mind your language", "rude");
  refused.retry = true;
  fake.refuse_publish(refused);
  EXPECT_THAT(client->heard(),
              ElementsAre(AllOf(HasSubstr(R"("id":2,"channel":"asked:1","code":"refused")"),
                                HasSubstr(R"("message":"mind your language","retry":true)"),
                                HasSubstr(R"("reason":"rude")"))));
}

TEST_F(NativeApplicationTest, ARefusalWithoutAnIdIsToldToo) {
  auto client = connect();
  client->say(R"({"type":"publish","channel":"asked:1","text":"bad"})");
  fake.refuse_publish({});
  EXPECT_THAT(client->heard(), ElementsAre(AllOf(HasSubstr(R"("code":"app_unavailable")"),
                                                 HasSubstr(R"("retry":true)"))));
}

TEST_F(NativeApplicationTest, PublishesWhatTheApplicationMakesOfIt) {
  auto listener = connect();
  auto client = connect();
  listener->say(R"({"type":"subscribe","id":2,"channel":"asked:1"})");
  fake.allow_subscribe();
  settle();
  listener->heard();
  send(*client, 2, "asked:1", "damn");
  fake.allow_publish({.payload = PublishAnswer::Payload{broker::PayloadKind::kJson, R"({"a":1})"},
                      .event = "clean",
                      .tags = std::vector<broker::Tag>{{"lang", "en"}}});
  settle();
  EXPECT_THAT(listener->heard(),
              ElementsAre(AllOf(HasSubstr(R"("data":{"a":1})"), HasSubstr(R"("event":"clean")"),
                                HasSubstr(R"("tags":{"lang":"en"})"), Not(HasSubstr("damn")))));
  send(*client, 3, "asked:1", "secret");
  fake.allow_publish({.drop = true});
  settle();
  EXPECT_THAT(listener->heard(), IsEmpty());
  EXPECT_THAT(client->heard(), Contains(HasSubstr(R"("type":"published","id":3)")));
}

TEST_F(NativeApplicationTest, ARewriteThatTheChannelDoesNotTakeIsTheApplicationsFault) {
  rules[0].message_bytes_max = 10;
  auto client = connect();
  send(*client, 2, "asked:1", "short");
  fake.allow_publish(
      {.payload = PublishAnswer::Payload{broker::PayloadKind::kText, std::string(11, 'x')}});
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("code":"app_unavailable")")));
}

TEST_F(NativeApplicationTest, SoManyMayWaitAndNoMore) {
  options.pending_max = 3;
  auto client = connect();
  for (int i = 0; i < 4; ++i) {
    client->say(R"({"type":"publish","channel":"asked:1","text":"x"})");
  }
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("code":"too_many_pending")")));
  EXPECT_THAT(fake.publishing, SizeIs(1));
}

TEST_F(NativeApplicationTest, BytesThatWaitHaveALimit) {
  auto client = connect();
  const std::string half(600 * 1024, 'x');
  send(*client, 2, "asked:1", half);
  send(*client, 3, "asked:1", half);
  EXPECT_THAT(client->heard(),
              ElementsAre(HasSubstr(R"("id":3,"channel":"asked:1","code":"overloaded")")));
  fake.allow_publish();
  settle();
  EXPECT_EQ(fake.budget.used(), 0u);
}

TEST_F(NativeApplicationTest, WhatWasTakenInIsPublishedThoughTheClientHasGone) {
  auto listener = connect();
  listener->say(R"({"type":"subscribe","id":2,"channel":"asked:1"})");
  fake.allow_subscribe();
  settle();
  listener->heard();
  auto client = connect();
  send(*client, 2, "asked:1", "one");
  send(*client, 3, "asked:1", "two");
  client->lose();
  client.reset();
  fake.allow_publish();
  settle();
  fake.allow_publish();
  settle();
  EXPECT_THAT(listener->heard(), ElementsAre(HasSubstr("one"), HasSubstr("two")));
  EXPECT_EQ(fake.budget.used(), 0u);
}

TEST_F(NativeApplicationTest, SendsAwayWhomTheApplicationWantsGone) {
  auto client = connect(token(R"({"sub":"ann"})"));
  send(*client, 2, "asked:1", "spam");
  AppRefusal refused = FakeApp::no("banned");
  refused.disconnect = true;
  fake.refuse_publish(refused);
  EXPECT_THAT(client->heard(), Contains(HasSubstr(R"("code":"refused","message":"banned")")));
  EXPECT_THAT(client->transport.log, Contains(HasSubstr("close:4403")));
  EXPECT_THAT(fake.gone, ElementsAre("ann"));
}

// ---- Subscribing ----

TEST_F(NativeApplicationTest, AsksBeforeASubscription) {
  auto client = connect(token(R"({"sub":"ann"})"));
  client->say(R"({"type":"subscribe","id":2,"channel":"asked:1"})");
  settle();
  EXPECT_THAT(fake.asked, ElementsAre("subscribe asked:1 by ann"));
  EXPECT_THAT(client->heard(), IsEmpty());
  EXPECT_EQ(adapter().hub().channels(), 0u);
  client->say(R"({"type":"subscribe","id":3,"channel":"asked:1"})");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("already_subscribed")));
  fake.allow_subscribe();
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("type":"subscribed","id":2)")));
}

TEST_F(NativeApplicationTest, TellsThatASubscriptionWasRefused) {
  auto client = connect();
  client->say(R"({"type":"subscribe","id":2,"channel":"asked:1"})");
  fake.refuse_subscribe(FakeApp::no("members only", "members"));
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(AllOf(HasSubstr(R"("type":"error","id":2)"),
                                HasSubstr(R"("code":"refused","message":"members only")"))));
  EXPECT_EQ(adapter().hub().channels(), 0u);
  // It may try again.
  client->say(R"({"type":"subscribe","id":3,"channel":"asked:1"})");
  fake.allow_subscribe();
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("type":"subscribed","id":3)")));
}

TEST_F(NativeApplicationTest, AVerdictOnWhatWasTakenBackChangesNothing) {
  auto client = connect();
  client->say(R"([{"type":"subscribe","id":2,"channel":"asked:1"},
                  {"type":"unsubscribe","id":3,"channel":"asked:1"},
                  {"type":"subscribe","id":4,"channel":"asked:1"}])");
  EXPECT_THAT(client->heard(),
              ElementsAre(HasSubstr(R"("id":2,"channel":"asked:1","code":"not_subscribed")"),
                          HasSubstr(R"("type":"ok","id":3)")));
  fake.allow_subscribe();
  settle();
  EXPECT_THAT(client->heard(), IsEmpty());
  EXPECT_EQ(adapter().hub().channels(), 0u);
  fake.allow_subscribe();
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("type":"subscribed","id":4)")));
}

TEST_F(NativeApplicationTest, AsksAboutTheTokensChannelsToo) {
  auto client = connect(token(R"({"sub":"ann","channels":["asked:1","free"]})"));
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("type":"subscribed","channel":"free")")));
  fake.refuse_subscribe(FakeApp::no("no"));
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(AllOf(HasSubstr(R"("type":"unsubscribed","channel":"asked:1")"),
                                HasSubstr(R"("code":"refused")"))));
}

TEST_F(NativeApplicationTest, PatternsLeaveOutChannelsThatAreAskedAbout) {
  auto listener = connect();
  listener->say(R"({"type":"subscribe","id":2,"pattern":"*"})");
  settle();
  listener->heard();
  auto client = connect();
  send(*client, 2, "asked:1", "hidden");
  fake.allow_publish();
  settle();
  send(*client, 3, "free", "seen");
  EXPECT_THAT(listener->heard(), ElementsAre(HasSubstr("seen")));
}

TEST_F(NativeApplicationTest, ASessionThatEndsWhileItIsAskedAboutIsForgotten) {
  auto client = connect();
  client->say(R"({"type":"subscribe","id":2,"channel":"asked:1"})");
  client->lose();
  client.reset();
  fake.allow_subscribe();
  settle();
  EXPECT_EQ(adapter().hub().channels(), 0u);
}

// ---- Connecting ----

class NativeConnectHookTest : public NativeApplicationTest {
 protected:
  NativeConnectHookTest() { fake.connects = true; }
  std::unique_ptr<TestClient> knock(std::string_view with = {}) {
    auto client = attach();
    const std::string member = with.empty() ? "" : ",\"token\":\"" + std::string(with) + "\"";
    client->say(R"({"type":"connect","id":1)" + member + "}");
    return client;
  }
};

TEST_F(NativeConnectHookTest, AsksOnceTheTokenIsVerified) {
  const std::string good = token(R"({"sub":"ann","info":{"n":1}})");
  auto client = knock(good);
  EXPECT_THAT(fake.asked, ElementsAre("connect by ann with " + good));
  EXPECT_EQ(fake.last_info, R"({"n":1})");
  EXPECT_THAT(client->heard(), IsEmpty());
  client->say(R"({"type":"ping","id":2})");
  fake.allow_connect();
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(AllOf(HasSubstr(R"("type":"connected","id":1)"),
                                HasSubstr(R"("user":"ann")")),
                          HasSubstr(R"("type":"pong","id":2)")));
  auto bad = knock("nonsense");
  EXPECT_THAT(bad->transport.log, Contains(HasSubstr("close:4451")));
  EXPECT_THAT(fake.asked, SizeIs(1));
}

TEST_F(NativeConnectHookTest, TakesFromTheAnswerWhoItIsAndWhatItMay) {
  auto client = knock();
  auth::Capability capability;
  ASSERT_TRUE(capability.add("x*", {auth::Operation::kRpc}));
  ConnectAnswer answer{.user = "bob",
                       .info = R"({"name":"Bob"})",
                       .capability = capability,
                       .channels = std::vector<std::string>{"free"},
                       .expires_ms = wall.unix_ms() + 60'000};
  answer.actions.push_back({.channel = "greetings"});
  fake.allow_connect(std::move(answer));
  settle();
  const auto heard = client->heard();
  EXPECT_THAT(heard, ElementsAre(AllOf(HasSubstr(R"("user":"bob")"), HasSubstr(R"("expires":)")),
                                 HasSubstr(R"("type":"subscribed","channel":"free")")));
  EXPECT_THAT(fake.acted, ElementsAre("greetings by " + client->last("client")));
  client->say(R"([{"type":"rpc","id":2,"method":"xyz"},{"type":"rpc","id":3,"method":"abc"}])");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("id":3)")));
  EXPECT_THAT(fake.asked, Contains("xyz() by bob"));
}

TEST_F(NativeConnectHookTest, ClosesOnWhomTheApplicationRefuses) {
  auto client = knock();
  fake.refuse_connect(FakeApp::no("you are banned"));
  EXPECT_THAT(client->transport.log, Contains(HasSubstr("close:4403")));
  auto later = knock();
  AppRefusal full = FakeApp::no("full");
  full.retry = true;
  fake.refuse_connect(full);
  EXPECT_THAT(later->transport.log, Contains(HasSubstr("close:4503")));
  auto unlucky = knock();
  fake.refuse_connect({});
  EXPECT_THAT(unlucky->transport.log, Contains(HasSubstr("close:4503")));
  EXPECT_THAT(fake.gone, IsEmpty());
}

TEST_F(NativeConnectHookTest, WhoGoesWhileItIsAskedAboutIsForgotten) {
  auto client = knock();
  client->lose();
  client.reset();
  fake.allow_connect();
  settle();
  EXPECT_EQ(adapter().clients().size(), 0u);
}

}  // namespace
}  // namespace anywire::protocol::native
