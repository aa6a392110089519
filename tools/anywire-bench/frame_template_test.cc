#include "frame_template.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "websocket/frame_parser.h"
#include "websocket/mask.h"

namespace anywire::bench {
namespace {

// Keeps what is written to it.
class SinkStream final : public net::Stream {
 public:
  net::ReadResult read(MutableBytes) override { return {net::ReadStatus::kWouldBlock}; }
  void write(Bytes bytes) override { written += as_text(bytes); }
  void write(BufferRef buffer) override { written += as_text(buffer->bytes()); }
  std::size_t queued_bytes() const override { return written.size(); }
  std::uint64_t progress() const override { return 0; }
  void notify_when_drained() override {}
  void set_reading(bool) override {}
  void finish() override {}
  void close_when_sent() override {}
  void close() override {}
  bool encrypted() const override { return false; }

  std::string written;
};

struct Sent {
  ws::FrameHeader header;
  std::string payload;
};

Sent send_one(FrameTemplate& frame, std::uint32_t sender, std::uint32_t number) {
  SinkStream stream;
  frame.send(stream, sender, number);
  const ws::HeaderResult result = ws::parse_header(
      as_bytes(stream.written), {.expect_mask = true, .payload_bytes_max = 1 << 30});
  EXPECT_EQ(result.status, ws::HeaderStatus::kOk);
  Sent sent{result.header, stream.written.substr(result.header_bytes)};
  EXPECT_EQ(sent.payload.size(), result.header.payload_bytes);
  ws::unmask({reinterpret_cast<std::uint8_t*>(sent.payload.data()), sent.payload.size()},
             result.header.mask_key, 0);
  return sent;
}

TEST(EncodeLetters, GivesEveryNumberItsOwnEightLetters) {
  const auto text = [](std::uint32_t value) {
    const std::uint64_t letters = encode_letters(value);
    std::string result(8, ' ');
    std::memcpy(result.data(), &letters, 8);
    return result;
  };
  EXPECT_EQ(text(0), "aaaaaaaa");
  EXPECT_EQ(text(1), "baaaaaaa");
  EXPECT_EQ(text(0x12345678), "ihgfedcb");
  EXPECT_EQ(text(0xFFFFFFFF), "pppppppp");
}

TEST(FrameTemplate, SendsOneWholeMaskedFrameOfTheGivenSize) {
  for (const std::size_t size : {16u, 20u, 125u, 126u, 1024u, 5000u, 16384u, 70000u}) {
    FrameTemplate frame({.payload_bytes = size});
    const Sent sent = send_one(frame, 7, 9);
    EXPECT_EQ(sent.payload.size(), size);
    EXPECT_EQ(frame.wire_payload_bytes(), size);
    EXPECT_TRUE(sent.header.fin);
    EXPECT_EQ(sent.header.opcode, ws::Opcode::kBinary);
    EXPECT_NE(sent.header.mask_key, 0u);
    EXPECT_TRUE(frame.matches(as_bytes(sent.payload), 7, 9));
  }
}

TEST(FrameTemplate, PutsANewStampIntoEachFrame) {
  FrameTemplate frame({.payload_bytes = 64});
  const Sent first = send_one(frame, 1, 1);
  const Sent second = send_one(frame, 1, 2);
  EXPECT_TRUE(frame.matches(as_bytes(second.payload), 1, 2));
  EXPECT_FALSE(frame.matches(as_bytes(second.payload), 1, 1));
  EXPECT_FALSE(frame.matches(as_bytes(second.payload), 2, 2));
  EXPECT_FALSE(frame.matches(as_bytes(first.payload), 1, 2));
}

TEST(FrameTemplate, WrapsThePayloadForTheDialect) {
  for (std::size_t size = 16; size < 24; ++size) {
    FrameTemplate frame({.payload_bytes = size, .text = true, .dialect = kSocketIoDialect});
    const Sent sent = send_one(frame, 3, 4);
    EXPECT_EQ(sent.header.opcode, ws::Opcode::kText);
    EXPECT_TRUE(sent.payload.starts_with(R"(42["m","eaaaaaaa)") ||
                sent.payload.starts_with(R"(42["m","daaaaaaaeaaaaaaa)"));
    EXPECT_TRUE(sent.payload.ends_with(R"("])"));
    EXPECT_TRUE(frame.matches(as_bytes(sent.payload), 3, 4));
  }
}

TEST(FrameTemplate, ThePayloadIsTextWithoutCharactersJsonEscapes) {
  for (const bool json_like : {false, true}) {
    FrameTemplate frame({.payload_bytes = 512, .text = true, .json_like = json_like});
    const Sent sent = send_one(frame, 0xFFFFFFFF, 0x12345678);
    for (const char c : sent.payload) {
      EXPECT_TRUE(c >= ' ' && c < 127 && c != '"' && c != '\\');
    }
  }
}

TEST(FrameTemplate, FindsTheStampOfAPayloadTakenOutOfItsEnvelope) {
  FrameTemplate frame({.payload_bytes = 32, .text = true, .dialect = kSocketIoDialect});
  const Sent sent = send_one(frame, 3, 4);
  const Bytes payload = as_bytes(sent.payload).subspan(kSocketIoDialect.prefix.size(), 32);
  EXPECT_TRUE(FrameTemplate::stamped(payload, 3, 4));
  EXPECT_FALSE(FrameTemplate::stamped(payload, 4, 3));
  EXPECT_FALSE(FrameTemplate::stamped(payload.first(15), 3, 4));
}

TEST(FrameTemplate, DoesNotMatchATruncatedPayload) {
  FrameTemplate frame({.payload_bytes = 20});
  const Sent sent = send_one(frame, 1, 1);
  EXPECT_FALSE(frame.matches(as_bytes(sent.payload).first(15), 1, 1));
  EXPECT_FALSE(frame.matches({}, 1, 1));
}

}  // namespace
}  // namespace anywire::bench
