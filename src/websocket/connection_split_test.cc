// The verdict on a byte stream depends on the bytes alone, never on how they were cut into reads.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "websocket/testing/peer.h"

namespace anywire::ws {
namespace {

struct Log {
  std::vector<std::string> events;
  std::vector<std::string> frames;
  bool operator==(const Log&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Log& log) {
  for (const std::string& event : log.events) out << event << '\n';
  for (const std::string& frame : log.frames) out << "  > " << frame << '\n';
  return out;
}

class SplitTest : public ::testing::Test, protected Bench {
 protected:
  SplitTest() { context.options.message_bytes_max = 2000; }

  // `cuts` are offsets in order; each piece is its own readiness event.
  Log run(std::string_view bytes, const std::vector<std::size_t>& cuts,
          std::optional<DeflateParams> deflate = {}, std::size_t early = 0) {
    Peer peer(context, deflate, bytes.substr(0, early));
    peer.open();
    std::size_t from = early;
    for (const std::size_t cut : cuts) {
      if (cut < from) continue;
      peer.say(bytes.substr(from, cut - from));
      from = cut;
    }
    peer.say(bytes.substr(from));
    peer.turn();
    peer.wire.end_input();
    peer.turn();
    EXPECT_TRUE(peer.ended());
    EXPECT_EQ(peer.nested, 0);
    return {peer.events, peer.frames()};
  }

  void expect_same_in_all_cuts(std::string_view bytes, std::optional<DeflateParams> deflate = {}) {
    const Log whole = run(bytes, {}, deflate);
    for (std::size_t i = 1; i < bytes.size(); ++i) {
      ASSERT_EQ(run(bytes, {i}, deflate), whole) << "cut at " << i;
      ASSERT_EQ(run(bytes, {}, deflate, i), whole) << i << " bytes with the request";
    }
    std::vector<std::size_t> every;
    for (std::size_t i = 1; i < bytes.size(); ++i) every.push_back(i);
    ASSERT_EQ(run(bytes, every, deflate), whole) << "byte by byte";
    std::mt19937 random(20'26);
    for (int round = 0; round < 100; ++round) {
      std::vector<std::size_t> cuts;
      for (const std::size_t i : every) {
        if (random() % 8 == 0) cuts.push_back(i);
      }
      ASSERT_EQ(run(bytes, cuts, deflate), whole) << "round " << round;
    }
  }
};

std::string rich_script() {
  return client_frame(Opcode::kText, "hello") + client_frame(Opcode::kPing, "ping") +
         client_frame(Opcode::kBinary, std::string(130, '\x01')) +
         client_frame(Opcode::kText, "gr\xC3\xBC", {.fin = false, .mask_key = 7}) +
         client_frame(Opcode::kPing, "inside") +
         client_frame(Opcode::kContinuation, "\xE2", {.fin = false}) +
         client_frame(Opcode::kContinuation, "", {.fin = false}) +
         client_frame(Opcode::kPong, "unasked") +
         client_frame(Opcode::kContinuation, "\x82\xAC") + client_frame(Opcode::kText, "") +
         client_frame(Opcode::kBinary, "") + client_frame(Opcode::kPing, "");
}

TEST_F(SplitTest, OfAConversationWithAProperEnd) {
  const std::string script = rich_script() + client_close(4321, "bye");
  const Log whole = run(script, {});
  EXPECT_EQ(whole.events.size(), 6u);
  EXPECT_EQ(whole.events.back(), "closed:4321");
  EXPECT_EQ(whole.frames.back(), "close:4321:bye");
  expect_same_in_all_cuts(script);
}

TEST_F(SplitTest, OfBytesBehindTheClose) {
  expect_same_in_all_cuts(client_frame(Opcode::kText, "a") + client_close(1000) +
                          client_frame(Opcode::kText, "b") + "garbage");
}

TEST_F(SplitTest, OfEveryKindOfOffence) {
  const std::string before = client_frame(Opcode::kText, "a", {.fin = false});
  for (const std::string& offence :
       {client_frame(Opcode::kText, "b"), client_frame(Opcode::kContinuation, "\xFF"),
        client_frame(Opcode::kContinuation, "\xC3"), client_header(Opcode::kContinuation, 2000),
        client_frame(Opcode::kPing, "x", {.fin = false}), client_close(1004),
        client_close(1000, "\x80"), client_frame(Opcode::kClose, "1"),
        std::string("\x81\x03xyz")}) {
    expect_same_in_all_cuts(before + offence + client_frame(Opcode::kText, "never"));
  }
}

TEST_F(SplitTest, OfAMessageCutShort) {
  const std::string script = rich_script();
  expect_same_in_all_cuts(script.substr(0, script.size() - 30));
}

TEST_F(SplitTest, OfCompressedMessages) {
  for (const bool context_kept : {false, true}) {
    const DeflateParams params{.server_no_context_takeover = true,
                               .client_no_context_takeover = !context_kept};
    Deflater deflater({.keep_context = context_kept});
    const std::string text = "compress me, compress me, compress me \xE2\x82\xAC\xE2\x82\xAC";
    std::string script;
    for (int i = 0; i < 2; ++i) {
      script += client_frame(Opcode::kText, deflated(deflater, text), {.rsv1 = true});
      script += client_frame(Opcode::kText, "plain");
      script += client_fragments(Opcode::kText, deflated(deflater, text), 9, true);
    }
    script += client_frame(Opcode::kBinary, "", {.rsv1 = true});
    const Log whole = run(script, {}, params);
    ASSERT_EQ(whole.events.size(), 8u) << whole;
    EXPECT_EQ(whole.events[3], "text:" + shown(text));
    expect_same_in_all_cuts(script, params);
  }
}

TEST_F(SplitTest, OfBrokenCompressedMessages) {
  const DeflateParams params{true, true};
  Deflater deflater({.keep_context = false});
  const std::string good = deflated(deflater, "some text that is worth compressing, worth it");
  std::string garbled = good;
  garbled[0] = '\x07';  // a block of the reserved type
  const std::string bomb = deflated(deflater, std::string(2001, 'a'));
  const std::string not_text = deflated(deflater, "abc\xFF" "abcabcabcabc");
  for (const std::string& payload : {garbled, good.substr(0, good.size() - 2), bomb, not_text}) {
    const std::string frame = client_frame(Opcode::kText, payload, {.rsv1 = true});
    expect_same_in_all_cuts(frame + client_frame(Opcode::kText, "never"), params);
    expect_same_in_all_cuts(client_fragments(Opcode::kText, payload, 5, true), params);
  }
}

TEST_F(SplitTest, OfLargeMessagesReadDirectly) {
  context.options.message_bytes_max = 1024 * 1024;
  std::string text;
  while (text.size() < 200'000) text += "na\xC3\xAFve \xE2\x82\xAC ";
  const std::string script = client_frame(Opcode::kText, text) +
                             client_fragments(Opcode::kText, text, 77'777) +
                             client_frame(Opcode::kPing, "p") + client_frame(Opcode::kText, "end");
  const Log whole = run(script, {});
  ASSERT_EQ(whole.events.size(), 4u) << whole;
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::size_t> cuts;
    for (std::size_t at = 0; at < script.size();) {
      at += 1 + random() % (round % 2 == 0 ? 100'000 : 40'000);
      cuts.push_back(std::min(at, script.size()));
    }
    ASSERT_EQ(run(script, cuts), whole) << "round " << round;
  }
}

}  // namespace
}  // namespace anywire::ws
