// Peers that read slowly or not at all, and what is sent to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "websocket/testing/peer.h"

namespace anywire::ws {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BackpressureTest : public ::testing::Test, protected Bench {
 protected:
  BackpressureTest() {
    context.options.high_watermark_bytes = 1000;
    context.options.queue_bytes_max = 5000;
  }
  static void stall(Peer& peer) {
    peer.stall();
    peer.wire.low_watermark = 200;
  }
};

TEST_F(BackpressureTest, SendsSmallMessagesInOnePieceAtTheEndOfTheTurn) {
  Peer peer(context);
  peer.open();
  peer.connection->send(Opcode::kText, as_bytes("one"));
  peer.connection->send(Opcode::kBinary, as_bytes("two"));
  peer.connection->send(Opcode::kText, Buffer::copy_of(as_bytes("three")));
  EXPECT_EQ(peer.wire.sent, "");
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("text:one", "binary:two", "text:three"));
}

TEST_F(BackpressureTest, SharesBuffersThatAreWorthIt) {
  context.options.high_watermark_bytes = context.options.queue_bytes_max = 1 << 20;
  Peer peer(context);
  peer.open();
  const std::string large(100'000, 'l');
  peer.connection->send(Opcode::kText, Buffer::copy_of(as_bytes(large)));
  peer.connection->send(Opcode::kText, as_bytes(large));
  const BufferRef frame = encode_frame(Opcode::kText, as_bytes("shared"));
  peer.connection->send_frame(frame);
  peer.connection->send_frame(frame);
  EXPECT_GE(peer.wire.shared_writes, 3);
  peer.turn();
  EXPECT_THAT(peer.frames(),
              ElementsAre("text:" + shown(large), "text:" + shown(large), "text:shared",
                          "text:shared"));
}

TEST_F(BackpressureTest, SendsNothingBeforeTheOpening) {
  Peer peer(context);
  peer.connection->send(Opcode::kText, as_bytes("early"));
  peer.connection->send_frame(encode_frame(Opcode::kText, as_bytes("early")));
  peer.open();
  peer.turn();
  EXPECT_EQ(peer.wire.sent, kResponse);
}

TEST_F(BackpressureTest, StopsProcessingAboveTheHighWatermark) {
  Peer peer(context);
  stall(peer);
  peer.send(900);
  peer.say(client_frame(Opcode::kText, "processed"));
  EXPECT_THAT(peer.events, ElementsAre("text:processed"));
  peer.send(200);
  EXPECT_EQ(peer.connection->queued_bytes(), 900u + 4 + 200 + 4);
  peer.say(client_frame(Opcode::kText, "waits"));
  EXPECT_THAT(peer.events, ElementsAre("text:processed"));
  EXPECT_FALSE(peer.wire.reading()) << "the kernel's window has to fill up";
  EXPECT_GT(peer.wire.unread(), 0u);
}

TEST_F(BackpressureTest, GoesOnAtTheLowWatermark) {
  Peer peer(context);
  stall(peer);
  peer.send(1100);
  peer.say(client_frame(Opcode::kText, "waits"));
  peer.wire.window = 800;
  peer.turn();
  EXPECT_THAT(peer.events, IsEmpty()) << "304 bytes are above the low watermark";
  peer.wire.window = 200;
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("writable"));
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("writable", "text:waits"));
}

TEST_F(BackpressureTest, StopsInTheMiddleOfOneReadAndKeepsTheRest) {
  Peer peer(context);
  stall(peer);
  peer.on_message_hook = [&](Message& message) {
    if (as_text(message.data) == "2") peer.send(1100);
  };
  std::string frames;
  for (const char* text : {"1", "2", "3", "4"}) frames += client_frame(Opcode::kText, text);
  peer.say(frames);
  EXPECT_THAT(peer.events, ElementsAre("text:1", "text:2"));
  EXPECT_EQ(peer.wire.unread(), 0u);
  peer.wire.window = net::FakeWire::kOpenWindow;
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("text:1", "text:2", "text:3", "text:4", "writable"));
}

