// Two streams in memory with a tunnel between them.
#include "front/tunnel.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "net/testing/fake_stream.h"

namespace anywire::front {
namespace {

class TunnelTest : public ::testing::Test {
 protected:
  ~TunnelTest() override {
    for (Tunnel* tunnel : tunnels.snapshot()) tunnel->abort();
    turn();
    EXPECT_TRUE(client.destroyed());
    EXPECT_TRUE(server.destroyed());
  }
  void start(std::string_view client_early = {}, std::string_view server_early = {}) {
    const auto early = [](std::string_view text) {
      return text.empty() ? BufferRef() : Buffer::copy_of(as_bytes(text));
    };
    Tunnel::start(*loop, tunnels, {client.make_stream(), early(client_early)},
                  {server.make_stream(), early(server_early)}, lease);
    turn();
  }
  void turn(Duration by = Duration{1}) {
    clock.advance(by);
    client.pump();
    server.pump();
    loop->turn(Duration::zero());
  }
  bool over() const { return tunnels.empty(); }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  net::FakeWire client{*loop};
  net::FakeWire server{*loop};
  DenseSet<Tunnel> tunnels;
  std::shared_ptr<int> lease = std::make_shared<int>(1);
};

TEST_F(TunnelTest, CarriesBytesBothWays) {
  start();
  client.deliver("ping");
  server.deliver("pong");
  turn();
  EXPECT_EQ(server.sent, "ping");
  EXPECT_EQ(client.sent, "pong");
}

TEST_F(TunnelTest, BeginsWithWhatWasReadBefore) {
  start("from the client", "from the server");
  EXPECT_EQ(server.sent, "from the client");
  EXPECT_EQ(client.sent, "from the server");
}

TEST_F(TunnelTest, HoldsTheSenderBackUntilTheOtherReads) {
  start();
  server.window = 0;
  const std::string part(100'000, 'x');
  for (int i = 0; i < 20; ++i) client.deliver(part);
  EXPECT_FALSE(client.reading());
  EXPECT_LE(server.queued(), kTunnelQueueBytesMax + 256 * 1024);
  EXPECT_GT(client.unread(), 0u);
  server.window = net::FakeWire::kOpenWindow;
  for (int i = 0; i < 50; ++i) turn();
  EXPECT_EQ(server.sent.size(), 20 * part.size());
}

TEST_F(TunnelTest, PassesAnEndOnAndKeepsTheOtherDirection) {
  start();
  client.deliver("last");
  client.end_input();
  turn();
  EXPECT_EQ(server.sent, "last");
  EXPECT_TRUE(server.fin_sent());
  EXPECT_FALSE(over());
  server.deliver("answer");
  turn();
  EXPECT_EQ(client.sent, "answer");
  server.end_input();
  turn();
  turn();
  EXPECT_TRUE(over());
  EXPECT_TRUE(client.closed_when_sent());
  EXPECT_TRUE(server.closed_when_sent());
}

TEST_F(TunnelTest, WhatIsOnItsWayArrivesAfterBothEnded) {
  start();
  client.window = 0;
  server.deliver("slow");
  server.end_input();
  client.end_input();
  turn();
  EXPECT_FALSE(over());
  client.window = net::FakeWire::kOpenWindow;
  turn();
  turn();
  EXPECT_EQ(client.sent, "slow");
  EXPECT_TRUE(over());
}

TEST_F(TunnelTest, ABreakEndsBothSides) {
  start();
  server.reset_by_peer();
  turn();
  EXPECT_TRUE(over());
  EXPECT_TRUE(client.closed());
}

TEST_F(TunnelTest, HasNoIdleLimitWhileBothSidesAreOpen) {
  start();
  turn(Duration{7 * 24 * 3'600'000});
  EXPECT_FALSE(over());
}

TEST_F(TunnelTest, HalfClosedAndSilentItEnds) {
  start();
  client.end_input();
  turn();
  turn(Duration{50'000});
  server.deliver("still here");
  turn(Duration{50'000});
  EXPECT_FALSE(over());
  turn(Duration{61'000});
  EXPECT_TRUE(over());
}

TEST_F(TunnelTest, KeepsItsLeaseForAsLongAsItLasts) {
  start();
  EXPECT_EQ(lease.use_count(), 2);
  tunnels.snapshot()[0]->abort();
  turn();
  EXPECT_EQ(lease.use_count(), 1);
}

}  // namespace
}  // namespace anywire::front
