#include "protocol/native/command_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/native/testing/client_codec.h"

namespace anywire::protocol::native {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Format kFormats[] = {Format::kJson, Format::kMsgpack};

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// "7 code: message" of a refused message, "7 ok" of a command.
std::string verdict(const Incoming& incoming) {
  const std::string id = std::to_string(incoming.id);
  if (incoming.command) return id + " ok";
  const Refusal& refusal = incoming.command.error();
  return id + " " + std::string(name(refusal.code).code) + ": " + refusal.message;
}

std::vector<std::string> verdicts(Format format, std::string_view frame) {
  CommandReader reader;
  if (const auto broken = reader.open(format, as_bytes(frame))) return {"broken: " + *broken};
  std::vector<std::string> all;
  while (const auto incoming = reader.next()) all.push_back(verdict(*incoming));
  return all;
}

// Reads one command, written as JSON, in either form.
template <typename T>
void expect_command(std::string_view json, std::uint64_t id, auto&& check) {
  for (const Format format : kFormats) {
    SCOPED_TRACE(format == Format::kJson ? "JSON" : "MessagePack");
    CommandReader reader;
    const std::string frame = to_frame(format, json);
    ASSERT_EQ(reader.open(format, as_bytes(frame)), std::nullopt) << json;
    const auto incoming = reader.next();
    ASSERT_TRUE(incoming.has_value());
    EXPECT_EQ(incoming->id, id);
    ASSERT_TRUE(incoming->command.has_value()) << incoming->command.error().message;
    const T* command = std::get_if<T>(&*incoming->command);
    ASSERT_NE(command, nullptr);
    check(*command);
    EXPECT_FALSE(reader.next().has_value());
  }
}

TEST(CommandReader, ReadsConnect) {
  expect_command<Connect>(R"({"type":"connect","id":1})", 1, [](const Connect& connect) {
    EXPECT_EQ(connect, Connect());
  });
  expect_command<Connect>(
      R"({"id":1,"token":"t.t.t","session":"s","agent":"app/1","type":"connect","new":[{}]})", 1,
      [](const Connect& connect) {
        EXPECT_EQ(connect, (Connect{.token = "t.t.t", .session = "s", .agent = "app/1"}));
      });
  expect_command<Connect>(R"({"type":"connect","id":1,"token":""})", 1, [](const Connect& connect) {
    EXPECT_EQ(connect.token, "") << "an empty token is one, and will be refused";
  });
}

TEST(CommandReader, ReadsAuth) {
  expect_command<Auth>(R"({"type":"auth","id":9007199254740991,"token":"t"})", kIdMax,
                       [](const Auth& auth) { EXPECT_EQ(auth.token, "t"); });
}

TEST(CommandReader, ReadsSubscribe) {
  expect_command<Subscribe>(R"({"type":"subscribe","id":2,"channel":"room:1"})", 2,
                            [](const Subscribe& subscribe) {
                              EXPECT_EQ(subscribe, Subscribe{.channel = "room:1"});
                            });
  expect_command<Subscribe>(
      R"({"type":"subscribe","id":2,"channel":"a b","presence":true,"own":false,
          "since":{"epoch":"9f2c41d07be35a68","offset":9007199254740991},
          "filter":{"team":["red","blue"],"kind":[]}})",
      2, [](const Subscribe& subscribe) {
        EXPECT_EQ(subscribe.channel, "a b");
        EXPECT_EQ(subscribe.since, (broker::Position{0x9f2c41d07be35a68, kIdMax}));
        EXPECT_TRUE(subscribe.presence);
        EXPECT_FALSE(subscribe.own);
        EXPECT_EQ(subscribe.filter,
                  (Filter{{{"team", {"red", "blue"}}, {"kind", {}}}}));
      });
  expect_command<Subscribe>(R"({"type":"subscribe","id":2,"channel":"c","rewind":99999999999})", 2,
                            [](const Subscribe& subscribe) {
                              EXPECT_EQ(subscribe.rewind, UINT32_MAX) << "all there is";
                            });
  expect_command<Subscribe>(
      R"({"type":"subscribe","id":2,"pattern":"room:*","own":false,"filter":{"a":["b"]}})", 2,
      [](const Subscribe& subscribe) {
        EXPECT_TRUE(subscribe.pattern);
        EXPECT_EQ(subscribe.channel, "room:*");
      });
}

