#include "protocol/native/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/native/testing/client_codec.h"
#include "websocket/testing/peer.h"

namespace anywire::protocol::native {
namespace {

using ::testing::ElementsAre;

constexpr std::uint64_t kEpoch = 0x9f2c41d07be35a68;

broker::Publication publication(broker::PayloadKind kind, std::string_view payload) {
  broker::Publication one;
  one.kind = kind;
  one.payload = Buffer::copy_of(as_bytes(payload));
  one.channel = "room:1";
  one.epoch = kEpoch;
  one.offset = 42;
  one.time_ms = 1767225600123;
  return one;
}

hub::MemberPtr member(std::string_view client, std::string_view user = "",
                      std::string_view info = "") {
  return hub::Member::make({.client_id = client, .user_id = user, .info = info, .loop = 0});
}

// Both forms say the same, and it is this.
void expect_said(auto&& encode, std::string_view json) {
  EXPECT_EQ(encode(Format::kJson), json);
  EXPECT_EQ(shown(Format::kMsgpack, encode(Format::kMsgpack)), json);
}

TEST(NativeEncoder, Connected) {
  Connected connected{.id = 1,
                      .client = "c7Hq",
                      .session = "Zt0",
                      .resumed = false,
                      .user = {},
                      .expires_ms = {},
                      .ping_ms = 25000,
                      .session_window_ms = 120000,
                      .message_bytes_max = 1048576,
                      .server = "anywire/0.1.0"};
  const auto said = [&](Format format) { return encode(format, connected); };
  expect_said(said, R"({"type":"connected","id":1,"client":"c7Hq","session":"Zt0","resumed":false,)"
                    R"("ping":25000,"sessionWindow":120000,"messageBytesMax":1048576,)"
                    R"("server":"anywire/0.1.0"})");
  connected.user = "ann";
  connected.expires_ms = 1767225600000;
  connected.resumed = true;
  expect_said(said, R"({"type":"connected","id":1,"client":"c7Hq","session":"Zt0","resumed":true,)"
                    R"("user":"ann","expires":1767225600000,"ping":25000,"sessionWindow":120000,)"
                    R"("messageBytesMax":1048576,"server":"anywire/0.1.0"})");
}

TEST(NativeEncoder, ErrorsWithAndWithoutIdAndChannel) {
  const Refusal refusal{ErrorCode::kForbidden, "not \"you\""};
  expect_said([&](Format format) { return encode_error(format, 7, refusal); },
              R"({"type":"error","id":7,"code":"forbidden","message":"not \"you\"",)"
              R"("retry":false})");
  expect_said(
      [&](Format format) {
        return encode_error(format, 0, {ErrorCode::kOverloaded, "busy"}, "c");
      },
      R"({"type":"error","channel":"c","code":"overloaded","message":"busy","retry":true})");
}

TEST(NativeEncoder, TellsWhichErrorsPassAway) {
  for (std::size_t i = 0; i < kErrorCodes; ++i) {
    const ErrorName& error = kErrorNames[i];
    const bool retry = error.code == "too_many_members" || error.code == "too_many_pending" ||
                       error.code == "rate_limited" || error.code == "overloaded" ||
                       error.code == "unavailable" || error.code == "app_unavailable";
    EXPECT_EQ(error.retry, retry) << error.code;
  }
}

TEST(NativeEncoder, TellsWhatTheApplicationHasSaid) {
  expect_said(
      [](Format format) {
        return encode_error(format, 7,
                            refusal_of({.code = AppRefusal::Code::kRefused,
                                        .message = "not now",
                                        .reason = "closed",
                                        .retry = true}));
      },
      R"({"type":"error","id":7,"code":"refused","message":"not now","retry":true,)"
      R"("reason":"closed"})");
  EXPECT_EQ(refusal_of(AppRefusal()).code, ErrorCode::kAppUnavailable);
  EXPECT_EQ(refusal_of({.code = AppRefusal::Code::kNoHandler}).code, ErrorCode::kNoHandler);
}

TEST(NativeEncoder, EveryRefusalOfTheHubHasACode) {
  using hub::HubError;
  EXPECT_EQ(refusal_of(HubError::kUnavailable).code, ErrorCode::kUnavailable);
  EXPECT_EQ(refusal_of(HubError::kOverloaded).code, ErrorCode::kOverloaded);
  EXPECT_EQ(refusal_of(HubError::kIdempotencyConflict).code, ErrorCode::kIdempotencyConflict);
  EXPECT_EQ(refusal_of(HubError::kTooManyMembers).code, ErrorCode::kTooManyMembers);
  EXPECT_EQ(refusal_of(HubError::kTooLarge).code, ErrorCode::kTooLarge);
  EXPECT_EQ(refusal_of(HubError::kNoHistory).code, ErrorCode::kNoHistory);
  EXPECT_EQ(refusal_of(HubError::kNoPresence).code, ErrorCode::kNoPresence);
}

TEST(NativeEncoder, SmallReplies) {
  expect_said([](Format format) { return encode_ok(format, 3); }, R"({"type":"ok","id":3})");
  expect_said([](Format format) { return encode_ok(format, 8, 1767229200000); },
              R"({"type":"ok","id":8,"expires":1767229200000})");
  expect_said([](Format format) { return encode_pong(format, 9, 17); },
              R"({"type":"pong","id":9,"time":17})");
  expect_said([](Format format) { return encode_result(format, 10, R"({"a":3})"); },
              R"({"type":"result","id":10,"data":{"a":3}})");
  expect_said(
      [](Format format) {
        return encode_published(format, kIdMax, {{kEpoch, UINT64_MAX}, false});
      },
      R"({"type":"published","id":9007199254740991,"epoch":"9f2c41d07be35a68",)"
      R"("offset":18446744073709551615})");
  expect_said([](Format format) { return encode_published(format, 4, {{5, 42}, true}); },
              R"({"type":"published","id":4,"epoch":"0000000000000005","offset":42,)"
              R"("duplicate":true})");
}

TEST(NativeEncoder, Subscribed) {
  Subscribed subscribed;
  subscribed.id = 2;
  subscribed.channel = "room:1";
  subscribed.joined = {.position = {kEpoch, 41}, .top = 43, .recoverable = true};
  const auto said = [&](Format format) { return encode(format, subscribed); };
  expect_said(said, R"({"type":"subscribed","id":2,"channel":"room:1","epoch":"9f2c41d07be35a68",)"
                    R"("offset":41,"top":43,"recoverable":true})");
  subscribed.id = 0;
  subscribed.since = true;
  subscribed.joined.recovered = true;
  expect_said(said, R"({"type":"subscribed","channel":"room:1","epoch":"9f2c41d07be35a68",)"
                    R"("offset":41,"top":43,"recoverable":true,"recovered":true})");
  subscribed.joined.recovered = false;
  subscribed.joined.gap = hub::Gap{3, 41, hub::Gap::Reason::kEvicted, {kEpoch, 41}};
  expect_said(said, R"({"type":"subscribed","channel":"room:1","epoch":"9f2c41d07be35a68",)"
                    R"("offset":41,"top":43,"recoverable":true,"recovered":false,)"
                    R"("gap":{"from":3,"to":41,"reason":"evicted"}})");
  subscribed.pattern = true;
  subscribed.channel = "room:*";
  expect_said(said, R"({"type":"subscribed","pattern":"room:*"})");
}

TEST(NativeEncoder, MessagesOfEveryKind) {
  auto json = publication(broker::PayloadKind::kJson, R"({"text":"hello"})");
  json.event = "chat";
  json.id = "m1";
  json.client_id = "c7Hq";
  json.user_id = "ann";
  json.tags = {{"a", "1"}, {"b", ""}};
  json.key = "not shown";
  expect_said([&](Format format) { return encode_message(format, json); },
              R"({"type":"message","channel":"room:1","offset":42,"time":1767225600123,)"
              R"("event":"chat","id":"m1","client":"c7Hq","user":"ann","tags":{"a":"1","b":""},)"
              R"("data":{"text":"hello"}})");
  const auto text = publication(broker::PayloadKind::kText, "a\"b");
  expect_said([&](Format format) { return encode_message(format, text); },
              R"({"type":"message","channel":"room:1","offset":42,"time":1767225600123,)"
              R"("text":"a\"b"})");
  const auto bytes = publication(broker::PayloadKind::kBinary, std::string_view("\0\xFF", 2));
  expect_said([&](Format format) { return encode_message(format, bytes); },
              R"({"type":"message","channel":"room:1","offset":42,"time":1767225600123,)"
              R"("binary":"AP8="})");
}

