// Messages told as differences from the one before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/testing/delta.h"
#include "protocol/native/delta_bases.h"
#include "protocol/native/testing/native_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class NativeDeltasTest : public NativeTest {
 protected:
  NativeDeltasTest() { rule.delta = true; }

  static std::string state(int round) {
    return R"({"round":)" + std::to_string(round) + R"(,"board":")" + std::string(200, '.') +
           R"("})";
  }
  std::unique_ptr<TestClient> subscribe(std::string_view more, Format format = Format::kJson,
                                        std::uint32_t loop = 0) {
    auto client = connect({}, format, loop);
    client->say(R"({"type":"subscribe","id":2,"channel":"c","delta":true)" + std::string(more) +
                "}");
    settle();
    return client;
  }
  void publish(TestClient& client, const std::string& data) {
    client.say(R"({"type":"publish","channel":"c","data":)" + data + "}");
    settle();
  }
  // The string member of that name, unescaped as far as these tests need.
  static std::string member(const std::string& message, std::string_view name) {
    codec::JsonReader reader;
    const auto value = reader.read(as_bytes(message));
    if (!value) return {};
    const auto found = value->find(name);
    return found ? std::string(found->string().value_or("")) : std::string();
  }
  // What a client makes of a message that follows one with the payload `last`.
  static std::string payload(const std::string& message, std::string_view last) {
    const std::string delta = member(message, "delta");
    if (delta.empty()) return member(message, "text");
    return codec::apply_delta(last, *codec::base64_decode(delta)).value_or("broken");
  }
};

class NativeDeltasFormTest : public NativeDeltasTest,
                             public ::testing::WithParamInterface<Format> {};

INSTANTIATE_TEST_SUITE_P(Forms, NativeDeltasFormTest,
                         ::testing::Values(Format::kJson, Format::kMsgpack));

TEST_P(NativeDeltasFormTest, SayHowAMessageDiffersFromTheLast) {
  auto writer = connect();
  auto client = subscribe("", GetParam(), 1);
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("recoverable":true,"delta":true)")));
  std::string last;
  for (int round = 1; round <= 4; ++round) {
    publish(*writer, state(round));
    const auto heard = client->heard();
    ASSERT_THAT(heard, SizeIs(1));
    EXPECT_EQ(payload(heard[0], last), state(round));
    EXPECT_EQ(heard[0].find(R"("of":"json")") != std::string::npos, round > 1) << heard[0];
    EXPECT_EQ(heard[0].find(R"("json":true)") != std::string::npos, round == 1);
    EXPECT_LT(heard[0].size(), round > 1 ? 200u : 400u);
    last = state(round);
  }
  // A burst, in one frame.
  std::string frame = "[";
  for (int round = 5; round <= 7; ++round) {
    frame += R"({"type":"publish","channel":"c","data":)" + state(round) +
             (round < 7 ? "}," : "}]");
  }
  writer->say(frame);
  settle();
  const auto heard = client->heard();
  ASSERT_THAT(heard, SizeIs(3));
  for (int round = 5; round <= 7; ++round) {
    EXPECT_EQ(payload(heard[static_cast<std::size_t>(round - 5)], last), state(round));
    last = state(round);
  }
}

TEST_F(NativeDeltasTest, BeginWholeForWhoHasNothingToBuildUpon) {
  auto writer = connect();
  auto first = subscribe("");
  publish(*writer, state(1));
  auto second = subscribe("");
  auto third = subscribe(R"(,"rewind":1)");
  first->heard();
  second->heard();
  const auto rewound = third->heard();
  ASSERT_THAT(rewound, SizeIs(2));
  EXPECT_EQ(payload(rewound[1], ""), state(1));
  publish(*writer, state(2));
  for (TestClient* has : {first.get(), third.get()}) {
    const auto heard = has->heard();
    ASSERT_THAT(heard, ElementsAre(HasSubstr(R"("delta":)")));
    EXPECT_EQ(payload(heard[0], state(1)), state(2));
  }
  const auto whole = second->heard();
  ASSERT_THAT(whole, ElementsAre(Not(HasSubstr(R"("delta":)"))));
  EXPECT_EQ(payload(whole[0], ""), state(2));
  EXPECT_EQ(first->transport.frames.back()->data(), third->transport.frames.back()->data())
      << "made once for both";
}

