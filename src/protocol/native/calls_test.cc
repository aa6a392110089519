// Calls of the server to its clients: `call` and `answer`.
#include "protocol/native/calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/native/testing/native_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CallsTest : public NativeTest, public ::testing::WithParamInterface<Format> {
 protected:
  void ask(TestClient& client, std::string method, std::string data,
           Duration timeout = Duration{10'000}) {
    static_cast<LiveClient&>(client.session())
        .call({.method = std::move(method), .data = std::move(data), .timeout = timeout},
              [kept = kept_](std::expected<std::string, CallError> result) {
                kept->push_back(result ? "data " + *result
                                         : "error " +
                                               std::to_string(static_cast<int>(
                                                   result.error().kind)) +
                                               " " + result.error().code + " " +
                                               result.error().message);
              });
    settle();
  }
  static std::string error(CallError::Code code) {
    return "error " + std::to_string(static_cast<int>(code)) + "  ";
  }

 private:
  // What still waits when the test is over is told to nobody.
  const std::shared_ptr<std::vector<std::string>> kept_ =
      std::make_shared<std::vector<std::string>>();

 protected:
  std::vector<std::string>& answers = *kept_;
};

INSTANTIATE_TEST_SUITE_P(Formats, CallsTest, ::testing::Values(Format::kJson, Format::kMsgpack));

TEST_P(CallsTest, BringAnAnswer) {
  auto client = connect({}, GetParam());
  ask(*client, "sum", "[1,2]");
  ask(*client, "hello", "");
  EXPECT_THAT(client->heard(),
              ElementsAre(R"({"type":"call","call":1,"method":"sum","data":[1,2]})",
                          R"({"type":"call","call":2,"method":"hello"})"));
  EXPECT_THAT(answers, IsEmpty());
  client->say(R"([{"type":"answer","call":2},{"type":"answer","call":1,"data":3}])");
  settle();
  EXPECT_THAT(answers, ElementsAre("data ", "data 3"));
  EXPECT_THAT(client->heard(), IsEmpty());
  client->say(R"({"type":"answer","id":9,"call":2})");
  EXPECT_THAT(client->heard(), ElementsAre(R"({"type":"ok","id":9})"));
}

TEST_P(CallsTest, BringTheClientsError) {
  auto client = connect({}, GetParam());
  ask(*client, "sum", "[1,2]");
  client->say(R"({"type":"answer","call":1,"error":{"code":"busy","message":"not now"}})");
  settle();
  EXPECT_THAT(answers, ElementsAre("error " +
                                   std::to_string(static_cast<int>(CallError::Code::kRefused)) +
                                   " busy not now"));
}

TEST_P(CallsTest, EndInTimeAndIgnoreWhatComesLater) {
  auto client = connect({}, GetParam());
  ask(*client, "slow", "", Duration{500});
  ask(*client, "slower", "", Duration{1'000});
  pass(Duration{600});
  EXPECT_THAT(answers, ElementsAre(error(CallError::Code::kTimeout)));
  client->say(R"([{"type":"answer","call":1,"data":1},{"type":"answer","call":2,"data":2},)"
              R"({"type":"answer","call":2,"data":3},{"type":"answer","call":77,"data":4}])");
  settle();
  EXPECT_THAT(answers, ElementsAre(error(CallError::Code::kTimeout), "data 2"));
  pass(Duration{2'000});
  EXPECT_EQ(answers.size(), 2U);
}

TEST_P(CallsTest, EndWithTheConnection) {
  auto client = connect({}, GetParam());
  ask(*client, "sum", "1");
  client->lose();
  settle();
  EXPECT_THAT(answers, ElementsAre(error(CallError::Code::kGone)));
  ask(*client, "sum", "1");
  EXPECT_EQ(answers.size(), 2U);
}

TEST_P(CallsTest, EndWhenTheSessionIsTakenOver) {
  auto client = connect({}, GetParam());
  ask(*client, "sum", "1");
  auto heir = resume(*client);
  settle();
  EXPECT_THAT(answers, ElementsAre(error(CallError::Code::kGone)));
}

TEST_P(CallsTest, AreBounded) {
  auto client = connect({}, GetParam());
  for (std::size_t i = 0; i < Calls::kCallsMax; ++i) ask(*client, "m", "1");
  EXPECT_THAT(answers, IsEmpty());
  ask(*client, "m", "1");
  EXPECT_THAT(answers, ElementsAre(error(CallError::Code::kTooMany)));
  client->say(R"({"type":"answer","call":1,"data":1})");
  settle();
  ask(*client, "m", "1");
  EXPECT_EQ(answers.size(), 2U);
}

TEST_P(CallsTest, AreNotForWhoDoesNotRead) {
  auto client = connect({}, GetParam());
  client->transport.full = true;
  ask(*client, "m", "1");
  EXPECT_THAT(answers, ElementsAre(error(CallError::Code::kTooMany)));
}

TEST_P(CallsTest, RefuseAnswersOfTheWrongShape) {
  auto client = connect({}, GetParam());
  for (const char* answer :
       {R"({"type":"answer"})", R"({"type":"answer","call":"1"})",
        R"({"type":"answer","call":1,"error":"no"})",
        R"({"type":"answer","call":1,"error":{"code":"x"}})",
        R"({"type":"answer","call":1,"data":1,"error":{"code":"x","message":"y"}})"}) {
    client->say(answer);
    const auto heard = client->heard();
    ASSERT_EQ(heard.size(), 1U) << answer;
    EXPECT_THAT(heard[0], ::testing::HasSubstr(R"("code":"bad_message")")) << answer;
  }
  // A message that does not fit goes as text, as everywhere.
  client->say(R"({"type":"answer","call":1,"data":1})");
  EXPECT_THAT(client->heard(), IsEmpty());
}

TEST_P(CallsTest, RefuseAnswersThatAreTooLong) {
  auto client = connect(token(R"({"sub":"ann"})"), GetParam());
  ask(*client, "m", "1");
  client->heard();
  const auto answer = [&](std::size_t code, std::size_t message) {
    client->say(R"({"type":"answer","call":1,"error":{"code":")" + std::string(code, 'c') +
                R"(","message":")" + std::string(message, 'm') + "\"}}");
    settle();
    return client->heard();
  };
  const auto refused = ElementsAre(::testing::HasSubstr(R"("code":"too_large")"));
  EXPECT_THAT(answer(CodecLimits().event_bytes_max + 1, 1), refused);
  EXPECT_THAT(answer(1, kAnswerErrorBytesMax + 1), refused);
  EXPECT_THAT(answers, IsEmpty()) << "it may still answer";
  EXPECT_THAT(answer(CodecLimits().event_bytes_max, kAnswerErrorBytesMax), IsEmpty());
  EXPECT_EQ(answers.size(), 1u);
}

TEST_P(CallsTest, AreHeardOnlyOnceConnected) {
  auto client = attach(GetParam());
  ask(*client, "m", "1");
  EXPECT_THAT(answers, ElementsAre(error(CallError::Code::kGone)));
  client->say(R"({"type":"answer","call":1})");
  EXPECT_THAT(client->heard(), ElementsAre(::testing::HasSubstr("not_connected")));
}

}  // namespace
}  // namespace anywire::protocol::native
