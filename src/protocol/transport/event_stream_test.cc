// Server-Sent Events, section 9 of docs/protocol.md.
#include "protocol/transport/event_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "protocol/transport/event_frame.h"
#include "protocol/transport/testing/http_world.h"

namespace anywire::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EventStreamTest : public ::testing::Test {
 protected:
  // A client with a stream on loop 0; what opened it is read already.
  Client& open() {
    Client& client = world.connect(0).ask("GET", "/sse");
    world.run();
    id = stream_in(client.wire.sent);
    client.events();
    return client;
  }
  // What a POST to send is answered, on another connection of that loop.
  std::string send(std::string_view messages, std::uint32_t loop = 0) {
    Client& client = world.connect(loop);
    client.post("/send", message(messages));
    world.run();
    return client.answer();
  }
  std::string message(std::string_view messages) const {
    return R"({"stream":")" + id + R"(","messages":)" + std::string(messages) + "}";
  }

  HttpWorld world{{.high_watermark_bytes = 1'000, .queue_bytes_max = 5'000}};
  std::string id;
};

TEST_F(EventStreamTest, BeginsWithTheNameOfTheStream) {
  world.origin = "*";
  Client& client = world.connect(0).ask("GET", "/sse", {}, "Authorization:  Bearer t\r\n");
  world.run();
  const std::string head = client.wire.sent.substr(0, client.wire.sent.find("\r\n\r\n") + 2);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, HasSubstr("Cache-Control: no-cache, no-transform\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Accel-Buffering: no\r\n"));
  EXPECT_THAT(head, HasSubstr("Access-Control-Allow-Origin: *\r\n"));
  const std::string stream = stream_in(client.wire.sent);
  EXPECT_EQ(client.events(), "event: open\ndata: {\"stream\":\"" + stream + "\"}\n\n");
  EXPECT_TRUE(parse_stream_id(stream));
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sseBearer t"));
}

TEST_F(EventStreamTest, SaysNothingBeforeTheSessionOpens) {
  world.manners.open_at_once = false;
  Client& client = world.connect(0).ask("GET", "/sse");
  world.run();
  world.talk(0).transport->send_text("[1]");
  world.run();
  EXPECT_EQ(client.wire.sent, "");
  world.talk(0).transport->open();
  world.talk(0).transport->open();
  world.talk(0).transport->send_text("[2]");
  world.run();
  EXPECT_EQ(stream_in(client.wire.sent).size(), 38u);
  EXPECT_TRUE(client.events().ends_with("\n\ndata: [2]\n\n"));
}

TEST_F(EventStreamTest, SendsEachMessageAsAnEvent) {
  Client& client = open();
  Transport& transport = *world.talk(0).transport;
  transport.send_text(R"({"a":1})");
  transport.send(true, Buffer::copy_of(as_bytes("[\n2]")));
  ASSERT_EQ(transport.encoding(10), Transport::Encoding::kEvent);
  transport.send_frame(encode_event("3"));
  world.run();
  EXPECT_EQ(client.events(), "data: {\"a\":1}\n\ndata: [ 2]\n\ndata: 3\n\n");
}

TEST_F(EventStreamTest, SharesFramesBetweenReceivers) {
  Client& a = open();
  Client& b = open();
  const BufferRef frame = encode_event(std::string(300, '1'));
  const int before = a.wire.shared_writes + b.wire.shared_writes;
  for (const auto& talk : world.talks) talk->transport->send_frame(frame);
  EXPECT_EQ(a.wire.shared_writes + b.wire.shared_writes, before + 2);
  world.run();
  EXPECT_EQ(a.events(), b.events());
}

TEST_F(EventStreamTest, CarriesOnlyText) {
  Client& client = open();
  world.talk(0).transport->send_binary(as_bytes("b"));
  world.run();
  EXPECT_THAT(client.events(), HasSubstr(R"(event: close
data: {"code":1003,)"));
  EXPECT_EQ(world.talk(0).log.back(), "closed 1003");
}

TEST_F(EventStreamTest, BringsWhatWasSentToTheSession) {
  open();
  EXPECT_EQ(send(R"([{"a":1}, 2])"), "204 ");
  EXPECT_EQ(send("[]"), "204 ");
  EXPECT_EQ(send("[3]", 1), "204 ") << "from another loop";
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse", R"(message [{"a":1}, 2])",
                                             "message [3]"));
}

