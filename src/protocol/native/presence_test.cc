// Presence, as clients see it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/native/session.h"
#include "protocol/native/testing/native_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class NativePresenceTest : public NativeTest {
 protected:
  std::unique_ptr<TestClient> listener(std::string_view channel) {
    auto client = connect();
    client->say(R"({"type":"subscribe","id":2,"channel":")" + std::string(channel) +
                R"(","presence":true})");
    settle();
    EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("subscribed"), HasSubstr(R"("all":true)")));
    return client;
  }
  void enter(TestClient& client, std::string_view channel, std::string_view info = "") {
    const std::string member = info.empty() ? "" : ",\"info\":" + std::string(info);
    client.say(R"({"type":"enter","id":6,"channel":")" + std::string(channel) + "\"" + member +
               "}");
    settle();
    EXPECT_THAT(client.heard(), ElementsAre(R"({"type":"ok","id":6})"));
  }
  // Batches pass.
  std::vector<std::string> told(TestClient& client) {
    pass(Duration(200));
    return client.heard();
  }
};

TEST_F(NativePresenceTest, TellsListenersWhoComesChangesAndGoes) {
  for (const std::uint32_t owner : {0u, 1u}) {
    const std::string channel = channel_owned_by(owner);
    auto listens = listener(channel);
    auto ann = connect(token(R"({"sub":"ann","info":{"n":1}})"), Format::kMsgpack);
    const std::string id = ann->last("client");
    enter(*ann, channel);
    EXPECT_THAT(told(*listens),
                ElementsAre(HasSubstr(R"("count":1,"users":1,"join":[{"client":")" + id +
                                      R"(","user":"ann","info":{"n":1}}]})")));
    enter(*ann, channel, "[2]");
    EXPECT_THAT(told(*listens), ElementsAre(HasSubstr(R"("update":[{"client":")" + id +
                                                      R"(","user":"ann","info":[2]}]})")));
    ann->say(R"({"type":"leave","id":7,"channel":")" + channel + "\"}");
    settle();
    EXPECT_THAT(ann->heard(), ElementsAre(R"({"type":"ok","id":7})"));
    EXPECT_THAT(told(*listens),
                ElementsAre(HasSubstr(R"("count":0,"users":0,"leave":[{"client":")" + id +
                                      R"(","user":"ann","reason":"left"}]})")));
  }
}

TEST_F(NativePresenceTest, ListsMembersInPages) {
  const std::string channel = channel_owned_by(1);
  auto a = connect();
  auto b = connect();
  enter(*a, channel);
  enter(*b, channel);
  settle();
  a->say(R"({"type":"members","id":7,"limit":1,"channel":")" + channel + "\"}");
  settle();
  const std::string first = std::min(a->last("client"), b->last("client"));
  const std::string second = std::max(a->last("client"), b->last("client"));
  pass(Duration(200));
  a->heard();
  a->say(R"({"type":"members","id":7,"limit":1,"channel":")" + channel + "\"}");
  settle();
  EXPECT_THAT(a->heard(), ElementsAre(HasSubstr(R"("count":2,"users":0,"more":true,)"
                                                R"("members":[{"client":")" + first + "\"}]")));
  a->say(R"({"type":"members","id":8,"after":")" + first + R"(","channel":")" + channel + "\"}");
  settle();
  EXPECT_THAT(a->heard(), ElementsAre(HasSubstr(R"("more":false,"members":[{"client":")" + second +
                                                "\"}]")));
}

TEST_F(NativePresenceTest, RefusesWhatIsNotThere) {
  rules.push_back(rule);
  rules.back().pattern = *auth::Glob::parse("absent");
  rules.back().presence = false;
  rules.push_back(rule);
  rules.back().pattern = *auth::Glob::parse("mine");
  rules.back().presence_access = hub::Access::kCapability;
  auto client = connect();
  client->say(R"([{"type":"enter","id":2,"channel":"absent"},
                  {"type":"members","id":3,"channel":"absent"},
                  {"type":"subscribe","id":4,"channel":"absent","presence":true},
                  {"type":"enter","id":5,"channel":"mine"},
                  {"type":"members","id":6,"channel":"mine"},
                  {"type":"subscribe","id":7,"channel":"mine","presence":true},
                  {"type":"leave","id":8,"channel":"c"}])");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(HasSubstr("no_presence"), HasSubstr("no_presence"),
                          HasSubstr("no_presence"), HasSubstr("forbidden"), HasSubstr("forbidden"),
                          HasSubstr("forbidden"), HasSubstr("not_present")));
}