TEST(NativeEncoder, NeverTouchesTheBytesOfAJsonPayload) {
  const auto one = publication(broker::PayloadKind::kJson, "{ \"a\" : 1e400 }");
  EXPECT_EQ(encode_message(Format::kJson, one),
            R"({"type":"message","channel":"room:1","offset":42,"time":1767225600123,"data":)"
            "{ \"a\" : 1e400 }}");
  // A double cannot hold that number, so MessagePack's receivers get the text.
  EXPECT_EQ(shown(Format::kMsgpack, encode_message(Format::kMsgpack, one)),
            R"({"type":"message","channel":"room:1","offset":42,"time":1767225600123,)"
            R"("text":"{ \"a\" : 1e400 }","json":true})");
  EXPECT_EQ(shown(Format::kMsgpack, encode_result(Format::kMsgpack, 7, "[1e400]")),
            R"({"type":"result","id":7,"text":"[1e400]","json":true})");
}

TEST(NativeEncoder, SaysHowManyListen) {
  const hub::Occupancy occupancy{.subscribers = 5, .present = {.members = 3, .users = 2}};
  expect_said([&](Format format) { return encode_occupancy(format, 11, "c", occupancy, true); },
              R"({"type":"occupancy","id":11,"channel":"c","subscribers":5,"count":3,"users":2})");
  expect_said([&](Format format) { return encode_occupancy(format, 0, "c", occupancy, false); },
              R"({"type":"occupancy","channel":"c","subscribers":5})");
}