TEST(CommandReader, ReadsWhatIsAskedAboutOccupancy) {
  expect_command<AskOccupancy>(
      R"({"type":"occupancy","id":2,"channel":"c"})", 2,
      [](const AskOccupancy& occupancy) { EXPECT_EQ(occupancy.channel, "c"); });
  expect_command<Subscribe>(
      R"({"type":"subscribe","id":2,"channel":"c","occupancy":true})", 2,
      [](const Subscribe& subscribe) { EXPECT_TRUE(subscribe.occupancy); });
}

TEST(CommandReader, ReadsTheEpochOfHistory) {
  expect_command<History>(
      R"({"type":"history","id":2,"channel":"c","epoch":"9f2c41d07be35a68"})", 2,
      [](const History& history) { EXPECT_EQ(history.epoch, 0x9f2c41d07be35a68); });
  expect_command<History>(R"({"type":"history","id":2,"channel":"c","epoch":"another"})", 2,
                          [](const History& history) { EXPECT_EQ(history.epoch, 0u); });
  expect_command<History>(R"({"type":"history","id":2,"channel":"c"})", 2,
                          [](const History& history) { EXPECT_FALSE(history.epoch); });
}

TEST(CommandReader, TakesAnEpochThatIsNotOursForAnotherOne) {
  for (const char* epoch : {"", "x", "9F2C41D07BE35A68", "9f2c41d07be35a6", "9f2c41d07be35a680"}) {
    expect_command<Subscribe>(
        R"({"type":"subscribe","id":2,"channel":"c","since":{"offset":3,"epoch":")" +
            std::string(epoch) + R"("}})",
        2, [](const Subscribe& subscribe) {
          EXPECT_EQ(subscribe.since, (broker::Position{0, 3}));
        });
  }
}

TEST(CommandReader, ReadsUnsubscribe) {
  expect_command<Unsubscribe>(R"({"type":"unsubscribe","id":3,"channel":"c"})", 3,
                              [](const Unsubscribe& unsubscribe) {
                                EXPECT_EQ(unsubscribe, (Unsubscribe{"c", false}));
                              });
  expect_command<Unsubscribe>(R"({"type":"unsubscribe","id":3,"pattern":"c*"})", 3,
                              [](const Unsubscribe& unsubscribe) {
                                EXPECT_EQ(unsubscribe, (Unsubscribe{"c*", true}));
                              });
}

TEST(CommandReader, ReadsPublishInEveryForm) {
  expect_command<Publish>(
      R"({"type":"publish","id":4,"channel":"c","data":{"a":[1,2.5,null,"x"]},"event":"chat",
          "messageId":"m1","conflationKey":"k","idempotencyKey":"i","tags":{"a":"1","b":""}})",
      4, [](const Publish& publish) {
        EXPECT_EQ(publish.payload,
                  (Payload{broker::PayloadKind::kJson, R"({"a":[1,2.5,null,"x"]})"}));
        EXPECT_EQ(publish.event, "chat");
        EXPECT_EQ(publish.message_id, "m1");
        EXPECT_EQ(publish.conflation_key, "k");
        EXPECT_EQ(publish.idempotency_key, "i");
        EXPECT_THAT(publish.tags, ElementsAre(broker::Tag{"a", "1"}, broker::Tag{"b", ""}));
      });
  expect_command<Publish>(R"({"type":"publish","channel":"c","text":""})", 0,
                          [](const Publish& publish) {
                            EXPECT_EQ(publish.payload, (Payload{broker::PayloadKind::kText, ""}));
                          });
  expect_command<Publish>(R"({"type":"publish","channel":"c","data":null})", 0,
                          [](const Publish& publish) {
                            EXPECT_EQ(publish.payload,
                                      (Payload{broker::PayloadKind::kJson, "null"}));
                          });
}