TEST_F(BackpressureTest, PingsCountAsOutputToo) {
  Peer peer(context);
  stall(peer);
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += client_frame(Opcode::kPing, std::string(100, 'p'));
  peer.say(pings);
  EXPECT_LT(peer.connection->queued_bytes(), 1000u + 2 * 102);
  peer.wire.window = net::FakeWire::kOpenWindow;
  for (int i = 0; i < 1000 && peer.frames().size() < 1000; ++i) peer.turn();
  EXPECT_EQ(peer.frames().size(), 1000u) << "and every one of them is answered in the end";
}

TEST_F(BackpressureTest, EchoOfAFloodStaysBoundedAndLosesNothing) {
  Peer peer(context);
  stall(peer);
  peer.on_message_hook = [&](Message& message) {
    peer.connection->send(Opcode::kText, message.data);
  };
  std::string flood;
  for (int i = 0; i < 2000; ++i) flood += client_frame(Opcode::kText, std::to_string(i));
  peer.say(flood);
  std::size_t most = 0;
  for (int i = 0; i < 2000 && peer.frames().size() < 2000; ++i) {
    peer.wire.window = 300;
    peer.turn();
    most = std::max(most, peer.wire.queued());
  }
  ASSERT_EQ(peer.frames().size(), 2000u);
  EXPECT_EQ(peer.frames()[1999], "text:1999");
  EXPECT_LE(most, 1000u + 10);
}

TEST_F(BackpressureTest, EndsAtTheHardLimitByTheTimerAndNotInsideTheCall) {
  Peer peer(context);
  stall(peer);
  peer.send(3000);
  EXPECT_TRUE(peer.connection->is_open());
  peer.send(3000);
  EXPECT_THAT(peer.events, IsEmpty()) << "a broadcast may be walking over its members";
  EXPECT_FALSE(peer.connection->is_open());
  peer.send(3000);
  EXPECT_LT(peer.connection->queued_bytes(), 7000u) << "nothing is added once it is decided";
  advance(Duration{2});
  EXPECT_THAT(peer.events, ElementsAre("closed:1013"));
  EXPECT_TRUE(peer.wire.destroyed());
}

TEST_F(BackpressureTest, StandsAtTheHardLimitExactly) {
  Peer peer(context);
  stall(peer);
  peer.send(2000 - 4);
  peer.send(3000 - 4);
  EXPECT_EQ(peer.connection->queued_bytes(), 5000u);
  advance(Duration{10});
  EXPECT_FALSE(peer.ended());
  peer.connection->send(Opcode::kText, Bytes());
  advance(Duration{10});
  EXPECT_TRUE(peer.ended());
}

TEST_F(BackpressureTest, TakesOneMessageLargerThanTheHardLimit) {
  // A single answer must be possible whatever its size; more on top of it must not.
  Peer peer(context);
  stall(peer);
  peer.send(20'000);
  advance(Duration{10});
  EXPECT_FALSE(peer.ended());
  peer.wire.window = net::FakeWire::kOpenWindow;
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("writable"));
}

TEST_F(BackpressureTest, EndsOnceWhenTheStreamBreaksInTheSameTurn) {
  Peer peer(context);
  stall(peer);
  peer.send(6000);
  peer.send(6000);
  peer.wire.reset_by_peer();
  EXPECT_THAT(peer.events, ElementsAre("closed:1013"));
  advance(Duration{10});
  EXPECT_EQ(peer.events.size(), 1u);
}

