// What answers are made of where there is little to say, or something odd; messages_test.cc and
// clients_test.cc see the rest of them from outside.
#include "protocol/api/answers.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json_reader.h"

namespace anywire::protocol::api {
namespace {

std::shared_ptr<broker::Publication> publication(broker::PayloadKind kind,
                                                 std::string_view payload) {
  auto one = std::make_shared<broker::Publication>();
  one->kind = kind;
  one->payload = Buffer::copy_of(as_bytes(payload));
  one->offset = 7;
  one->time_ms = 1'700'000'000'000;
  return one;
}

TEST(Answers, OfAPublicationAreItsPosition) {
  EXPECT_EQ(encode_published({.position = {.epoch = 0xABC, .offset = 3}, .duplicate = true}),
            R"({"epoch":"0000000000000abc","offset":3,"duplicate":true})");
}

TEST(Answers, OfSeveralPublicationsAreTheirResultsInOrder) {
  const std::array<Published, 3> results = {
      broker::PublishResult{.position = {.epoch = 1, .offset = 1}},
      std::unexpected(Problem{.code = Code::kTooLarge, .message = "no", .path = "/channels/1"}),
      broker::PublishResult{.position = {.epoch = UINT64_MAX, .offset = UINT64_MAX}},
  };
  EXPECT_EQ(encode_results(results),
            R"({"results":[{"epoch":"0000000000000001","offset":1,"duplicate":false},)"
            R"({"error":{"code":"too_large","message":"no","retry":false,"path":"/channels/1"}},)"
            R"({"epoch":"ffffffffffffffff","offset":18446744073709551615,"duplicate":false}]})");
  EXPECT_EQ(encode_results({}), R"({"results":[]})");
}

TEST(Answers, OfAHistoryWithoutMessagesSayWhereItEnds) {
  EXPECT_EQ(encode_history("news", {.publications = {},
                                    .top = {.epoch = 1, .offset = 9},
                                    .oldest = 10,
                                    .more = false}),
            R"({"channel":"news","epoch":"0000000000000001","top":9,"oldest":10,"more":false,)"
            R"("messages":[]})");
}

TEST(Answers, OfAHistoryHaveAllThatAMessageHas) {
  auto full = publication(broker::PayloadKind::kText, "say \"hi\"");
  full->event = "said";
  full->id = "m-1";
  full->client_id = "c1";
  full->user_id = "ann";
  full->tags = {{"mood", "calm"}, {"lang", "en"}};
  full->key = "k";
  full->extras = "x";
  const auto bare = publication(broker::PayloadKind::kJson, R"({"a":[1, 2]})");
  EXPECT_EQ(encode_history("a\"b", {.publications = {full, bare},
                                    .top = {.epoch = 1, .offset = 9},
                                    .oldest = 1,
                                    .more = true}),
            R"({"channel":"a\"b","epoch":"0000000000000001","top":9,"oldest":1,"more":true,)"
            R"("messages":[{"offset":7,"time":1700000000000,"event":"said","id":"m-1",)"
            R"("client":"c1","user":"ann","tags":{"mood":"calm","lang":"en"},)"
            R"("text":"say \"hi\""},{"offset":7,"time":1700000000000,"data":{"a":[1, 2]}}]})");
}

TEST(Answers, OfAHistoryHaveBytesAsBase64) {
  const auto page = [](std::string_view bytes) {
    broker::HistoryPage made;
    made.publications.push_back(publication(broker::PayloadKind::kBinary, bytes));
    return encode_history("a", made);
  };
  EXPECT_NE(page(std::string_view("\0\xff\xfe", 3)).find(R"("binary":"AP/+"})"), std::string::npos);
  EXPECT_NE(page("").find(R"("binary":""})"), std::string::npos);
}

TEST(Answers, OfCountsAndNothingElse) {
  EXPECT_EQ(encode_counts("news", {.subscribers = 3, .present = {.members = 2, .users = 1}}),
            R"({"channel":"news","subscribers":3,"count":2,"users":1})");
  EXPECT_EQ(encode_count("disconnected", 0), R"({"disconnected":0})");
  EXPECT_EQ(encode_presence("news", {}),
            R"({"channel":"news","epoch":"0000000000000000","version":0,"count":0,"users":0,)"
            R"("more":false,"members":[]})");
  EXPECT_EQ(encode_channels({}), R"({"channels":[],"more":false})");
}

TEST(Answers, OfConnectionsNameTheUserWhereThereIsOne) {
  const std::vector<ClientRecord> records = {
      {.client = "c1", .user = "ann", .address = "::1", .protocol = "raw", .since_ms = 5,
       .channels = {"a", "b\"c"}},
      {.client = "c2", .user = "", .address = "192.0.2.1", .protocol = "native", .since_ms = 6,
       .channels = {}},
  };
  EXPECT_EQ(encode_connections(records),
            R"({"connections":[{"client":"c1","user":"ann","address":"::1","since":5,)"
            R"("protocol":"raw","channels":["a","b\"c"]},{"client":"c2","address":"192.0.2.1",)"
            R"("since":6,"protocol":"native","channels":[]}]})");
}

TEST(Answers, OfTicketsAndCalls) {
  EXPECT_EQ(encode_ticket("abc", 1'700'000'030'000),
            R"({"ticket":"abc","expires":1700000030000})");
  EXPECT_EQ(encode_data(R"({"sum": 3})"), R"({"data":{"sum": 3}})");
  EXPECT_EQ(encode_data("null"), R"({"data":null})");
  EXPECT_EQ(encode_data(""), "{}") << "the client has sent nothing";
}

// Whatever is in a channel's or user's name, what comes out is JSON with the same text in it.
TEST(Answers, SurviveAnyText) {
  const std::string odd = "\"\\\n\x01</script>\xe2\x80\xa8 é";
  auto message = publication(broker::PayloadKind::kText, odd);
  message->event = odd;
  message->user_id = odd;
  message->tags = {{odd, odd}};
  broker::HistoryPage page;
  page.publications.push_back(message);
  const std::string text = encode_history(odd, page);
  codec::JsonReader reader;
  const auto read = reader.read(as_bytes(text));
  ASSERT_TRUE(read) << text;
  EXPECT_EQ(read->find("channel")->string(), odd);
  const codec::JsonValue one = *read->find("messages")->elements().begin();
  for (const char* name : {"event", "user", "text"}) EXPECT_EQ(one.find(name)->string(), odd);
  EXPECT_EQ(one.find("tags")->find(odd)->string(), odd);
}

}  // namespace
}  // namespace anywire::protocol::api
