#include "native.h"

#include <gtest/gtest.h>

#include <string>

#include "auth/jwt.h"

namespace anywire::bench {
namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

std::unique_ptr<Native> make_connecting(bool anonymous) {
  auto native = Native::create({.secret = std::string(kSecret),
                                .channel = "room:1",
                                .subscribes = false,
                                .anonymous = anonymous});
  EXPECT_TRUE(native);
  return *std::move(native);
}

std::unique_ptr<Native> make(bool presence = false) {
  auto native = Native::create(
      {.secret = std::string(kSecret), .channel = "room:1", .presence = presence});
  EXPECT_TRUE(native);
  return *std::move(native);
}

std::string message(std::uint64_t offset, std::string_view data) {
  return R"({"type":"message","channel":"room:1","offset":)" + std::to_string(offset) +
         R"(,"time":1,"data":")" + std::string(data) + "\"}";
}

// The value of the one string member of that name in all of a frame.
std::string text_in(const std::string& frame, std::string_view name) {
  const std::string member = "\"" + std::string(name) + "\":\"";
  const std::size_t at = frame.find(member) + member.size();
  return frame.substr(at, frame.find('"', at) - at);
}

TEST(Native, NeedsASecretOfDecentLength) {
  EXPECT_FALSE(Native::create({.secret = "short", .channel = "c"}));
}

TEST(Native, GreetsWithATokenThatTheServersSecretVerifies) {
  const std::string frame = *make()->hello(42, {});
  auth::KeySet keys;
  ASSERT_TRUE(keys.add(*auth::Key::hs256("", kSecret)));
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  const auto token = auth::verify(text_in(frame, "token"), keys, {}, now);
  ASSERT_TRUE(token) << token.error().text;
  EXPECT_EQ(token->identity.user_id, "user-00042");
  EXPECT_TRUE(token->identity.capability.allows(auth::Operation::kPublish, "room:1"));
  EXPECT_FALSE(token->identity.capability.allows(auth::Operation::kPublish, "room:2"));
}

TEST(Native, GreetsWithOneFrameOfCommandsInOrder) {
  codec::JsonReader reader;
  const auto types = [&reader](const std::string& frame) {
    std::string all;
    const auto read = reader.read(as_bytes(frame));
    EXPECT_TRUE(read) << frame;
    for (const codec::JsonValue command : read->elements()) {
      all += std::string(*command.find("type")->string()) + " ";
    }
    return all;
  };
  EXPECT_EQ(types(*make()->hello(1, {})), "connect subscribe ");
  EXPECT_EQ(types(*make(true)->hello(1, {})), "connect enter subscribe ");
}

TEST(Native, ResumesASessionFromItsCursor) {
  const NativeSeat had{.session = "s3cret", .epoch = "e", .offset = 7, .greeted = true};
  const std::string frame = *make()->hello(1, had.successor());
  EXPECT_NE(frame.find(R"("session":"s3cret")"), std::string::npos);
  EXPECT_NE(frame.find(R"("since":{"epoch":"e","offset":7})"), std::string::npos);
  EXPECT_FALSE(had.successor().greeted);
  EXPECT_EQ(make()->hello(1, {})->find("since"), std::string::npos);
}

TEST(Native, HasJoinedWhenAllItsCommandsAreAnswered) {
  const auto native = make(true);
  NativeSeat seat;
  for (const char* answer : {
           R"({"type":"connected","id":1,"client":"c","user":"u","session":"s","resumed":true})",
           R"({"type":"ok","id":2})",
           R"({"type":"subscribed","id":3,"channel":"room:1","epoch":"e","offset":9,"top":9,)"
           R"("recovered":true})"}) {
    EXPECT_FALSE(native->joined(seat));
    EXPECT_EQ(native->take(answer, seat).value_or(false), true);
  }
  EXPECT_TRUE(native->joined(seat));
  EXPECT_EQ(seat.session, "s");
  EXPECT_EQ(seat.epoch, "e");
  EXPECT_EQ(seat.offset, 9u);
  EXPECT_TRUE(seat.resumed && seat.recovered);
  EXPECT_EQ(native->take(message(10, "x"), seat).value_or(true), false);
}

TEST(Native, TakesARefusalForTheEnd) {
  NativeSeat seat;
  const auto taken = make()->take(
      R"({"type":"error","id":3,"code":"forbidden","message":"no","retry":false})", seat);
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find("forbidden"), std::string::npos);
  EXPECT_FALSE(make()->take("not json", seat));
}

