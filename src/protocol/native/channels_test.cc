// Subscriptions, publishing, history, patterns, as clients see them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/native/session.h"
#include "protocol/native/testing/native_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class NativeChannelsTest : public NativeTest {
 protected:
  void subscribe(TestClient& client, std::string_view channel, std::string_view more = "") {
    client.say(R"({"type":"subscribe","id":2,"channel":")" + std::string(channel) + "\"" +
               std::string(more) + "}");
    settle();
    EXPECT_THAT(client.heard(), ElementsAre(HasSubstr(R"({"type":"subscribed","id":2)")));
  }
  void publish(TestClient& client, std::string_view channel, std::string_view text,
               std::string_view more = "") {
    client.say(R"({"type":"publish","channel":")" + std::string(channel) + R"(","text":")" +
               std::string(text) + "\"" + std::string(more) + "}");
    settle();
  }
  static std::string since(std::string_view epoch, int offset) {
    return R"(,"since":{"epoch":")" + std::string(epoch) + R"(","offset":)" +
           std::to_string(offset) + "}";
  }
  static auto message(std::string_view channel, int offset, std::string_view text) {
    return AllOf(StartsWith(R"({"type":"message","channel":")" + std::string(channel) +
                            R"(","offset":)" + std::to_string(offset) + ","),
                 HasSubstr(R"("text":")" + std::string(text) + R"("})"));
  }
  static std::string advance(std::string_view channel, int offset) {
    return R"({"type":"advance","channel":")" + std::string(channel) + R"(","offset":)" +
           std::to_string(offset) + "}";
  }
};

TEST_F(NativeChannelsTest, GivesEverybodyEverythingInBothForms) {
  for (const std::uint32_t owner : {0u, 1u}) {
    const std::string channel = channel_owned_by(owner);
    auto ann = connect(token(R"({"sub":"ann"})"));
    auto bob = connect({}, Format::kMsgpack, 1);
    for (auto* client : {ann.get(), bob.get()}) {
      client->say(R"({"type":"subscribe","id":2,"channel":")" + channel + "\"}");
      settle();
      EXPECT_THAT(client->heard(),
                  ElementsAre(R"({"type":"subscribed","id":2,"channel":")" + channel +
                              R"(","epoch":"E","offset":0,"top":0,"recoverable":true})"));
    }
    ann->say(R"({"type":"publish","id":3,"channel":")" + channel +
             R"(","data":{"a":[1]},"event":"e","messageId":"m","tags":{"t":"v"}})");
    settle();
    const std::string push = R"({"type":"message","channel":")" + channel +
                             R"(","offset":1,"time":0,"event":"e","id":"m","client":")" +
                             ann->last("client") +
                             R"(","user":"ann","tags":{"t":"v"},"data":{"a":[1]}})";
    EXPECT_THAT(bob->heard(), ElementsAre(push));
    EXPECT_THAT(ann->heard(),
                testing::UnorderedElementsAre(
                    push, R"({"type":"published","id":3,"epoch":"E","offset":1})"));
  }
}

TEST_F(NativeChannelsTest, SharesOneFrameAmongEqualReceivers) {
  auto a = connect();
  auto b = connect();
  auto c = connect({}, Format::kMsgpack);
  auto d = connect({}, Format::kMsgpack);
  auto e = connect();
  auto f = connect();
  b->transport.wants = e->transport.wants = Transport::Encoding::kPlain;
  e->transport.wants = f->transport.wants = Transport::Encoding::kEvent;
  for (auto* client : {a.get(), b.get(), c.get(), d.get(), e.get(), f.get()}) {
    subscribe(*client, "c");
  }
  publish(*a, "c", "hello");
  for (const auto& [one, other] : {std::pair{a.get(), b.get()}, {c.get(), d.get()},
                                   {e.get(), f.get()}}) {
    ASSERT_THAT(one->transport.frames, SizeIs(1));
    EXPECT_EQ(one->transport.frames[0]->data(), other->transport.frames[0]->data());
    EXPECT_THAT(one->heard(), ElementsAre(message("c", 1, "hello")));
  }
}

