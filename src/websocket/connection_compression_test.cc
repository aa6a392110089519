// permessage-deflate on a connection: shared, dedicated, fragmented, hostile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "websocket/testing/peer.h"

namespace anywire::ws {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr DeflateParams kShared{.server_no_context_takeover = true,
                                .client_no_context_takeover = true};
constexpr DeflateParams kDedicated{};

std::string chatter(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += "user " + std::to_string(text.size() % 97) + " says hello; ";
  text.resize(bytes);
  return text;
}

class ConnectionCompressionTest : public ::testing::Test, protected Bench {
 protected:
  ConnectionCompressionTest() { context.options.compression_bytes_min = 100; }

  std::string compressed(std::string_view message, Opcode opcode = Opcode::kText) {
    return client_frame(opcode, deflated(fresh, message), {.rsv1 = true});
  }
  Deflater fresh{{.keep_context = false}};
};

TEST_F(ConnectionCompressionTest, InflatesMessagesOfEitherKind) {
  Peer peer(context, kShared);
  peer.open();
  peer.say(compressed(chatter(500)) + compressed(chatter(300), Opcode::kBinary) +
           client_frame(Opcode::kText, "plain") + compressed(""));
  EXPECT_THAT(peer.events, ElementsAre("text:" + shown(chatter(500)),
                                       "binary:" + shown(chatter(300)), "text:plain", "text:"));
}

TEST_F(ConnectionCompressionTest, KeepsThePeersWindowWhenAgreedOn) {
  Peer peer(context, kDedicated);
  peer.open();
  Deflater client({.keep_context = true});
  const std::string first = deflated(client, chatter(400));
  const std::string second = deflated(client, chatter(400));
  ASSERT_LT(second.size(), first.size() / 2) << "the second refers to the first";
  peer.say(client_frame(Opcode::kText, first, {.rsv1 = true}) +
           client_frame(Opcode::kText, "plain between") +
           client_frame(Opcode::kText, second, {.rsv1 = true}));
  EXPECT_THAT(peer.events, ElementsAre("text:" + shown(chatter(400)), "text:plain between",
                                       "text:" + shown(chatter(400))));
}

TEST_F(ConnectionCompressionTest, ForgetsThePeersWindowWhenAgreedOn) {
  Peer peer(context, kShared);
  peer.open();
  Deflater client({.keep_context = true});
  peer.say(client_frame(Opcode::kText, deflated(client, chatter(400)), {.rsv1 = true}));
  peer.say(client_frame(Opcode::kText, deflated(client, chatter(400)), {.rsv1 = true}));
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("close:1007:compressed data is broken"));
  EXPECT_EQ(peer.messages, 1u);
}