TEST_F(NativeDeltasTest, BuildUponWhatASlowReaderHasHad) {
  auto writer = connect();
  auto slow = subscribe("");
  auto quick = subscribe("");
  publish(*writer, state(1));
  slow->transport.full = true;
  publish(*writer, state(2));
  for (int round = 3; round <= 5; ++round) publish(*writer, state(round));
  slow->transport.full = false;
  slow->as_session().on_writable();
  settle();
  publish(*writer, state(6));
  for (TestClient* one : {slow.get(), quick.get()}) {
    const auto heard = one->heard();
    ASSERT_THAT(heard, SizeIs(7));
    std::string last;
    for (int round = 1; round <= 6; ++round) {
      EXPECT_EQ(payload(heard[static_cast<std::size_t>(round)], last), state(round)) << round;
      last = state(round);
    }
  }
}

TEST_F(NativeDeltasTest, AreNotMadeOfGaps) {
  rule.history_messages = 2;
  auto writer = connect();
  auto slow = subscribe("");
  publish(*writer, state(1));
  slow->transport.full = true;
  publish(*writer, state(2));
  for (int round = 3; round <= 9; ++round) publish(*writer, state(round));
  slow->heard();
  slow->transport.full = false;
  slow->as_session().on_writable();
  settle();
  const auto heard = slow->heard();
  ASSERT_THAT(heard, ElementsAre(HasSubstr(R"("type":"gap")"), HasSubstr(R"("offset":8)"),
                                 HasSubstr(R"("offset":9)")));
  EXPECT_EQ(payload(heard[1], ""), state(8)) << "whole";
  EXPECT_EQ(payload(heard[2], state(8)), state(9));
}

TEST_F(NativeDeltasTest, AreOfferedByTheRuleAndOnlyForAllMessages) {
  auto writer = connect();
  auto filtered = subscribe(R"(,"filter":{"a":["b"]})");
  auto others = subscribe(R"(,"own":false)");
  for (TestClient* one : {filtered.get(), others.get()}) {
    EXPECT_THAT(one->heard(), ElementsAre(Not(HasSubstr("delta"))));
  }
  publish(*writer, state(1));
  EXPECT_THAT(others->heard(), ElementsAre(HasSubstr(R"("data":{"round":1)")));
  EXPECT_EQ(adapter().delta_bases().channels(), 0u);
}

TEST_F(NativeDeltasTest, AreNotMadeWhereTheRuleDoesNotOfferThem) {
  rule.delta = false;
  auto client = subscribe("");
  EXPECT_THAT(client->heard(), ElementsAre(Not(HasSubstr("delta"))));
  publish(*client, state(1));
  publish(*client, state(2));
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("data":)"), HasSubstr(R"("data":)")));
}

TEST_F(NativeDeltasTest, LeaveSmallAndUnlikeMessagesWhole) {
  auto writer = connect();
  auto client = subscribe("");
  client->heard();
  for (const char* data : {"1", "2", "{}"}) publish(*writer, data);
  writer->say(R"({"type":"publish","channel":"c","text":")" + std::string(100, 'a') + "\"}");
  writer->say(R"({"type":"publish","channel":"c","binary":"AP8="})");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(HasSubstr(R"("text":"1","json":true)"),
                          HasSubstr(R"("text":"2","json":true)"),
                          HasSubstr(R"("text":"{}","json":true)"),
                          HasSubstr(R"("text":"aaaa)"), HasSubstr(R"("binary":"AP8=")")));
}

TEST_F(NativeDeltasTest, NeedNothingWhenNobodyListens) {
  auto a = subscribe("");
  auto b = subscribe("");
  EXPECT_EQ(adapter().delta_bases().channels(), 1u);
  a->say(R"({"type":"unsubscribe","id":3,"channel":"c"})");
  EXPECT_EQ(adapter().delta_bases().channels(), 1u);
  b->leave();
  EXPECT_EQ(adapter().delta_bases().channels(), 0u);
}

}  // namespace
}  // namespace anywire::protocol::native