TEST(CommandReader, KeepsThePayloadOfJsonAsItWasSent) {
  const std::string frame =
      R"({"type":"publish","channel":"c","data": { "a" : 1e400, "é":"\u00e9"} })";
  CommandReader reader;
  ASSERT_FALSE(reader.open(Format::kJson, as_bytes(frame)));
  const auto incoming = reader.next();
  const auto& publish = std::get<Publish>(*incoming->command);
  EXPECT_EQ(publish.payload.bytes, R"({ "a" : 1e400, "é":"\u00e9"})");
  EXPECT_GE(publish.payload.bytes.data(), frame.data()) << "a slice of the frame";
  EXPECT_LE(publish.payload.bytes.data(), frame.data() + frame.size());
}

TEST(CommandReader, ReadsBytesAsBase64OrBin) {
  const std::string bytes("\0\xFF\x80", 3);
  for (const Format format : kFormats) {
    const Command sent = Publish{.channel = "c",
                                 .payload = {broker::PayloadKind::kBinary, bytes},
                                 .event = {},
                                 .message_id = {},
                                 .conflation_key = {},
                                 .idempotency_key = {},
                                 .tags = {}};
    const auto frame = CommandWriter(format).write(4, sent);
    CommandReader reader;
    ASSERT_FALSE(reader.open(format, as_bytes(*frame)));
    EXPECT_EQ(std::get<Publish>(*reader.next()->command), std::get<Publish>(sent));
  }
  EXPECT_THAT(verdicts(Format::kJson, R"({"type":"publish","channel":"c","binary":"AA"})"),
              ElementsAre(HasSubstr("\"binary\" must be bytes")));
  EXPECT_THAT(verdicts(Format::kMsgpack,
                       to_frame(Format::kMsgpack,
                                R"({"type":"publish","channel":"c","binary":"AAAA"})")),
              ElementsAre(HasSubstr("\"binary\" must be bytes")));
}

TEST(CommandReader, ReadsHistory) {
  expect_command<History>(R"({"type":"history","id":5,"channel":"c"})", 5, [](const History& all) {
    EXPECT_EQ(all.query.order, broker::HistoryQuery::Order::kForward);
    EXPECT_EQ(all.query.limit, 100u);
    EXPECT_EQ(all.query.after, std::nullopt);
  });
  expect_command<History>(
      R"({"type":"history","id":5,"channel":"c","order":"backward","after":1,"before":9,"from":2,
          "to":3,"limit":1000})",
      5, [](const History& part) {
        EXPECT_EQ(part.query.order, broker::HistoryQuery::Order::kBackward);
        EXPECT_EQ(part.query.after, 1u);
        EXPECT_EQ(part.query.before, 9u);
        EXPECT_EQ(part.query.from_ms, 2u);
        EXPECT_EQ(part.query.to_ms, 3u);
        EXPECT_EQ(part.query.limit, 1000u);
      });
}

TEST(CommandReader, ReadsPresence) {
  expect_command<Enter>(R"({"type":"enter","id":6,"channel":"c"})", 6,
                        [](const Enter& enter) { EXPECT_EQ(enter.info, std::nullopt); });
  expect_command<Enter>(R"({"type":"enter","id":6,"channel":"c","info":{"n":"Ann"}})", 6,
                        [](const Enter& enter) { EXPECT_EQ(enter.info, R"({"n":"Ann"})"); });
  expect_command<Leave>(R"({"type":"leave","id":6,"channel":"c"})", 6,
                        [](const Leave& leave) { EXPECT_EQ(leave.channel, "c"); });
  expect_command<Members>(R"({"type":"members","id":7,"channel":"c","after":"x","limit":1})", 7,
                          [](const Members& members) {
                            EXPECT_EQ(members, (Members{"c", "x", 1}));
                          });
}

TEST(CommandReader, ReadsPingAndRpc) {
  expect_command<Ping>(R"({"type":"ping","id":9})", 9, [](const Ping&) {});
  expect_command<Rpc>(R"({"type":"rpc","id":10,"method":"sum","data":[1,2]})", 10,
                      [](const Rpc& rpc) { EXPECT_EQ(rpc, (Rpc{"sum", "[1,2]"})); });
}

struct Refused {
  std::string json;
  std::string verdict;
};

