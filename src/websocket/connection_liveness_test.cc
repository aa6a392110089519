// Pings, dead peers, idle peers: what a connection does by the clock.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "websocket/testing/peer.h"

namespace anywire::ws {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LivenessTest : public ::testing::Test, protected Bench {
 protected:
  LivenessTest() {
    context.options.ping_interval = Duration{10'000};
    context.options.ping_timeout = Duration{4'000};
    context.options.close_timeout = Duration{1'000};
  }
  // In small steps, as time passes in reality. With a peer its input is read again as soon as the
  // connection wants it.
  void pass(Duration time, Peer* peer = nullptr) {
    for (; time > Duration::zero(); time -= Duration{100}) {
      if (peer != nullptr) peer->wire.pump();
      advance(Duration{100});
    }
  }
};

TEST_F(LivenessTest, PingsAfterSilenceAndNotBefore) {
  Peer peer(context);
  peer.open();
  pass(Duration{9'900});
  EXPECT_THAT(peer.frames(), IsEmpty());
  pass(Duration{300});
  EXPECT_THAT(peer.frames(), ElementsAre("ping:"));
}

TEST_F(LivenessTest, EndsAPeerThatShowsNoSignOfLife) {
  Peer peer(context);
  peer.open();
  pass(Duration{13'800});
  EXPECT_THAT(peer.events, IsEmpty());
  pass(Duration{500});
  EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
  EXPECT_THAT(peer.frames(), ElementsAre("ping:"));
}

TEST_F(LivenessTest, TakesAnyByteForASignOfLife) {
  for (const std::string& sign :
       {client_frame(Opcode::kPong, ""), client_frame(Opcode::kPong, "unrelated"),
        client_frame(Opcode::kText, "hi"), std::string("\x81")}) {
    Peer peer(context);
    peer.open();
    pass(Duration{12'000});
    peer.say(sign);
    pass(Duration{9'000});
    EXPECT_FALSE(peer.ended());
    EXPECT_THAT(peer.frames(), ElementsAre("ping:"));
    pass(Duration{1'500});
    EXPECT_THAT(peer.frames(), ElementsAre("ping:", "ping:"));
  }
}

TEST_F(LivenessTest, DoesNotPingAPeerThatTalks) {
  Peer peer(context);
  peer.open();
  for (int i = 0; i < 20; ++i) {
    pass(Duration{3'000});
    peer.say(client_frame(Opcode::kText, "hi"));
  }
  EXPECT_THAT(peer.frames(), IsEmpty());
  EXPECT_FALSE(peer.ended());
}

TEST_F(LivenessTest, KeepsAPeerThatAnswersForHours) {
  Peer peer(context);
  peer.open();
  for (int i = 0; i < 36'000; ++i) {
    advance(Duration{100});
    if (!peer.frames().empty()) {
      peer.say(client_frame(Opcode::kPong, ""));
      peer.wire.sent.resize(kResponse.size());
    }
  }
  EXPECT_FALSE(peer.ended());
}

TEST_F(LivenessTest, NeverPingsWhenToldNotTo) {
  context.options.ping_interval = Duration{0};
  Peer peer(context);
  peer.open();
  for (int i = 0; i < 100; ++i) advance(Duration{60'000});
  EXPECT_THAT(peer.frames(), IsEmpty());
  EXPECT_FALSE(peer.ended());
}

TEST_F(LivenessTest, SaysGoodbyeToAPeerWithoutMessages) {
  context.options.idle_timeout = Duration{30'000};
  Peer peer(context);
  peer.open();
  for (int i = 0; i < 59; ++i) {
    pass(Duration{500});
    peer.say(client_frame(Opcode::kPong, ""));
  }
  EXPECT_TRUE(peer.connection->is_open());
  pass(Duration{700});
  EXPECT_THAT(peer.frames(), ElementsAre("close:1001:idle for too long"));
  peer.say(client_close(1001));
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("closed:1001"));
}

TEST_F(LivenessTest, CountsIdlenessFromTheLastMessage) {
  context.options.idle_timeout = Duration{30'000};
  context.options.ping_interval = Duration{0};
  Peer peer(context);
  peer.open();
  pass(Duration{29'000});
  peer.say(client_fragments(Opcode::kText, "ab", 1));
  pass(Duration{29'000});
  EXPECT_TRUE(peer.connection->is_open());
  peer.say(client_frame(Opcode::kText, "c"));
  pass(Duration{29'000});
  EXPECT_TRUE(peer.connection->is_open());
  pass(Duration{1'200});
  EXPECT_FALSE(peer.connection->is_open());
}

TEST_F(LivenessTest, EndsAStalledReader) {
  context.options.high_watermark_bytes = 1000;
  Peer peer(context);
  peer.stall();
  peer.send(5000);
  pass(Duration{9'900});
  EXPECT_FALSE(peer.ended());
  pass(Duration{4'300});
  EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
}

TEST_F(LivenessTest, EndsAStalledReaderEvenWithPingsOff) {
  context.options.ping_interval = Duration{0};
  context.options.high_watermark_bytes = 1000;
  Peer peer(context);
  peer.stall();
  peer.send(5000);
  pass(Duration{3'900});
  EXPECT_FALSE(peer.ended());
  pass(Duration{4'500});
  EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
}

// What a busy channel does to a slow but honest reader: its queue never shrinks, though it reads.
TEST_F(LivenessTest, KeepsAReaderForWhomTheQueueFillsAsFastAsItReads) {
  context.options.high_watermark_bytes = 1000;
  Peer peer(context);
  peer.stall();
  peer.send(5000);
  const std::size_t queued = peer.connection->queued_bytes();
  for (int i = 0; i < 20; ++i) {
    peer.send(98);
    peer.wire.window = 100;
    peer.turn();
    ASSERT_EQ(peer.connection->queued_bytes(), queued);
    pass(Duration{3'900});
    ASSERT_FALSE(peer.ended()) << i;
  }
  pass(Duration{4'300});
  EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
}

TEST_F(LivenessTest, ForgivesAReaderThatCatchesUp) {
  context.options.high_watermark_bytes = 1000;
  Peer peer(context);
  peer.open();
  peer.turn();
  for (int i = 0; i < 10; ++i) {
    peer.wire.window = 0;
    peer.send(5000);
    pass(Duration{3'000});
    peer.wire.window = net::FakeWire::kOpenWindow;
    peer.say(client_frame(Opcode::kPong, ""));
    pass(Duration{3'000}, &peer);
    ASSERT_FALSE(peer.ended()) << i;
  }
  EXPECT_FALSE(peer.ended());
}

TEST_F(LivenessTest, TakesAPongThatWaitedWhileTheReaderWasSlow) {
  context.options.high_watermark_bytes = 1000;
  Peer peer(context);
  peer.open();
  pass(Duration{10'200});
  ASSERT_THAT(peer.frames(), ElementsAre("ping:"));
  peer.wire.window = 0;
  peer.send(5000);
  peer.say(client_frame(Opcode::kPong, ""));
  pass(Duration{7'000});
  ASSERT_FALSE(peer.ended());
  peer.wire.window = net::FakeWire::kOpenWindow;
  peer.turn();
  pass(Duration{8'000}, &peer);
  EXPECT_FALSE(peer.ended());
}

TEST_F(LivenessTest, StopsTheClockWithTheConnection) {
  Peer peer(context);
  peer.open();
  peer.say(client_close(1000));
  peer.turn();
  for (int i = 0; i < 100; ++i) advance(Duration{1'000});
  EXPECT_THAT(peer.events, ElementsAre("closed:1000"));
}

}  // namespace
}  // namespace anywire::ws