TEST_F(EventStreamTest, AnswersOverTheStreamBeforeOrAfterThePost) {
  world.manners.echo = true;
  Client& client = open();
  EXPECT_EQ(send("[1]"), "204 ");
  EXPECT_EQ(client.events(), "data: [1]\n\n");
}

TEST_F(EventStreamTest, BreaksEverySilenceWithAComment) {
  Client& client = open();
  world.advance(Duration{14'900});
  EXPECT_EQ(client.events(), "");
  world.advance(Duration{200});
  EXPECT_EQ(client.events(), ":\n\n");
  world.advance(Duration{10'000});
  world.talk(0).transport->send_text("1");
  world.run();
  world.advance(Duration{10'000});
  EXPECT_EQ(client.events(), "data: 1\n\n") << "that was no silence";
  world.advance(Duration{5'100});
  EXPECT_EQ(client.events(), ":\n\n");
  for (int i = 0; i < 10; ++i) {
    world.advance(Duration{15'100});
    ASSERT_EQ(client.events(), ":\n\n");
  }
  EXPECT_TRUE(world.talk(0).alive);
}

TEST_F(EventStreamTest, SaysHowItEnds) {
  Client& client = open();
  Transport& transport = *world.talk(0).transport;
  transport.send_text("1");
  transport.close(static_cast<ws::CloseCode>(4452), "the token's time is \"over\"");
  transport.close(ws::CloseCode::kNormal, "");
  transport.send_text("2");
  EXPECT_EQ(world.talk(0).log.size(), 1u) << "the session is not told inside its own call";
  world.run();
  EXPECT_EQ(client.events(),
            "data: 1\n\nevent: close\ndata: "
            "{\"code\":4452,\"reason\":\"the token's time is \\\"over\\\"\"}\n\n");
  EXPECT_TRUE(client.wire.fin_sent());
  EXPECT_EQ(world.talk(0).log.back(), "closed 4452");
  EXPECT_FALSE(world.talk(0).alive);
  EXPECT_EQ(world.streams(0).size(), 0u);
  EXPECT_THAT(send("[1]"), HasSubstr(R"(404 {"code":"stream_gone")"));
}

TEST_F(EventStreamTest, ClosesBehindTheOpeningThatItReplaces) {
  world.manners.open_at_once = false;
  world.manners.on_attached = [](Talk& talk) {
    talk.transport->close(static_cast<ws::CloseCode>(4403), "no");
  };
  Client& client = world.connect(0).ask("GET", "/sse");
  world.run();
  EXPECT_THAT(client.events(), ::testing::AllOf(HasSubstr("event: open\n"),
                                                HasSubstr(R"({"code":4403,"reason":"no"})")));
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse", "closed 4403"));
}

TEST_F(EventStreamTest, EndsWhenTheClientLeaves) {
  for (const bool reset : {false, true}) {
    Client& client = open();
    reset ? client.wire.reset_by_peer() : client.wire.end_input();
    EXPECT_EQ(world.talks.back()->log.back(), "closed 1006");
    world.talks.back()->transport->send_text("nobody hears it");
    world.run();
    EXPECT_FALSE(world.talks.back()->alive);
    EXPECT_THAT(send("[1]"), HasSubstr("404 ")) << "no stream, no taking";
    EXPECT_EQ(world.streams(0).size(), 0u);
  }
}

TEST_F(EventStreamTest, EndsWhenTheClientLeavesBeforeTheOpening) {
  world.manners.open_at_once = false;
  Client& client = world.connect(0).ask("GET", "/sse");
  client.wire.end_input();
  world.run();
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse", "closed 1006"));
  EXPECT_FALSE(world.talk(0).alive);
}

TEST_F(EventStreamTest, MakesInputWaitWhileTheClientDoesNotRead) {
  Client& client = open();
  Transport& transport = *world.talk(0).transport;
  client.wire.window = 0;
  client.wire.low_watermark = 100;
  transport.send_text(std::string(990, '1'));
  EXPECT_FALSE(transport.congested());
  transport.send_text("2");
  EXPECT_TRUE(transport.congested());
  Client& sender = world.connect(1);
  sender.post("/send", message("[1]"));
  world.run();
  EXPECT_EQ(sender.answer(), "none") << "it waits";
  EXPECT_EQ(world.talk(0).log.size(), 1u);
  client.wire.window = net::FakeWire::kOpenWindow;
  world.run();
  EXPECT_FALSE(transport.congested());
  EXPECT_EQ(sender.answer(), "204 ");
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse", "message [1]", "writable"));
}

TEST_F(EventStreamTest, MakesInputWaitWhileTheSessionHoldsIt) {
  Client& client = open();
  Transport& transport = *world.talk(0).transport;
  transport.hold_input(true);
  std::vector<Client*> senders;
  for (const char* messages : {"[1]", "[2]"}) {
    senders.push_back(&world.connect(1));
    senders.back()->post("/send", message(messages));
    world.run();
    EXPECT_EQ(senders.back()->answer(), "none") << "it waits";
  }
  transport.send_text("0");
  world.run();
  EXPECT_EQ(client.events(), "data: 0\n\n") << "output does not";
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse"));
  transport.hold_input(false);
  world.run();
  for (const Client* sender : senders) EXPECT_EQ(sender->answer(), "204 ");
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse", "message [1]", "message [2]"));
}

TEST_F(EventStreamTest, GoesOnHoldingWhenTheClientHasCaughtUp) {
  Client& client = open();
  Transport& transport = *world.talk(0).transport;
  transport.hold_input(true);
  client.wire.window = 0;
  client.wire.low_watermark = 100;
  transport.send_text(std::string(1'500, '1'));
  Client& sender = world.connect(0);
  sender.post("/send", message("[1]"));
  world.run();
  transport.hold_input(false);
  world.run();
  EXPECT_EQ(sender.answer(), "none") << "the client does not read";
  transport.hold_input(true);
  client.wire.window = net::FakeWire::kOpenWindow;
  world.run();
  EXPECT_FALSE(transport.congested());
  EXPECT_EQ(sender.answer(), "none") << "the session holds";
  transport.hold_input(false);
  world.run();
  EXPECT_EQ(sender.answer(), "204 ");
}

TEST_F(EventStreamTest, NeverGivesAMessageIntoAnother) {
  open();
  world.manners.on_message = [](Talk& talk, std::string_view message) {
    if (message == "[1]") talk.transport->hold_input(true);
    if (message == "[2]") {
      talk.transport->hold_input(true);
      talk.transport->hold_input(false);
    }
    talk.log.push_back("end " + std::string(message));
  };
  std::vector<Client*> senders;
  for (const char* messages : {"[1]", "[2]", "[3]"}) {
    senders.push_back(&world.connect(0));
    senders.back()->post("/send", message(messages));
  }
  world.run();
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse", "message [1]", "end [1]"));
  world.talk(0).transport->hold_input(false);
  world.run();
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse", "message [1]", "end [1]",
                                             "message [2]", "end [2]", "message [3]", "end [3]"));
  for (const Client* sender : senders) EXPECT_EQ(sender->answer(), "204 ");
}

TEST_F(EventStreamTest, GivesUpOnAClientThatAcknowledgesNothing) {
  Client& client = open();
  EXPECT_EQ(client.wire.send_timeout, Duration{30'000});
}

TEST_F(EventStreamTest, HoldsOnlySoManyInputs) {
  Client& client = open();
  client.wire.window = 0;
  client.wire.low_watermark = 100;
  world.talk(0).transport->send_text(std::string(1'500, '1'));
  std::vector<Client*> senders;
  for (std::size_t i = 0; i <= HttpStream::kHeldInputsMax; ++i) {
    senders.push_back(&world.connect(i % 2));
    senders.back()->post("/send", message("[" + std::to_string(i) + "]"));
    world.run();
  }
  EXPECT_THAT(senders.back()->answer(), HasSubstr(R"(503 {"code":"overloaded")"));
  EXPECT_THAT(senders.back()->wire.sent, HasSubstr("Retry-After: 1\r\n"));
  senders.pop_back();
  for (const Client* sender : senders) EXPECT_EQ(sender->answer(), "none");
  // The client leaves, and so does what waits.
  client.wire.reset_by_peer();
  world.run();
  for (const Client* sender : senders) EXPECT_THAT(sender->answer(), HasSubstr("404 "));
}

TEST_F(EventStreamTest, EndsAClientThatLetsTheQueueOverflow) {
  Client& client = open();
  Transport& transport = *world.talk(0).transport;
  client.wire.window = 0;
  client.wire.low_watermark = 100;
  for (int i = 0; i < 8; ++i) transport.send_text(std::string(990, '1'));
  EXPECT_TRUE(world.talk(0).alive) << "not in the middle of a broadcast";
  EXPECT_LT(client.wire.queued(), 7'000u);
  EXPECT_EQ(world.talk(0).log.size(), 1u);
  world.run();
  EXPECT_EQ(world.talk(0).log.back(), "closed 1013");
  EXPECT_TRUE(client.wire.closed());
  EXPECT_EQ(world.streams(0).size(), 0u);
}

TEST_F(EventStreamTest, TakesAClientThatStopsReadingForDead) {
  Client& client = open();
  client.wire.window = 0;
  client.wire.low_watermark = 0;
  world.talk(0).transport->send_text("1");
  for (int i = 0; i < 2; ++i) world.advance(Duration{15'100});
  EXPECT_TRUE(world.talk(0).alive);
  client.wire.window = 1;
  world.run();
  for (int i = 0; i < 2; ++i) world.advance(Duration{15'100});
  EXPECT_TRUE(world.talk(0).alive) << "it has read a byte";
  for (int i = 0; i < 3; ++i) world.advance(Duration{15'100});
  EXPECT_EQ(world.talk(0).log.back(), "closed 1006");
  EXPECT_TRUE(client.wire.closed());
}

TEST_F(EventStreamTest, NoticesInTimeWhoDoesNotReadThoughHeartbeatsAreFarApart) {
  HttpWorld slow{{.heartbeat = Duration{60'000}, .stream_timeout = Duration{1'000}}};
  Client& client = slow.connect(0).ask("GET", "/sse");
  slow.run();
  client.events();
  slow.advance(Duration{59'000});
  EXPECT_EQ(client.events(), "");
  slow.advance(Duration{1'000});
  EXPECT_EQ(client.events(), ":\n\n") << "nothing to read is no reason to end";
  client.wire.window = 0;
  client.wire.low_watermark = 0;
  slow.talk(0).transport->send_text("1");
  for (int i = 0; i < 2; ++i) slow.advance(Duration{510});
  EXPECT_TRUE(slow.talk(0).alive);
  for (int i = 0; i < 2; ++i) slow.advance(Duration{510});
  EXPECT_EQ(slow.talk(0).log.back(), "closed 1006");
}

TEST_F(EventStreamTest, BearsAClientThatAlwaysCatchesUp) {
  Client& client = open();
  client.wire.low_watermark = 0;
  for (int i = 0; i < 6; ++i) {
    // Something is queued at every look.
    client.wire.window = 0;
    world.talk(0).transport->send_text("1");
    world.advance(Duration{15'100});
    client.wire.window = net::FakeWire::kOpenWindow;
    world.run();
  }
  EXPECT_TRUE(world.talk(0).alive);
}

TEST_F(EventStreamTest, IsNotPolled) {
  open();
  Client& client = world.connect(1);
  client.post("/poll", R"({"stream":")" + id + R"(","ack":0})");
  world.run();
  EXPECT_THAT(client.answer(), HasSubstr(R"(400 {"code":"bad_message")"));
  EXPECT_TRUE(world.talk(0).alive);
}

TEST_F(EventStreamTest, SaysGoodbyeWhenDrained) {
  Client& client = open();
  world.streams(0).drain();
  world.run();
  EXPECT_THAT(client.events(), HasSubstr(R"({"code":1001,"reason":"server is shutting down"})"));
  EXPECT_EQ(world.talk(0).log.back(), "closed 1001");
  EXPECT_TRUE(client.wire.fin_sent());
}

TEST_F(EventStreamTest, AbortsWithoutAWord) {
  Client& client = open();
  world.streams(0).abort();
  world.run();
  EXPECT_EQ(client.events(), "");
  EXPECT_TRUE(client.wire.closed());
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse", "closed 1006"));
}

TEST_F(EventStreamTest, TakesNoBodyAndNoMoreStreamsThanItMay) {
  Client& client = world.connect(0);
  client.ask("GET", "/sse", {}, "Content-Length: 1\r\n");
  world.run();
  EXPECT_THAT(client.answer(), HasSubstr("413 "));
  world.manners.refuse = true;
  Client& second = world.connect(0).ask("GET", "/sse");
  world.run();
  EXPECT_THAT(second.answer(), HasSubstr(R"(429 {"code":"too_many_connections"})"));
  EXPECT_THAT(world.talks, IsEmpty());
  EXPECT_EQ(world.streams(0).size(), 0u);
}

}  // namespace
}  // namespace anywire::protocol