TEST_F(NativeChannelsTest, CompressesForThoseWhoWantIt) {
  auto a = connect();
  auto b = connect();
  b->transport.wants = Transport::Encoding::kCompressed;
  subscribe(*a, "c");
  subscribe(*b, "c");
  publish(*a, "c", std::string(1000, 'z'));
  EXPECT_GT(a->transport.frames[0]->size(), 1000u);
  EXPECT_LT(b->transport.frames[0]->size(), 200u);
}

TEST_F(NativeChannelsTest, SubscribesOncePerChannel) {
  auto client = connect();
  subscribe(*client, "c");
  client->say(R"({"type":"subscribe","id":3,"channel":"c"})");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("code":"already_subscribed")")));
  client->say(R"({"type":"unsubscribe","id":4,"channel":"c"})");
  client->say(R"({"type":"unsubscribe","id":5,"channel":"c"})");
  EXPECT_THAT(client->heard(), ElementsAre(R"({"type":"ok","id":4})",
                                           HasSubstr(R"("code":"not_subscribed")")));
  subscribe(*client, "c");
}

TEST_F(NativeChannelsTest, HearsNothingAfterUnsubscribing) {
  auto client = connect();
  subscribe(*client, "c");
  client->say(R"([{"type":"unsubscribe","id":4,"channel":"c"},
                  {"type":"publish","channel":"c","text":"t"}])");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(R"({"type":"ok","id":4})"));
}

TEST_F(NativeChannelsTest, AnswersASubscriptionThatWasTakenBack) {
  const std::string channel = channel_owned_by(1);
  auto client = connect();
  client->say(R"([{"type":"subscribe","id":4,"channel":")" + channel +
              R"("},{"type":"unsubscribe","id":5,"channel":")" + channel + R"("}])");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(AllOf(HasSubstr(R"("id":4)"), HasSubstr("not_subscribed")),
                          R"({"type":"ok","id":5})"));
  subscribe(*client, channel);
}

TEST_F(NativeChannelsTest, LimitsTheChannelsOfAConnection) {
  options.channels_max = 2;
  auto client = connect();
  subscribe(*client, "a");
  client->say(R"({"type":"subscribe","id":3,"pattern":"p*"})");
  settle();
  client->say(R"([{"type":"subscribe","id":4,"channel":"b"},
                  {"type":"subscribe","id":5,"pattern":"q*"},
                  {"type":"unsubscribe","id":6,"pattern":"p*"},
                  {"type":"subscribe","id":7,"channel":"b"}])");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(R"({"type":"subscribed","id":3,"pattern":"p*"})",
                          HasSubstr("too_many_channels"), HasSubstr("too_many_channels"),
                          R"({"type":"ok","id":6})", testing::_));
}

TEST_F(NativeChannelsTest, RecoversWhatWasMissed) {
  for (const std::uint32_t owner : {0u, 1u}) {
    const std::string channel = channel_owned_by(owner);
    auto client = connect();
    subscribe(*client, channel);
    const std::string epoch = client->last("epoch");
    publish(*client, channel, "1");
    EXPECT_THAT(client->heard(), ElementsAre(message(channel, 1, "1")));
    client->leave();
    auto other = connect();
    publish(*other, channel, "2");
    publish(*other, channel, "3");
    client = connect();
    client->say(R"({"type":"subscribe","id":2,"channel":")" + channel + "\"" +
                since(epoch, 1) + "}");
    settle();
    EXPECT_THAT(client->heard(),
                ElementsAre(R"({"type":"subscribed","id":2,"channel":")" + channel +
                                R"(","epoch":"E","offset":1,"top":3,"recoverable":true,)"
                                R"("recovered":true})",
                            message(channel, 2, "2"), message(channel, 3, "3")));
  }
}

TEST_F(NativeChannelsTest, SaysWhatCannotBeRecovered) {
  rule.history_messages = 2;
  auto other = connect();
  for (const char* text : {"1", "2", "3", "4"}) publish(*other, "c", text);
  subscribe(*other, "c");
  const std::string epoch = other->last("epoch");
  auto client = connect();
  client->say(R"({"type":"subscribe","id":2,"channel":"c")" + since(epoch, 1) + "}");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(R"({"type":"subscribed","id":2,"channel":"c","epoch":"E","offset":2,)"
                          R"("top":4,"recoverable":true,"recovered":false,)"
                          R"("gap":{"from":2,"to":2,"reason":"evicted"}})",
                          message("c", 3, "3"), message("c", 4, "4")));
  client = connect();
  client->say(R"({"type":"subscribe","id":2,"channel":"c")" + since("0123456789abcdef", 7) + "}");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(AllOf(HasSubstr(R"("recovered":false)"),
                                HasSubstr(R"("gap":{"from":8,"to":0,"reason":"epoch"})")),
                          message("c", 3, "3"), message("c", 4, "4")));
}

