// The life of a session: connecting, tokens, what breaks the protocol, limits, the end.
#include "protocol/native/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/native/testing/native_fixture.h"

namespace anywire::protocol::native {
namespace {

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
  EXPECT_THAT(client->heard(), ElementsAre(StartsWith("close:4451:expired: ")));
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
  verify.leeway = Duration(2'000);
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
  client->say(R"([{"type":"subscribe","id":2,"channel":"news"},
                  {"type":"unsubscribe","id":3,"channel":"news"}])");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("already_subscribed"),
                                           R"({"type":"ok","id":3})"));
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

class Calculator final : public AppHook {
 public:
  void rpc(const RpcCall& call, RpcDone done) override {
    calls.push_back(std::string(call.method) + "(" + std::string(call.data) + ") by " +
                    std::string(call.user_id));
    if (call.method == "later") {
      waiting = std::move(done);
    } else if (call.method == "sum") {
      done("3");
    } else {
      done(std::unexpected(call.method == "down" ? RpcError::kUnavailable : RpcError::kNoHandler));
    }
  }
  std::vector<std::string> calls;
  RpcDone waiting;
};

TEST_F(NativeSessionTest, CallsTheApplication) {
  Calculator calculator;
  app = &calculator;
  auto client = connect(token(R"({"sub":"ann","capability":{"*":["rpc"]}})"));
  client->say(R"([{"type":"rpc","id":2,"method":"sum","data":[1,2]},
                  {"type":"rpc","id":3,"method":"later"},{"type":"rpc","id":4,"method":"what"},
                  {"type":"rpc","id":5,"method":"down"}])");
  EXPECT_THAT(client->heard(), ElementsAre(R"({"type":"result","id":2,"data":3})",
                                           HasSubstr(R"("id":4,"code":"no_handler")"),
                                           HasSubstr(R"("id":5,"code":"unavailable")")));
  EXPECT_THAT(calculator.calls,
              ElementsAre("sum([1,2]) by ann", "later() by ann", "what() by ann", "down() by ann"));
  client.reset();
  calculator.waiting("4");
}

TEST_F(NativeSessionTest, CallsTheApplicationOnlyForWhoMay) {
  Calculator calculator;
  app = &calculator;
  auto client = connect(token(R"({"sub":"ann","capability":{"su*":["rpc"]}})"));
  client->say(R"([{"type":"rpc","id":2,"method":"sum"},{"type":"rpc","id":3,"method":"what"}])");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("result"), HasSubstr("forbidden")));
}

TEST_F(NativeSessionTest, SaysThatNobodyAnswersWithoutAnApplication) {
  auto client = connect();
  client->say(R"({"type":"rpc","id":2,"method":"sum"})");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("id":2,"code":"no_handler")")));
}

}  // namespace
}  // namespace anywire::protocol::native
