// Frames, fragmentation, limits and reading: from the peer's bytes to on_message.
#include "websocket/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "websocket/testing/peer.h"

namespace anywire::ws {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConnectionTest : public ::testing::Test, protected Bench {};

std::string letters(std::size_t count) {
  std::string text(count, ' ');
  for (std::size_t i = 0; i < count; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

TEST_F(ConnectionTest, AnswersTheUpgradeOnlyWhenOpened) {
  Peer peer(context);
  EXPECT_FALSE(peer.connection->is_open());
  peer.turn();
  EXPECT_EQ(peer.wire.sent, "");
  peer.open();
  EXPECT_TRUE(peer.connection->is_open());
  peer.turn();
  EXPECT_EQ(peer.wire.sent, kResponse);
  EXPECT_THAT(peer.events, IsEmpty());
}

TEST_F(ConnectionTest, OpensOnce) {
  Peer peer(context);
  peer.open();
  peer.open();
  peer.turn();
  EXPECT_EQ(peer.wire.sent, kResponse);
}

TEST_F(ConnectionTest, HoldsInputBackUntilOpened) {
  Peer peer(context);
  peer.say(client_frame(Opcode::kText, "soon"));
  peer.turn();
  EXPECT_THAT(peer.events, IsEmpty());
  EXPECT_FALSE(peer.wire.reading()) << "a peer that talks early must not spin the loop";
  peer.open();
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("text:soon"));
}

TEST_F(ConnectionTest, TakesBytesGluedToTheRequest) {
  const std::string early = client_frame(Opcode::kText, "one") +
                            client_frame(Opcode::kBinary, "two") +
                            client_frame(Opcode::kText, "three");
  Peer peer(context, {}, std::string_view(early).substr(0, early.size() - 2));
  peer.open();
  EXPECT_THAT(peer.events, ElementsAre("text:one", "binary:two"));
  peer.say(std::string_view(early).substr(early.size() - 2));
  EXPECT_THAT(peer.events, ElementsAre("text:one", "binary:two", "text:three"));
}

TEST_F(ConnectionTest, AnswersAnEarlyPingBehindThe101) {
  Peer peer(context, {}, client_frame(Opcode::kPing, "x"));
  peer.open();
  peer.turn();
  EXPECT_TRUE(peer.wire.sent.starts_with(kResponse));
  EXPECT_THAT(peer.frames(), ElementsAre("pong:x"));
}

TEST_F(ConnectionTest, ReportsAPeerThatLeavesBeforeTheOpening) {
  Peer peer(context);
  peer.say("x");
  peer.wire.reset_by_peer();
  EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
}

TEST_F(ConnectionTest, UnmasksWithWhateverKey) {
  Peer peer(context);
  peer.open();
  for (const std::uint32_t key : {0u, 1u, 0xFFFFFFFFu, 0x80000000u, 0x01020304u}) {
    peer.say(client_frame(Opcode::kText, "hello", {.mask_key = key}));
  }
  EXPECT_EQ(peer.events, std::vector<std::string>(5, "text:hello"));
}

TEST_F(ConnectionTest, TakesPayloadsOfEveryLengthForm) {
  context.options.message_bytes_max = 200'000;
  Peer peer(context);
  peer.open();
  for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 65535u, 65536u, 200'000u}) {
    peer.events.clear();
    peer.say(client_frame(Opcode::kBinary, letters(size)));
    ASSERT_THAT(peer.events, ElementsAre("binary:" + shown(letters(size)))) << size;
  }
}

TEST_F(ConnectionTest, JoinsFragments) {
  Peer peer(context);
  peer.open();
  peer.say(client_fragments(Opcode::kText, "hello world", 3));
  peer.say(client_fragments(Opcode::kBinary, "abc", 1));
  EXPECT_THAT(peer.events, ElementsAre("text:hello world", "binary:abc"));
}

TEST_F(ConnectionTest, TakesEmptyFragmentsAnywhere) {
  Peer peer(context);
  peer.open();
  peer.say(client_frame(Opcode::kText, "", {.fin = false}) +
           client_frame(Opcode::kContinuation, "", {.fin = false}) +
           client_frame(Opcode::kContinuation, "a", {.fin = false}) +
           client_frame(Opcode::kContinuation, ""));
  peer.say(client_frame(Opcode::kBinary, "", {.fin = false}) +
           client_frame(Opcode::kContinuation, ""));
  EXPECT_THAT(peer.events, ElementsAre("text:a", "binary:"));
}

TEST_F(ConnectionTest, LetsControlFramesThroughBetweenFragments) {
  Peer peer(context);
  peer.open();
  peer.say(client_frame(Opcode::kText, "he", {.fin = false}) + client_frame(Opcode::kPing, "1") +
           client_frame(Opcode::kContinuation, "ll", {.fin = false}) +
           client_frame(Opcode::kPong, "2") + client_frame(Opcode::kContinuation, "o"));
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("text:hello"));
  EXPECT_THAT(peer.frames(), ElementsAre("pong:1"));
}

