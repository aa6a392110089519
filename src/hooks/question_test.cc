#include "hooks/question.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "codec/json_reader.h"

namespace anywire::hooks {
namespace {

using broker::PayloadKind;
using protocol::AppClient;

AppClient ann() {
  return {.id = "c1",
          .user = "ann",
          .info = R"({"n":1})",
          .protocol = "native",
          .address = "192.0.2.1",
          .origin = "https://app.example"};
}

constexpr std::string_view kAnn =
    R"("client":{"id":"c1","user":"ann","info":{"n":1},"protocol":"native",)"
    R"("address":"192.0.2.1","origin":"https://app.example"})";

std::string about_ann(std::string_view type, std::string_view rest) {
  return R"({"type":")" + std::string(type) + R"(","id":"d-1",)" + std::string(kAnn) +
         std::string(rest) + "}";
}

broker::Draft draft(PayloadKind kind, std::string_view payload) {
  broker::Draft draft;
  draft.kind = kind;
  draft.payload = Buffer::copy_of(as_bytes(payload));
  return draft;
}

std::string published(const broker::Draft& draft) {
  return encode("d-1", protocol::PublishQuestion{.client = ann(), .channel = "room",
                                                 .draft = draft});
}

TEST(Question, OfAConnectionHasTheToken) {
  EXPECT_EQ(encode("d-1", protocol::ConnectQuestion{.client = ann(), .token = "a.b.c"}),
            about_ann("connect", R"(,"token":"a.b.c")"));
}

TEST(Question, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(encode("d-1", protocol::ConnectQuestion{.client = {}, .token = {}}),
            R"({"type":"connect","id":"d-1","client":{}})");
  EXPECT_EQ(encode("d-1", protocol::ConnectQuestion{.client = {.protocol = "raw"}, .token = {}}),
            R"({"type":"connect","id":"d-1","client":{"protocol":"raw"}})");
}

TEST(Question, OfASubscriptionHasTheChannel) {
  EXPECT_EQ(encode("d-1", protocol::SubscribeQuestion{.client = ann(), .channel = "room:1"}),
            about_ann("subscribe", R"(,"channel":"room:1")"));
}

TEST(Question, OfACallHasMethodAndArgument) {
  EXPECT_EQ(encode("d-1", protocol::RpcQuestion{.client = ann(), .method = "sum",
                                                .data = "[1,2]"}),
            about_ann("rpc", R"(,"method":"sum","data":[1,2])"));
  EXPECT_EQ(encode("d-1", protocol::RpcQuestion{.client = ann(), .method = "now", .data = {}}),
            about_ann("rpc", R"(,"method":"now")"));
}

TEST(Question, OfAMessageHasItsDataByKind) {
  EXPECT_EQ(published(draft(PayloadKind::kJson, R"({"a":[1,null]})")),
            about_ann("publish", R"(,"channel":"room","data":{"a":[1,null]})"));
  EXPECT_EQ(published(draft(PayloadKind::kText, "say \"hi\"\n")),
            about_ann("publish", R"(,"channel":"room","text":"say \"hi\"\n")"));
  EXPECT_EQ(published(draft(PayloadKind::kBinary, std::string_view("\0\1\xff", 3))),
            about_ann("publish", R"(,"channel":"room","binary":"AAH/")"));
}

TEST(Question, OfAnEmptyMessageSaysSo) {
  EXPECT_EQ(published(draft(PayloadKind::kText, "")),
            about_ann("publish", R"(,"channel":"room","text":"")"));
  EXPECT_EQ(published(draft(PayloadKind::kBinary, "")),
            about_ann("publish", R"(,"channel":"room","binary":"")"));
  broker::Draft without;
  without.kind = PayloadKind::kText;
  EXPECT_EQ(published(without), about_ann("publish", R"(,"channel":"room","text":"")"));
}

TEST(Question, OfAMessageHasEventAndTags) {
  broker::Draft message = draft(PayloadKind::kJson, "1");
  message.event = "goal";
  message.tags = {{"team", "red"}, {"half", "2"}};
  EXPECT_EQ(published(message),
            about_ann("publish", R"(,"channel":"room","event":"goal","data":1,)"
                                 R"("tags":{"team":"red","half":"2"})"));
}

// What only the server is to know, or what says the same as `client`.
TEST(Question, OfAMessageHasNothingElse) {
  broker::Draft message = draft(PayloadKind::kJson, "1");
  message.id = "m-1";
  message.key = "k";
  message.extras = "x";
  message.client_id = "c1";
  message.user_id = "ann";
  EXPECT_EQ(published(message), about_ann("publish", R"(,"channel":"room","data":1)"));
}

// Whatever a client calls itself or a channel, the application's parser sees one object of these
// members.
TEST(Question, NoTextBreaksOutOfItsMember) {
  const std::string odd = "\"},\"allow\":true,\"\\\x01\xe2\x80\xa8</script>";
  broker::Draft message = draft(PayloadKind::kText, odd);
  message.event = odd;
  message.tags = {{odd, odd}};
  const std::string body = encode(
      "d-1", protocol::PublishQuestion{.client = {.id = odd, .user = odd, .origin = odd},
                                       .channel = odd,
                                       .draft = message});
  codec::JsonReader reader;
  const auto read = reader.read(as_bytes(body));
  ASSERT_TRUE(read) << body;
  EXPECT_EQ(read->size(), 7u);
  EXPECT_FALSE(read->find("allow"));
  for (const char* name : {"channel", "event", "text"}) {
    EXPECT_EQ(read->find(name)->string(), odd) << name;
  }
  EXPECT_EQ(read->find("client")->find("user")->string(), odd);
  EXPECT_EQ(read->find("tags")->find(odd)->string(), odd);
}

TEST(Events, AreToldInOneBodyWithWhatEachHas) {
  const std::vector<Event> events = {
      {.type = Event::Type::kOccupied, .channel = "room", .time_ms = 1},
      {.type = Event::Type::kJoin, .channel = "room", .client = "c1", .user = "ann", .time_ms = 2},
      {.type = Event::Type::kLeave, .channel = "room", .client = "c1", .time_ms = 3},
      {.type = Event::Type::kVacated, .channel = "room", .time_ms = 4},
      {.type = Event::Type::kDisconnected, .client = "c1", .user = "ann", .time_ms = 5},
  };
  EXPECT_EQ(encode("d-1", events, 7),
            R"({"type":"events","id":"d-1","events":[)"
            R"({"type":"occupied","channel":"room","time":1},)"
            R"({"type":"join","channel":"room","client":"c1","user":"ann","time":2},)"
            R"({"type":"leave","channel":"room","client":"c1","time":3},)"
            R"({"type":"vacated","channel":"room","time":4},)"
            R"({"type":"disconnected","client":"c1","user":"ann","time":5}],"lost":7})");
  EXPECT_EQ(encode("d-2", std::span<const Event>(), 0),
            R"({"type":"events","id":"d-2","events":[],"lost":0})");
}

}  // namespace
}  // namespace anywire::hooks
