// What plain WebSocket clients hear when their data is not as a schema wants it, and how many of
// their messages wait for the application.
#include "protocol/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocol/raw/codec.h"
#include "protocol/raw/testing/raw_world.h"

namespace anywire::protocol::raw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Validation::Parts contract() {
  Validation::Parts parts;
  Validation::Channel room{.pattern = *auth::Glob::parse("room:*"),
                           .message = schema::Schema::compile(
                                          R"({"type":"object","properties":{"n/m":
                                              {"type":"integer"}}})").value(),
                           .events = {},
                           .presence = {}};
  parts.channels.push_back(std::move(room));
  return parts;
}

hub::Rules asking() {
  hub::ChannelRule rule;
  rule.publish_hook = true;
  return hub::Rules({}, rule);
}

class RawValidationTest : public RawWorld {
 protected:
  RawValidationTest() : RawWorld({.open = true}, asking()) {
    validation = std::make_unique<const Validation>(contract());
  }
};

TEST(RawViolation, IsOneTextFrameOfJson) {
  EXPECT_EQ(encode_violation({"/a~1b", "the \"key\" must be a text"}),
            R"({"error":{"code":"schema_violation","path":"/a~1b",)"
            R"("message":"the \"key\" must be a text"}})");
}

TEST_F(RawValidationTest, TellsTheSenderAloneWhereItsDataIsWrong) {
  Log& sender = join("/raw/room:1");
  join("/raw/room:1");
  say(0, R"({"n/m":"x"})");
  EXPECT_THAT(sender,
              ElementsAre("open", R"(text:{"error":{"code":"schema_violation","path":"/n~1m",)"
                                  R"("message":"what is at \"/n~1m\" must be a whole number"}})"));
  EXPECT_THAT(heard(1), IsEmpty());
  // The connection lives on.
  say(0, R"({"n/m":7})");
  EXPECT_THAT(heard(0), ElementsAre(R"(text:{"n/m":7})"));
  EXPECT_THAT(heard(1), ElementsAre(R"(text:{"n/m":7})"));
}

TEST_F(RawValidationTest, TakesNothingButJsonWhereThereIsASchema) {
  Log& sender = join("/raw/room:1");
  say(0, "not JSON");
  say(0, "{}", false);
  ASSERT_EQ(sender.size(), 3u);
  for (std::size_t i = 1; i < sender.size(); ++i) {
    EXPECT_THAT(sender[i], ::testing::StartsWith(
                               R"(text:{"error":{"code":"schema_violation","path":"",)"));
  }
  EXPECT_THAT(heard(0), IsEmpty());
}

TEST_F(RawValidationTest, LeavesOtherChannelsAlone) {
  join("/raw/free");
  say(0, "not JSON");
  EXPECT_THAT(heard(0), ElementsAre("text:not JSON"));
}

// Its transport was told to bring no more; one that does all the same cannot make it grow.
TEST_F(RawValidationTest, SoManyMessagesWaitForTheApplicationAndNoMore) {
  constexpr std::size_t kMost = 256;  // kLineMax
  app = &fake;
  const Log& sender = join("/raw/free");
  for (std::size_t i = 0; i < kMost + 1; ++i) say(0, std::to_string(i));
  EXPECT_EQ(adapter().refused(), 1u);
  EXPECT_EQ(std::count(sender.begin(), sender.end(), "release"), 0);
  for (std::size_t i = 0; i < kMost; ++i) {
    ASSERT_EQ(fake.publishing.size(), 1u) << i;
    fake.allow_publish();
    settle();
  }
  EXPECT_TRUE(fake.publishing.empty());
  EXPECT_EQ(heard(0).size(), kMost);
  EXPECT_EQ(heard(0).back(), "text:255");
  EXPECT_EQ(sender.back(), "frame");
  EXPECT_EQ(std::count(sender.begin(), sender.end(), "release"), 1);
}

// The client cannot be told, so it is counted; nothing of it reaches anybody.
TEST_F(RawValidationTest, ARewriteIsCheckedAgain) {
  app = &fake;
  join("/raw/room:1");
  say(0, R"({"n/m":1})");
  fake.allow_publish(
      {.payload = PublishAnswer::Payload{broker::PayloadKind::kJson, R"({"n/m":"x"})"}});
  settle();
  EXPECT_EQ(adapter().refused(), 1u);
  EXPECT_THAT(heard(0), IsEmpty());
  say(0, R"({"n/m":1})");
  fake.allow_publish({.payload = PublishAnswer::Payload{broker::PayloadKind::kJson, "{}"}});
  settle();
  EXPECT_THAT(heard(0), ElementsAre("text:{}"));
}

}  // namespace
}  // namespace anywire::protocol::raw
