// The native protocol and its limits: what is refused, with which words, and what others notice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/native/testing/native_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const auto kPong = HasSubstr("pong");
const auto kLimited = HasSubstr(R"("code":"rate_limited")");

class NativeLimitsTest : public NativeTest {
 protected:
  void limit(Limited what, LimitedParty whom, const Rate& rate) {
    limit_options.rate(what, whom) = rate;
  }
  std::string ann() { return token(R"({"sub":"ann"})"); }
  std::string bob() { return token(R"({"sub":"bob"})"); }
};

TEST_F(NativeLimitsTest, HoldAConnectionToItsRate) {
  limit(Limited::kMessages, LimitedParty::kConnection, {.amount = 10, .burst = 4});
  auto client = connect();
  auto other = connect();
  client->say(R"([{"type":"ping","id":1},{"type":"ping","id":2},{"type":"ping","id":3},
                  {"type":"ping","id":4},{"type":"publish","channel":"c","text":"t"}])");
  EXPECT_THAT(client->heard(),
              ElementsAre(kPong, kPong, kPong, AllOf(kLimited, HasSubstr(R"("id":4,)"),
                                                     HasSubstr(R"("retry":true)")),
                          AllOf(kLimited, HasSubstr(R"("channel":"c")"))));
  other->say(R"({"type":"ping","id":1})");
  EXPECT_THAT(other->heard(), ElementsAre(kPong)) << "others are not concerned";
  pass(Duration(200));
  client->say(R"([{"type":"ping","id":1},{"type":"ping","id":2},{"type":"ping","id":3}])");
  EXPECT_THAT(client->heard(), ElementsAre(kPong, kPong, kLimited));
  pass(Duration(60'000));
  client->say(R"([{"type":"ping","id":1},{"type":"ping","id":2},{"type":"ping","id":3},
                  {"type":"ping","id":4},{"type":"ping","id":5}])");
  EXPECT_THAT(client->heard(), ElementsAre(kPong, kPong, kPong, kPong, kLimited));
}

TEST_F(NativeLimitsTest, NameTheLimitAndWhenToComeBackInBothForms) {
  limit(Limited::kMessages, LimitedParty::kConnection, {.amount = 10, .burst = 1});
  for (const Format format : {Format::kJson, Format::kMsgpack}) {
    auto client = connect({}, format);
    client->say(R"({"type":"ping","id":1})");
    EXPECT_THAT(client->heard(),
                ElementsAre(AllOf(HasSubstr("over the limit messages_per_connection: 10 in a "),
                                  HasSubstr(R"("retryAfter":100)"))));
    pass(Duration(99));
    client->say(R"({"type":"ping","id":1})");
    EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("retryAfter":1)")));
    pass(Duration(1));
    client->say(R"({"type":"ping","id":1})");
    EXPECT_THAT(client->heard(), ElementsAre(kPong));
  }
}

TEST_F(NativeLimitsTest, EndAFlood) {
  limit(Limited::kMessages, LimitedParty::kConnection, {.amount = 10, .burst = 4});
  auto client = connect();
  std::size_t answers = 0;
  for (int i = 0; i < 39; ++i) {
    client->say(R"({"type":"ping","id":1})");
    answers += client->heard().size();
  }
  EXPECT_EQ(answers, 39u);
  client->say(R"({"type":"ping","id":1})");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("close:4529:")));
}

TEST_F(NativeLimitsTest, CountAUsersConnectionsTogether) {
  limit(Limited::kMessages, LimitedParty::kUser, {.amount = 10, .burst = 3});
  auto phone = connect(ann());
  auto laptop = connect(ann(), Format::kMsgpack, 1);
  auto bobs = connect(bob());
  // `connect` itself came before anybody knew whose it was.
  phone->say(R"([{"type":"ping","id":1},{"type":"ping","id":2}])");
  EXPECT_THAT(phone->heard(), ElementsAre(kPong, kPong));
  laptop->say(R"([{"type":"ping","id":1},{"type":"ping","id":2}])");
  EXPECT_THAT(laptop->heard(), ElementsAre(kPong, AllOf(kLimited, HasSubstr("messages_per_user"))));
  bobs->say(R"({"type":"ping","id":1})");
  EXPECT_THAT(bobs->heard(), ElementsAre(kPong));
}