TEST(NativeEncoder, SaysWhoIsNotPresentAnyMore) {
  expect_said(
      [](Format format) { return encode_left(format, "c", {ErrorCode::kForbidden, "no"}); },
      R"({"type":"left","channel":"c","code":"forbidden","message":"no"})");
}

TEST(NativeEncoder, SendsMoreTagsThanASmallMapHolds) {
  auto one = publication(broker::PayloadKind::kText, "");
  std::string listed;
  for (int i = 0; i < 20; ++i) {
    one.tags.push_back({std::to_string(i), "v"});
    listed += (i ? ",\"" : "\"") + std::to_string(i) + "\":\"v\"";
  }
  expect_said([&](Format format) { return encode_message(format, one); },
              R"({"type":"message","channel":"room:1","offset":42,"time":1767225600123,"tags":{)" +
                  listed + R"(},"text":""})");
}

TEST(NativeEncoder, History) {
  broker::HistoryPage page;
  page.top = {kEpoch, 57};
  page.oldest = 8;
  page.more = true;
  expect_said([&](Format format) { return encode_history(format, 5, "room:1", page); },
              R"({"type":"history","id":5,"channel":"room:1","epoch":"9f2c41d07be35a68","top":57,)"
              R"("oldest":8,"more":true,"messages":[]})");
  for (const char* data : {"1", "[2]"}) {
    page.publications.push_back(std::make_shared<broker::Publication>(
        publication(broker::PayloadKind::kJson, data)));
  }
  expect_said([&](Format format) { return encode_history(format, 5, "room:1", page); },
              R"({"type":"history","id":5,"channel":"room:1","epoch":"9f2c41d07be35a68","top":57,)"
              R"("oldest":8,"more":true,"messages":[{"offset":42,"time":1767225600123,"data":1},)"
              R"({"offset":42,"time":1767225600123,"data":[2]}]})");
}

TEST(NativeEncoder, Members) {
  hub::PresencePage page;
  page.position = {5, 9};
  page.counts = {2, 1};
  page.members = {member("c1", "ann", R"({"n":1})"), member("c2")};
  expect_said([&](Format format) { return encode_members(format, 7, "c", page); },
              R"({"type":"members","id":7,"channel":"c","epoch":"0000000000000005","version":9,)"
              R"("count":2,"users":1,"more":false,"members":[{"client":"c1","user":"ann",)"
              R"("info":{"n":1}},{"client":"c2"}]})");
}

TEST(NativeEncoder, PresenceChanges) {
  using Reason = hub::PresenceDiff::Reason;
  hub::PresenceDiff diff;
  diff.epoch = 5;
  diff.version_from = 9;
  diff.version_to = 10;
  diff.counts = {4, 3};
  diff.leaves = {{member("c1", "ann", "1"), Reason::kLeft}, {member("c2"), Reason::kLost},
                 {member("c3"), Reason::kReplaced}};
  diff.joins = {{member("c4", "bob", "[]"), true}};
  diff.updates = {member("c5", "eve", "2")};
  expect_said([&](Format format) { return encode_presence(format, "c", diff); },
              R"({"type":"presence","channel":"c","epoch":"0000000000000005","from":9,)"
              R"("version":10,"count":4,"users":3,"leave":[)"
              R"({"client":"c1","user":"ann","reason":"left"},{"client":"c2","reason":"lost"},)"
              R"({"client":"c3","reason":"replaced"}],)"
              R"("join":[{"client":"c4","user":"bob","info":[]}],)"
              R"("update":[{"client":"c5","user":"eve","info":2}]})");
}