TEST_F(ConnectionTest, JoinsCharactersSplitBetweenFragments) {
  const std::string euro = "\xE2\x82\xAC";
  Peer peer(context);
  peer.open();
  peer.say(client_fragments(Opcode::kText, euro + euro, 1));
  EXPECT_THAT(peer.events, ElementsAre("text:" + euro + euro));
}

TEST_F(ConnectionTest, LeavesNoTraceOfOneMessageInTheNext) {
  Peer peer(context);
  peer.open();
  for (int i = 0; i < 3; ++i) {
    peer.say(client_fragments(Opcode::kText, "first", 2));
    peer.say(client_frame(Opcode::kBinary, "\xFF\xFE"));
    peer.say(client_fragments(Opcode::kBinary, "\xC3", 1));
    peer.say(client_frame(Opcode::kText, ""));
  }
  ASSERT_EQ(peer.events.size(), 12u);
  EXPECT_EQ(peer.events[7], "text:");
  EXPECT_EQ(peer.events[8], "text:first");
}

// What breaks the protocol, and the code that must answer it.
struct Offence {
  const char* name;
  std::string bytes;
  const char* code;
};

class OffenceTest : public ::testing::TestWithParam<Offence> {};

TEST_P(OffenceTest, IsAnsweredWithItsCodeAndAHalfClose) {
  Bench bench;
  Peer peer(bench.context);
  peer.open();
  peer.say(GetParam().bytes);
  EXPECT_THAT(peer.events, IsEmpty()) << "the end comes with the end of the TCP connection";
  peer.turn();
  ASSERT_EQ(peer.frames().size(), 1u);
  EXPECT_EQ(peer.frames()[0].substr(0, 11), "close:" + std::string(GetParam().code) + ":");
  EXPECT_GT(peer.frames()[0].size(), 11u) << "a reason for the person who debugs the client";
  EXPECT_TRUE(peer.wire.fin_sent());
  EXPECT_FALSE(peer.wire.closed()) << "closing with unread input would reset the connection";
  peer.say(client_frame(Opcode::kText, "ignored"));
  EXPECT_EQ(peer.wire.unread(), 0u);
  peer.wire.end_input();
  EXPECT_THAT(peer.events, ElementsAre("closed:" + std::string(GetParam().code)));
  peer.turn();
  EXPECT_TRUE(peer.wire.destroyed());
}

std::string unmasked_frame() { return "\x81\x01" "a"; }

INSTANTIATE_TEST_SUITE_P(
    All, OffenceTest,
    ::testing::Values(
        Offence{"Unmasked", unmasked_frame(), "1002"},
        Offence{"Rsv1WithoutAgreement", client_frame(Opcode::kText, "a", {.rsv1 = true}), "1002"},
        Offence{"Rsv2", std::string("\xA1\x80\0\0\0\0", 6), "1002"},
        Offence{"Rsv3", std::string("\x91\x80\0\0\0\0", 6), "1002"},
        Offence{"Opcode3", std::string("\x83\x80\0\0\0\0", 6), "1002"},
        Offence{"Opcode11", std::string("\x8B\x80\0\0\0\0", 6), "1002"},
        Offence{"ContinuationOfNothing", client_frame(Opcode::kContinuation, "a"), "1002"},
        Offence{"MessageInsideMessage",
                client_frame(Opcode::kText, "a", {.fin = false}) + client_frame(Opcode::kText, "b"),
                "1002"},
        Offence{"FragmentedPing", client_frame(Opcode::kPing, "", {.fin = false}), "1002"},
        Offence{"LongPing", client_frame(Opcode::kPing, std::string(126, 'p')), "1002"},
        Offence{"LengthNotShortest", std::string("\x81\xFE\x00\x05", 4), "1002"},
        Offence{"LengthWithTopBit", std::string("\x82\xFF\x80\0\0\0\0\0\0\0", 10), "1002"},
        Offence{"CloseOfOneByte", client_frame(Opcode::kClose, "x"), "1002"},
        Offence{"CloseWith1005", client_close(1005), "1002"},
        Offence{"CloseWith1006", client_close(1006), "1002"},
        Offence{"CloseWith999", client_close(999), "1002"},
        Offence{"CloseReasonNotUtf8", client_close(1000, "\xFF"), "1007"},
        Offence{"TextNotUtf8", client_frame(Opcode::kText, "ab\xC0\xAF"), "1007"},
        Offence{"TextEndsInsideCharacter", client_frame(Opcode::kText, "\xE2\x82"), "1007"},
        Offence{"FragmentedTextEndsInsideCharacter",
                client_fragments(Opcode::kText, "a\xE2\x82", 1), "1007"},
        Offence{"BadTextInAnUnfinishedMessage",
                client_frame(Opcode::kText, "\xFF", {.fin = false}), "1007"},
        Offence{"TooBig", client_header(Opcode::kBinary, 1024 * 1024 + 1), "1009"},
        Offence{"AbsurdLength", client_header(Opcode::kBinary, std::uint64_t{1} << 62), "1009"}),
    [](const auto& offence) { return std::string(offence.param.name); });