TEST_F(BackpressureTest, TellsWritableOnlyIfTheHandlerDidNotFillItAgain) {
  Peer peer(context);
  stall(peer);
  peer.send(1100);
  peer.on_message_hook = [&](Message&) { peer.send(1100); };
  // In the connection's hands already when the output falls.
  peer.say(client_frame(Opcode::kText, "again"));
  peer.wire.window = 1104;
  peer.turn();
  peer.turn();
  EXPECT_FALSE(peer.events.empty());
  peer.wire.window = net::FakeWire::kOpenWindow;
  peer.turn();
  peer.turn();
  EXPECT_EQ(peer.events.back(), "writable");
  EXPECT_EQ(peer.connection->queued_bytes(), 0u);
}

TEST_F(BackpressureTest, WritesMayBeMadeInsideOnWritable) {
  Peer peer(context);
  stall(peer);
  int rounds = 0;
  peer.on_writable_hook = [&] {
    if (++rounds < 5) peer.send(1100);
  };
  peer.send(1100);
  peer.wire.window = net::FakeWire::kOpenWindow;
  for (int i = 0; i < 10; ++i) peer.turn();
  EXPECT_EQ(rounds, 5);
  EXPECT_EQ(peer.frames().size(), 5u);
}

TEST_F(BackpressureTest, ClosesThroughAFullQueue) {
  context.options.close_timeout = Duration{1000};
  Peer peer(context);
  stall(peer);
  peer.send(1100);
  peer.connection->close(CloseCode::kGoingAway, "");
  peer.say(client_close(1001));
  EXPECT_THAT(peer.events, IsEmpty());
  peer.wire.window = net::FakeWire::kOpenWindow;
  peer.turn();
  peer.turn();
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("closed:1001"));
  EXPECT_EQ(peer.frames().size(), 2u);
}

TEST_F(BackpressureTest, GivesItsOwnerNothingWhileHeld) {
  Peer peer(context);
  peer.open();
  peer.on_message_hook = [&](Message&) { peer.connection->hold_input(true); };
  peer.say(client_frame(Opcode::kText, "one") + client_frame(Opcode::kText, "two") +
           client_frame(Opcode::kText, "three"));
  EXPECT_THAT(peer.events, ElementsAre("text:one"));
  peer.say("more");
  EXPECT_FALSE(peer.wire.reading());
  peer.connection->hold_input(false);
  EXPECT_THAT(peer.events, ElementsAre("text:one", "text:two")) << "held again inside";
  peer.on_message_hook = nullptr;
  peer.connection->hold_input(false);
  EXPECT_THAT(peer.events, ElementsAre("text:one", "text:two", "text:three"));
  EXPECT_TRUE(peer.wire.reading());
}

TEST_F(BackpressureTest, WaitsForBothItsOwnerAndItsPeer) {
  Peer peer(context);
  stall(peer);
  peer.send(1200);
  peer.say(client_frame(Opcode::kText, "waits"));
  peer.connection->hold_input(true);
  peer.connection->hold_input(false);
  EXPECT_THAT(peer.events, IsEmpty()) << "the peer does not read";
  peer.connection->hold_input(true);
  peer.wire.window = 10'000;
  peer.turn();
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("writable")) << "the owner does not";
  peer.connection->hold_input(false);
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("writable", "text:waits"));
}

TEST_F(BackpressureTest, DoesNotTakeAPeerForDeadThatItDoesNotRead) {
  Peer peer(context);
  peer.open();
  peer.turn();
  advance(context.options.ping_interval);
  peer.connection->hold_input(true);
  peer.say(client_frame(Opcode::kPong, ""));
  for (int i = 0; i < 5; ++i) advance(context.options.ping_timeout);
  EXPECT_TRUE(peer.connection->is_open());
  peer.connection->hold_input(false);
  peer.turn();
  advance(context.options.ping_timeout);
  EXPECT_FALSE(peer.ended());
}

TEST_F(BackpressureTest, ReadsThePeersAnswerToACloseThoughHeld) {
  Peer peer(context);
  peer.open();
  peer.connection->hold_input(true);
  peer.connection->close(CloseCode::kGoingAway, "bye");
  peer.say(client_close(1001));
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("closed:1001"));
}

}  // namespace
}  // namespace anywire::ws
