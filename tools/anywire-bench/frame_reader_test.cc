#include "frame_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "websocket/frame_writer.h"

namespace anywire::bench {
namespace {

struct Seen {
  ws::Opcode opcode;
  bool compressed;
  std::uint64_t length;
  std::string head;

  bool operator==(const Seen&) const = default;
};

class Collector final : public FrameSink {
 public:
  bool on_frame(const Message& message) override {
    seen.push_back({message.opcode, message.compressed, message.length,
                    std::string(as_text(message.head))});
    return seen.size() < stop_after;
  }

  std::vector<Seen> seen;
  std::size_t stop_after = 1000;
};

std::string frame(ws::Opcode opcode, std::string_view payload, bool rsv1 = false,
                  bool fin = true) {
  std::uint8_t header[ws::kHeaderBytesMax];
  const std::size_t size = ws::write_header(header, opcode, fin, rsv1, payload.size());
  return std::string(reinterpret_cast<const char*>(header), size).append(payload);
}

std::string several_frames() {
  return frame(ws::Opcode::kText, "one") + frame(ws::Opcode::kBinary, std::string(200, 'b')) +
         frame(ws::Opcode::kPing, "p") + frame(ws::Opcode::kBinary, "") +
         frame(ws::Opcode::kBinary, std::string(70'000, 'l')) + frame(ws::Opcode::kText, "end");
}

std::vector<Seen> several_seen() {
  return {{ws::Opcode::kText, false, 3, "one"},
          {ws::Opcode::kBinary, false, 200, std::string(200, 'b')},
          {ws::Opcode::kPing, false, 1, "p"},
          {ws::Opcode::kBinary, false, 0, ""},
          {ws::Opcode::kBinary, false, 70'000, std::string(FrameReader::kHeadBytes, 'l')},
          {ws::Opcode::kText, false, 3, "end"}};
}

// A large message is shown whole if it lies whole in the buffer, else by its head.
void cut_heads(std::vector<Seen>& seen) {
  for (Seen& s : seen) {
    if (s.length > FrameReader::kWholeBytesMax) s.head.resize(FrameReader::kHeadBytes);
  }
}

TEST(FrameReader, FindsAllFramesOfOneRead) {
  FrameReader reader(false);
  Collector collector;
  EXPECT_EQ(reader.feed(as_bytes(several_frames()), collector), nullptr);
  cut_heads(collector.seen);
  EXPECT_EQ(collector.seen, several_seen());
}

TEST(FrameReader, FindsTheSameFramesAtEverySplitOfTheSmallOnes) {
  const std::string bytes = several_frames();
  for (std::size_t split = 1; split < 500; ++split) {
    FrameReader reader(false);
    Collector collector;
    EXPECT_EQ(reader.feed(as_bytes(bytes).first(split), collector), nullptr);
    EXPECT_EQ(reader.feed(as_bytes(bytes).subspan(split), collector), nullptr);
    cut_heads(collector.seen);
    EXPECT_EQ(collector.seen, several_seen()) << "split at " << split;
  }
}

TEST(FrameReader, FindsTheSameFramesInPiecesOfAnySize) {
  const std::string bytes = several_frames();
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 13u, 255u, 4096u}) {
    FrameReader reader(false);
    Collector collector;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const std::size_t size = std::min(piece, bytes.size() - at);
      ASSERT_EQ(reader.feed(as_bytes(bytes).subspan(at, size), collector), nullptr);
    }
    EXPECT_EQ(collector.seen, several_seen()) << "pieces of " << piece;
  }
}

TEST(FrameReader, StopsWhenTheSinkSaysSo) {
  FrameReader reader(false);
  Collector collector;
  collector.stop_after = 2;
  EXPECT_EQ(reader.feed(as_bytes(several_frames()), collector), nullptr);
  EXPECT_EQ(collector.seen.size(), 2u);
}

TEST(FrameReader, TakesCompressedFramesOnlyIfAgreed) {
  const std::string bytes = frame(ws::Opcode::kText, "zz", true);
  Collector collector;
  EXPECT_EQ(FrameReader(true).feed(as_bytes(bytes), collector), nullptr);
  ASSERT_EQ(collector.seen.size(), 1u);
  EXPECT_TRUE(collector.seen[0].compressed);
  EXPECT_NE(FrameReader(false).feed(as_bytes(bytes), collector), nullptr);
}

TEST(FrameReader, RefusesFragmentedMessages) {
  Collector collector;
  const std::string first = frame(ws::Opcode::kText, "half", false, false);
  EXPECT_STREQ(FrameReader(false).feed(as_bytes(first), collector), "fragmented message");
  FrameReader reader(false);
  EXPECT_EQ(reader.feed(as_bytes(first).first(1), collector), nullptr);
  EXPECT_STREQ(reader.feed(as_bytes(first).subspan(1), collector), "fragmented message");
  EXPECT_TRUE(collector.seen.empty());
}

TEST(FrameReader, RefusesMaskedFrames) {
  Collector collector;
  const std::string bytes("\x82\x81 key!", 7);
  EXPECT_NE(FrameReader(false).feed(as_bytes(bytes), collector), nullptr);
}

}  // namespace
}  // namespace anywire::bench