std::string named(std::size_t bytes) { return std::string(bytes, 'n'); }

const std::vector<Refused>& refused() {
  static const std::vector<Refused> all = {
      {"1", "0 bad_message: a message is an object"},
      {"null", "0 bad_message: a message is an object"},
      {R"("ping")", "0 bad_message: a message is an object"},
      {"{}", R"(0 bad_message: "type" is missing)"},
      {R"({"id":7})", R"(7 bad_message: "type" is missing)"},
      {R"({"type":5,"id":7})", R"(7 bad_message: "type" must be a string)"},
      {R"({"type":"fly","id":7})", R"(7 unknown_type: there is no command "fly")"},
      {R"({"type":"connected","id":7})", R"(7 unknown_type: there is no command "connected")"},
      {R"({"type":"","id":7})", R"(7 unknown_type: there is no command "")"},
      {R"({"type":"ping"})",
       R"(0 bad_message: "id" must be a whole number from 1 to 9007199254740991)"},
      {R"({"type":"ping","id":0})",
       R"(0 bad_message: "id" must be a whole number from 1 to 9007199254740991)"},
      {R"({"type":"ping","id":9007199254740992})",
       R"(0 bad_message: "id" must be a whole number from 1 to 9007199254740991)"},
      {R"({"type":"ping","id":-1})",
       R"(0 bad_message: "id" must be a whole number from 1 to 9007199254740991)"},
      {R"({"type":"ping","id":1.5})",
       R"(0 bad_message: "id" must be a whole number from 1 to 9007199254740991)"},
      {R"({"type":"ping","id":"1"})",
       R"(0 bad_message: "id" must be a whole number from 1 to 9007199254740991)"},
      {R"({"type":"ping","id":null})",
       R"(0 bad_message: "id" must be a whole number from 1 to 9007199254740991)"},
      {R"({"type":"connect","id":1,"token":null})", R"(1 bad_message: "token" must be a string)"},
      {R"({"type":"connect","id":1,"session":[]})", R"(1 bad_message: "session" must be a string)"},
      {R"({"type":"connect","id":1,"agent":")" + named(129) + "\"}",
       R"(1 too_large: "agent" has at most 128 bytes)"},
      {R"({"type":"auth","id":1})", R"(1 bad_message: "token" is missing)"},
      {R"({"type":"subscribe","id":1})", R"(1 bad_message: "channel" is missing)"},
      {R"({"type":"subscribe","id":1,"channel":7})",
       R"(1 bad_message: "channel" must be a string)"},
      {R"({"type":"subscribe","id":1,"channel":""})",
       "1 bad_channel: a channel's name has 1 to 255 bytes and no control characters"},
      {R"({"type":"subscribe","id":1,"channel":"a\u0000b"})",
       "1 bad_channel: a channel's name has 1 to 255 bytes and no control characters"},
      {R"({"type":"subscribe","id":1,"channel":"a\u007F"})",
       "1 bad_channel: a channel's name has 1 to 255 bytes and no control characters"},
      {R"({"type":"subscribe","id":1,"channel":")" + named(256) + "\"}",
       "1 bad_channel: a channel's name has 1 to 255 bytes and no control characters"},
      {R"({"type":"subscribe","id":1,"pattern":""})",
       "1 bad_channel: a pattern has 1 to 255 bytes and no control characters"},
      {R"({"type":"subscribe","id":1,"pattern":"a\n"})",
       "1 bad_channel: a pattern has 1 to 255 bytes and no control characters"},
      {R"({"type":"subscribe","id":1,"pattern":"a","channel":"a"})",
       R"(1 bad_message: either "channel" or "pattern", not both)"},
      {R"({"type":"subscribe","id":1,"pattern":"a","presence":true})",
       R"(1 bad_message: a pattern has neither "since" nor "rewind", "presence" or "occupancy")"},
      {R"({"type":"subscribe","id":1,"pattern":"a","occupancy":true})",
       R"(1 bad_message: a pattern has neither "since" nor "rewind", "presence" or "occupancy")"},
      {R"({"type":"subscribe","id":1,"channel":"c","occupancy":"yes"})",
       R"(1 bad_message: "occupancy" must be true or false)"},
      {R"({"type":"subscribe","id":1,"channel":"c","delta":"xd3"})",
       R"(1 bad_message: "delta" must be true or false)"},
      {R"({"type":"occupancy","id":1})", R"(1 bad_message: "channel" is missing)"},
      {R"({"type":"history","id":5,"channel":"c","epoch":7})",
       R"(5 bad_message: "epoch" must be a string)"},
      {R"({"type":"subscribe","id":1,"pattern":"a","rewind":0})",
       R"(1 bad_message: a pattern has neither "since" nor "rewind", "presence" or "occupancy")"},
      {R"({"type":"subscribe","id":1,"pattern":"a","since":{"epoch":"","offset":0}})",
       R"(1 bad_message: a pattern has neither "since" nor "rewind", "presence" or "occupancy")"},
      {R"({"type":"subscribe","id":1,"channel":"c","since":{"epoch":"","offset":0},"rewind":1})",
       R"(1 bad_message: "rewind" is for subscriptions without "since")"},
      {R"({"type":"subscribe","id":1,"channel":"c","since":5})",
       R"(1 bad_message: "since" must have an "epoch", a string, and an "offset", a whole number)"},
      {R"({"type":"subscribe","id":1,"channel":"c","since":{"epoch":"a"}})",
       R"(1 bad_message: "since" must have an "epoch", a string, and an "offset", a whole number)"},
      {R"({"type":"subscribe","id":1,"channel":"c",)"
       R"("since":{"epoch":"a","offset":9007199254740992}})",
       R"(1 bad_message: the "offset" is at most 9007199254740991)"},
      {R"({"type":"subscribe","id":1,"channel":"c","since":{"epoch":1,"offset":1}})",
       R"(1 bad_message: "since" must have an "epoch", a string, and an "offset", a whole number)"},
      {R"({"type":"subscribe","id":1,"channel":"c","rewind":-1})",
       R"(1 bad_message: "rewind" must be a whole number from 0 up)"},
      {R"({"type":"subscribe","id":1,"channel":"c","presence":1})",
       R"(1 bad_message: "presence" must be true or false)"},
      {R"({"type":"subscribe","id":1,"channel":"c","own":"no"})",
       R"(1 bad_message: "own" must be true or false)"},
      {R"({"type":"subscribe","id":1,"channel":"c","filter":[]})",
       R"(1 bad_message: "filter" must be an object of arrays of strings)"},
      {R"({"type":"subscribe","id":1,"channel":"c","filter":{"a":"b"}})",
       R"(1 bad_message: "filter" must be an object of arrays of strings)"},
      {R"({"type":"subscribe","id":1,"channel":"c","filter":{"a":[1]}})",
       R"(1 bad_message: "filter" must be an object of arrays of strings)"},
      {R"({"type":"subscribe","id":1,"channel":"c","filter":{")" + named(65) + R"(":[]}})",
       "1 too_large: a filter has at most 16 tags, of 64 bytes each"},
      {R"({"type":"subscribe","id":1,"channel":"c","filter":{"a":[")" + named(257) + R"("]}})",
       "1 too_large: a filter has at most 32 values for a tag, of 256 bytes each"},
      {R"({"type":"subscribe","id":1,"channel":"c","filter":{"a":[)" + repeat("\"\",", 32) +
           R"("x"]}})",
       "1 too_large: a filter has at most 32 values for a tag, of 256 bytes each"},
      {R"({"type":"unsubscribe","id":1})", R"(1 bad_message: "channel" is missing)"},
      {R"({"type":"publish","id":4,"channel":"c"})",
       R"(4 bad_message: exactly one of "data", "text" and "binary" is needed)"},
      {R"({"type":"publish","id":4,"channel":"c","data":1,"text":""})",
       R"(4 bad_message: exactly one of "data", "text" and "binary" is needed)"},
      {R"({"type":"publish","channel":"c","text":1})", R"(0 bad_message: "text" must be a string)"},
      {R"({"type":"publish","id":"x","channel":"c","text":"t"})",
       R"(0 bad_message: "id" must be a whole number from 1 to 9007199254740991)"},
      {R"({"type":"publish","id":4,"channel":"c","text":"t","event":")" + named(256) + "\"}",
       R"(4 too_large: "event" has at most 255 bytes)"},
      {R"({"type":"publish","id":4,"channel":"c","text":"t","messageId":")" + named(129) + "\"}",
       R"(4 too_large: "messageId" has at most 128 bytes)"},
      {R"({"type":"publish","id":4,"channel":"c","text":"t","idempotencyKey":")" + named(65) +
           "\"}",
       R"(4 too_large: "idempotencyKey" has at most 64 bytes)"},
      {R"({"type":"publish","id":4,"channel":"c","text":"t","conflationKey":")" + named(129) +
           "\"}",
       R"(4 too_large: "conflationKey" has at most 128 bytes)"},
      {R"({"type":"publish","id":4,"channel":"c","text":"t","tags":["a"]})",
       R"(4 bad_message: "tags" must be an object of strings)"},
      {R"({"type":"publish","id":4,"channel":"c","text":"t","tags":{"a":1}})",
       R"(4 bad_message: "tags" must be an object of strings)"},
      {R"({"type":"publish","id":4,"channel":"c","text":"t","tags":{")" + named(65) + R"(":""}})",
       "4 too_large: a message has at most 16 tags, with 64 bytes for the name and 256 for the "
       "value"},
      {R"({"type":"publish","id":4,"channel":"c","text":"t","tags":{"a":")" + named(257) + R"("}})",
       "4 too_large: a message has at most 16 tags, with 64 bytes for the name and 256 for the "
       "value"},
      {R"({"type":"history","id":5})", R"(5 bad_message: "channel" is missing)"},
      {R"({"type":"history","id":5,"channel":"c","order":"sideways"})",
       R"(5 bad_message: "order" is "forward" or "backward")"},
      {R"({"type":"history","id":5,"channel":"c","order":""})",
       R"(5 bad_message: "order" is "forward" or "backward")"},
      {R"({"type":"history","id":5,"channel":"c","limit":0})",
       R"(5 bad_message: "limit" is 1 to 1000)"},
      {R"({"type":"history","id":5,"channel":"c","limit":1001})",
       R"(5 bad_message: "limit" is 1 to 1000)"},
      {R"({"type":"history","id":5,"channel":"c","after":"x"})",
       R"(5 bad_message: "after" must be a whole number from 0 up)"},
      {R"({"type":"history","id":5,"channel":"c","after":9007199254740992})",
       R"(5 bad_message: "after" must be at most 9007199254740991)"},
      {R"({"type":"history","id":5,"channel":"c","before":18446744073709551615})",
       R"(5 bad_message: "before" must be at most 9007199254740991)"},
      {R"({"type":"history","id":5,"channel":"c","to":-5})",
       R"(5 bad_message: "to" must be a whole number from 0 up)"},
      {R"({"type":"enter","id":6,"channel":"c","info":")" + named(4095) + "\"}",
       R"(6 too_large: "info" has at most 4096 bytes)"},
      {R"({"type":"leave","id":6,"channel":false})",
       R"(6 bad_message: "channel" must be a string)"},
      {R"({"type":"members","id":7,"channel":"c","after":1})",
       R"(7 bad_message: "after" must be a string)"},
      {R"({"type":"rpc","id":8})", R"(8 bad_message: "method" is missing)"},
      {R"({"type":"rpc","id":8,"method":")" + named(256) + "\"}",
       R"(8 too_large: "method" has at most 255 bytes)"},
  };
  return all;
}

