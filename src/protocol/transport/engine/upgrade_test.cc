// The way from polls to a WebSocket: nothing lost, nothing twice, in order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/transport/engine/testing/engine_world.h"

namespace anywire::protocol::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::StartsWith;

constexpr const char* kBad = R"(400 {"code":3,"message":"Bad request"})";

TEST(Upgrade, AnswersTheProbeAndTakesOver) {
  EngineWorld world;
  const std::string sid = world.open();
  const Client& poll = world.get(sid);
  Client& socket = world.socket(sid);
  EXPECT_EQ(EngineWorld::heard(socket), "");
  world.say(socket, "2probe");
  EXPECT_EQ(EngineWorld::heard(socket), "3probe");
  EXPECT_EQ(poll.answer(), "6");
  EXPECT_EQ(world.get(sid).answer(), "6");
  EXPECT_EQ(world.talk().transport->encoding(1), Transport::Encoding::kPackets);
  world.say(socket, "5");
  EXPECT_EQ(world.talk().transport->encoding(1), Transport::Encoding::kPlain);
  world.talk().transport->send_text("a");
  world.say(socket, "4b");
  EXPECT_EQ(EngineWorld::heard(socket), "3probe 4a");
  EXPECT_EQ(world.last_word(), "message b");
  EXPECT_EQ(world.get(sid).answer(), kBad);
  EXPECT_EQ(world.endpoints.sessions(), 1u);
}

TEST(Upgrade, SaysOnTheWebSocketWhatNoPollHasFetched) {
  EngineWorld world;
  const std::string sid = world.open();
  Transport& transport = *world.talk().transport;
  Client& socket = world.socket(sid);
  world.say(socket, "2probe");
  transport.send_text("one");
  transport.send_binary(as_bytes(std::string_view("two")));
  transport.send_text("three");
  world.say(socket, "5");
  transport.send_text("four");
  world.run();
  EXPECT_EQ(EngineWorld::heard(socket), "3probe 4one #two 4three 4four");
}

TEST(Upgrade, LetsPollsCarryPacketsUntilTheEnd) {
  EngineWorld world;
  const std::string sid = world.open();
  Client& socket = world.socket(sid);
  world.say(socket, "2probe");
  world.talk().transport->send_text("one");
  EXPECT_EQ(world.get(sid).answer(), "4one");
  world.say(socket, "5");
  EXPECT_EQ(EngineWorld::heard(socket), "3probe");
}

TEST(Upgrade, TakesProbeAndUpgradeInOnePiece) {
  EngineWorld world;
  const std::string sid = world.open();
  Client& socket =
      world.socket(sid, client_frame("2probe") + client_frame("5") + client_frame("4a"));
  EXPECT_EQ(EngineWorld::heard(socket), "3probe");
  EXPECT_EQ(world.last_word(), "message a");
}

TEST(Upgrade, KeepsThePostBeforeWhatTheWebSocketBrings) {
  EngineWorld world;
  const std::string sid = world.open();
  world.talk().transport->hold_input(true);
  const Client& post = world.post(sid, "4one\x1e" "4two");
  Client& socket = world.socket(sid);
  world.say(socket, "2probe");
  world.say(socket, "5");
  world.say(socket, "4three");
  EXPECT_EQ(world.talk().log.size(), 1u);
  world.talk().transport->hold_input(false);
  world.run();
  EXPECT_EQ(post.answer(), "ok");
  EXPECT_THAT(world.talk().log, ElementsAre("attached /engine.io/", "message one", "message two",
                                            "message three"));
}

TEST(Upgrade, DropsOnlyTheCandidateThatSaysAnythingElse) {
  for (const char* text : {"2", "2prob", "4a", "5", "3probe", "x", ""}) {
    EngineWorld world;
    const std::string sid = world.open();
    Client& socket = world.socket(sid);
    world.say(socket, text);
    EXPECT_EQ(EngineWorld::heard(socket), "close") << text;
    world.talk().transport->send_text("alive");
    EXPECT_EQ(world.get(sid).answer(), "4alive") << text;
    // And another one may try.
    Client& second = world.socket(sid, client_frame("2probe") + client_frame("5"));
    EXPECT_EQ(EngineWorld::heard(second), "3probe") << text;
  }
}

