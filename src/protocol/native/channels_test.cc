// Subscriptions, publishing, history, as clients see them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/native/session.h"
#include "protocol/native/testing/channels_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class NativeChannelsTest : public ChannelsTest {};

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

// Many commands of one frame are asked before the first is answered, so the room is looked at again
// with each answer.
TEST_F(NativeChannelsTest, SendsNoFurtherPageBeforeThoseSentAreRead) {
  for (const std::uint32_t owner : {0u, 1u}) {
    const std::string channel = channel_owned_by(owner);
    auto client = connect();
    publish(*client, channel, "1");
    const std::string commands = R"([{"type":"history","id":5,"channel":")" + channel +
                                 R"("},{"type":"members","id":6,"channel":")" + channel + "\"}]";
    const auto overloaded = [](const std::string& id) {
      return AllOf(HasSubstr("\"id\":" + id), HasSubstr(R"("code":"overloaded")"));
    };
    client->transport.full = true;
    client->say(commands);
    EXPECT_THAT(client->heard(), ElementsAre(overloaded("5"), overloaded("6")));
    client->transport.full = false;
    client->say(commands);
    if (owner == 0) {
      EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("type":"history")")));
    }
    client->transport.full = true;
    settle();
    auto late = client->heard();
    ASSERT_FALSE(late.empty());
    EXPECT_THAT(late.back(), overloaded("6"));
    late.pop_back();
    EXPECT_EQ(late.size(), owner);
    for (const std::string& message : late) EXPECT_THAT(message, overloaded("5"));
    client->transport.full = false;
    client->say(commands);
    settle();
    EXPECT_THAT(client->heard(),
                ElementsAre(HasSubstr(R"("type":"history")"), HasSubstr(R"("type":"members")")));
  }
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

// ---- Rights, history ----

TEST_F(NativeChannelsTest, RecoversAndRewindsForWhoMaySubscribe) {
  rule.history_access = hub::Access::kCapability;
  auto client = connect();
  for (const char* text : {"1", "2", "3"}) publish(*client, "c", text);
  subscribe(*client, "c");
  const std::string epoch = client->last("epoch");
  for (const std::string& more : {since(epoch, 1), std::string(R"(,"rewind":2)")}) {
    auto other = connect();
    other->say(R"({"type":"subscribe","id":2,"channel":"c")" + more + "}");
    settle();
    EXPECT_THAT(other->heard(), ElementsAre(HasSubstr("subscribed"), message("c", 2, "2"),
                                            message("c", 3, "3")));
    other->say(R"({"type":"history","id":3,"channel":"c"})");
    EXPECT_THAT(other->heard(), ElementsAre(HasSubstr("forbidden")));
  }
}

TEST_F(NativeChannelsTest, SaysThatHistoryIsOfAnotherEpoch) {
  for (const std::uint32_t owner : {0u, 1u}) {
    const std::string channel = channel_owned_by(owner);
    auto client = connect();
    publish(*client, channel, "1");
    const auto ask = [&](const std::string& epoch) {
      client->say(R"({"type":"history","id":3,"channel":")" + channel + R"(","epoch":")" + epoch +
                  "\"}");
      settle();
      return client->heard();
    };
    EXPECT_THAT(ask("0123456789abcdef"),
                ElementsAre(AllOf(HasSubstr(R"("code":"epoch_changed")"),
                                  HasSubstr(R"("retry":false)"))));
    EXPECT_THAT(ask("not an epoch"), ElementsAre(HasSubstr(R"("code":"epoch_changed")")));
    client->say(R"({"type":"history","id":3,"channel":")" + channel + "\"}");
    settle();
    const std::string epoch = client->last("epoch");
    client->heard();
    EXPECT_THAT(ask(epoch), ElementsAre(HasSubstr(R"("text":"1")")));
  }
}

