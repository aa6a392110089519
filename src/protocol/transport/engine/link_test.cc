// A session over polls and over a WebSocket: packets, heartbeat, farewell, back-pressure.
#include "protocol/transport/engine/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "protocol/transport/engine/testing/engine_world.h"
#include "protocol/transport/engine_frame.h"

namespace anywire::protocol::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kUnknown = R"(400 {"code":1,"message":"Session ID unknown"})";
constexpr const char* kBad = R"(400 {"code":3,"message":"Bad request"})";

TEST(Polling, WaitsForPacketsAndTakesAllThereAre) {
  EngineWorld world;
  const std::string sid = world.open();
  Transport& transport = *world.talk().transport;
  const Client& poll = world.get(sid);
  EXPECT_EQ(poll.answer(), "none");
  transport.send_text("hello");
  transport.send_binary(as_bytes(std::string_view("\1\2\3\4")));
  EXPECT_EQ(transport.encoding(10), Transport::Encoding::kPackets);
  transport.send_frame(encode_engine_packet(true, as_bytes(std::string_view("shared"))));
  transport.send(true, Buffer::copy_of(as_bytes(std::string_view("buffer"))));
  world.run();
  EXPECT_EQ(poll.answer(), "4hello\x1e" "bAQIDBA==\x1e" "4shared\x1e" "4buffer");
}

TEST(Polling, KeepsWhatNobodyWaitsFor) {
  EngineWorld world;
  const std::string sid = world.open();
  world.talk().transport->send_text("a");
  world.run();
  world.talk().transport->send_text("b");
  EXPECT_EQ(world.get(sid).answer(), "4a\x1e" "4b");
}

TEST(Polling, JoinsWhatIsSaidAtOnceToTheOpenPacket) {
  EngineWorld world;
  world.manners.on_attached = [](Talk& talk) { talk.transport->send_text("welcome"); };
  EXPECT_THAT(world.ask("GET", "EIO=4&transport=polling").answer(), EndsWith("}\x1e" "4welcome"));
}

TEST(Polling, AnswersTheHandshakeWhenTheSessionOpens) {
  EngineWorld world;
  world.manners.open_at_once = false;
  const Client& handshake = world.ask("GET", "EIO=4&transport=polling");
  EXPECT_EQ(handshake.answer(), "none");
  world.talk().transport->open();
  world.run();
  EXPECT_THAT(handshake.answer(), StartsWith("0{"));
}

TEST(Polling, SaysWhyASessionWasRefused) {
  EngineWorld world;
  world.manners.open_at_once = false;
  world.manners.on_attached = [](Talk& talk) {
    talk.transport->close(ws::CloseCode::kPolicyViolation, "no \"token\"");
  };
  EXPECT_EQ(world.ask("GET", "EIO=4&transport=polling").answer(),
            R"(403 {"code":4,"message":"no \"token\""})");
  EXPECT_EQ(world.last_word(), "closed 1008");
  EXPECT_EQ(world.endpoints.sessions(), 0u);
}