TEST_F(NativeLimitsTest, CountAnAddressAndTheServerAsAWhole) {
  limit(Limited::kMessages, LimitedParty::kAddress, {.amount = 10, .burst = 4});
  limit(Limited::kMessages, LimitedParty::kApp, {.amount = 10, .burst = 5});
  auto one = connect();  // all of them from one address
  auto two = connect();
  one->say(R"([{"type":"ping","id":1},{"type":"ping","id":2},{"type":"ping","id":3}])");
  EXPECT_THAT(one->heard(), ElementsAre(kPong, kPong, HasSubstr("messages_per_address")));
}

TEST_F(NativeLimitsTest, CountBytes) {
  limit(Limited::kBytes, LimitedParty::kConnection, {.amount = 1000, .burst = 1000});
  auto client = connect();
  pass(Duration(1000));
  const std::string text(700, 'x');
  const std::string publish = R"({"type":"publish","id":2,"channel":"c","text":")" + text + "\"}";
  client->say(publish);
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("published")));
  client->say(publish);
  EXPECT_THAT(client->heard(), ElementsAre(AllOf(kLimited, HasSubstr("bytes_per_connection"))));
  pass(Duration(1000));
  client->say(publish);
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("published")));
}

TEST_F(NativeLimitsTest, TakeAMessageLargerThanTheBurstAfterAPause) {
  limit(Limited::kBytes, LimitedParty::kConnection, {.amount = 100, .burst = 100});
  auto client = connect();
  pass(Duration(2000));
  client->say(R"({"type":"publish","id":2,"channel":"c","text":")" + std::string(400, 'x') + "\"}");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("published")));
  pass(Duration(3000));
  client->say(R"({"type":"ping","id":3})");
  EXPECT_THAT(client->heard(), ElementsAre(kLimited)) << "it has to be paid for";
}

TEST_F(NativeLimitsTest, CountSubscriptionsAndPatternsButNotWhatEndsThem) {
  limit(Limited::kSubscribes, LimitedParty::kConnection, {.amount = 1, .burst = 2});
  auto client = connect();
  client->say(R"([{"type":"subscribe","id":2,"channel":"a"},
                  {"type":"subscribe","id":3,"pattern":"b*"},
                  {"type":"subscribe","id":4,"channel":"c"},
                  {"type":"unsubscribe","id":5,"channel":"a"},{"type":"ping","id":6}])");
  settle();
  const auto heard = client->heard();
  EXPECT_THAT(heard, testing::Contains(AllOf(kLimited, HasSubstr(R"("id":4)"),
                                             HasSubstr("subscribes_per_connection"),
                                             HasSubstr(R"("channel":"c")"))));
  EXPECT_THAT(heard, testing::Contains(kPong));
  EXPECT_EQ(heard.size(), 5u);
}

TEST_F(NativeLimitsTest, CountWhatIsShownInPresenceButLetEverybodyLeave) {
  limit(Limited::kPresence, LimitedParty::kConnection, {.amount = 1, .burst = 2});
  auto client = connect(ann());
  client->say(R"([{"type":"enter","id":2,"channel":"a"},
                  {"type":"enter","id":3,"channel":"a","info":1},
                  {"type":"enter","id":4,"channel":"a","info":2},
                  {"type":"leave","id":5,"channel":"a"}])");
  settle();
  EXPECT_THAT(client->heard(),
              testing::UnorderedElementsAre(
                  R"({"type":"ok","id":2})", R"({"type":"ok","id":3})",
                  AllOf(kLimited, HasSubstr("presence_per_connection"), HasSubstr(R"("id":4)")),
                  R"({"type":"ok","id":5})"));
}

TEST_F(NativeLimitsTest, CapThePresencesOfOneConnection) {
  options.presence_channels_max = 2;
  auto client = connect(ann());
  client->say(R"([{"type":"enter","id":2,"channel":"a"},{"type":"enter","id":3,"channel":"b"},
                  {"type":"enter","id":4,"channel":"c"},
                  {"type":"enter","id":5,"channel":"a","info":1}])");
  settle();
  EXPECT_THAT(client->heard(),
              testing::UnorderedElementsAre(
                  R"({"type":"ok","id":2})", R"({"type":"ok","id":3})",
                  AllOf(HasSubstr("too_many_channels"), HasSubstr("at most 2 channels"),
                        HasSubstr(R"("id":4)")),
                  R"({"type":"ok","id":5})"));
}