TEST(CommandReader, SaysWhatIsWrongInBothForms) {
  for (const Refused& one : refused()) {
    for (const Format format : kFormats) {
      EXPECT_THAT(verdicts(format, to_frame(format, one.json)), ElementsAre(one.verdict))
          << one.json;
    }
  }
}

TEST(CommandReader, RefusesTooManyTags) {
  std::string tags;
  for (int i = 0; i < 17; ++i) tags += (i ? ",\"" : "\"") + std::to_string(i) + R"(":"")";
  const std::string publish = R"({"type":"publish","id":4,"channel":"c","text":"","tags":{)";
  const std::string subscribe = R"({"type":"subscribe","id":4,"channel":"c","filter":{)";
  std::string rules = tags;
  for (std::size_t at; (at = rules.find(":\"\"")) != rules.npos;) rules.replace(at, 3, ":[]");
  for (const Format format : kFormats) {
    EXPECT_THAT(verdicts(format, to_frame(format, publish + tags + "}}")),
                ElementsAre(HasSubstr("4 too_large: a message has at most 16 tags")));
    EXPECT_THAT(verdicts(format, to_frame(format, subscribe + rules + "}}")),
                ElementsAre(HasSubstr("4 too_large: a filter has at most 16 tags")));
  }
}

TEST(CommandReader, NamesTheChannelOfWhatItRefuses) {
  CommandReader reader;
  const std::string frame = R"([{"type":"publish","channel":"c"},{"type":"publish","channel":""}])";
  ASSERT_FALSE(reader.open(Format::kJson, as_bytes(frame)));
  EXPECT_EQ(reader.next()->channel, "c");
  EXPECT_EQ(reader.next()->channel, "");
}