TEST(Upgrade, DropsTheCandidateThatTakesTooLong) {
  EngineWorld world;
  const std::string sid = world.open();
  Client& socket = world.socket(sid);
  world.say(socket, "2probe");
  world.advance(Duration{10'100});
  EXPECT_EQ(EngineWorld::heard(socket), "3probe close");
  const Client& poll = world.get(sid);
  EXPECT_EQ(poll.answer(), "none");
  world.talk().transport->send_text("a");
  world.run();
  EXPECT_EQ(poll.answer(), "4a");
}

TEST(Upgrade, SurvivesTheCandidatesDeath) {
  EngineWorld world;
  const std::string sid = world.open();
  Client& socket = world.socket(sid);
  world.say(socket, "2probe");
  socket.wire.reset_by_peer();
  world.run();
  EXPECT_EQ(world.get(sid).answer(), "none");
  EXPECT_EQ(world.endpoints.connections(), 0u);
}

TEST(Upgrade, RefusesASecondCandidate) {
  EngineWorld world;
  const std::string sid = world.open();
  Client& socket = world.socket(sid);
  EXPECT_THAT(EngineWorld::heard(world.socket(sid)), StartsWith("400 "));
  world.say(socket, "2probe");
  world.say(socket, "5");
  EXPECT_THAT(EngineWorld::heard(world.socket(sid)), StartsWith("400 "));
  world.talk().transport->send_text("a");
  world.run();
  EXPECT_THAT(EngineWorld::heard(socket), EndsWith("4a"));
}

TEST(Upgrade, EndsWithTheSession) {
  EngineWorld world;
  const std::string sid = world.open();
  Client& socket = world.socket(sid);
  world.say(socket, "2probe");
  world.post(sid, "1");
  EXPECT_EQ(EngineWorld::heard(socket), "3probe close");
  EXPECT_EQ(world.last_word(), "closed 1000");
  world.advance(Duration{600});
  EXPECT_EQ(world.endpoints.connections(), 0u);
}

TEST(Upgrade, FreesACongestedSession) {
  EngineWorld world({}, {.high_watermark_bytes = 100});
  const std::string sid = world.open();
  Client& socket = world.socket(sid);
  world.say(socket, "2probe");
  world.talk().transport->send_text(std::string(120, 'x'));
  EXPECT_TRUE(world.talk().transport->congested());
  world.say(socket, "5");
  EXPECT_FALSE(world.talk().transport->congested());
  EXPECT_EQ(world.last_word(), "writable");
}

TEST(Upgrade, MovesTheLeaseToTheWebSocket) {
  EngineWorld world;
  const std::string sid = world.open();
  auto lease = std::make_shared<int>(1);
  world.next_lease = lease;
  Client& socket = world.socket(sid);
  world.next_lease.reset();
  EXPECT_EQ(lease.use_count(), 2);
  world.say(socket, "2probe");
  world.say(socket, "5");
  EXPECT_EQ(lease.use_count(), 2);
  socket.wire.reset_by_peer();
  world.run();
  EXPECT_EQ(lease.use_count(), 1);
}

// A client that polls, posts and upgrades while both sides talk all the time: at whichever message
// it makes its next step, everything comes once and in order.
TEST(Upgrade, LosesNothingUnderLoadWheneverItComes) {
  for (int probe_at = 0; probe_at < 12; ++probe_at) {
    for (int upgrade_after = 0; upgrade_after < 6; ++upgrade_after) {
      EngineWorld world;
      const std::string sid = world.open();
      std::string got;
      Client* poll = &world.get(sid);
      Client* socket = nullptr;
      bool upgraded = false;
      std::string expected;
      for (int i = 0; i < 24; ++i) {
        expected += " 4" + std::to_string(i);
        world.talk().transport->send_text(std::to_string(i));
        if (i == probe_at) socket = &world.socket(sid, client_frame("2probe"));
        world.run(1);
        if (poll != nullptr && poll->answer() != "none") {
          std::string body = poll->answer();
          if (body != "6") got += " " + body;
          const bool pausing = socket != nullptr && EngineWorld::heard(*socket) == "3probe";
          poll = pausing ? nullptr : &world.get(sid);
        }
        if (socket != nullptr && poll == nullptr && !upgraded && i >= probe_at + upgrade_after) {
          upgraded = true;
          world.say(*socket, "5");
        }
      }
      world.run();
      ASSERT_TRUE(upgraded);
      const std::string heard = EngineWorld::heard(*socket);
      ASSERT_THAT(heard, StartsWith("3probe"));
      got += heard.substr(6);
      std::replace(got.begin(), got.end(), '\x1e', ' ');
      ASSERT_EQ(got, expected) << probe_at << " " << upgrade_after;
    }
  }
}

}  // namespace
}  // namespace anywire::protocol::engine
