// Endings: the closing handshake in both directions, failures, deadlines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "websocket/testing/peer.h"

namespace anywire::ws {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConnectionCloseTest : public ::testing::Test, protected Bench {
 protected:
  ConnectionCloseTest() { context.options.close_timeout = Duration{5'000}; }
};

TEST_F(ConnectionCloseTest, AnswersThePeersCodeAndClosesTcpFirst) {
  Peer peer(context);
  peer.open();
  peer.say(client_close(1001, "tab closed"));
  EXPECT_THAT(peer.events, IsEmpty()) << "first the answer has to leave";
  EXPECT_FALSE(peer.connection->is_open());
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("close:1001:tab closed"));
  EXPECT_TRUE(peer.wire.closed_when_sent()) << "RFC 6455 7.1.1: the server closes first";
  EXPECT_THAT(peer.events, ElementsAre("closed:1001"));
}

TEST_F(ConnectionCloseTest, AnswersACloseWithoutCodeInKind) {
  Peer peer(context);
  peer.open();
  peer.say(client_frame(Opcode::kClose, ""));
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("close:1005:"));
  EXPECT_THAT(peer.events, ElementsAre("closed:1005"));
}

TEST_F(ConnectionCloseTest, IgnoresWhatComesBehindThePeersClose) {
  Peer peer(context);
  peer.open();
  peer.say(client_close(1000) + client_frame(Opcode::kText, "late") +
           client_frame(Opcode::kPing, "late"));
  peer.say(client_frame(Opcode::kText, "later"));
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("close:1000:"));
  EXPECT_THAT(peer.events, ElementsAre("closed:1000"));
}

TEST_F(ConnectionCloseTest, TakesACloseInTheMiddleOfAMessage) {
  Peer peer(context);
  peer.open();
  peer.say(client_frame(Opcode::kText, "half", {.fin = false}) + client_close(1000));
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("closed:1000"));
}

TEST_F(ConnectionCloseTest, SendsWhatWasQueuedBeforeTheAnswer) {
  Peer peer(context);
  peer.open();
  peer.wire.window = kResponse.size();
  peer.turn();
  peer.connection->send(Opcode::kText, as_bytes("last words"));
  peer.say(client_close(1000));
  peer.turn();
  EXPECT_THAT(peer.events, IsEmpty());
  peer.wire.window = net::FakeWire::kOpenWindow;
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("text:last words", "close:1000:"));
  EXPECT_THAT(peer.events, ElementsAre("closed:1000"));
}

TEST_F(ConnectionCloseTest, DoesNotWaitForeverForItsAnswerToLeave) {
  Peer peer(context);
  peer.open();
  peer.wire.window = 0;
  peer.say(client_close(1000));
  advance(Duration{4'900});
  EXPECT_THAT(peer.events, IsEmpty());
  advance(Duration{200});
  EXPECT_THAT(peer.events, ElementsAre("closed:1000"));
}

TEST_F(ConnectionCloseTest, ClosesWithCodeAndReasonAndWaitsForTheAnswer) {
  Peer peer(context);
  peer.open();
  peer.connection->close(CloseCode::kGoingAway, "so long");
  EXPECT_FALSE(peer.connection->is_open());
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("close:1001:so long"));
  EXPECT_FALSE(peer.wire.closed());
  EXPECT_FALSE(peer.wire.fin_sent());
  peer.say(client_close(1001));
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("close:1001:so long")) << "no second Close";
  EXPECT_THAT(peer.events, ElementsAre("closed:1001"));
}

TEST_F(ConnectionCloseTest, ReportsThePeersCodeWhenItAnswersWithAnother) {
  Peer peer(context);
  peer.open();
  peer.connection->close(CloseCode::kGoingAway, "");
  peer.say(client_close(4000));
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("closed:4000"));
}