TEST_F(NativeLimitsTest, CapTheConnectionsOfOneUser) {
  limit_options.connections_per_user_max = 2;
  auto first = connect(ann());
  auto second = connect(ann(), Format::kJson, 1);
  auto third = attach();
  third->say(R"({"type":"connect","id":1,"token":")" + ann() + "\"}");
  EXPECT_THAT(third->heard(),
              ElementsAre(AllOf(StartsWith("close:4529:"),
                                HasSubstr("over the limit connections_per_user_max: 2"))));
  EXPECT_THAT(connect(bob())->heard(), ElementsAre());
  EXPECT_THAT(connect()->heard(), ElementsAre()) << "anonymous clients are nobody in particular";
  first->leave();
  auto fourth = attach();
  fourth->say(R"({"type":"connect","id":1,"token":")" + ann() + "\"}");
  EXPECT_THAT(fourth->heard(), ElementsAre(HasSubstr("connected")));
}

TEST_F(NativeLimitsTest, LetAConnectionTakeOverItsOwnSessionAtTheCap) {
  limit_options.connections_per_user_max = 1;
  auto first = connect(ann());
  auto again = resume(*first, 1, ann());
  settle();
  EXPECT_THAT(again->heard(), ElementsAre(AllOf(HasSubstr("connected"),
                                                HasSubstr(R"("resumed":true)"))));
  auto another = attach();
  another->say(R"({"type":"connect","id":1,"token":")" + ann() + "\"}");
  settle();
  EXPECT_THAT(another->heard(), ElementsAre(HasSubstr("connections_per_user_max")));
}

TEST_F(NativeLimitsTest, LimitHowFastAUserConnects) {
  limit(Limited::kConnects, LimitedParty::kUser, {.amount = 2, .per = std::chrono::minutes(1)});
  for (int i = 0; i < 2; ++i) EXPECT_THAT(connect(ann())->heard(), ElementsAre());
  auto third = attach(Format::kJson, 1);
  third->say(R"({"type":"connect","id":1,"token":")" + ann() + "\"}");
  EXPECT_THAT(third->heard(), ElementsAre(AllOf(StartsWith("close:4529:"),
                                                HasSubstr("connects_per_user: 2 in a minute"))));
  EXPECT_THAT(connect(bob())->heard(), ElementsAre());
  pass(Duration(30'000));
  auto later = attach();
  later->say(R"({"type":"connect","id":1,"token":")" + ann() + "\"}");
  EXPECT_THAT(later->heard(), ElementsAre(HasSubstr("connected")));
}

TEST_F(NativeLimitsTest, HoldNothingForSessionsWhenThereIsNoLimit) {
  auto client = connect(ann());
  EXPECT_FALSE(limits->limits_sessions());
  EXPECT_EQ(adapter().limits(0), nullptr);
  EXPECT_EQ(limits->parties(), 0u);
  for (int i = 0; i < 2000; ++i) client->say(R"({"type":"ping","id":1})");
  EXPECT_THAT(client->heard(), testing::AllOf(testing::SizeIs(2000), testing::Each(kPong)));
}

TEST_F(NativeLimitsTest, BeginANewConnectionWithAFullBucketOfItsOwn) {
  limit(Limited::kMessages, LimitedParty::kConnection, {.amount = 1, .burst = 2});
  connect()->leave();
  auto next = connect();
  next->say(R"({"type":"ping","id":1})");
  EXPECT_THAT(next->heard(), ElementsAre(kPong));
}

TEST_F(NativeLimitsTest, AreNotEscapedByReconnecting) {
  limit(Limited::kMessages, LimitedParty::kUser, {.amount = 1, .burst = 2});
  auto client = connect(ann());
  client->say(R"([{"type":"ping","id":1},{"type":"ping","id":2}])");
  client->leave();
  auto again = connect(ann());
  again->say(R"({"type":"ping","id":1})");
  EXPECT_THAT(again->heard(), ElementsAre(kLimited));
}

}  // namespace
}  // namespace anywire::protocol::native