TEST_F(NativePresenceTest, ForgetsAnEnterThatWasRefused) {
  rule.members_max = 1;
  const std::string channel = channel_owned_by(1);
  auto first = connect();
  enter(*first, channel);
  auto second = connect();
  second->say(R"({"type":"enter","id":6,"channel":")" + channel + "\"}");
  settle();
  EXPECT_THAT(second->heard(), ElementsAre(HasSubstr("too_many_members")));
  second->say(R"({"type":"leave","id":7,"channel":")" + channel + "\"}");
  EXPECT_THAT(second->heard(), ElementsAre(HasSubstr("not_present")));
}

// The codec and the token refuse such infos before; whatever the owner refuses must not part it
// from its session all the same.
TEST_F(NativePresenceTest, StaysPresentWhereAnotherInfoIsRefused) {
  options.codec.info_bytes_max = 10'000;
  const std::string big = "\"" + std::string(6000, 'i') + "\"";
  for (const std::uint32_t owner : {0u, 1u}) {
    const std::string channel = channel_owned_by(owner);
    auto listens = listener(channel);
    auto client = connect();
    enter(*client, channel, "[1]");
    told(*listens);
    client->say(R"({"type":"enter","id":7,"channel":")" + channel + R"(","info":)" + big + "}");
    settle();
    EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("code":"too_large")")));
    EXPECT_THAT(told(*listens), IsEmpty());
    client->lose();
    auto second = resume(*client, 1 - owner);
    settle();
    EXPECT_THAT(second->heard(), ElementsAre(HasSubstr(R"("resumed":true)")));
    pass(Duration(20'000));
    EXPECT_THAT(told(*listens), IsEmpty()) << "with the info it had";
    second->say(R"({"type":"leave","id":8,"channel":")" + channel + "\"}");
    settle();
    EXPECT_THAT(second->heard(), ElementsAre(R"({"type":"ok","id":8})"));
    EXPECT_THAT(told(*listens), ElementsAre(HasSubstr(R"("reason":"left")")));
  }
}

TEST_F(NativePresenceTest, LeavesWithTheConnectionAfterARefusedEnter) {
  options.codec.info_bytes_max = 10'000;
  const std::string big = "\"" + std::string(6000, 'i') + "\"";
  for (const std::uint32_t owner : {0u, 1u}) {
    const std::string channel = channel_owned_by(owner);
    auto listens = listener(channel);
    auto client = connect();
    enter(*client, channel);
    told(*listens);
    client->say(R"({"type":"enter","id":7,"channel":")" + channel + R"(","info":)" + big + "}");
    settle();
    client->lose();
    settle();
    pass(Duration(11'000));
    EXPECT_THAT(told(*listens), ElementsAre(HasSubstr(R"("count":0)")));
  }
}

// The session that is taken over had asked for what is refused, and had not been told.
TEST_F(NativePresenceTest, IsNowhereWhenItsReturnIsRefused) {
  options.codec.info_bytes_max = 10'000;
  const std::string big = "\"" + std::string(6000, 'i') + "\"";
  const std::string channel = channel_owned_by(1);
  for (const std::uint32_t loop : {0u, 1u}) {
    auto listens = listener(channel);
    auto client = connect();
    enter(*client, channel);
    told(*listens);
    client->say(R"({"type":"enter","id":7,"channel":")" + channel + R"(","info":)" + big + "}");
    client->lose();
    auto second = resume(*client, loop);
    settle();
    EXPECT_THAT(second->heard(),
                ElementsAre(HasSubstr(R"("resumed":true)"),
                            AllOf(HasSubstr(R"("type":"left")"), HasSubstr("too_large"))));
    EXPECT_THAT(told(*listens), ElementsAre(HasSubstr(R"("count":0)")));
    second->say(R"({"type":"leave","id":8,"channel":")" + channel + "\"}");
    EXPECT_THAT(second->heard(), ElementsAre(HasSubstr("not_present")));
  }
}

// It has not begun to be present, and nobody is left.
TEST_F(NativePresenceTest, IsNowhereWhenItsFirstEnterIsRefused) {
  options.codec.info_bytes_max = 10'000;
  const std::string big = "\"" + std::string(6000, 'i') + "\"";
  for (const std::uint32_t owner : {0u, 1u}) {
    const std::string channel = channel_owned_by(owner);
    auto client = connect();
    const std::string command = R"({"type":"enter","channel":")" + channel + R"(","info":)" + big;
    client->say("[" + command + R"(,"id":2},)" + command + R"(,"id":3}])");
    settle();
    EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("too_large"), HasSubstr("too_large")));
    client->say(R"({"type":"leave","id":4,"channel":")" + channel + "\"}");
    EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("not_present")));
    client->say(R"({"type":"members","id":5,"channel":")" + channel + "\"}");
    settle();
    EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("count":0)")));
  }
}