TEST(Polling, GivesUpASessionThatNeverOpens) {
  EngineWorld world({.connect_timeout = Duration{1'000}});
  world.manners.open_at_once = false;
  const Client& handshake = world.ask("GET", "EIO=4&transport=polling");
  world.advance(Duration{1'100});
  EXPECT_EQ(handshake.answer(), "1");
  EXPECT_EQ(world.last_word(), "closed 1013");
  EXPECT_FALSE(world.talk().alive);
}

TEST(Posting, HandsOverEveryPacketInOrder) {
  EngineWorld world;
  const std::string sid = world.open();
  const Client& post = world.post(sid, "4one\x1e" "bdHdv\x1e" "3\x1e" "6\x1e" "4\x1e" "4three");
  EXPECT_EQ(post.answer(), "ok");
  EXPECT_THAT(post.answers().at(0).head, HasSubstr("Content-Type: text/html"));
  EXPECT_THAT(world.talk().log, ElementsAre("attached /engine.io/", "message one", "message two",
                                            "message ", "message three"));
}

// Whatever pieces a request comes in, it is the same request.
TEST(Posting, MayBeCutAnywhere) {
  EngineWorld world;
  const std::string sid = world.open();
  const std::string request = "POST /engine.io/?EIO=4&transport=polling&sid=" + sid +
                              " HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n4a\x1e" "bAQI=\x1e"
                              "4b";
  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    world.talk().log.clear();
    Client& client = world.connect();
    client.wire.deliver(request.substr(0, cut));
    world.run(1);
    client.wire.deliver(request.substr(cut));
    world.run(1);
    ASSERT_EQ(client.answer(), "ok") << cut;
    ASSERT_THAT(world.talk().log, ElementsAre("message a", "message \1\2", "message b")) << cut;
  }
}

TEST(Posting, EndsTheSessionOverWhatIsNoPacket) {
  for (const char* body : {"abc", "", "4a\x1e", "b***", "4\xff", "9x"}) {
    EngineWorld world;
    const std::string sid = world.open();
    const Client& poll = world.get(sid);
    EXPECT_THAT(world.post(sid, body).answer(), StartsWith("400 ")) << body;
    EXPECT_EQ(world.last_word(), "closed 1002") << body;
    EXPECT_EQ(poll.answer(), "1") << body;
    EXPECT_EQ(world.get(sid).answer(), kUnknown) << body;
    EXPECT_EQ(world.endpoints.sessions(), 0u);
  }
}

TEST(Posting, RefusesABodyOverTheLimitAndHarmsNothingElse) {
  EngineWorld world({.max_payload = 1024});
  const std::string sid = world.open();
  EXPECT_EQ(world.post(sid, "4" + std::string(1023, 'x')).answer(), "ok");
  EXPECT_THAT(world.post(sid, "4" + std::string(1024, 'x')).answer(), StartsWith("413 "));
  EXPECT_EQ(world.post(sid, "4a").answer(), "ok");
  EXPECT_EQ(world.last_word(), "message a");
}

TEST(Posting, RefusesBytesAsTheyAre) {
  EngineWorld world;
  const std::string sid = world.open();
  EXPECT_EQ(world.post(sid, "4a", "Content-Type: application/octet-stream\r\n").answer(), "400 ");
  EXPECT_EQ(world.last_word(), "closed 1002");
}

TEST(Posting, AnswersWhenTheSessionHasTakenIt) {
  EngineWorld world;
  const std::string sid = world.open();
  world.talk().transport->hold_input(true);
  const Client& post = world.post(sid, "4a\x1e" "4b");
  EXPECT_EQ(post.answer(), "none");
  EXPECT_EQ(world.talk().log.size(), 1u);
  world.talk().transport->hold_input(false);
  world.run();
  EXPECT_EQ(post.answer(), "ok");
  EXPECT_EQ(world.last_word(), "message b");
}

TEST(Posting, EndsTheSessionWhenGivenUpHalfWay) {
  EngineWorld world;
  const std::string sid = world.open();
  Client& post = world.connect();
  post.wire.deliver("POST /engine.io/?EIO=4&transport=polling&sid=" + sid +
                    " HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n4a");
  world.run();
  post.wire.end_input();
  world.run();
  EXPECT_EQ(world.last_word(), "closed 1006");
}

TEST(Requests, OneOfAKindAtATime) {
  EngineWorld world;
  const std::string sid = world.open();
  const Client& first = world.get(sid);
  EXPECT_EQ(world.get(sid).answer(), kBad);
  EXPECT_EQ(first.answer(), "1");
  EXPECT_EQ(world.last_word(), "closed 1008");

  const std::string other = world.open();
  const Client& poll = world.get(other);
  Client& post = world.connect();
  post.wire.deliver("POST /engine.io/?EIO=4&transport=polling&sid=" + other +
                    " HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n4a");
  world.run();
  EXPECT_EQ(world.post(other, "4b").answer(), kBad);
  EXPECT_EQ(poll.answer(), "1");
  EXPECT_EQ(world.last_word(1), "closed 1008");
  EXPECT_EQ(post.answer(), kUnknown);
  EXPECT_EQ(world.endpoints.sessions(), 0u);
}

TEST(Requests, APollThatIsGivenUpEndsTheSession) {
  for (const bool half_closed : {true, false}) {
    EngineWorld world;
    const std::string sid = world.open();
    Client& poll = world.get(sid);
    if (half_closed) {
      poll.wire.end_input();
    } else {
      poll.wire.reset_by_peer();
    }
    world.run();
    EXPECT_EQ(world.last_word(), "closed 1006");
    EXPECT_EQ(world.get(sid).answer(), kUnknown);
    EXPECT_EQ(world.endpoints.sessions(), 0u);
  }
}

TEST(Farewell, OfTheClientEndsItsPoll) {
  EngineWorld world;
  const std::string sid = world.open();
  const Client& poll = world.get(sid);
  EXPECT_EQ(world.post(sid, "1").answer(), "ok");
  EXPECT_EQ(poll.answer(), "6");
  EXPECT_EQ(world.last_word(), "closed 1000");
  EXPECT_EQ(world.post(sid, "4a").answer(), kUnknown);
}

TEST(Farewell, ComesBehindWhatIsQueued) {
  EngineWorld world;
  const std::string sid = world.open();
  world.talk().transport->send_text("last");
  world.talk().transport->close(ws::CloseCode::kNormal, "");
  world.run();
  EXPECT_EQ(world.last_word(), "closed 1000");
  EXPECT_EQ(world.post(sid, "4a").answer(), kUnknown);
  EXPECT_EQ(world.get(sid).answer(), "4last\x1e" "1");
  EXPECT_EQ(world.get(sid).answer(), kUnknown);
  EXPECT_EQ(world.endpoints.sessions(), 0u);
}

TEST(Farewell, WaitsForAPollNoLongerThanHalfAMinute) {
  EngineWorld world;
  const std::string sid = world.open();
  world.talk().transport->close(ws::CloseCode::kNormal, "");
  world.run();
  EXPECT_EQ(world.endpoints.sessions(), 1u);
  world.advance(Duration{30'100});
  EXPECT_EQ(world.endpoints.sessions(), 0u);
  EXPECT_EQ(world.get(sid).answer(), kUnknown);
}

TEST(Farewell, InsideAMessageOfAPost) {
  EngineWorld world;
  const std::string sid = world.open();
  world.manners.on_message = [](Talk& talk, std::string_view) {
    talk.transport->close(ws::CloseCode::kNormal, "");
  };
  const Client& poll = world.get(sid);
  EXPECT_EQ(world.post(sid, "4a\x1e" "4b").answer(), "ok");
  EXPECT_EQ(poll.answer(), "1");
  EXPECT_THAT(world.talk().log, ElementsAre("attached /engine.io/", "message a", "closed 1000"));
}

TEST(Heartbeat, PingsOverPollsAndWaitsForThePong) {
  EngineWorld world;
  const std::string sid = world.open();
  for (int i = 0; i < 3; ++i) {
    const Client& poll = world.get(sid);
    world.advance(Duration{25'000});
    EXPECT_EQ(poll.answer(), "2");
    EXPECT_EQ(world.post(sid, "3").answer(), "ok");
  }
  const Client& poll = world.get(sid);
  world.advance(Duration{25'000});
  EXPECT_EQ(poll.answer(), "2");
  world.advance(Duration{20'000});
  EXPECT_EQ(world.last_word(), "closed 4008");
  EXPECT_EQ(world.get(sid).answer(), kUnknown);
}

TEST(Heartbeat, EndsASessionThatNeverPolls) {
  EngineWorld world;
  world.open();
  world.advance(Duration{25'000});
  world.advance(Duration{19'000});
  EXPECT_EQ(world.endpoints.sessions(), 1u);
  world.advance(Duration{1'100});
  EXPECT_EQ(world.endpoints.sessions(), 0u);
}

TEST(Heartbeat, PongsMayComeUnasked) {
  EngineWorld world;
  const std::string sid = world.open();
  EXPECT_EQ(world.post(sid, "3\x1e" "3").answer(), "ok");
  EXPECT_EQ(world.endpoints.sessions(), 1u);
}

TEST(Heartbeat, PingsOfTheClientEndTheSession) {
  EngineWorld world;
  EXPECT_THAT(world.post(world.open(), "2").answer(), StartsWith("400 "));
  EXPECT_EQ(world.last_word(), "closed 1008");
  Client& socket = world.socket();
  world.say(socket, "2");
  EXPECT_EQ(world.last_word(1), "closed 1008");
}

TEST(Heartbeat, GoesOverTheWebSocketToo) {
  EngineWorld world;
  Client& socket = world.socket();
  world.advance(Duration{25'000});
  EXPECT_THAT(EngineWorld::heard(socket), EndsWith("} 2"));
  world.say(socket, "3");
  world.advance(Duration{25'000});
  EXPECT_THAT(EngineWorld::heard(socket), EndsWith("} 2 2"));
  world.advance(Duration{20'000});
  EXPECT_EQ(world.last_word(), "closed 4008");
  EXPECT_THAT(EngineWorld::heard(socket), EndsWith("close 4008"));
}

TEST(WebSocket, CarriesTextAndBytes) {
  EngineWorld world;
  world.manners.echo = true;
  Client& socket = world.socket();
  Transport& transport = *world.talk().transport;
  EXPECT_EQ(transport.encoding(10), Transport::Encoding::kPlain);
  world.say(socket, "4hello");
  world.say(socket, "0");
  world.say(socket, "5");
  world.say(socket, "6");
  transport.send_binary(as_bytes(std::string_view("bytes")));
  world.say(socket, "\1\2", ws::Opcode::kBinary);
  EXPECT_THAT(EngineWorld::heard(socket), EndsWith("} 4hello #bytes 4\1\2"));
  EXPECT_THAT(world.talk().log,
              ElementsAre("attached /engine.io/", "message hello", "message \1\2"));
}

TEST(WebSocket, EndsOverWhatIsNoPacket) {
  for (const char* text : {"", "x", "bAQI=", "9"}) {
    EngineWorld world;
    Client& socket = world.socket();
    world.say(socket, text);
    EXPECT_EQ(world.last_word(), "closed 1002") << text;
    EXPECT_THAT(EngineWorld::heard(socket), EndsWith("close 1002")) << text;
  }
}

TEST(WebSocket, EndsOverAMessageAboveTheLimit) {
  EngineWorld world({.max_payload = 1024});
  Client& socket = world.socket();
  world.say(socket, "4" + std::string(1024, 'x'));
  EXPECT_THAT(EngineWorld::heard(socket), EndsWith("close 1009"));
  socket.wire.end_input();
  world.run();
  EXPECT_EQ(world.last_word(), "closed 1009");
}

TEST(WebSocket, ClosesWithoutACodeAsTheReferenceDoes) {
  EngineWorld world;
  Client& socket = world.socket();
  world.talk().transport->close(ws::CloseCode::kNormal, "");
  world.run();
  EXPECT_THAT(EngineWorld::heard(socket), EndsWith("} close"));
  world.say(socket, "", ws::Opcode::kClose);
  world.run();
  EXPECT_EQ(world.endpoints.connections(), 0u);
  EXPECT_EQ(world.last_word(), "closed 1000");
}

TEST(WebSocket, TakesTheClientsGoodbye) {
  EngineWorld world;
  Client& socket = world.socket();
  world.say(socket, "1");
  EXPECT_EQ(world.last_word(), "closed 1000");
  EXPECT_EQ(world.endpoints.sessions(), 0u);
  world.advance(Duration{600});
  EXPECT_EQ(world.endpoints.connections(), 0u);
}

TEST(WebSocket, PollsOfItsSidAreRefusedAndHarmNothing) {
  EngineWorld world;
  const Client& socket = world.socket();
  const std::string heard = EngineWorld::heard(socket);
  const std::string sid = heard.substr(9, 38);
  EXPECT_EQ(world.get(sid).answer(), kBad);
  EXPECT_EQ(world.post(sid, "4a").answer(), kBad);
  EXPECT_EQ(world.endpoints.sessions(), 1u);
}

TEST(BackPressure, MakesInputWaitUntilTheClientHasPolled) {
  EngineWorld world({}, {.high_watermark_bytes = 100});
  const std::string sid = world.open();
  Transport& transport = *world.talk().transport;
  transport.send_text(std::string(200, 'x'));
  EXPECT_TRUE(transport.congested());
  const Client& post = world.post(sid, "4a");
  EXPECT_EQ(post.answer(), "none");
  EXPECT_EQ(world.get(sid).answer().size(), 201u);
  EXPECT_EQ(post.answer(), "ok");
  EXPECT_FALSE(transport.congested());
  EXPECT_EQ(world.last_word(), "writable");
}

TEST(BackPressure, KeepsNobodyWaitingWhoseBodyWasTaken) {
  EngineWorld world({}, {.high_watermark_bytes = 100});
  world.manners.echo = true;
  const std::string sid = world.open();
  EXPECT_EQ(world.post(sid, "4" + std::string(200, 'x')).answer(), "ok");
  EXPECT_TRUE(world.talk().transport->congested());
}

TEST(BackPressure, EndsTheSessionBeyondTheLimit) {
  EngineWorld world({}, {.high_watermark_bytes = 100, .queue_bytes_max = 1000});
  const std::string sid = world.open();
  for (int i = 0; i < 20; ++i) world.talk().transport->send_text(std::string(99, 'x'));
  EXPECT_LT(world.endpoints.snapshot().at(0)->unsent_bytes(), 1100u);
  world.run();
  EXPECT_EQ(world.last_word(), "closed 1013");
  EXPECT_EQ(world.get(sid).answer(), "1");
}

TEST(Polling, SaysNoTextThatWouldBeTwoPackets) {
  EngineWorld world;
  world.open();
  world.talk().transport->send_text("a\x1e" "b");
  world.run();
  EXPECT_EQ(world.last_word(), "closed 1003");
}

TEST(Compression, OfLongAnswersForThoseWhoTakeIt) {
  EngineWorld world;
  const std::string sid = world.open();
  const std::string text(5000, 'x');
  const auto head_of = [&](std::string_view headers) {
    world.talk().transport->send_text(text);
    return world.get(sid, headers).answers().at(0);
  };
  const Answer packed = head_of("Accept-Encoding: gzip, deflate\r\n");
  EXPECT_THAT(packed.head, HasSubstr("Content-Encoding: gzip"));
  EXPECT_LT(packed.body.size(), 200u);
  EXPECT_THAT(head_of("").head, Not(HasSubstr("Content-Encoding")));
  EXPECT_EQ(head_of("Accept-Encoding: gzip;q=0\r\n").body, "4" + text);
  world.talk().transport->send_text("short");
  EXPECT_EQ(world.get(sid, "Accept-Encoding: gzip\r\n").answer(), "4short");
}

TEST(Abort, EndsWithoutAWord) {
  EngineWorld world;
  world.open();
  world.socket();
  for (Link* link : world.endpoints.snapshot()) link->abort(ws::CloseCode::kTryAgainLater);
  world.run();
  EXPECT_EQ(world.last_word(0), "closed 1013");
  EXPECT_EQ(world.last_word(1), "closed 1013");
  EXPECT_EQ(world.endpoints.sessions(), 0u);
  EXPECT_EQ(world.endpoints.connections(), 0u);
}

}  // namespace
}  // namespace anywire::protocol::engine
