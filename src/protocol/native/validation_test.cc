// What native clients hear when their data is not as a schema wants it.
#include "protocol/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "protocol/fake_app_for_test.h"
#include "protocol/native/testing/channels_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

schema::Schema compiled(std::string_view json) {
  auto schema = schema::Schema::compile(json);
  EXPECT_TRUE(schema) << json;
  return *std::move(schema);
}

// A contract with a room of chat messages, presence with a colour, and a method that adds.
Validation::Parts contract() {
  const char* const kChat = R"({"type":"object","properties":{"lines":{"type":"array",
                                "items":{"type":"string"}}},"required":["lines"]})";
  Validation::Parts parts;
  Validation::Channel room{.pattern = *auth::Glob::parse("room:*"),
                           .message = {},
                           .events = Validation::Events(),
                           .presence = compiled(R"({"properties":{"colour":{"enum":["red"]}},
                                                    "required":["colour"]})")};
  room.events->emplace("chat", compiled(kChat));
  parts.channels.push_back(std::move(room));
  Validation::Channel asked{.pattern = *auth::Glob::parse("asked:*"),
                            .message = compiled(kChat),
                            .events = {},
                            .presence = {}};
  parts.channels.push_back(std::move(asked));
  parts.methods.emplace("add",
                        Validation::Method{compiled(R"({"items":{"type":"integer"}})"),
                                           compiled(R"({"type":"integer"})")});
  return parts;
}

class NativeValidationTest : public ChannelsTest, public ::testing::WithParamInterface<Format> {
 protected:
  NativeValidationTest() {
    validation = &checked_;
    app = &fake;
    hub::ChannelRule asked = rule;
    asked.pattern = *auth::Glob::parse("asked:*");
    asked.publish_hook = true;
    rules.push_back(asked);
  }
  ~NativeValidationTest() override { settle(); }

  std::unique_ptr<TestClient> caller() {
    return connect(token(R"({"sub":"ann","capability":{"*":["*"]}})"), GetParam());
  }
  // A command, and what comes of it.
  std::vector<std::string> after(TestClient& client, std::string_view json) {
    client.say(json);
    settle();
    return client.heard();
  }
  static auto violation(std::string_view path) {
    return AllOf(HasSubstr(R"("code":"schema_violation")"), HasSubstr(R"("retry":false)"),
                 HasSubstr(R"("path":")" + std::string(path) + "\""));
  }

  FakeApp fake;

 private:
  const Validation checked_{contract()};
};

INSTANTIATE_TEST_SUITE_P(Formats, NativeValidationTest,
                         ::testing::Values(Format::kJson, Format::kMsgpack));

TEST_P(NativeValidationTest, NamesThePathInTheDataThatIsRefused) {
  auto client = caller();
  subscribe(*client, "room:1");
  EXPECT_THAT(after(*client, R"({"type":"publish","id":3,"channel":"room:1","event":"chat",)"
                             R"("data":{"lines":["a",7]}})"),
              ElementsAre(AllOf(violation("/lines/1"), HasSubstr(R"("id":3)"),
                                HasSubstr(R"("channel":"room:1")"), HasSubstr("must be a text"))));
  EXPECT_THAT(after(*client, R"({"type":"publish","id":4,"channel":"room:1","event":"chat",)"
                             R"("data":{"lines":["a"]}})"),
              ElementsAre(HasSubstr(R"("type":"published","id":4)"),
                          AllOf(HasSubstr(R"("type":"message")"),
                                HasSubstr(R"("data":{"lines":["a"]})"))));
}

TEST_P(NativeValidationTest, HasAnEmptyPathForAllOfTheData) {
  auto client = caller();
  EXPECT_THAT(after(*client, R"({"type":"publish","id":3,"channel":"room:1","event":"chat",)"
                             R"("data":[]})"),
              ElementsAre(violation("")));
  EXPECT_THAT(after(*client, R"({"type":"publish","id":4,"channel":"room:1","event":"chat",)"
                             R"("text":"hello"})"),
              ElementsAre(violation("")));
}

TEST_P(NativeValidationTest, TellsWhoAskedForNoAnswerToo) {
  auto client = caller();
  EXPECT_THAT(after(*client, R"({"type":"publish","channel":"room:1","event":"chat","data":{}})"),
              ElementsAre(AllOf(violation(""), Not(HasSubstr(R"("id":)")))));
}

