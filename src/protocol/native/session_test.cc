// The life of a session: connecting, tokens, what breaks the protocol, limits, the end.
#include "protocol/native/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/native/testing/native_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr std::string_view kConnect = R"({"type":"connect","id":1})";

class NativeSessionTest : public NativeTest {
 protected:
  // Claims with an end so far from now.
  std::string expiring_in(Duration time, std::string_view more = "") {
    const std::uint64_t end = (wall.unix_ms() + static_cast<std::uint64_t>(time.count())) / 1000;
    return token(R"({"sub":"ann","exp":)" + std::to_string(end) + std::string(more) + "}");
  }
};

TEST_F(NativeSessionTest, ConnectsAnonymously) {
  for (const Format format : {Format::kJson, Format::kMsgpack}) {
    auto client = attach(format);
    EXPECT_THAT(client->transport.log, ElementsAre("open"));
    client->say(kConnect);
    EXPECT_THAT(client->heard(),
                ElementsAre(MatchesRegex(
                    R"(\{"type":"connected","id":1,"client":"[A-Za-z0-9_-]{12}",)"
                    R"("session":"[A-Za-z0-9_-]{59}","resumed":false,"ping":25000,)"
                    R"("sessionWindow":120000,"messageBytesMax":1048576,"server":"test"\})")));
  }
}

TEST_F(NativeSessionTest, GivesEveryClientAnotherName) {
  auto a = connect();
  auto b = connect();
  EXPECT_NE(a->last("client"), b->last("client"));
  EXPECT_NE(a->last("session"), b->last("session"));
}

TEST_F(NativeSessionTest, TellsWhomTheTokenSpeaksForAndUntilWhen) {
  auto client = attach();
  client->say(R"({"type":"connect","id":1,"token":")" + expiring_in(Duration(60'000)) + "\"}");
  EXPECT_THAT(client->heard(),
              ElementsAre(HasSubstr(R"("user":"ann","expires":1700000060000,)")));
}

TEST_F(NativeSessionTest, TakesTheTokenOfTheRequest) {
  options.anonymous = false;
  const std::string good = token(R"({"sub":"ann"})");
  for (const std::string scheme : {"Bearer ", "bearer "}) {
    TestClient client(adapter(), Format::kJson, scheme + good);
    client.say(kConnect);
    EXPECT_THAT(client.heard(), ElementsAre(HasSubstr(R"("user":"ann")")));
  }
  TestClient other(adapter(), Format::kJson, "Basic " + good);
  other.say(kConnect);
  EXPECT_THAT(other.heard(), ElementsAre("close:4450:connect needs a token"));
  TestClient both(adapter(), Format::kJson, "Bearer " + good);
  both.say(R"({"type":"connect","id":1,"token":")" + token(R"({"sub":"bob"})") + "\"}");
  EXPECT_THAT(both.heard(), ElementsAre(HasSubstr(R"("user":"bob")"))) << "connect's own first";
}

TEST_F(NativeSessionTest, ClosesOnTokensItDoesNotTake) {
  auto client = attach();
  client->say(R"({"type":"connect","id":1,"token":"nonsense"})");
  EXPECT_THAT(client->heard(), ElementsAre(StartsWith("close:4451:malformed: ")));
  client = attach();
  client->say(R"({"type":"connect","id":1,"token":""})");
  EXPECT_THAT(client->heard(), ElementsAre(StartsWith("close:4451:")));
  client = attach();
  client->say(R"({"type":"connect","id":1,"token":")" + expiring_in(Duration(-31'000)) + "\"}");
  EXPECT_THAT(client->heard(), ElementsAre(StartsWith("close:4452:expired: ")));
  client->say(kConnect);
  EXPECT_THAT(client->heard(), IsEmpty());
}

TEST_F(NativeSessionTest, WantsConnectFirstAndOnce) {
  auto client = attach();
  client->say(R"([{"type":"ping","id":7},{"type":"publish","channel":"c","text":"t"}])");
  EXPECT_THAT(client->heard(),
              ElementsAre(HasSubstr(R"("id":7,"code":"not_connected")"),
                          HasSubstr(R"({"type":"error","channel":"c","code":"not_connected")")));
  client->say(kConnect);
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("connected")));
  client->say(kConnect);
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("id":1,"code":"already_connected")")));
  client->say(R"({"type":"ping","id":2})");
  EXPECT_THAT(client->heard(), ElementsAre(R"({"type":"pong","id":2,"time":0})"));
}

