// Wildcard subscriptions, as clients see them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/native/session.h"
#include "protocol/native/testing/channels_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class NativePatternsTest : public ChannelsTest {};

TEST_F(NativePatternsTest, HearsAllChannelsOfAPattern) {
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

TEST_F(NativePatternsTest, LimitsThePatternsOfAConnection) {
  options.patterns_max = 2;
  auto client = connect();
  client->say(R"([{"type":"subscribe","id":2,"pattern":"a*"},
                  {"type":"subscribe","id":3,"pattern":"b*"}])");
  settle();
  client->heard();
  client->say(R"({"type":"subscribe","id":4,"pattern":"c*"})");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("too_many_channels")));
  subscribe(*client, "c");
  client->say(R"([{"type":"unsubscribe","id":5,"pattern":"a*"},
                  {"type":"subscribe","id":6,"pattern":"c*"}])");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(R"({"type":"ok","id":5})",
                                           R"({"type":"subscribed","id":6,"pattern":"c*"})"));
}

TEST_F(NativePatternsTest, LeavesAChannelToItsOwnSubscription) {
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

TEST_F(NativePatternsTest, LosesNothingBetweenAPatternAndAChannelsOwnSubscription) {
  for (const std::uint32_t owner : {0u, 1u}) {
    const std::string channel = channel_owned_by(owner);
    const std::string place = R"("channel":")" + channel + "\"";
    auto client = connect();
    client->say(R"({"type":"subscribe","id":2,"pattern":"*"})");
    settle();
    client->heard();
    client->say(R"([{"type":"publish","text":"before",)" + place +
                R"(},{"type":"subscribe","id":3,)" + place +
                R"(},{"type":"publish","text":"after",)" + place + "}]");
    settle();
    EXPECT_THAT(client->heard(),
                ElementsAre(HasSubstr(R"("offset":1,)"), HasSubstr(R"("subscribed")"),
                            HasSubstr(R"("offset":2,)")));
  }
}

TEST_F(NativePatternsTest, FiltersPatternsWithoutCursors) {
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

TEST_F(NativePatternsTest, KeepsStricterRulesWithinAPattern) {
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

TEST_F(NativePatternsTest, CountsWhatASlowReaderOfAPatternMissed) {
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

// ---- Several patterns ----

TEST_F(NativePatternsTest, SendsOnceWhatSeveralPatternsTake) {
  for (const std::uint32_t owner : {0u, 1u}) {
    const std::string channel = channel_owned_by(owner);
    auto client = connect();
    auto other = connect();
    client->say(R"([{"type":"subscribe","id":2,"pattern":"c*"},
                    {"type":"subscribe","id":3,"pattern":"*"},
                    {"type":"subscribe","id":4,"pattern":"?*"}])");
    settle();
    EXPECT_THAT(client->heard(), SizeIs(3));
    for (const char* text : {"1", "2"}) publish(*other, channel, text);
    other->say(R"([{"type":"publish","text":"3","channel":")" + channel +
               R"("},{"type":"publish","text":"4","channel":"else"},)" +
               R"({"type":"publish","text":"5","channel":")" + channel + R"("}])");
    settle();
    auto heard = client->heard();
    std::erase_if(heard, [](const std::string& one) { return one.find("else") != one.npos; });
    EXPECT_THAT(heard, ElementsAre(message(channel, 1, "1"), message(channel, 2, "2"),
                                   message(channel, 3, "3"), message(channel, 4, "5")));
    other->say(R"({"type":"unsubscribe","id":2,"pattern":"none"})");
    client->say(R"({"type":"unsubscribe","id":5,"pattern":"c*"})");
    settle();
    client->heard();
    publish(*other, channel, "6");
    EXPECT_THAT(client->heard(), ElementsAre(message(channel, 5, "6")));
  }
}

TEST_F(NativePatternsTest, SendsInOrderWhatAnyOfSeveralFiltersLetsThrough) {
  auto client = connect();
  auto other = connect();
  client->say(R"([{"type":"subscribe","id":2,"pattern":"c*","filter":{"t":["a"]}},
                  {"type":"subscribe","id":3,"pattern":"*","filter":{"t":["b"]}}])");
  settle();
  client->heard();
  std::string frame = "[";
  for (const char* tag : {"a", "b", "x", "b", "a", "x"}) {
    if (frame.size() > 1) frame += ',';
    frame += R"({"type":"publish","channel":"c","text":")" + std::string(tag) +
             R"(","tags":{"t":")" + tag + R"("}})";
  }
  other->say(frame + "]");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(message("c", 1, "a"), message("c", 2, "b"),
                                           message("c", 4, "b"), message("c", 5, "a")));
}

TEST_F(NativePatternsTest, TellsEachOfSeveralPatternsWhatASlowReaderMissed) {
  auto client = connect();
  auto other = connect();
  client->say(R"([{"type":"subscribe","id":2,"pattern":"c*"},
                  {"type":"subscribe","id":3,"pattern":"*"}])");
  settle();
  client->heard();
  client->transport.full = true;
  publish(*other, "c", "1");
  EXPECT_THAT(client->heard(), ElementsAre(message("c", 1, "1")));
  publish(*other, "c", "2");
  EXPECT_THAT(client->heard(), IsEmpty());
  client->transport.full = false;
  client->as_session().on_writable();
  EXPECT_THAT(client->heard(),
              testing::UnorderedElementsAre(
                  R"({"type":"gap","pattern":"c*","missed":1,"reason":"slow"})",
                  R"({"type":"gap","pattern":"*","missed":1,"reason":"slow"})"));
  publish(*other, "c", "3");
  EXPECT_THAT(client->heard(), ElementsAre(message("c", 3, "3")));
}

}  // namespace
}  // namespace anywire::protocol::native
