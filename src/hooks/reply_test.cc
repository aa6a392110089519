#include "hooks/reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace anywire::hooks {
namespace {

using protocol::AppAction;
using protocol::AppRefusal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReplyTest : public ::testing::Test {
 protected:
  template <typename Answer>
  static std::string fault(const ReadReply<Answer>& reply) {
    return reply ? "none" : reply.error();
  }
  std::string publish_fault(std::string_view text) { return fault(read_publish(reader, text)); }
  std::string connect_fault(std::string_view text) { return fault(read_connect(reader, text)); }
  std::string action_fault(std::string_view action) {
    return publish_fault(R"({"actions":[)" + std::string(action) + "]}");
  }

  codec::JsonReader reader;
};

TEST_F(ReplyTest, AnEmptyObjectAllows) {
  EXPECT_TRUE(read_connect(reader, "{}")->verdict);
  EXPECT_TRUE(read_subscribe(reader, " {} ")->verdict);
  const auto publish = read_publish(reader, R"({"allow":true})");
  ASSERT_TRUE(publish->verdict);
  EXPECT_FALSE(publish->verdict->payload || publish->verdict->event || publish->verdict->tags);
  EXPECT_FALSE(publish->verdict->drop);
  EXPECT_EQ(*read_rpc(reader, "{}")->verdict, "null");
  EXPECT_THAT(read_events(reader, "{}")->actions, IsEmpty());
}

TEST_F(ReplyTest, ReadsARefusal) {
  const auto reply = read_subscribe(
      reader,
      R"({"allow":false,"message":"not here","reason":"closed","retry":true,"disconnect":true})");
  ASSERT_FALSE(reply->verdict);
  const AppRefusal& refused = reply->verdict.error();
  EXPECT_EQ(refused.code, AppRefusal::Code::kRefused);
  EXPECT_EQ(refused.message, "not here");
  EXPECT_EQ(refused.reason, "closed");
  EXPECT_TRUE(refused.retry);
  EXPECT_TRUE(refused.disconnect);
  EXPECT_EQ(read_subscribe(reader, R"({"allow":false})")->verdict.error().message,
            "the application does not allow this");
}

TEST_F(ReplyTest, RefusesTextsThatAreTooLong) {
  const ReplyLimits limits;
  const auto refusal = [&](std::string_view member, std::size_t bytes) {
    return publish_fault(R"({"allow":false,")" + std::string(member) + "\":\"" +
                         std::string(bytes, 'x') + "\"}");
  };
  EXPECT_EQ(refusal("message", limits.text_bytes_max), "none");
  EXPECT_NE(refusal("message", limits.text_bytes_max + 1), "none");
  EXPECT_EQ(refusal("reason", limits.reason_bytes_max), "none");
  EXPECT_NE(refusal("reason", limits.reason_bytes_max + 1), "none");
  const auto disconnect = [&](std::size_t bytes) {
    return action_fault(R"({"do":"disconnect","client":")" + std::string(bytes, 'x') + "\"}");
  };
  EXPECT_EQ(disconnect(limits.client_bytes_max), "none");
  EXPECT_NE(disconnect(limits.client_bytes_max + 1), "none");
}

TEST_F(ReplyTest, AMisspeltMemberDoesNotAllow) {
  EXPECT_EQ(publish_fault(R"({"alow":false})"),
            "unknown member \"alow\"; did you mean \"allow\"?, at /alow");
  EXPECT_THAT(publish_fault(R"({"message":"no"})"), HasSubstr("only for a refusal"));
  EXPECT_THAT(publish_fault(R"({"allow":null})"), HasSubstr("true or false"));
  EXPECT_THAT(publish_fault(R"({"allow":"false"})"), HasSubstr("true or false"));
  EXPECT_THAT(fault(read_subscribe(reader, R"({"data":1})")), HasSubstr("unknown member"));
  EXPECT_THAT(publish_fault(R"({"user":"ann"})"), HasSubstr("unknown member"));
}