TEST_F(NativeSessionTest, DoesNotWaitForConnectForEver) {
  options.connect_timeout = Duration(10'000);
  auto silent = attach();
  auto lively = attach();
  pass(Duration(9'000));
  lively->say(kConnect);
  silent->say(R"({"type":"ping","id":1})");
  silent->heard();
  pass(Duration(2'000));
  EXPECT_THAT(silent->heard(), ElementsAre("close:4500:no connect came in time"));
  EXPECT_THAT(lively->heard(), ElementsAre(HasSubstr("connected")));
}

TEST_F(NativeSessionTest, HandlesTheRestOfTheFrameAfterConnect) {
  auto client = attach();
  client->say(R"([{"type":"connect","id":1},{"type":"ping","id":2}])");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("connected"), HasSubstr("pong")));
}

TEST_F(NativeSessionTest, EndsWhoBreaksTheProtocol) {
  auto client = connect();
  client->say("{");
  EXPECT_THAT(client->heard(), ElementsAre(StartsWith("close:4400:not JSON: ")));
  client = connect({}, Format::kMsgpack);
  client->say("not json, so it becomes no bytes at all");
  EXPECT_THAT(client->heard(), ElementsAre(StartsWith("close:4400:not MessagePack")));
  client = connect();
  ws::Message binary = message_of(R"({"type":"ping","id":1})", false);
  client->as_session().on_message(binary);
  EXPECT_THAT(client->heard(), ElementsAre("close:4400:this subprotocol has text frames only"));
  client = connect({}, Format::kMsgpack);
  ws::Message text = message_of("\x80", true);
  client->as_session().on_message(text);
  EXPECT_THAT(client->heard(), ElementsAre("close:4400:this subprotocol has binary frames only"));
}

TEST_F(NativeSessionTest, LivesOnAfterMessagesThatAreNone) {
  auto client = connect();
  client->say(R"([5,{"type":"fly","id":3},{"type":"ping","id":4}])");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("code":"bad_message")"),
                                           HasSubstr(R"("id":3,"code":"unknown_type")"),
                                           HasSubstr(R"("type":"pong","id":4)")));
}

TEST_F(NativeSessionTest, KeepsIdsApartWhileTheyWait) {
  const std::string channel = channel_owned_by(1);
  auto client = connect();
  const std::string history = R"({"type":"history","id":5,"channel":")" + channel + "\"}";
  client->say("[" + history + "," + history + "]");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("code":"id_in_use")")));
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"({"type":"history","id":5)")));
  client->say(history);
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"({"type":"history","id":5)")));
}

TEST_F(NativeSessionTest, LimitsWhatWaits) {
  options.pending_max = 2;
  const std::string channel = channel_owned_by(1);
  auto client = connect();
  for (int id = 2; id < 5; ++id) {
    client->say(R"({"type":"history","id":)" + std::to_string(id) + R"(,"channel":")" + channel +
                "\"}");
  }
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("code":"too_many_pending")")));
  settle();
  EXPECT_EQ(client->heard().size(), 2u);
}

TEST_F(NativeSessionTest, AnswersThatComeTooLateHarmNobody) {
  const std::string channel = channel_owned_by(1);
  auto client = connect();
  for (const char* command : {R"({"type":"history","id":2,"channel":")",
                              R"({"type":"subscribe","id":3,"channel":")",
                              R"({"type":"publish","id":4,"text":"t","channel":")"}) {
    client->say(command + channel + "\"}");
  }
  client.reset();
  auto next = connect();
  settle();
  EXPECT_THAT(next->heard(), IsEmpty());
}

// ---- Tokens ----