TEST_F(NativePresenceTest, TakesNoTokenWhoseInfoNobodyMayShow) {
  const std::string big = R"({"sub":"ann","info":")" + std::string(6000, 'i') + "\"}";
  auto listens = listener("c");
  auto client = connect(token(R"({"sub":"ann","info":1})"));
  enter(*client, "c");
  told(*listens);
  client->say(R"({"type":"auth","id":7,"token":")" + token(big) + "\"}");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("invalid_claim: info")));
  enter(*client, "c");
  EXPECT_THAT(told(*listens), IsEmpty());
  auto second = resume(*client, 1, token(big));
  settle();
  EXPECT_THAT(second->heard(), ElementsAre(HasSubstr("close:4451:invalid_claim: info")));
  client->lose();
  settle();
  pass(Duration(11'000));
  EXPECT_THAT(told(*listens), ElementsAre(HasSubstr(R"("count":0)")));
}

// Whether it asks again or not, who was told to leave is not there.
TEST_F(NativePresenceTest, IsNowhereAfterATokenThatForbidsIt) {
  rule.presence_access = hub::Access::kCapability;
  const std::string all = R"({"sub":"ann","capability":{"*":["*"]}})";
  for (const std::uint32_t owner : {0u, 1u}) {
    const std::string channel = channel_owned_by(owner);
    auto watch = connect(token(all));
    auto client = connect(token(all));
    enter(*client, channel);
    client->say(R"([{"type":"auth","id":2,"token":")" + token(R"({"sub":"ann"})") +
                R"("},{"type":"enter","id":3,"channel":")" + channel + "\"}]");
    settle();
    EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("ok"), HasSubstr(R"("type":"left")"),
                                             HasSubstr(R"("id":3,)")));
    pass(Duration(200));
    watch->say(R"({"type":"members","id":7,"channel":")" + channel + "\"}");
    settle();
    EXPECT_THAT(watch->heard(), ElementsAre(HasSubstr(R"("count":0)")));
  }
}

TEST_F(NativePresenceTest, CountsAmongTheChannelsOfAConnection) {
  options.channels_max = 1;
  auto client = connect();
  enter(*client, "a");
  client->say(R"([{"type":"enter","id":2,"channel":"b"},
                  {"type":"subscribe","id":3,"channel":"a"}])");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(HasSubstr("too_many_channels"), HasSubstr("subscribed")));
}

