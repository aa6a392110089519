#include "websocket/frame_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "codec/utf8.h"
#include "websocket/mask.h"

namespace anywire::ws {
namespace {

using Wire = std::vector<std::uint8_t>;

Wire header(Opcode opcode, bool fin, bool rsv1, std::uint64_t payload_bytes) {
  Wire out(kHeaderBytesMax, 0xEE);
  out.resize(write_header(out.data(), opcode, fin, rsv1, payload_bytes));
  return out;
}

Wire close_frame(CloseCode code, std::string_view reason) {
  Wire out(kCloseFrameBytesMax + 1, 0xEE);
  const std::size_t size = encode_close(out.data(), code, reason);
  EXPECT_LE(size, kCloseFrameBytesMax);
  EXPECT_EQ(out.back(), 0xEE) << "wrote behind the frame";
  out.resize(size);
  return out;
}

// The reason as a client reads it, after checking the whole frame.
std::string reason_read(const Wire& frame) {
  const HeaderRules rules{.expect_mask = false, .payload_bytes_max = 0};
  const HeaderResult result = parse_header(frame, rules);
  EXPECT_EQ(result.status, HeaderStatus::kOk);
  EXPECT_EQ(result.header.opcode, Opcode::kClose);
  EXPECT_EQ(result.header_bytes + result.header.payload_bytes, frame.size());
  const auto closed = parse_close(Bytes(frame).subspan(result.header_bytes));
  EXPECT_TRUE(closed);
  return std::string(closed->reason);
}

TEST(FrameWriter, WritesLengthsInTheirShortestForm) {
  EXPECT_EQ(header(Opcode::kText, true, false, 0), (Wire{0x81, 0}));
  EXPECT_EQ(header(Opcode::kText, true, false, 125), (Wire{0x81, 125}));
  EXPECT_EQ(header(Opcode::kBinary, true, false, 126), (Wire{0x82, 126, 0, 126}));
  EXPECT_EQ(header(Opcode::kBinary, true, false, 65535), (Wire{0x82, 126, 0xFF, 0xFF}));
  EXPECT_EQ(header(Opcode::kBinary, true, false, 65536),
            (Wire{0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(header(Opcode::kBinary, true, false, 0x0102030405060708),
            (Wire{0x82, 127, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(FrameWriter, SetsFinAndCompressionBit) {
  EXPECT_EQ(header(Opcode::kText, false, false, 1)[0], 0x01);
  EXPECT_EQ(header(Opcode::kText, true, true, 1)[0], 0xC1);
  EXPECT_EQ(header(Opcode::kContinuation, true, false, 1)[0], 0x80);
  EXPECT_EQ(header(Opcode::kPong, true, false, 1)[0], 0x8A);
}

TEST(FrameWriter, MasksAsTheExampleOfTheRfc) {
  std::uint32_t key = 0;
  const std::array<std::uint8_t, 4> key_bytes = {0x37, 0xFA, 0x21, 0x3D};
  std::memcpy(&key, key_bytes.data(), 4);
  Wire frame(kHeaderBytesMax);
  frame.resize(write_masked_header(frame.data(), Opcode::kText, true, false, 5, key));
  Wire payload = {'H', 'e', 'l', 'l', 'o'};
  unmask(payload, key, 0);
  frame.insert(frame.end(), payload.begin(), payload.end());
  EXPECT_EQ(frame, (Wire{0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58}));
}

TEST(FrameWriter, WritesNoMoreThanTheHeader) {
  std::array<std::uint8_t, kHeaderBytesMax> out;
  out.fill(0xEE);
  EXPECT_EQ(write_masked_header(out.data(), Opcode::kText, true, false, 3, 0), 6U);
  EXPECT_EQ(out[6], 0xEE);
}

TEST(EncodeClose, WritesCodeAndReason) {
  EXPECT_EQ(close_frame(CloseCode::kNormal, ""), (Wire{0x88, 2, 0x03, 0xE8}));
  EXPECT_EQ(close_frame(CloseCode::kGoingAway, "bye"),
            (Wire{0x88, 5, 0x03, 0xE9, 'b', 'y', 'e'}));
  EXPECT_EQ(close_frame(static_cast<CloseCode>(4999), ""), (Wire{0x88, 2, 0x13, 0x87}));
}

TEST(EncodeClose, WritesNoPayloadForNoStatus) {
  EXPECT_EQ(close_frame(CloseCode::kNoStatus, "never shown"), (Wire{0x88, 0}));
}

TEST(EncodeClose, KeepsAReasonThatJustFits) {
  const std::string reason(kCloseReasonBytesMax, 'x');
  EXPECT_EQ(reason_read(close_frame(CloseCode::kNormal, reason)), reason);
  EXPECT_EQ(reason_read(close_frame(CloseCode::kNormal, reason + "y")), reason);
}

TEST(EncodeClose, CutsALongReasonBetweenCharacters) {
  for (const std::string_view character : {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    for (std::size_t shift = 0; shift < 4; ++shift) {
      std::string reason(shift, 'x');
      while (reason.size() <= 200) reason += character;
      const std::string read = reason_read(close_frame(CloseCode::kPolicyViolation, reason));
      EXPECT_TRUE(reason.starts_with(read));
      EXPECT_TRUE(codec::is_valid_utf8(as_bytes(read)));
      EXPECT_GT(read.size() + character.size(), kCloseReasonBytesMax);
    }
  }
}

TEST(EncodeClose, LeavesOutAReasonThatIsNotUtf8) {
  EXPECT_EQ(reason_read(close_frame(CloseCode::kNormal, "\xFF oops")), "");
  EXPECT_EQ(reason_read(close_frame(CloseCode::kNormal, std::string(200, '\x80'))), "");
}

TEST(EncodeCloseDeathTest, RefusesCodesThatMayNotStandOnTheWire) {
  std::array<std::uint8_t, kCloseFrameBytesMax> out;
  EXPECT_DEATH(encode_close(out.data(), CloseCode::kAbnormal, ""), "is_valid_on_wire");
}

}  // namespace
}  // namespace anywire::ws