TEST(CommandReader, CutsLongNamesInItsAnswer) {
  const std::string longest = repeat("é", 200);
  const auto all = verdicts(Format::kJson, R"({"id":1,"type":")" + longest + "\"}");
  EXPECT_THAT(all, ElementsAre("1 unknown_type: there is no command \"" + repeat("é", 32) + "\""));
}

TEST(CommandReader, LetsNoMessageHarmItsNeighbours) {
  const std::string json = R"([{"type":"ping","id":1},5,{"type":"fly","id":2},[],{"id":3},
      {"type":"publish","channel":"","text":"x"},{"type":"ping","id":4}])";
  for (const Format format : kFormats) {
    EXPECT_THAT(verdicts(format, to_frame(format, json)),
                ElementsAre("1 ok", HasSubstr("0 bad_message"), HasSubstr("2 unknown_type"),
                            HasSubstr("0 bad_message"), HasSubstr("3 bad_message"),
                            HasSubstr("0 bad_channel"), "4 ok"));
  }
}

TEST(CommandReader, ReadsAFrameWithoutMessages) {
  for (const Format format : kFormats) {
    EXPECT_THAT(verdicts(format, to_frame(format, "[]")), IsEmpty());
  }
}

TEST(CommandReader, TakesSoManyMessagesAndNoMore) {
  const std::string ping = R"({"type":"ping","id":1})";
  for (const Format format : kFormats) {
    EXPECT_EQ(verdicts(format, to_frame(format, "[" + repeat(ping + ",", 127) + ping + "]")).size(),
              128u);
    EXPECT_THAT(verdicts(format, to_frame(format, "[" + repeat(ping + ",", 128) + ping + "]")),
                ElementsAre("broken: a frame has at most 128 messages"));
  }
}