TEST_F(ConnectionCompressionTest, CompressesFromTheThresholdOn) {
  Peer peer(context, kShared);
  peer.open();
  peer.connection->send(Opcode::kText, as_bytes(chatter(99)));
  peer.connection->send(Opcode::kText, as_bytes(chatter(100)));
  peer.connection->send(Opcode::kBinary, Buffer::copy_of(as_bytes(chatter(50'000))));
  peer.turn();
  EXPECT_THAT(peer.frames(),
              ElementsAre("text:" + shown(chatter(99)), "ztext:" + shown(chatter(100)),
                          "zbinary:" + shown(chatter(50'000))));
  EXPECT_LT(peer.wire.sent.size(), 10'000u);
}

TEST_F(ConnectionCompressionTest, KeepsItsOwnWindowWhenAgreedOn) {
  Peer peer(context, kDedicated);
  peer.open();
  peer.connection->send(Opcode::kText, as_bytes(chatter(5'000)));
  peer.turn();
  const std::size_t first = peer.wire.sent.size() - kResponse.size();
  peer.connection->send(Opcode::kText, as_bytes(chatter(5'000)));
  peer.turn();
  const std::size_t second = peer.wire.sent.size() - kResponse.size() - first;
  EXPECT_LT(second, first / 2);
  EXPECT_THAT(peer.frames(),
              ElementsAre("ztext:" + shown(chatter(5'000)), "ztext:" + shown(chatter(5'000))));
}

TEST_F(ConnectionCompressionTest, StaysInsideTheWindowThePeerAskedFor) {
  DeflateParams small = kShared;
  small.server_max_window_bits = 9;
  Peer peer(context, small);
  peer.open();
  EXPECT_FALSE(peer.connection->takes_shared_compression()) << "its window is its own";
  std::string far;
  for (int i = 0; i < 2000; ++i) far += static_cast<char>('a' + (i * i + i / 7) % 26);
  far += far;
  peer.connection->send(Opcode::kText, as_bytes(far));
  peer.turn();
  const auto wire = as_bytes(std::string_view(peer.wire.sent).substr(kResponse.size()));
  const HeaderResult parsed = parse_header(
      wire, {.expect_mask = false, .allow_rsv1 = true, .payload_bytes_max = 1 << 20});
  ASSERT_EQ(parsed.status, HeaderStatus::kOk);
  Inflater narrow(9);
  std::vector<std::uint8_t> out;
  EXPECT_EQ(narrow.inflate(wire.subspan(parsed.header_bytes), true, 1 << 20, out),
            InflateStatus::kOk);
  EXPECT_EQ(as_text(out), far);
}

TEST_F(ConnectionCompressionTest, SaysWhichSharedFramesItTakes) {
  EXPECT_FALSE(Peer(context).connection->takes_shared_compression());
  for (const bool no_context : {true, false}) {
    Peer peer(context, DeflateParams{.server_no_context_takeover = no_context});
    peer.open();
    EXPECT_EQ(peer.connection->takes_shared_compression(), no_context);
  }
  Peer peer(context, kShared);
  peer.open();
  const BufferRef frame = compression.encode_shared(Opcode::kText, as_bytes(chatter(700)));
  peer.connection->send_frame(frame);
  peer.connection->send(Opcode::kText, as_bytes(chatter(800)));
  peer.connection->send_frame(frame);
  peer.turn();
  EXPECT_THAT(peer.frames(),
              ElementsAre("ztext:" + shown(chatter(700)), "ztext:" + shown(chatter(800)),
                          "ztext:" + shown(chatter(700))));
}

TEST_F(ConnectionCompressionTest, NeverCompressesWithoutAgreement) {
  Peer peer(context);
  peer.open();
  peer.connection->send(Opcode::kText, as_bytes(chatter(5'000)));
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("text:" + shown(chatter(5'000))));
}

TEST_F(ConnectionCompressionTest, KeepsInterleavedFragmentedMessagesApart) {
  // More connections in the middle of a message than inflaters are kept, pieces taking turns.
  std::vector<std::unique_ptr<Peer>> peers;
  std::vector<std::string> streams;
  for (std::size_t i = 0; i < 10; ++i) {
    DeflateParams params = i % 3 == 0 ? kDedicated : kShared;
    peers.push_back(std::make_unique<Peer>(context, params));
    peers.back()->open();
    std::string stream;
    for (int round = 0; round < 3; ++round) {
      stream += client_fragments(Opcode::kText, deflated(fresh, chatter(1000 + i)), 11, true);
    }
    streams.push_back(stream);
  }
  bool any = true;
  for (std::size_t at = 0; any; at += 13) {
    any = false;
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (at >= streams[i].size()) continue;
      peers[i]->say(std::string_view(streams[i]).substr(at, 13));
      any = true;
    }
  }
  for (std::size_t i = 0; i < peers.size(); ++i) {
    EXPECT_EQ(peers[i]->events, std::vector<std::string>(3, "text:" + shown(chatter(1000 + i))));
  }
}

TEST_F(ConnectionCompressionTest, ControlFramesPassBetweenCompressedFragments) {
  Peer peer(context, kShared);
  peer.open();
  const std::string payload = deflated(fresh, chatter(500));
  peer.say(client_frame(Opcode::kText, payload.substr(0, 10), {.fin = false, .rsv1 = true}) +
           client_frame(Opcode::kPing, "p") +
           client_frame(Opcode::kContinuation, payload.substr(10)));
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("pong:p"));
  EXPECT_THAT(peer.events, ElementsAre("text:" + shown(chatter(500))));
}

TEST_F(ConnectionCompressionTest, TakesTheLimitExactlyAndNotOneByteMore) {
  context.options.message_bytes_max = 10'000;
  for (const bool dedicated : {false, true}) {
    Peer peer(context, dedicated ? kDedicated : kShared);
    peer.open();
    peer.say(compressed(chatter(10'000)));
    EXPECT_EQ(peer.messages, 1u);
    peer.say(client_fragments(Opcode::kText, deflated(fresh, chatter(10'000)), 100, true));
    EXPECT_EQ(peer.messages, 2u);
    peer.say(compressed(chatter(10'001)));
    peer.turn();
    EXPECT_EQ(peer.messages, 2u);
    EXPECT_THAT(peer.frames(), ElementsAre("close:1009:message too big when decompressed"));
  }
}

TEST_F(ConnectionCompressionTest, TakesIncompressibleMessagesAtTheLimit) {
  context.options.message_bytes_max = 10'000;
  std::string noise(10'000, ' ');
  std::uint32_t state = 1;
  for (char& c : noise) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  const std::string payload = deflated(fresh, noise);
  ASSERT_GT(payload.size(), noise.size());
  Peer peer(context, kShared);
  peer.open();
  peer.say(client_frame(Opcode::kBinary, payload, {.rsv1 = true}));
  peer.say(client_fragments(Opcode::kBinary, payload, 700, true));
  EXPECT_EQ(peer.messages, 2u);
}

TEST_F(ConnectionCompressionTest, StopsABombAtTheLimit) {
  std::string bomb = deflated(fresh, std::string(64 * 1024 * 1024, '\0'));
  ASSERT_LT(bomb.size(), 128u * 1024);
  Peer peer(context, kShared);
  peer.open();
  peer.say(client_frame(Opcode::kBinary, bomb, {.rsv1 = true}));
  peer.turn();
  EXPECT_EQ(peer.messages, 0u);
  EXPECT_THAT(peer.frames(), ElementsAre("close:1009:message too big when decompressed"));
}

TEST_F(ConnectionCompressionTest, RefusesTruncatedAndGarbledData) {
  const std::string good = deflated(fresh, chatter(400));
  for (const std::string& payload :
       {good.substr(0, good.size() / 2), good.substr(0, good.size() - 1), "\x07" + good}) {
    for (const std::size_t piece : {1'000u, 7u}) {
      Peer peer(context, kShared);
      peer.open();
      peer.say(client_fragments(Opcode::kText, payload, piece, true));
      peer.turn();
      EXPECT_EQ(peer.messages, 0u);
      EXPECT_THAT(peer.frames(), ElementsAre("close:1007:compressed data is broken"));
    }
  }
}

TEST_F(ConnectionCompressionTest, ChecksInflatedTextAsItComes) {
  const std::string payload = deflated(fresh, chatter(300) + "\xFF" + chatter(60'000));
  Peer peer(context, kShared);
  peer.open();
  peer.say(client_frame(Opcode::kText, payload.substr(0, payload.size() - 10),
                        {.fin = false, .rsv1 = true}));
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("close:1007:text is not UTF-8"));
}

TEST_F(ConnectionCompressionTest, DropsCompressedMessagesWhileClosing) {
  Peer peer(context, kShared);
  peer.open();
  const std::string payload = deflated(fresh, chatter(400));
  peer.say(client_frame(Opcode::kText, payload.substr(0, 20), {.fin = false, .rsv1 = true}));
  peer.connection->close(CloseCode::kNormal, "");
  peer.say(client_frame(Opcode::kContinuation, payload.substr(20)) + compressed(chatter(200)) +
           client_close(1000));
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("closed:1000"));
}

TEST_F(ConnectionCompressionTest, RefusesRsv1OnLaterAndControlFrames) {
  for (const std::string& bytes :
       {client_frame(Opcode::kText, "a", {.fin = false}) +
            client_frame(Opcode::kContinuation, "b", {.rsv1 = true}),
        client_frame(Opcode::kPing, "", {.rsv1 = true})}) {
    Peer peer(context, kShared);
    peer.open();
    peer.say(bytes);
    peer.turn();
    ASSERT_EQ(peer.frames().size(), 1u);
    EXPECT_TRUE(peer.frames()[0].starts_with("close:1002:"));
  }
}

}  // namespace
}  // namespace anywire::ws