TEST(Native, WhereNothingIsReceivedItOnlyConnects) {
  const auto native = make_connecting(false);
  const std::string frame = *native->hello(7, {});
  EXPECT_TRUE(frame.starts_with(R"({"type":"connect","id":1,"token":"ey)")) << frame;
  EXPECT_FALSE(frame.contains("subscribe"));
  NativeSeat seat;
  EXPECT_FALSE(native->joined(seat));
  ASSERT_TRUE(native->take(R"({"type":"connected","id":1,"user":"user-00007"})", seat));
  EXPECT_TRUE(native->joined(seat));
}

TEST(Native, AnAnonymousClientShowsNoToken) {
  EXPECT_EQ(*make_connecting(true)->hello(7, {}), R"({"type":"connect","id":1})");
}

TEST(Native, IsTakenForAUserExactlyIfItShowedAToken) {
  for (const bool anonymous : {false, true}) {
    const auto native = make_connecting(anonymous);
    NativeSeat seat;
    const char* const wrong = anonymous ? R"({"type":"connected","id":1,"user":"user-00007"})"
                                        : R"({"type":"connected","id":1})";
    EXPECT_FALSE(native->take(wrong, seat)) << anonymous;
    EXPECT_FALSE(native->joined(seat));
  }
}

TEST(Native, ReadsWhereAPublicationWent) {
  const auto native = make();
  const auto answer =
      native->published(R"({"type":"published","id":12,"epoch":"e","offset":34})");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->id, 12u);
  EXPECT_EQ(answer->offset, 34u);
}

TEST(Native, TakesNothingElseForAPublication) {
  for (const char* other : {
           R"({"type":"published","id":12,"epoch":"0","offset":0})",
           R"({"type":"published","epoch":"e","offset":1})",
           R"({"type":"ok","id":12,"offset":1})",
           R"({"type":"error","id":12,"code":"app_unavailable","message":"no","retry":true})",
           R"([])",
           "published"}) {
    EXPECT_FALSE(make()->published(other)) << other;
  }
}

TEST(Native, ReadsWhatManyReceiversGetInTurn) {
  const auto native = make();
  const std::string first = message(1, "abc");
  const std::string second = message(2, "def");
  for (const std::string& text : {first, first, second, first}) {
    const auto push = native->read(std::string(text));
    ASSERT_TRUE(push);
    EXPECT_EQ(push->kind, NativePush::Kind::kMessage);
    EXPECT_EQ(push->offset, text == first ? 1u : 2u);
    EXPECT_EQ(push->data, text == first ? "abc" : "def");
  }
  EXPECT_FALSE(native->read("{"));
  EXPECT_EQ(native->read(R"({"type":"message","channel":"other","offset":1,"data":"x"})")->kind,
            NativePush::Kind::kOther);
}

TEST(Native, AdvancesByOneMessageOrOverAGapOnly) {
  const auto native = make();
  NativeSeat seat{.offset = 4};
  ASSERT_TRUE(native->advance(message(5, "x"), seat));
  EXPECT_EQ(seat.offset, 5u);
  for (const std::uint64_t wrong : {4u, 5u, 7u}) {
    EXPECT_FALSE(native->advance(message(wrong, "x"), seat)) << wrong;
    EXPECT_EQ(seat.offset, 5u);
  }
  const auto gap = [](int from, int to, int offset) {
    return R"({"type":"gap","channel":"room:1","from":)" + std::to_string(from) + R"(,"to":)" +
           std::to_string(to) + R"(,"reason":"evicted","epoch":"e","offset":)" +
           std::to_string(offset) + "}";
  };
  for (const auto& wrong : {gap(7, 8, 8), gap(6, 5, 5), gap(6, 8, 9)}) {
    EXPECT_FALSE(native->advance(wrong, seat)) << wrong;
  }
  const auto passed = native->advance(gap(6, 8, 8), seat);
  ASSERT_TRUE(passed);
  EXPECT_FALSE(*passed);
  EXPECT_EQ(seat.offset, 8u);
  EXPECT_EQ(seat.missed, 3u);
  EXPECT_FALSE(native->advance(R"({"type":"error","code":"overloaded"})", seat));
}

TEST(LoopOfSession, IsWhatTheServersSecretsBeginWith) {
  EXPECT_EQ(loop_of_session("AAAAAQAAAAIAAAAD"), 1u);
  EXPECT_EQ(loop_of_session("AAAAAAAAAAIAAAAD"), 0u);
  EXPECT_FALSE(loop_of_session("AAAAAQ"));
  EXPECT_FALSE(loop_of_session("********AAAA"));
}

}  // namespace
}  // namespace anywire::bench