TEST_F(NativeChannelsTest, RewindsToTheLastMessages) {
  auto client = connect();
  for (const char* text : {"1", "2", "3"}) publish(*client, "c", text);
  client->say(R"({"type":"subscribe","id":2,"channel":"c","rewind":2})");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(R"({"type":"subscribed","id":2,"channel":"c","epoch":"E","offset":1,)"
                          R"("top":3,"recoverable":true})",
                          message("c", 2, "2"), message("c", 3, "3")));
}

// ---- What a client does not want ----

TEST_F(NativeChannelsTest, LeavesOutTheClientsOwnAndMovesItsCursor) {
  auto client = connect();
  auto other = connect();
  subscribe(*client, "c", R"(,"own":false)");
  publish(*client, "c", "mine");
  publish(*client, "c", "mine");
  EXPECT_THAT(client->heard(), IsEmpty());
  publish(*other, "c", "yours");
  publish(*other, "c", "yours");
  EXPECT_THAT(client->heard(), ElementsAre(advance("c", 2), message("c", 3, "yours"),
                                           message("c", 4, "yours")));
  pass(Duration(2'000));
  EXPECT_THAT(client->heard(), IsEmpty()) << "nothing is left to tell";
}

TEST_F(NativeChannelsTest, MovesTheCursorOfAQuietSubscriptionInAWhile) {
  auto client = connect();
  auto other = connect();
  subscribe(*client, "c", R"(,"filter":{"team":["red"]})");
  publish(*other, "c", "blue", R"(,"tags":{"team":"blue"})");
  publish(*other, "c", "blue", R"(,"tags":{"team":"blue"})");
  EXPECT_THAT(client->heard(), IsEmpty());
  pass(NativeAdapter::kAdvanceDelay);
  EXPECT_THAT(client->heard(), ElementsAre(advance("c", 2)));
  publish(*other, "c", "none");
  pass(NativeAdapter::kAdvanceDelay);
  EXPECT_THAT(client->heard(), ElementsAre(advance("c", 3)));
  publish(*other, "c", "red", R"(,"tags":{"team":"red"})");
  EXPECT_THAT(client->heard(), ElementsAre(message("c", 4, "red")));
}

TEST_F(NativeChannelsTest, NeverLetsACursorLagFarBehind) {
  auto client = connect();
  auto other = connect();
  subscribe(*client, "c", R"(,"filter":{"team":["red"]})");
  for (int i = 0; i < 300; ++i) publish(*other, "c", "x");
  const auto heard = client->heard();
  ASSERT_THAT(heard, SizeIs(1));
  EXPECT_EQ(heard[0], advance("c", 256));
}

TEST_F(NativeChannelsTest, PicksFromABurst) {
  auto client = connect();
  auto other = connect();
  subscribe(*client, "c", R"(,"filter":{"k":["1"]})");
  std::string burst;
  for (const char* value : {"0", "1", "0", "1", "1"}) {
    burst += std::string(burst.empty() ? "[" : ",") +
             R"({"type":"publish","channel":"c","text":")" + value + R"(","tags":{"k":")" + value +
             R"("}})";
  }
  other->say(burst + "]");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(advance("c", 1), message("c", 2, "1"), advance("c", 3),
                          message("c", 4, "1"), message("c", 5, "1")));
}

TEST_F(NativeChannelsTest, TellsOfConflatedMessagesAsAccountedFor) {
  rule.conflate = true;
  auto client = connect();
  auto other = connect();
  subscribe(*client, "c");
  other->say(R"([{"type":"publish","channel":"c","text":"1","conflationKey":"k"},
                 {"type":"publish","channel":"c","text":"2","conflationKey":"k"}])");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(advance("c", 1), message("c", 2, "2")));
}