TEST_F(NativeChannelsTest, KeepsPersonalChannelsToTheirUsers) {
  const std::string all = R"("capability":{"*":["*"]}})";
  auto ann = connect(token(R"({"sub":"ann",)" + all));
  auto again = connect(token(R"({"sub":"ann"})"), Format::kMsgpack, 1);
  auto bob = connect(token(R"({"sub":"bob",)" + all), Format::kJson, 1);
  bob->say(R"({"type":"auth","id":2,"token":")" +
           token(R"({"sub":"bob","channels":["$user:bob","$user:ann"],)" + all) + "\"}");
  settle();
  EXPECT_THAT(bob->heard(),
              testing::UnorderedElementsAre(
                  R"({"type":"ok","id":2})",
                  HasSubstr(R"({"type":"unsubscribed","channel":"$user:ann","code":"forbidden")"),
                  HasSubstr(R"({"type":"subscribed","channel":"$user:bob")")));
  subscribe(*ann, "$user:ann");
  subscribe(*again, "$user:ann");
  bob->say(R"([{"type":"subscribe","id":3,"pattern":"*"},
               {"type":"subscribe","id":4,"pattern":"$user:ann"},
               {"type":"subscribe","id":5,"channel":"$user:ann"},
               {"type":"history","id":6,"channel":"$user:ann"},
               {"type":"subscribe","id":7,"channel":"$else"},
               {"type":"publish","id":8,"channel":"$else","text":"t"}])");
  settle();
  EXPECT_THAT(bob->heard(),
              testing::UnorderedElementsAre(
                  HasSubstr(R"("id":3,"pattern":"*")"), HasSubstr(R"("id":4,)"),
                  AllOf(HasSubstr(R"("id":5,)"), HasSubstr("forbidden")),
                  AllOf(HasSubstr(R"("id":6,)"), HasSubstr("forbidden")),
                  AllOf(HasSubstr(R"("id":7,)"), HasSubstr("forbidden")),
                  AllOf(HasSubstr(R"("id":8,)"), HasSubstr("forbidden"))));
  publish(*bob, "$user:ann", "hello");
  EXPECT_THAT(ann->heard(), ElementsAre(message("$user:ann", 1, "hello")));
  EXPECT_THAT(again->heard(), ElementsAre(message("$user:ann", 1, "hello")));
  EXPECT_THAT(bob->heard(), IsEmpty());
  publish(*ann, "$user:bob", "hello");
  EXPECT_THAT(bob->heard(), ElementsAre(message("$user:bob", 1, "hello")));
  publish(*again, "$user:bob", "without the right");
  EXPECT_THAT(again->heard(), ElementsAre(HasSubstr("forbidden")));
  auto nobody = connect();
  nobody->say(R"({"type":"subscribe","id":3,"channel":"$user:"})");
  EXPECT_THAT(nobody->heard(), ElementsAre(HasSubstr("forbidden")));
}

// ---- Publishers that are too fast ----

TEST_F(NativeChannelsTest, WaitsForTheLoopsToCatchUp) {
  const std::string channel = channel_owned_by(1);
  auto client = connect();
  auto other = connect();
  const std::string command = R"({"type":"publish","channel":")" + channel + R"(","text":")" +
                              std::string(100'000, 'x') + "\"}";
  const auto holds = [](const TestClient& one) {
    return std::ranges::count(one.transport.log, "hold") -
           std::ranges::count(one.transport.log, "release");
  };
  int sent = 0;
  for (; holds(*client) == 0 && sent < 1000; ++sent) client->say(command);
  EXPECT_LE(sent, 12) << "about a MiB";
  client->say(command);
  EXPECT_EQ(holds(*client), 1) << "what comes all the same is taken";
  other->say(R"({"type":"ping","id":3})");
  EXPECT_EQ(holds(*other), 0) << "who does not publish does not wait";
  other->say(command);
  EXPECT_EQ(holds(*other), 1);
  other.reset();
  settle();
  EXPECT_EQ(holds(*client), 0);
  client->say(R"({"type":"history","id":4,"limit":1,"channel":")" + channel + "\"}");
  settle();
  EXPECT_THAT(client->heard().back(), HasSubstr(R"("top":)" + std::to_string(sent + 2)));
}

}  // namespace
}  // namespace anywire::protocol::native