TEST_F(NativeSessionTest, WarnsBeforeTheTokensEndAndCloses) {
  options.expiry_grace = Duration(2'000);
  auto client = connect(expiring_in(Duration(100'000)));
  pass(Duration(69'000));
  EXPECT_THAT(client->heard(), IsEmpty());
  pass(Duration(1'000));
  EXPECT_THAT(client->heard(), ElementsAre(R"({"type":"expiring","expires":1700000100000})"));
  pass(Duration(31'999));
  EXPECT_THAT(client->heard(), IsEmpty());
  pass(Duration(1));
  EXPECT_THAT(client->heard(), ElementsAre("close:4452:the token has expired"));
}

TEST_F(NativeSessionTest, WarnsHalfwayOfAShortToken) {
  auto client = connect(expiring_in(Duration(20'000)));
  pass(Duration(9'999));
  EXPECT_THAT(client->heard(), IsEmpty());
  pass(Duration(1));
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("expiring")));
}

TEST_F(NativeSessionTest, OutlivesTheTimerWheel) {
  auto client = connect(expiring_in(Duration(20LL * 24 * 3600 * 1000)));
  for (int day = 0; day < 19; ++day) pass(Duration(24 * 3600 * 1000));
  EXPECT_THAT(client->heard(), IsEmpty());
  pass(Duration(24 * 3600 * 1000));
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("expiring")));
  pass(Duration(30'000));
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("close:4452")));
}

TEST_F(NativeSessionTest, LivesLongerWithANewToken) {
  auto client = connect(expiring_in(Duration(40'000)));
  pass(Duration(25'000));
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("expiring")));
  client->say(R"({"type":"auth","id":8,"token":")" + expiring_in(Duration(100'000)) + "\"}");
  EXPECT_THAT(client->heard(),
              ElementsAre(R"({"type":"ok","id":8,"expires":1700000125000})"));
  pass(Duration(50'000));
  EXPECT_THAT(client->heard(), IsEmpty());
  pass(Duration(20'000));
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("expiring")));
  client->say(R"({"type":"auth","id":9,"token":")" + token(R"({"sub":"ann"})") + "\"}");
  EXPECT_THAT(client->heard(), ElementsAre(R"({"type":"ok","id":9})"));
  pass(Duration(1'000'000));
  EXPECT_THAT(client->heard(), IsEmpty());
}

TEST_F(NativeSessionTest, TakesNoOtherUsersTokenAndNoBadOne) {
  auto client = connect(token(R"({"sub":"ann"})"));
  client->say(R"({"type":"auth","id":8,"token":")" + token(R"({"sub":"bob"})") + "\"}");
  client->say(R"({"type":"auth","id":9,"token":")" + token("{}") + "\"}");
  client->say(R"({"type":"auth","id":10,"token":"x"})");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("id":8,"code":"user_mismatch")"),
                                           HasSubstr(R"("id":9,"code":"user_mismatch")"),
                                           HasSubstr(R"("id":10,"code":"unauthorized")")));
}

TEST_F(NativeSessionTest, DropsWhatTheNewTokenDoesNotAllow) {
  rule.subscribe = hub::Access::kCapability;
  auto client = connect(token(R"({"sub":"a","capability":{"*":["subscribe"]}})"));
  client->say(R"([{"type":"subscribe","id":2,"channel":"keep"},
                  {"type":"subscribe","id":3,"channel":"drop"},
                  {"type":"subscribe","id":4,"pattern":"ke*"},
                  {"type":"subscribe","id":5,"pattern":"*"}])");
  settle();
  EXPECT_EQ(client->heard().size(), 4u);
  client->say(R"({"type":"auth","id":8,"token":")" +
              token(R"({"sub":"a","capability":{"ke*":["subscribe"]},"channels":["listed"]})") +
              "\"}");
  settle();
  EXPECT_THAT(
      client->heard(),
      ElementsAre(
          R"({"type":"ok","id":8})",
          R"({"type":"unsubscribed","channel":"drop","code":"forbidden",)"
          R"("message":"this client may not subscribe to \"drop\""})",
          R"({"type":"unsubscribed","pattern":"*","code":"forbidden",)"
          R"("message":"this client may not subscribe to \"*\""})",
          HasSubstr(R"({"type":"subscribed","channel":"listed")")));
}

TEST_F(NativeSessionTest, SubscribesToWhatTheTokenNames) {
  rule.subscribe = hub::Access::kCapability;
  rules.push_back(rule);
  rules.back().pattern = *auth::Glob::parse("raw:*");
  rules.back().protocols = {"raw"};
  auto client = attach();
  client->say(R"({"type":"connect","id":1,"token":")" +
              token(R"({"sub":"a","channels":["news","raw:1"]})") + "\"}");
  settle();
  auto heard = client->heard();
  EXPECT_THAT(heard, ElementsAre(HasSubstr("connected"), testing::_, testing::_));
  EXPECT_THAT(heard, testing::Contains(HasSubstr(
                         R"({"type":"unsubscribed","channel":"raw:1","code":"forbidden")")));
  EXPECT_THAT(heard, testing::Contains(HasSubstr(R"({"type":"subscribed","channel":"news")")));
  client->say(R"([{"type":"unsubscribe","id":3,"channel":"news"},
                  {"type":"subscribe","id":2,"channel":"news"}])");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(R"({"type":"ok","id":3})", HasSubstr(R"("subscribed","id":2,)")))
      << "being named is permission enough, later, too";
}

TEST_F(NativeSessionTest, SubscribesByTokenBehindWhatTheClientAsksFor) {
  rule.subscribe = hub::Access::kCapability;
  for (const std::uint32_t owner : {0u, 1u}) {
    const std::string channel = channel_owned_by(owner);
    const std::string claims = R"({"sub":"a","channels":[")" + channel +
                               R"("],"capability":{"*":["publish"]}})";
    auto client = attach();
    client->say(R"({"type":"connect","id":1,"token":")" + token(claims) + "\"}");
    settle();
    const std::string epoch = client->last("epoch");
    client->leave();
    auto other = connect(token(R"({"sub":"b","capability":{"*":["publish"]}})"));
    for (int i = 0; i < 3; ++i) {
      other->say(R"({"type":"publish","text":"t","channel":")" + channel + "\"}");
    }
    settle();
    client = attach();
    client->say(R"([{"type":"connect","id":1,"token":")" + token(claims) +
                R"("},{"type":"subscribe","id":2,"channel":")" + channel +
                R"(","since":{"epoch":")" + epoch + R"(","offset":1}}])");
    settle();
    EXPECT_THAT(client->heard(),
                ElementsAre(HasSubstr("connected"),
                            HasSubstr(R"("offset":1,"top":3,"recoverable":true,"recovered":true)"),
                            HasSubstr(R"("offset":2,)"), HasSubstr(R"("offset":3,)")))
        << "subscribed to once";
  }
}