TEST(NativeEncoder, PresenceThatStandsAlone) {
  hub::PresenceDiff diff;
  diff.kind = hub::PresenceDiff::Kind::kCounts;
  diff.epoch = 5;
  diff.version_to = 10;
  diff.counts = {5000, 3};
  expect_said([&](Format format) { return encode_presence(format, "c", diff); },
              R"({"type":"presence","channel":"c","epoch":"0000000000000005","from":0,)"
              R"("version":10,"count":5000,"users":3,"partial":true})");
  diff.kind = hub::PresenceDiff::Kind::kAll;
  diff.counts = {1, 0};
  diff.joins = {{member("c4"), false}};
  expect_said([&](Format format) { return encode_presence(format, "c", diff); },
              R"({"type":"presence","channel":"c","epoch":"0000000000000005","from":0,)"
              R"("version":10,"count":1,"users":0,"all":true,"join":[{"client":"c4"}]})");
}

TEST(NativeEncoder, SmallPushes) {
  expect_said([](Format format) { return encode_advance(format, "c", 7); },
              R"({"type":"advance","channel":"c","offset":7})");
  expect_said([](Format format) { return encode_expiring(format, 7); },
              R"({"type":"expiring","expires":7})");
  const Refusal refusal{ErrorCode::kForbidden, "no longer"};
  expect_said([&](Format format) { return encode_unsubscribed(format, "c", false, refusal); },
              R"({"type":"unsubscribed","channel":"c","code":"forbidden","message":"no longer"})");
  expect_said([&](Format format) { return encode_unsubscribed(format, "c*", true, refusal); },
              R"({"type":"unsubscribed","pattern":"c*","code":"forbidden","message":"no longer"})");
}

TEST(NativeEncoder, GapsOfEveryReason) {
  using Reason = hub::Gap::Reason;
  const auto gap = [](Reason reason) {
    return [reason](Format format) {
      return encode_gap(format, "c", {3, 5, reason, {kEpoch, 5}});
    };
  };
  const std::string begin = R"({"type":"gap","channel":"c","from":3,"to":5,"reason":")";
  const std::string end = R"(","epoch":"9f2c41d07be35a68","offset":5})";
  expect_said(gap(Reason::kEvicted), begin + "evicted" + end);
  expect_said(gap(Reason::kNewEpoch), begin + "epoch" + end);
  expect_said(gap(Reason::kSlow), begin + "slow" + end);
}

TEST(NativeEncoder, FramesAreTextOrBinary) {
  ws::CompressionPool pool(3);
  const std::string message(300, 'm');
  EXPECT_THAT(ws::server_frames(as_text(frame(Format::kJson, "m")->bytes())),
              ElementsAre("text:m"));
  EXPECT_THAT(ws::server_frames(as_text(frame(Format::kMsgpack, "m")->bytes())),
              ElementsAre("binary:m"));
  EXPECT_THAT(
      ws::server_frames(as_text(compressed_frame(Format::kJson, message, pool)->bytes())),
      ElementsAre("ztext:" + ws::shown(message)));
  EXPECT_THAT(
      ws::server_frames(as_text(compressed_frame(Format::kMsgpack, message, pool)->bytes())),
      ElementsAre("zbinary:" + ws::shown(message)));
}

TEST(NativeEpoch, ReadsBackAsItWasWritten) {
  for (const std::uint64_t epoch : {std::uint64_t{0}, std::uint64_t{1}, kEpoch, UINT64_MAX}) {
    EXPECT_EQ(parse_epoch(epoch_text(epoch)), epoch);
    EXPECT_EQ(epoch_text(epoch).size(), 16u);
  }
}

TEST(NativeFilter, NeedsOneValueOfEachTagNamed) {
  const std::vector<broker::Tag> tags = {{"team", "red"}, {"kind", "goal"}};
  EXPECT_TRUE(Filter{}.matches(tags));
  EXPECT_TRUE((Filter{{{"team", {"blue", "red"}}}}.matches(tags)));
  EXPECT_TRUE((Filter{{{"team", {"red"}}, {"kind", {"goal"}}}}.matches(tags)));
  EXPECT_FALSE((Filter{{{"team", {"red"}}, {"kind", {"foul"}}}}.matches(tags)));
  EXPECT_FALSE((Filter{{{"team", {}}}}.matches(tags)));
  EXPECT_FALSE((Filter{{{"player", {"7"}}}}.matches(tags)));
  EXPECT_FALSE((Filter{{{"team", {"red"}}}}.matches({})));
}

}  // namespace
}  // namespace anywire::protocol::native