TEST_F(ReplyTest, RefusesWhatIsNoObject) {
  for (const char* text : {"", "hello", "[]", "null", "true", "{", "{}{}", "\xff", "{\"a\":1,}",
                           R"({"allow":true,"allow":false})"}) {
    EXPECT_FALSE(read_publish(reader, text)) << text;
    EXPECT_FALSE(read_events(reader, text)) << text;
  }
  EXPECT_FALSE(read_rpc(reader, std::string(100'000, '[')));
}

TEST_F(ReplyTest, ReadsWhoAClientIs) {
  const auto reply = read_connect(
      reader, R"({"user":"ann","info":{"name":"Ann"},"capability":{"room:*":["subscribe"]},)"
              R"("channels":["a","b"],"expires":1767225600000})");
  ASSERT_TRUE(reply) << fault(reply);
  ASSERT_TRUE(reply->verdict);
  const protocol::ConnectAnswer& answer = *reply->verdict;
  EXPECT_EQ(answer.user, "ann");
  EXPECT_EQ(answer.info, R"({"name":"Ann"})");
  EXPECT_TRUE(answer.capability->allows(auth::Operation::kSubscribe, "room:1"));
  EXPECT_THAT(*answer.channels, ElementsAre("a", "b"));
  EXPECT_EQ(answer.expires_ms, 1767225600000u);
  EXPECT_EQ(read_connect(reader, R"({"info":null})")->verdict->info, "");
}

TEST_F(ReplyTest, RefusesIdentitiesThatAreNone) {
  EXPECT_THAT(connect_fault(R"({"user":""})"), HasSubstr("1 to 255 bytes"));
  EXPECT_THAT(connect_fault(R"({"user":"a\nb"})"), HasSubstr("control characters"));
  EXPECT_THAT(connect_fault(R"({"user":7})"), HasSubstr("must be a string"));
  EXPECT_THAT(connect_fault(R"({"user":")" + std::string(256, 'x') + "\"}"), HasSubstr("255"));
  EXPECT_THAT(connect_fault(R"({"info":")" + std::string(4095, 'x') + "\"}"), HasSubstr("4096"));
  EXPECT_THAT(connect_fault(R"({"capability":["all"]})"), HasSubstr("\"capability\" must"));
  EXPECT_THAT(connect_fault(R"({"capability":{"a":["fly"]}})"), HasSubstr("\"capability\" must"));
  EXPECT_THAT(connect_fault(R"({"channels":"a"})"), HasSubstr("array"));
  EXPECT_THAT(connect_fault(R"({"channels":[""]})"), HasSubstr("array"));
  EXPECT_THAT(connect_fault(R"({"expires":1767225600})"), HasSubstr("milliseconds"));
  EXPECT_THAT(connect_fault(R"({"expires":-1})"), HasSubstr("whole number"));
  std::string many = R"({"channels":[)";
  for (int i = 0; i < 129; ++i) many += (i == 0 ? "\"c\"" : ",\"c\"");
  EXPECT_THAT(connect_fault(many + "]}"), HasSubstr("at most 128"));
}

TEST_F(ReplyTest, ReadsWhatBecomesOfAMessage) {
  const auto reply =
      read_publish(reader, R"({"data": {"a": 1} ,"event":"clean","tags":{"lang":"en"}})");
  const protocol::PublishAnswer& answer = *reply->verdict;
  EXPECT_EQ(answer.payload->kind, broker::PayloadKind::kJson);
  EXPECT_EQ(answer.payload->bytes, R"({"a": 1})");
  EXPECT_EQ(answer.event, "clean");
  EXPECT_THAT(*answer.tags, ElementsAre(broker::Tag{"lang", "en"}));
  EXPECT_EQ(read_publish(reader, R"({"text":"\u00e9"})")->verdict->payload->bytes, "é");
  EXPECT_EQ(read_publish(reader, R"({"binary":"AAEC"})")->verdict->payload->bytes,
            std::string("\0\1\2", 3));
  EXPECT_EQ(read_publish(reader, R"({"data":null})")->verdict->payload->bytes, "null");
  EXPECT_EQ(read_publish(reader, R"({"event":""})")->verdict->event, "");
  EXPECT_TRUE(read_publish(reader, R"({"drop":true})")->verdict->drop);
}

TEST_F(ReplyTest, RefusesMessagesThatAreNone) {
  EXPECT_THAT(publish_fault(R"({"data":1,"text":"x"})"), HasSubstr("only one of"));
  EXPECT_THAT(publish_fault(R"({"binary":"A"})"), HasSubstr("base64"));
  EXPECT_THAT(publish_fault(R"({"text":1})"), HasSubstr("must be a string"));
  EXPECT_THAT(publish_fault(R"({"tags":[]})"), HasSubstr("\"tags\""));
  EXPECT_THAT(publish_fault(R"({"tags":{"":"x"}})"), HasSubstr("\"tags\""));
  EXPECT_THAT(publish_fault(R"({"event":")" + std::string(256, 'x') + "\"}"), HasSubstr("255"));
  const ReplyLimits small{.message_bytes_max = 4};
  EXPECT_TRUE(read_publish(reader, R"({"text":"1234"})", small));
  EXPECT_FALSE(read_publish(reader, R"({"text":"12345"})", small));
  EXPECT_FALSE(read_publish(reader, R"({"data":12345})", small));
  EXPECT_FALSE(read_publish(reader, R"({"binary":"AQIDBAU="})", small));
}

TEST_F(ReplyTest, ReadsResultsAndErrorsOfCalls) {
  EXPECT_EQ(*read_rpc(reader, R"({"data":[1, 2]})")->verdict, "[1, 2]");
  const auto error =
      read_rpc(reader, R"({"error":{"code":"busy","message":"later","retry":true}})");
  EXPECT_EQ(error->verdict.error().code, AppRefusal::Code::kRefused);
  EXPECT_EQ(error->verdict.error().reason, "busy");
  EXPECT_EQ(error->verdict.error().message, "later");
  EXPECT_TRUE(error->verdict.error().retry);
  EXPECT_EQ(read_rpc(reader, R"({"error":{"code":"no_handler"}})")->verdict.error().code,
            AppRefusal::Code::kNoHandler);
  EXPECT_THAT(fault(read_rpc(reader, R"({"error":{"message":"x"}})")), HasSubstr("at /error"));
  EXPECT_THAT(fault(read_rpc(reader, R"({"error":"x"})")), HasSubstr("object"));
  EXPECT_THAT(fault(read_rpc(reader, R"({"error":{"code":"x"},"data":1})")), HasSubstr("only one"));
}

TEST_F(ReplyTest, ReadsActions) {
  const auto reply = read_subscribe(
      reader,
      R"({"actions":[{"do":"publish","channel":"a","data":1,"event":"e","idempotencyKey":"k"},)"
      R"({"do":"publish","user":"ann","text":"hi"},{"do":"subscribe","channel":"b"},)"
      R"({"do":"unsubscribe","channel":"b","client":"c"},)"
      R"({"do":"disconnect","user":"eve","reason":"x","reconnect":false}]})");
  ASSERT_TRUE(reply) << fault(reply);
  const auto& actions = reply->actions;
  ASSERT_EQ(actions.size(), 5u);
  EXPECT_EQ(actions[0].channel, "a");
  EXPECT_EQ(actions[0].request.idempotency_key, "k");
  EXPECT_EQ(as_text(actions[0].request.draft.payload->bytes()), "1");
  EXPECT_EQ(actions[1].channel, "$user:ann");
  EXPECT_EQ(actions[2].kind, AppAction::Kind::kSubscribe);
  EXPECT_EQ(actions[2].user + actions[2].client, "");
  EXPECT_EQ(actions[3].client, "c");
  EXPECT_EQ(actions[4].user, "eve");
  EXPECT_FALSE(actions[4].reconnect);
}

TEST_F(ReplyTest, RefusesActionsThatAreNone) {
  EXPECT_THAT(action_fault(R"({"do":"fly"})"), HasSubstr("at /actions/0/do"));
  EXPECT_THAT(action_fault("1"), HasSubstr("object"));
  EXPECT_THAT(action_fault(R"({"channel":"a"})"), HasSubstr("\"do\" is missing"));
  EXPECT_THAT(action_fault(R"({"do":"publish","channel":"a"})"), HasSubstr("is needed"));
  EXPECT_THAT(action_fault(R"({"do":"publish","data":1})"), HasSubstr("exactly one"));
  EXPECT_THAT(action_fault(R"({"do":"publish","channel":"$x","data":1})"),
              HasSubstr("begin with $"));
  EXPECT_THAT(action_fault(R"({"do":"subscribe"})"), HasSubstr("1 to 255 bytes"));
  EXPECT_THAT(action_fault(R"({"do":"disconnect","user":"a","client":"b"})"),
              HasSubstr("only one"));
  EXPECT_THAT(action_fault(R"({"do":"disconnect","why":"x"})"), HasSubstr("unknown member"));
  std::string many = R"({"do":"disconnect"})";
  for (int i = 0; i < 100; ++i) many += R"(,{"do":"disconnect"})";
  EXPECT_THAT(action_fault(many), HasSubstr("at most 100"));
}

}  // namespace
}  // namespace anywire::hooks