TEST(CommandReader, CallsBytesThatAreNoValueABreak) {
  for (const std::string_view frame :
       {"", " ", "{", "{}{}", "{\"a\":1,\"a\":2}", "\xFF", "[1,]", "nul", "{\"a\":\"\xC3\"}"}) {
    EXPECT_THAT(verdicts(Format::kJson, frame), ElementsAre(HasSubstr("broken: not JSON: ")))
        << frame;
  }
  EXPECT_THAT(verdicts(Format::kJson, repeat("[", 65) + repeat("]", 65)),
              ElementsAre(HasSubstr("nested too deeply")));
  const std::string deep(65, '\x91');
  for (const std::string& frame :
       {std::string(), std::string("\xC1"), std::string("\x81"), std::string("\x80\x80"),
        std::string("\xA2\xC3\x28"), std::string("\xDF\xFF\xFF\xFF\xFF"), deep + "\x90"}) {
    EXPECT_THAT(verdicts(Format::kMsgpack, frame),
                ElementsAre(HasSubstr("broken: not MessagePack")));
  }
}

TEST(CommandReader, RefusesWhatOnlyMessagePackCanSay) {
  const auto in_publish = [](std::string_view value) {
    std::string frame;
    codec::MsgpackWriter out(frame);
    out.begin_map(4).string("type").string("publish").string("id").u64(4);
    out.string("channel").string("c").string("data").raw(as_bytes(value));
    return verdicts(Format::kMsgpack, frame);
  };
  const std::string complaint =
      R"(4 bad_message: "data" must be a value that JSON can express)";
  EXPECT_THAT(in_publish("\x01"), ElementsAre("4 ok"));
  EXPECT_THAT(in_publish("\xC4\x01x"), ElementsAre(complaint)) << "bin";
  EXPECT_THAT(in_publish(std::string("\xCA\x7F\xC0\x00\x00", 5)), ElementsAre(complaint)) << "NaN";
  EXPECT_THAT(in_publish("\x81\x01\x02"), ElementsAre(complaint)) << "a key that is no string";
  EXPECT_THAT(in_publish("\x82\xA1x\x01\xA1x\x02"), ElementsAre(complaint)) << "a key twice";
  EXPECT_THAT(in_publish("\xD4\x05\x00"), ElementsAre(HasSubstr("broken"))) << "cut short";
}