class LimitTest : public ConnectionTest {
 protected:
  LimitTest() { context.options.message_bytes_max = 1000; }
};

TEST_F(LimitTest, TakesAMessageExactlyAtTheLimitInEveryShape) {
  Peer peer(context);
  peer.open();
  const std::string expected = "binary:" + shown(letters(1000));
  peer.say(client_frame(Opcode::kBinary, letters(1000)));
  peer.say_in_pieces(client_frame(Opcode::kBinary, letters(1000)), 7);
  peer.say(client_fragments(Opcode::kBinary, letters(1000), 999));
  peer.say_in_pieces(client_fragments(Opcode::kBinary, letters(1000), 1), 3);
  peer.say(client_fragments(Opcode::kBinary, letters(1000), 500));
  EXPECT_EQ(peer.events, std::vector<std::string>(5, expected));
}

TEST_F(LimitTest, RefusesOneByteMoreInEveryShape) {
  for (const std::string& bytes :
       {client_frame(Opcode::kBinary, letters(1001)), client_header(Opcode::kBinary, 1001),
        client_fragments(Opcode::kBinary, letters(1001), 1000),
        client_fragments(Opcode::kBinary, letters(1001), 1),
        client_frame(Opcode::kText, letters(500), {.fin = false}) +
            client_header(Opcode::kContinuation, 501)}) {
    Peer peer(context);
    peer.open();
    peer.say_in_pieces(bytes, 100);
    peer.turn();
    EXPECT_THAT(peer.frames(), ElementsAre("close:1009:message too big"));
    EXPECT_EQ(peer.messages, 0u);
  }
}

TEST_F(LimitTest, LetsAnEmptyEndFollowAFullMessage) {
  Peer peer(context);
  peer.open();
  peer.say(client_frame(Opcode::kBinary, letters(1000), {.fin = false}) +
           client_frame(Opcode::kPing, "still there") + client_frame(Opcode::kContinuation, ""));
  EXPECT_EQ(peer.messages, 1u);
}

TEST_F(LimitTest, HoldsPlainMessagesToItWhereCompressionWasAgreedOn) {
  // Compressed frames may be a little longer than what they hold; plain ones may not.
  for (const std::string& bytes :
       {client_frame(Opcode::kBinary, letters(1001)),
        client_fragments(Opcode::kBinary, letters(1001), 1000),
        client_fragments(Opcode::kBinary, letters(1001), 300)}) {
    Peer peer(context, DeflateParams{true, true});
    peer.open();
    peer.say(client_fragments(Opcode::kBinary, letters(1000), 400));
    peer.say_in_pieces(bytes, 64);
    peer.turn();
    EXPECT_EQ(peer.messages, 1u);
    EXPECT_THAT(peer.frames(), ElementsAre("close:1009:message too big"));
  }
}