TEST_F(NativePresenceTest, EndsSomeTimeAfterTheConnection) {
  rule.presence_grace = Duration(10'000);
  auto listens = listener("c");
  auto client = connect();
  enter(*client, "c");
  EXPECT_THAT(told(*listens), ElementsAre(HasSubstr("join")));
  client->lose();
  settle();
  pass(Duration(9'000));
  EXPECT_THAT(told(*listens), IsEmpty());
  pass(Duration(1'000));
  EXPECT_THAT(told(*listens), ElementsAre(HasSubstr(R"("reason":"lost")")));
}

TEST_F(NativePresenceTest, StaysWithASessionThatComesBack) {
  for (const std::uint32_t loop : {0u, 1u}) {
    const std::string channel = channel_owned_by(1 - loop);
    auto listens = listener(channel);
    auto first = connect();
    enter(*first, channel, R"({"mine":1})");
    EXPECT_THAT(told(*listens), ElementsAre(HasSubstr("join")));
    first->lose();
    settle();
    pass(Duration(5'000));
    auto second = resume(*first, loop);
    settle();
    EXPECT_THAT(second->heard(), ElementsAre(HasSubstr(R"("resumed":true)")));
    pass(Duration(20'000));
    EXPECT_THAT(told(*listens), IsEmpty()) << "nobody noticed";
    second->say(R"({"type":"leave","id":7,"channel":")" + channel + "\"}");
    settle();
    EXPECT_THAT(second->heard(), ElementsAre(R"({"type":"ok","id":7})"));
    EXPECT_THAT(told(*listens), ElementsAre(HasSubstr(R"("reason":"left")")));
    // As if it had never been away, after the grace, too.
    enter(*second, channel, R"({"mine":1})");
    EXPECT_THAT(told(*listens), ElementsAre(HasSubstr("join")));
    second->lose();
    settle();
    pass(Duration(11'000));
    EXPECT_THAT(told(*listens), ElementsAre(HasSubstr("lost")));
    auto third = resume(*second, loop);
    settle();
    EXPECT_THAT(told(*listens), ElementsAre(HasSubstr(R"("info":{"mine":1}}]})")));
  }
}

TEST_F(NativePresenceTest, StaysWhenALiveConnectionIsTakenOver) {
  for (const std::uint32_t loop : {0u, 1u}) {
    auto listens = listener("c");
    auto first = connect(token(R"({"sub":"ann","info":1})"));
    enter(*first, "c");
    told(*listens);
    auto second = resume(*first, loop, token(R"({"sub":"ann","info":1})"));
    settle();
    first->lose();
    settle();
    pass(Duration(20'000));
    EXPECT_THAT(told(*listens), IsEmpty());
    second->lose();
    settle();
    pass(Duration(11'000));
    EXPECT_THAT(told(*listens), ElementsAre(HasSubstr("lost")));
  }
}

TEST_F(NativePresenceTest, EndsWhenNobodyIsLeftToTakeItOver) {
  auto listens = listener("c");
  auto first = connect(token(R"({"sub":"ann","info":1})"));
  enter(*first, "c");
  told(*listens);
  auto second = resume(*first, 1, token(R"({"sub":"ann","info":1})"));
  second.reset();
  settle();
  EXPECT_THAT(first->heard(), ElementsAre(HasSubstr("close:4409")));
  pass(Duration(11'000));
  EXPECT_THAT(told(*listens), ElementsAre(HasSubstr("lost")));
}

TEST_F(NativePresenceTest, LeavesWhatTheNewTokenDoesNotAllow) {
  rules.push_back(rule);
  rules.back().pattern = *auth::Glob::parse("c");
  rules.back().presence_access = hub::Access::kCapability;
  auto first = connect(token(R"({"sub":"ann","capability":{"*":["*"]}})"));
  enter(*first, "c");
  auto second = resume(*first, 1, token(R"({"sub":"ann"})"));
  settle();
  EXPECT_THAT(second->heard(),
              ElementsAre(HasSubstr(R"("resumed":true)"),
                          HasSubstr(R"({"type":"left","channel":"c","code":"forbidden")")));
  pass(Duration(200));
  auto watch = connect(token(R"({"sub":"bob","capability":{"*":["*"]}})"));
  watch->say(R"({"type":"members","id":7,"channel":"c"})");
  settle();
  EXPECT_THAT(watch->heard(), ElementsAre(HasSubstr(R"("count":0)")));
}

// Its place was given to another while it was away.
TEST_F(NativePresenceTest, TellsWhoComesBackThatItIsNotPresentAnyMore) {
  rule.members_max = 1;
  rule.presence_grace = Duration(1'000);
  for (const std::uint32_t loop : {0u, 1u}) {
    const std::string channel = channel_owned_by(1);
    auto first = connect({}, Format::kJson, loop);
    enter(*first, channel);
    first->lose();
    settle();
    pass(Duration(2'000));
    auto other = connect();
    enter(*other, channel);
    auto second = resume(*first, loop);
    settle();
    EXPECT_THAT(second->heard(),
                ElementsAre(HasSubstr(R"("resumed":true)"),
                            R"({"type":"left","channel":")" + channel +
                                R"(","code":"too_many_members",)"
                                R"("message":"the presence of the channel is full"})"));
    second->say(R"({"type":"leave","id":7,"channel":")" + channel + "\"}");
    EXPECT_THAT(second->heard(), ElementsAre(HasSubstr("not_present")));
    other->say(R"({"type":"leave","id":7,"channel":")" + channel + "\"}");
    settle();
    pass(Duration(200));
  }
}

// What a client does that does not know whether it is present still.
TEST_F(NativePresenceTest, MayBeEnteredAgainWithoutAnybodyNoticing) {
  auto listens = listener("c");
  auto first = connect();
  enter(*first, "c", "[1]");
  told(*listens);
  first->lose();
  settle();
  auto second = resume(*first, 1);
  settle();
  second->heard();
  enter(*second, "c", "[1]");
  enter(*second, "c", "[1]");
  pass(Duration(20'000));
  EXPECT_THAT(told(*listens), IsEmpty());
}

TEST_F(NativePresenceTest, SharesOneFrameAmongListeners) {
  auto a = listener("c");
  auto b = listener("c");
  auto client = connect();
  enter(*client, "c");
  pass(Duration(200));
  EXPECT_EQ(a->transport.frames.back()->data(), b->transport.frames.back()->data());
}

}  // namespace
}  // namespace anywire::protocol::native