TEST_F(NativeSessionTest, TakesACommandForTheWordOnWhatTheTokenSubscribed) {
  auto other = connect();
  const std::string claims = R"({"sub":"a","channels":["c"]})";
  auto client = attach();
  client->say(R"({"type":"connect","id":1,"token":")" + token(claims) + "\"}");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("connected"), HasSubstr("subscribed")));
  other->say(R"([{"type":"publish","text":"1","channel":"c"},
                 {"type":"publish","text":"2","channel":"c"}])");
  settle();
  client->heard();
  client->say(R"({"type":"subscribe","id":2,"channel":"c","rewind":1,"presence":true})");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(HasSubstr(R"("id":2,"channel":"c","epoch":"E","offset":1,"top":2)"),
                          HasSubstr(R"("offset":2)"), HasSubstr(R"("all":true)")));
  other->say(R"({"type":"publish","text":"3","channel":"c"})");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("offset":3)"))) << "and once";
  client->say(R"({"type":"subscribe","id":3,"channel":"c"})");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("already_subscribed")));
}

TEST_F(NativeSessionTest, KeepsWhatTheTokenSubscribedWhenACommandIsRefused) {
  rule.presence = false;
  auto client = attach();
  client->say(R"({"type":"connect","id":1,"token":")" +
              token(R"({"sub":"a","channels":["c"]})") + "\"}");
  client->say(R"({"type":"subscribe","id":2,"channel":"c","presence":true})");
  settle();
  client->heard();
  client->say(R"({"type":"publish","text":"1","channel":"c"})");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("offset":1)")));
}

TEST_F(NativeSessionTest, EndsSubscriptionsWhosePresenceTheNewTokenDoesNotAllow) {
  rule.presence_access = hub::Access::kCapability;
  auto client = connect(token(R"({"sub":"a","capability":{"*":["presence"]}})"));
  client->say(R"([{"type":"subscribe","id":2,"channel":"with","presence":true},
                  {"type":"subscribe","id":3,"channel":"without"},
                  {"type":"enter","id":4,"channel":"without"}])");
  pass(Duration(200));
  client->heard();
  client->say(R"({"type":"auth","id":8,"token":")" + token(R"({"sub":"a"})") + "\"}");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(R"({"type":"ok","id":8})",
                          HasSubstr(R"("unsubscribed","channel":"with","code":"forbidden")"),
                          HasSubstr(R"("left","channel":"without","code":"forbidden")")));
  client->say(R"({"type":"leave","id":9,"channel":"without"})");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("not_present")));
}

// ---- The end ----

TEST_F(NativeSessionTest, LeavesNothingBehind) {
  options.session_window = Duration(0);
  const std::string here = channel_owned_by(0);
  const std::string there = channel_owned_by(1);
  auto client = connect();
  client->say(R"([{"type":"subscribe","id":2,"channel":")" + here +
              R"("},{"type":"subscribe","id":3,"channel":")" + there +
              R"("},{"type":"subscribe","id":4,"pattern":"*"}])");
  settle();
  EXPECT_EQ(adapter().hub().channels(), 2u);
  EXPECT_EQ(adapter().hub().patterns(), 1u);
  client->lose();
  settle();
  EXPECT_EQ(adapter().hub().channels(), 0u);
  EXPECT_EQ(adapter().hub().patterns(), 0u);
  EXPECT_EQ(adapter().table().detached(), 0u);
}

TEST_F(NativeSessionTest, IsSmallWhileItIsIdle) {
  // 640 bytes for an idle session with a subscription and presence, of which the transport and its
  // stream are 176, and the member at the channel's owner is about 200.
  EXPECT_LE(sizeof(NativeSession), 136u);
  EXPECT_LE(sizeof(Seat), 64u);
}

TEST_F(NativeSessionTest, SaysThatNobodyAnswersWithoutAnApplication) {
  auto client = connect();
  client->say(R"({"type":"rpc","id":2,"method":"sum"})");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("id":2,"code":"no_handler")")));
}

}  // namespace
}  // namespace anywire::protocol::native