TEST_P(NativeValidationTest, RefusesEventsThatTheContractDoesNotName) {
  auto client = caller();
  EXPECT_THAT(after(*client, R"({"type":"publish","id":3,"channel":"room:1","event":"shout",)"
                             R"("data":{"lines":[]}})"),
              ElementsAre(HasSubstr(R"("code":"schema_violation")")));
  EXPECT_THAT(after(*client, R"({"type":"publish","id":4,"channel":"free","data":1})"),
              ElementsAre(HasSubstr(R"("type":"published")")));
}

TEST_P(NativeValidationTest, LooksAtPresence) {
  auto client = caller();
  EXPECT_THAT(
      after(*client, R"({"type":"enter","id":3,"channel":"room:1","info":{"colour":"blue"}})"),
      ElementsAre(violation("/colour")));
  EXPECT_THAT(
      after(*client, R"({"type":"enter","id":4,"channel":"room:1","info":{"colour":"red"}})"),
      ElementsAre(HasSubstr(R"({"type":"ok","id":4)")));
}

TEST_P(NativeValidationTest, LooksAtArgumentsBeforeTheApplicationIsAsked) {
  auto client = caller();
  EXPECT_THAT(after(*client, R"({"type":"rpc","id":3,"method":"add","data":[1,"2"]})"),
              ElementsAre(violation("/1")));
  EXPECT_THAT(fake.asked, IsEmpty());
}

// The client did nothing wrong, and to repeat it may help once the application is mended.
TEST_P(NativeValidationTest, AResultThatDoesNotFitIsTheApplicationsFault) {
  auto client = caller();
  EXPECT_THAT(after(*client, R"({"type":"rpc","id":3,"method":"add","data":[1,2]})"), IsEmpty());
  fake.answer_call(R"("three")");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(AllOf(HasSubstr(R"("code":"app_unavailable")"),
                                                 HasSubstr(R"("retry":true)"),
                                                 Not(HasSubstr("path")))));
  EXPECT_THAT(fake.blamed, ElementsAre("result of add must be a whole number, says /type"));
  EXPECT_THAT(after(*client, R"({"type":"rpc","id":4,"method":"add","data":[1,2]})"), IsEmpty());
  fake.answer_call("3");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("type":"result","id":4,"data":3)")));
  EXPECT_THAT(fake.blamed, SizeIs(1));
}

TEST_P(NativeValidationTest, ARewriteIsCheckedAgain) {
  auto client = caller();
  subscribe(*client, "asked:1");
  const auto say = [&](int id) {
    EXPECT_THAT(after(*client, R"({"type":"publish","id":)" + std::to_string(id) +
                                   R"(,"channel":"asked:1","data":{"lines":[]}})"),
                IsEmpty());
  };
  const auto rewrite = [&](broker::PayloadKind kind, std::string bytes) {
    fake.allow_publish({.payload = PublishAnswer::Payload{kind, std::move(bytes)}});
    settle();
    return client->heard();
  };
  say(3);
  EXPECT_THAT(rewrite(broker::PayloadKind::kJson, R"({"lines":7})"),
              ElementsAre(AllOf(HasSubstr(R"("id":3)"), HasSubstr(R"("code":"app_unavailable")"),
                                HasSubstr(R"("retry":true)"), Not(HasSubstr("lines")))));
  EXPECT_THAT(fake.blamed,
              ElementsAre("rewrite for asked:1 must be a list, says /properties/lines/type"));
  say(4);
  EXPECT_THAT(rewrite(broker::PayloadKind::kText, "plain"),
              ElementsAre(HasSubstr(R"("code":"app_unavailable")")));
  say(5);
  EXPECT_THAT(rewrite(broker::PayloadKind::kJson, R"({"lines":["mild"]})"),
              ElementsAre(HasSubstr(R"("type":"published","id":5)"),
                          HasSubstr(R"("data":{"lines":["mild"]})")));
}

// What the client itself sends is refused before anybody is asked.
TEST_P(NativeValidationTest, AsksTheApplicationAboutNothingThatIsRefusedAnyway) {
  auto client = caller();
  EXPECT_THAT(after(*client, R"({"type":"publish","id":3,"channel":"asked:1","data":{}})"),
              ElementsAre(violation("")));
  EXPECT_THAT(fake.asked, IsEmpty());
}

}  // namespace
}  // namespace anywire::protocol::native