// ---- Slow readers ----

TEST_F(NativeChannelsTest, ComesBackFromHistoryWhenItHasCaughtUp) {
  auto client = connect();
  auto other = connect();
  subscribe(*client, "c");
  client->transport.full = true;
  for (const char* text : {"1", "2", "3"}) publish(*other, "c", text);
  EXPECT_THAT(client->heard(), ElementsAre(message("c", 1, "1"))) << "which filled it";
  client->transport.full = false;
  client->as_session().on_writable();
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(message("c", 2, "2"), message("c", 3, "3")));
  publish(*other, "c", "4");
  EXPECT_THAT(client->heard(), ElementsAre(message("c", 4, "4")));
}

TEST_F(NativeChannelsTest, TellsOfWhatASlowReaderMissed) {
  rule.history_messages = 1;
  auto client = connect();
  auto other = connect();
  subscribe(*client, "c");
  client->transport.full = true;
  for (const char* text : {"1", "2", "3"}) publish(*other, "c", text);
  client->heard();
  client->transport.full = false;
  client->as_session().on_writable();
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(R"({"type":"gap","channel":"c","from":2,"to":2,"reason":"evicted",)"
                          R"("epoch":"E","offset":2})",
                          message("c", 3, "3")));
}

// ---- Publishing ----

TEST_F(NativeChannelsTest, PublishesOnceForOneKey) {
  auto client = connect();
  const std::string publish =
      R"({"type":"publish","id":4,"channel":"c","text":"t","idempotencyKey":"k"})";
  client->say(publish);
  settle();
  client->say(publish);
  settle();
  client->say(R"({"type":"publish","id":5,"channel":"c","text":"other","idempotencyKey":"k"})");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(R"({"type":"published","id":4,"epoch":"E","offset":1})",
                          R"({"type":"published","id":4,"epoch":"E","offset":1,"duplicate":true})",
                          HasSubstr(R"("id":5,"code":"idempotency_conflict")")));
}

TEST_F(NativeChannelsTest, SaysOfAPublishWithoutIdOnlyThatItFailed) {
  auto client = connect();
  const std::string publish = R"({"type":"publish","channel":"c","idempotencyKey":"k","text":")";
  client->say(publish + "1\"}");
  client->say(publish + "2\"}");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(StartsWith(R"({"type":"error","code":"idempotency_)")));
}

TEST_F(NativeChannelsTest, GoesByTheRuleOfTheChannel) {
  rule.subscribe = rule.publish = rule.history_access = hub::Access::kCapability;
  rule.message_bytes_max = 4;
  auto client = connect(token(R"({"sub":"a","capability":{"pub":["publish"],"his":["history"]}})"));
  client->say(R"([{"type":"publish","id":2,"channel":"no","text":"t"},
                  {"type":"publish","channel":"no","text":"t"},
                  {"type":"publish","id":3,"channel":"pub","text":"12345"},
                  {"type":"subscribe","id":4,"channel":"pub"},
                  {"type":"subscribe","id":5,"pattern":"p*"},
                  {"type":"history","id":6,"channel":"pub"},
                  {"type":"history","id":7,"channel":"his"},
                  {"type":"publish","id":8,"channel":"pub","text":"1234"}])");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(R"({"type":"error","id":2,"channel":"no","code":"forbidden",)"
                          R"("message":"this client may not publish to \"no\"","retry":false})",
                          StartsWith(R"({"type":"error","channel":"no","code":"forbidden")"),
                          HasSubstr(R"("code":"too_large")"), HasSubstr(R"("code":"forbidden")"),
                          HasSubstr(R"("code":"forbidden")"), HasSubstr(R"("code":"forbidden")"),
                          testing::_, testing::_));
}

// ---- History ----

TEST_F(NativeChannelsTest, PagesThroughHistory) {
  auto client = connect();
  for (const char* text : {"1", "2", "3"}) publish(*client, "c", text);
  client->say(R"({"type":"history","id":5,"channel":"c","limit":2,"order":"backward"})");
  settle();
  const std::string by = R"("client":")" + client->last("client") + "\",";
  EXPECT_THAT(client->heard(),
              ElementsAre(R"({"type":"history","id":5,"channel":"c","epoch":"E","top":3,)"
                          R"("oldest":1,"more":true,"messages":[{"offset":3,"time":0,)" +
                          by + R"("text":"3"},{"offset":2,"time":0,)" + by + R"("text":"2"}]})"));
}