TEST_F(ConnectionCloseTest, GivesUpOnAPeerThatDoesNotAnswer) {
  Peer peer(context);
  peer.open();
  peer.connection->close(CloseCode::kNormal, "");
  advance(Duration{4'900});
  EXPECT_THAT(peer.events, IsEmpty());
  advance(Duration{200});
  EXPECT_THAT(peer.events, ElementsAre("closed:1000"));
  EXPECT_TRUE(peer.wire.destroyed());
}

TEST_F(ConnectionCloseTest, DoesNotLetTheDeadlineBeMovedByTraffic) {
  Peer peer(context);
  peer.open();
  peer.connection->close(CloseCode::kNormal, "");
  for (int i = 0; i < 6; ++i) {
    peer.say(client_frame(Opcode::kText, "still here") + client_frame(Opcode::kPing, ""));
    advance(Duration{1'000});
  }
  EXPECT_THAT(peer.events, ElementsAre("closed:1000"));
}

TEST_F(ConnectionCloseTest, DropsMessagesOnceItsOwnCloseIsSent) {
  Peer peer(context);
  peer.open();
  peer.connection->close(CloseCode::kNormal, "");
  peer.connection->send(Opcode::kText, as_bytes("too late"));
  peer.connection->send_frame(encode_frame(Opcode::kText, as_bytes("too late")));
  peer.connection->close(CloseCode::kGoingAway, "again");
  peer.say(client_frame(Opcode::kText, "a") + client_fragments(Opcode::kText, "bcd", 1) +
           client_frame(Opcode::kPing, "p"));
  peer.turn();
  EXPECT_THAT(peer.events, IsEmpty());
  EXPECT_THAT(peer.frames(), ElementsAre("close:1000:"));
}

TEST_F(ConnectionCloseTest, StillSeesTheAnswerBehindALargeMessageNobodyWants) {
  // Between a close and its answer the peer may finish what it was sending.
  std::string text;
  while (text.size() < 300'000) text += "\xE2\x82\xAC";
  const std::string message = client_fragments(Opcode::kText, text, 100'001);
  for (const std::size_t before : {1'000u, 60'000u, 100'000u, 150'000u}) {
    for (const std::size_t piece : {10'007u, 50'021u, 1'000'000u}) {
      Peer peer(context);
      peer.open();
      peer.say(std::string_view(message).substr(0, before));
      peer.connection->close(CloseCode::kNormal, "");
      peer.say_in_pieces(std::string_view(message).substr(before), piece);
      peer.say(client_close(1000));
      peer.turn();
      EXPECT_THAT(peer.events, ElementsAre("closed:1000")) << before << " " << piece;
      EXPECT_TRUE(peer.wire.closed_when_sent());
    }
  }
}

TEST_F(ConnectionCloseTest, FailsAPeerThatBreaksTheProtocolWhileClosing) {
  Peer peer(context);
  peer.open();
  peer.connection->close(CloseCode::kNormal, "");
  peer.say("\x83\x80");
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("close:1000:")) << "only one Close frame ever";
  EXPECT_TRUE(peer.wire.fin_sent());
  peer.wire.end_input();
  EXPECT_THAT(peer.events, ElementsAre("closed:1002"));
}

TEST_F(ConnectionCloseTest, ReportsAnAbnormalEndWhenTheAnswerNeverComes) {
  Peer peer(context);
  peer.open();
  peer.connection->close(CloseCode::kNormal, "");
  peer.wire.end_input();
  EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
}

TEST_F(ConnectionCloseTest, CutsALongReasonBetweenTwoCharacters) {
  Peer peer(context);
  peer.open();
  std::string reason(122, 'r');
  reason += "\xC3\xBC";
  peer.connection->close(static_cast<CloseCode>(4999), reason);
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("close:4999:" + reason.substr(0, 122)));
}

TEST_F(ConnectionCloseTest, AnswersAnUpgradeItClosesBeforeTheOpening) {
  Peer peer(context, {}, client_frame(Opcode::kText, "nobody wants this"));
  peer.connection->close(CloseCode::kGoingAway, "shutting down");
  peer.open();
  peer.connection->send(Opcode::kText, as_bytes("no"));
  peer.turn();
  EXPECT_TRUE(peer.wire.sent.starts_with(kResponse));
  EXPECT_THAT(peer.frames(), ElementsAre("close:1001:shutting down"));
  peer.say(client_close(1001));
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("closed:1001"));
}

TEST_F(ConnectionCloseTest, LingersAfterAFailureUntilTheDeadline) {
  Peer peer(context);
  peer.open();
  peer.say("\x83\x80");
  peer.turn();
  EXPECT_TRUE(peer.wire.fin_sent());
  for (int i = 0; i < 4; ++i) {
    peer.say(std::string(100'000, 'x'));
    EXPECT_EQ(peer.wire.unread(), 0u) << "unread input would turn the close into a reset";
    advance(Duration{1'000});
  }
  EXPECT_THAT(peer.events, IsEmpty());
  advance(Duration{1'100});
  EXPECT_THAT(peer.events, ElementsAre("closed:1002"));
}

TEST_F(ConnectionCloseTest, ReadsOnAfterAFailureInBytesHeldBackByASlowReader) {
  context.options.high_watermark_bytes = 1000;
  Peer peer(context);
  peer.stall();
  peer.send(2000);
  peer.say("\x83\x80");
  peer.turn();
  peer.say("more");
  EXPECT_FALSE(peer.wire.reading());
  peer.wire.window = net::FakeWire::kOpenWindow;
  peer.turn();
  peer.turn();
  EXPECT_TRUE(peer.wire.reading());
  EXPECT_TRUE(peer.wire.fin_sent());
  peer.wire.end_input();
  EXPECT_THAT(peer.events, ElementsAre("writable", "closed:1002"));
}

TEST_F(ConnectionCloseTest, AbortsAtOnceInEveryState) {
  {
    Peer peer(context);
    peer.connection->abort();
    EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
  }
  {
    Peer peer(context);
    peer.open();
    peer.connection->abort();
    EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
    EXPECT_TRUE(peer.wire.closed());
  }
  {
    Peer peer(context);
    peer.open();
    peer.connection->close(CloseCode::kNormal, "");
    peer.connection->abort();
    EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
  }
  {
    Peer peer(context);
    peer.open();
    peer.say("\x83\x80");
    peer.connection->abort();
    peer.turn();
    EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
  }
}

TEST_F(ConnectionCloseTest, TellsTheEndOnceOnly) {
  Peer peer(context);
  peer.open();
  peer.connection->close(CloseCode::kNormal, "");
  peer.say(client_close(1000));
  peer.wire.end_input();
  peer.turn();
  advance(Duration{60'000});
  EXPECT_EQ(peer.events.size(), 1u);
}

}  // namespace
}  // namespace anywire::ws