TEST(CommandReader, RefusesMembersThatMessagePackRepeatsOrNamesStrangely) {
  std::string frame;
  codec::MsgpackWriter(frame).begin_map(3).string("type").string("ping").string("id").u64(1)
      .string("id").u64(2);
  EXPECT_THAT(verdicts(Format::kMsgpack, frame),
              ElementsAre(R"(0 bad_message: "id" is there twice)"));
  frame.clear();
  codec::MsgpackWriter(frame).begin_map(2).string("type").string("ping").u64(1).u64(2);
  EXPECT_THAT(verdicts(Format::kMsgpack, frame),
              ElementsAre("0 bad_message: the names of members are strings"));
  frame.clear();
  codec::MsgpackWriter(frame).begin_map(4).string("type").string("publish").string("channel")
      .string("c").string("text").string("").string("tags").begin_map(2).string("a").string("1")
      .string("a").string("2");
  EXPECT_THAT(verdicts(Format::kMsgpack, frame),
              ElementsAre("0 bad_message: a tag is there twice"));
}

TEST(CommandReader, RefusesInfoThatNotEverybodyCouldRead) {
  EXPECT_THAT(verdicts(Format::kJson, R"({"type":"enter","id":1,"channel":"c","info":1e400})"),
              ElementsAre(R"(1 bad_message: "info" has a number out of range)"));
}

// Whatever a command is cut down to is a break, or for MessagePack's concatenation never a command.
TEST(CommandReader, SurvivesEveryTruncation) {
  const std::string json =
      R"([{"type":"publish","id":4,"channel":"c","data":{"a":[1,"é",true]},"tags":{"t":"v"}},
         {"type":"subscribe","id":5,"channel":"c","since":{"epoch":"00","offset":1},
          "filter":{"a":["b"]}}])";
  for (const Format format : kFormats) {
    const std::string whole = to_frame(format, json);
    EXPECT_THAT(verdicts(format, whole), ElementsAre("4 ok", "5 ok"));
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
      EXPECT_THAT(verdicts(format, whole.substr(0, bytes)), ElementsAre(HasSubstr("broken")))
          << bytes;
    }
  }
}

TEST(CommandReader, MayBeOpenedAnewBeforeAFrameIsReadToItsEnd) {
  CommandReader reader;
  const std::string two = R"([{"type":"ping","id":1},{"type":"ping","id":2}])";
  ASSERT_FALSE(reader.open(Format::kJson, as_bytes(two)));
  EXPECT_EQ(reader.next()->id, 1u);
  const std::string one = to_frame(Format::kMsgpack, R"({"type":"ping","id":3})");
  ASSERT_FALSE(reader.open(Format::kMsgpack, as_bytes(one)));
  EXPECT_EQ(reader.next()->id, 3u);
  EXPECT_FALSE(reader.next());
  ASSERT_TRUE(reader.open(Format::kJson, as_bytes("?")));
  EXPECT_FALSE(reader.next());
}

}  // namespace
}  // namespace anywire::protocol::native