TEST_F(NativeChannelsTest, SaysWhereThereIsNoHistory) {
  rule.history_messages = 0;
  auto client = connect();
  client->say(R"({"type":"history","id":5,"channel":"c"})");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("code":"no_history")")));
  client->say(R"({"type":"subscribe","id":6,"channel":"c"})");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("recoverable":false)")));
}

// ---- Patterns ----

TEST_F(NativeChannelsTest, HearsAllChannelsOfAPattern) {
  const std::string here = channel_owned_by(0);
  const std::string there = channel_owned_by(1);
  auto client = connect({}, Format::kMsgpack);
  auto other = connect();
  client->say(R"({"type":"subscribe","id":2,"pattern":"c*"})");
  EXPECT_THAT(client->heard(), IsEmpty()) << "not before all loops know";
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(R"({"type":"subscribed","id":2,"pattern":"c*"})"));
  publish(*other, here, "1");
  publish(*other, there, "2");
  publish(*other, "x", "3");
  EXPECT_THAT(client->heard(), ElementsAre(message(here, 1, "1"), message(there, 1, "2")));
  client->say(R"([{"type":"subscribe","id":3,"pattern":"c**"},
                  {"type":"unsubscribe","id":4,"pattern":"c*"},
                  {"type":"unsubscribe","id":5,"pattern":"c*"}])");
  publish(*other, here, "4");
  EXPECT_THAT(client->heard(),
              ElementsAre(HasSubstr("already_subscribed"), R"({"type":"ok","id":4})",
                          HasSubstr("not_subscribed")));
}

TEST_F(NativeChannelsTest, LeavesAChannelToItsOwnSubscription) {
  auto client = connect();
  auto other = connect();
  client->say(R"({"type":"subscribe","id":3,"pattern":"*"})");
  settle();
  client->heard();
  subscribe(*client, "c");
  publish(*other, "c", "once");
  publish(*other, "d", "too");
  EXPECT_THAT(client->heard(), ElementsAre(message("c", 1, "once"), message("d", 1, "too")));
}

TEST_F(NativeChannelsTest, FiltersPatternsWithoutCursors) {
  auto client = connect();
  auto other = connect();
  client->say(R"({"type":"subscribe","id":3,"pattern":"*","own":false,"filter":{"k":["1"]}})");
  settle();
  client->heard();
  publish(*client, "c", "mine", R"(,"tags":{"k":"1"})");
  publish(*other, "c", "no");
  publish(*other, "c", "yes", R"(,"tags":{"k":"1"})");
  EXPECT_THAT(client->heard(), ElementsAre(message("c", 3, "yes")));
}

TEST_F(NativeChannelsTest, KeepsStricterRulesWithinAPattern) {
  rules.push_back(rule);
  rules.back().pattern = *auth::Glob::parse("secret:*");
  rules.back().subscribe = hub::Access::kCapability;
  auto client = connect();
  auto other = connect();
  client->say(R"({"type":"subscribe","id":3,"pattern":"*"})");
  settle();
  client->heard();
  publish(*other, "secret:1", "psst");
  publish(*other, "open", "hello");
  EXPECT_THAT(client->heard(), ElementsAre(message("open", 1, "hello")));
}

TEST_F(NativeChannelsTest, CountsWhatASlowReaderOfAPatternMissed) {
  auto client = connect();
  auto other = connect();
  client->say(R"({"type":"subscribe","id":3,"pattern":"*"})");
  settle();
  client->heard();
  client->transport.full = true;
  for (const char* text : {"1", "2", "3"}) publish(*other, "c", text);
  client->transport.full = false;
  client->as_session().on_writable();
  settle();
  publish(*other, "c", "4");
  EXPECT_THAT(client->heard(),
              ElementsAre(message("c", 1, "1"),
                          R"({"type":"gap","pattern":"*","missed":2,"reason":"slow"})",
                          message("c", 4, "4")));
}

}  // namespace
}  // namespace anywire::protocol::native