TEST_F(ConnectionTest, HoldsLargePlainMessagesToTheLimitWhereCompressionWasAgreedOn) {
  context.options.message_bytes_max = 256 * 1024;
  for (const std::size_t pieces : {std::size_t{1} << 20, std::size_t{50'000}}) {
    Peer peer(context, DeflateParams{true, true});
    peer.open();
    const std::string frame = client_frame(Opcode::kBinary, letters(256 * 1024 + 1));
    peer.say(std::string_view(frame).substr(0, 20));
    peer.say_in_pieces(std::string_view(frame).substr(20), pieces);
    peer.turn();
    EXPECT_EQ(peer.messages, 0u);
    EXPECT_THAT(peer.frames(), ElementsAre("close:1009:message too big"));
  }
}

TEST_F(ConnectionTest, ReadsLargeMessagesStraightIntoTheirBuffer) {
  Peer peer(context);
  peer.open();
  const std::string payload = letters(900'000);
  const std::string frame = client_frame(Opcode::kText, payload);
  peer.say(std::string_view(frame).substr(0, 1000));
  peer.say(std::string_view(frame).substr(1000));
  ASSERT_EQ(peer.messages, 1u);
  EXPECT_EQ(peer.owned_messages, 1u) << "the handler may keep the buffer";
  EXPECT_THAT(peer.events, ElementsAre("text:" + shown(payload)));
}

TEST_F(ConnectionTest, LeavesWhatFollowsALargeMessageInPlace) {
  Peer peer(context);
  peer.open();
  const std::string frames = client_frame(Opcode::kBinary, letters(300'001)) +
                             client_frame(Opcode::kPing, "p") +
                             client_frame(Opcode::kText, "next");
  for (const std::size_t first : {6u, 13u, 14u, 15u, 100'000u, 299'000u}) {
    peer.events.clear();
    peer.say(std::string_view(frames).substr(0, first));
    peer.say(std::string_view(frames).substr(first));
    EXPECT_THAT(peer.events, ElementsAre("binary:" + shown(letters(300'001)), "text:next"));
  }
}

TEST_F(ConnectionTest, FindsBadTextInTheMiddleOfALargeMessage) {
  std::string payload = letters(900'000);
  payload[450'000] = '\xFF';
  Peer peer(context);
  peer.open();
  const std::string frame = client_frame(Opcode::kText, payload);
  peer.say_in_pieces(std::string_view(frame).substr(0, 600'000), 100'000);
  peer.turn();
  EXPECT_THAT(peer.frames(), ElementsAre("close:1007:text is not UTF-8")) << "before its end";
}

TEST_F(ConnectionTest, MixesDirectAndScratchReadsInOneMessage) {
  Peer peer(context);
  peer.open();
  const std::string payload = letters(500'000);
  const std::string frames = client_fragments(Opcode::kText, payload, 90'001);
  for (const std::size_t piece : {4'999u, 33'000u, 70'000u, 250'000u}) {
    peer.events.clear();
    peer.say_in_pieces(frames, piece);
    EXPECT_THAT(peer.events, ElementsAre("text:" + shown(payload))) << piece;
  }
}

TEST_F(ConnectionTest, LeavesOthersTheirTurnWhileOneSendsWithoutEnd) {
  Peer peer(context);
  peer.open();
  std::string flood;
  const std::string frame = client_frame(Opcode::kBinary, letters(60'000));
  while (flood.size() < 4 * 1024 * 1024) flood += frame;
  std::size_t seen_at_second_call = 0;
  peer.wire.read_max = net::FakeWire::kOpenWindow;
  peer.on_message_hook = [&](Message&) {
    if (seen_at_second_call == 0) seen_at_second_call = peer.wire.unread();
  };
  peer.say(flood);
  EXPECT_EQ(peer.messages, flood.size() / frame.size());
  // One read is at most the loop's receive buffer.
  EXPECT_LE(peer.wire.largest_read, loop->receive_buffer().size());
}

TEST_F(ConnectionTest, SurvivesAHandlerThatAbortsInsideOnMessage) {
  for (const std::string& bytes :
       {client_frame(Opcode::kText, "a") + client_frame(Opcode::kText, "b"),
        client_fragments(Opcode::kText, "abc", 1) + client_frame(Opcode::kPing, "")}) {
    Peer peer(context);
    peer.open();
    peer.on_message_hook = [&](Message&) { peer.connection->abort(); };
    peer.say(bytes);
    ASSERT_EQ(peer.events.size(), 2u);
    EXPECT_EQ(peer.events[1], "closed:1006");
    peer.turn();
    EXPECT_TRUE(peer.wire.destroyed());
  }
}

TEST_F(ConnectionTest, StopsReadingAMessageTheHandlerClosedIn) {
  Peer peer(context);
  peer.open();
  peer.on_message_hook = [&](Message&) { peer.connection->close(CloseCode::kNormal, "enough"); };
  peer.say(client_frame(Opcode::kText, "a") + client_frame(Opcode::kText, "b"));
  peer.turn();
  EXPECT_THAT(peer.events, ElementsAre("text:a"));
  EXPECT_THAT(peer.frames(), ElementsAre("close:1000:enough"));
}

TEST_F(ConnectionTest, EndsWithoutAWordWhenTheStreamDoes) {
  {
    Peer peer(context);
    peer.open();
    peer.say(client_frame(Opcode::kText, "a", {.fin = false}));
    peer.wire.end_input();
    EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
  }
  {
    Peer peer(context);
    peer.open();
    peer.wire.reset_by_peer();
    EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
  }
  {
    Peer peer(context);
    peer.open();
    peer.wire.fail_next_flush = true;
    peer.turn();
    EXPECT_THAT(peer.events, ElementsAre("closed:1006"));
  }
}

}  // namespace
}  // namespace anywire::ws
