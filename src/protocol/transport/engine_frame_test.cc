// Messages of Engine.IO in the forms they are kept in, and the way from one to the other.
#include "protocol/transport/engine_frame.h"

#include <gtest/gtest.h>

#include <string>

namespace anywire::protocol {
namespace {

using Encoding = Transport::Encoding;

std::string text_of(const BufferRef& buffer) { return std::string(as_text(buffer->bytes())); }

std::string encoded(Encoding form, bool text, std::string_view payload) {
  ws::CompressionPool pool(6);
  return text_of(encode_engine_message(form, text, as_bytes(payload), pool));
}

TEST(EngineFrame, OfAPollIsThePacket) {
  EXPECT_EQ(encoded(Encoding::kPackets, true, "hello"), "4hello");
  EXPECT_EQ(encoded(Encoding::kPackets, true, ""), "4");
  EXPECT_EQ(encoded(Encoding::kPackets, false, "\1\2\3\4"), "bAQIDBA==");
  EXPECT_EQ(encoded(Encoding::kPackets, false, ""), "b");
}

TEST(EngineFrame, OfAWebSocketHasItsHeader) {
  EXPECT_EQ(encoded(Encoding::kPlain, true, "hi"), "\x81\x03" "4hi");
  EXPECT_EQ(encoded(Encoding::kPlain, true, ""), "\x81\x01" "4");
  EXPECT_EQ(encoded(Encoding::kPlain, false, "hi"), "\x82\x02hi");
}

TEST(EngineFrame, CompressesWithTheDigitInside) {
  const std::string text = encoded(Encoding::kCompressed, true, std::string(1000, 'a'));
  EXPECT_EQ(text[0], '\xC1');
  EXPECT_LT(text.size(), 100u);
  EXPECT_EQ(encoded(Encoding::kCompressed, false, std::string(1000, 'a'))[0], '\xC2');
}

TEST(EngineFrame, LongTextsCountTheDigit) {
  const std::string frame = encoded(Encoding::kPlain, true, std::string(125, 'x'));
  ASSERT_EQ(frame.size(), 4 + 126u);
  EXPECT_EQ(frame.substr(0, 5), std::string("\x81\x7e\x00\x7e" "4", 5));
}

TEST(PacketsToFrames, KeepsKindAndOrder) {
  const BufferRef frames = packets_to_frames("4a\x1e" "bAQI=\x1e" "2\x1e" "4");
  EXPECT_EQ(text_of(frames), "\x81\x02" "4a" "\x82\x02\x01\x02" "\x81\x01" "2" "\x81\x01" "4");
}

TEST(PacketsToFrames, GivesWhatWouldHaveBeenEncoded) {
  for (const bool text : {true, false}) {
    for (const std::size_t size : {0u, 1u, 2u, 124u, 125u, 126u, 65'535u, 65'536u}) {
      const std::string payload(size, 'p');
      const std::string packet = encoded(Encoding::kPackets, text, payload);
      EXPECT_EQ(text_of(packets_to_frames(packet)), encoded(Encoding::kPlain, text, payload))
          << text << " " << size;
    }
  }
}

TEST(PacketsToFrames, RefusesBrokenBase64) {
  EXPECT_FALSE(packets_to_frames("b***"));
  EXPECT_FALSE(packets_to_frames("4ok\x1e" "bA"));
}

}  // namespace
}  // namespace anywire::protocol
