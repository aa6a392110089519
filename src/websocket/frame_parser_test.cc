#include "websocket/frame_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "websocket/frame_writer.h"

namespace anywire::ws {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
constexpr HeaderRules kServer{.expect_mask = true, .payload_bytes_max = kNoLimit};
constexpr HeaderRules kClient{.expect_mask = false, .payload_bytes_max = kNoLimit};

using Wire = std::vector<std::uint8_t>;

HeaderRules inside_message(HeaderRules rules) {
  rules.in_fragmented_message = true;
  return rules;
}

HeaderRules compressed(HeaderRules rules) {
  rules.allow_rsv1 = true;
  return rules;
}

HeaderRules limited(HeaderRules rules, std::uint64_t bytes) {
  rules.payload_bytes_max = bytes;
  return rules;
}

// The rules once more, on a complete header and in the order of the RFC's text, as slowly and
// plainly as possible. Empty for a header that is fine.
std::string plain_verdict(const Wire& wire, const HeaderRules& rules) {
  const bool fin = wire[0] & 0x80;
  const bool rsv1 = wire[0] & 0x40;
  const int opcode = wire[0] & 15;
  const bool control = opcode >= 8;
  if (wire[0] & 0x30) return "bad";
  if ((opcode > 2 && opcode < 8) || opcode > 10) return "bad";
  if (rsv1 && (!rules.allow_rsv1 || control || opcode == 0)) return "bad";
  if (control && !fin) return "bad";
  if (opcode == 0 && !rules.in_fragmented_message) return "bad";
  if ((opcode == 1 || opcode == 2) && rules.in_fragmented_message) return "bad";
  if (bool(wire[1] & 0x80) != rules.expect_mask) return "bad";
  std::uint64_t length = wire[1] & 0x7F;
  if (control && length > 125) return "bad";
  if (length == 126) {
    length = wire[2] * 256U + wire[3];
    if (length < 126) return "bad";
  } else if (length == 127) {
    length = 0;
    for (int i = 2; i < 10; ++i) length = length * 256 + wire[static_cast<std::size_t>(i)];
    if (length >> 63 || length < 65536) return "bad";
  }
  return !control && length > rules.payload_bytes_max ? "big" : "";
}

std::string verdict(const HeaderResult& result) {
  switch (result.status) {
    case HeaderStatus::kOk: return "";
    case HeaderStatus::kProtocolError: return "bad";
    case HeaderStatus::kTooBig: return "big";
    case HeaderStatus::kNeedMore: break;
  }
  return "more";
}

// Every prefix must be answered with "more" or with the verdict of the whole, and once a verdict is
// reached it stays. Returns the number of bytes after which the verdict stood.
std::size_t expect_steady_verdict(const Wire& wire, const HeaderRules& rules) {
  const HeaderResult whole = parse_header(wire, rules);
  EXPECT_NE(whole.status, HeaderStatus::kNeedMore);
  std::optional<std::size_t> settled_at;
  for (std::size_t size = 0; size <= wire.size(); ++size) {
    // A copy of exact size, so that a read behind the prefix is seen by the address sanitizer.
    const Wire prefix(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(size));
    const HeaderResult result = parse_header(prefix, rules);
    if (result.status == HeaderStatus::kNeedMore) {
      EXPECT_FALSE(settled_at) << "verdict taken back at " << size;
      EXPECT_GT(result.header_bytes, size);
      if (whole.status == HeaderStatus::kOk) {
        EXPECT_LE(result.header_bytes, whole.header_bytes);
      }
    } else {
      EXPECT_EQ(verdict(result), verdict(whole)) << size;
      EXPECT_EQ(result.header_bytes, whole.header_bytes);
      EXPECT_EQ(result.reason != nullptr, result.status != HeaderStatus::kOk);
      if (!settled_at) settled_at = size;
    }
  }
  return settled_at.value_or(kNoLimit);
}

TEST(FrameParser, ReadsTheExamplesOfTheRfc) {
  const HeaderResult text = parse_header(Wire{0x81, 0x05, 'H', 'e', 'l', 'l', 'o'}, kClient);
  ASSERT_EQ(text.status, HeaderStatus::kOk);
  EXPECT_EQ(text.header_bytes, 2);
  EXPECT_EQ(text.header.opcode, Opcode::kText);
  EXPECT_TRUE(text.header.fin);
  EXPECT_FALSE(text.header.rsv1);
  EXPECT_FALSE(text.header.masked);
  EXPECT_EQ(text.header.payload_bytes, 5U);

  const Wire masked_wire{0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58};
  const HeaderResult masked = parse_header(masked_wire, kServer);
  ASSERT_EQ(masked.status, HeaderStatus::kOk);
  EXPECT_EQ(masked.header_bytes, 6);
  EXPECT_TRUE(masked.header.masked);
  std::uint32_t key = 0;
  std::memcpy(&key, masked_wire.data() + 2, 4);
  EXPECT_EQ(masked.header.mask_key, key);

  const HeaderResult binary = parse_header(Wire{0x82, 0x7E, 0x01, 0x00}, kClient);
  ASSERT_EQ(binary.status, HeaderStatus::kOk);
  EXPECT_EQ(binary.header.payload_bytes, 256U);

  const HeaderResult large = parse_header(Wire{0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0}, kClient);
  ASSERT_EQ(large.status, HeaderStatus::kOk);
  EXPECT_EQ(large.header_bytes, 10);
  EXPECT_EQ(large.header.payload_bytes, 65536U);
}

TEST(FrameParser, ReadsBackEveryHeaderTheWriterWrites) {
  for (const std::uint64_t size : {0ULL, 1ULL, 125ULL, 126ULL, 127ULL, 65535ULL, 65536ULL,
                                   1ULL << 32, (1ULL << 63) - 1}) {
    for (const bool fin : {false, true}) {
      for (const bool rsv1 : {false, true}) {
        for (const bool masked : {false, true}) {
          Wire wire(kHeaderBytesMax);
          wire.resize(masked ? write_masked_header(wire.data(), Opcode::kBinary, fin, rsv1, size,
                                                   0x12345678)
                             : write_header(wire.data(), Opcode::kBinary, fin, rsv1, size));
          const HeaderRules rules = compressed(masked ? kServer : kClient);
          const HeaderResult result = parse_header(wire, rules);
          ASSERT_EQ(result.status, HeaderStatus::kOk);
          EXPECT_EQ(result.header_bytes, wire.size());
          EXPECT_EQ(result.header.fin, fin);
          EXPECT_EQ(result.header.rsv1, rsv1);
          EXPECT_EQ(result.header.masked, masked);
          EXPECT_EQ(result.header.payload_bytes, size);
          EXPECT_EQ(result.header.mask_key, masked ? 0x12345678U : 0U);
          EXPECT_EQ(expect_steady_verdict(wire, rules), wire.size());
        }
      }
    }
  }
}

TEST(FrameParser, RefusesAtTheFirstByteThatShowsTheFault) {
  struct Case {
    std::string_view name;
    Wire wire;
    HeaderRules rules;
    std::size_t seen_at;
  };
  const Case cases[] = {
      {"reserved bit 2", {0xA1, 0x80, 0, 0, 0, 0}, kServer, 1},
      {"reserved bit 3", {0x91, 0x80, 0, 0, 0, 0}, kServer, 1},
      {"compressed without agreement", {0xC1, 0x80, 0, 0, 0, 0}, kServer, 1},
      {"compressed continuation", {0xC0, 0x80, 0, 0, 0, 0},
       inside_message(compressed(kServer)), 1},
      {"compressed ping", {0xC9, 0x80, 0, 0, 0, 0}, compressed(kServer), 1},
      {"reserved data opcode", {0x83, 0x80, 0, 0, 0, 0}, kServer, 1},
      {"reserved control opcode", {0x8B, 0x80, 0, 0, 0, 0}, kServer, 1},
      {"fragmented ping", {0x09, 0x80, 0, 0, 0, 0}, kServer, 1},
      {"fragmented close", {0x08, 0x80, 0, 0, 0, 0}, kServer, 1},
      {"continuation of nothing", {0x80, 0x80, 0, 0, 0, 0}, kServer, 1},
      {"message inside a message", {0x81, 0x80, 0, 0, 0, 0}, inside_message(kServer), 1},
      {"unmasked client", {0x81, 0x05}, kServer, 2},
      {"masked server", {0x81, 0x85, 0, 0, 0, 0}, kClient, 2},
      {"ping of 126 bytes", {0x89, 0xFE, 0, 126, 0, 0, 0, 0}, kServer, 2},
      {"close of 65536 bytes", {0x88, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, kServer, 2},
      {"125 in 16 bits", {0x82, 0xFE, 0, 125, 0, 0, 0, 0}, kServer, 4},
      {"0 in 16 bits", {0x82, 0xFE, 0, 0, 0, 0, 0, 0}, kServer, 4},
      {"65535 in 64 bits", {0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0}, kServer, 8},
      {"highest bit set", {0x82, 0xFF, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, kServer, 3},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(parse_header(test.wire, test.rules).status, HeaderStatus::kProtocolError);
    EXPECT_EQ(expect_steady_verdict(test.wire, test.rules), test.seen_at);
  }
}

TEST(FrameParser, RefusesAMessageOverTheLimitAsSoonAsItsLengthShows) {
  struct Case {
    std::uint64_t limit;
    Wire wire;
    std::size_t seen_at;
  };
  const Case cases[] = {
      {0, {0x82, 0x81, 0, 0, 0, 0}, 2},
      {124, {0x82, 0xFD, 0, 0, 0, 0}, 2},
      {125, {0x82, 0xFE, 0, 126, 0, 0, 0, 0}, 4},
      {1000, {0x82, 0xFE, 0x03, 0xE9, 0, 0, 0, 0}, 4},
      {1000, {0x82, 0xFE, 0x04, 0x00, 0, 0, 0, 0}, 3},
      {1 << 20, {0x82, 0xFF, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, 7},
      {1 << 20, {0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0}, 3},
  };
  for (const Case& test : cases) {
    const HeaderRules rules = limited(kServer, test.limit);
    EXPECT_EQ(parse_header(test.wire, rules).status, HeaderStatus::kTooBig);
    EXPECT_EQ(expect_steady_verdict(test.wire, rules), test.seen_at);
  }
}

TEST(FrameParser, AcceptsAMessageOfExactlyTheLimit) {
  for (const std::uint64_t limit : {0ULL, 125ULL, 126ULL, 65535ULL, 65536ULL, 1ULL << 20}) {
    Wire wire(kHeaderBytesMax);
    wire.resize(write_masked_header(wire.data(), Opcode::kText, true, false, limit, 0));
    EXPECT_EQ(parse_header(wire, limited(kServer, limit)).status, HeaderStatus::kOk);
  }
}

TEST(FrameParser, LetsControlFramesPassInsideAMessageAndBeyondItsLimit) {
  for (const std::uint8_t opcode : {8, 9, 10}) {
    const Wire wire{static_cast<std::uint8_t>(0x80 | opcode), 0xFD, 1, 2, 3, 4};
    const HeaderRules rules = limited(inside_message(compressed(kServer)), 0);
    const HeaderResult result = parse_header(wire, rules);
    EXPECT_EQ(result.status, HeaderStatus::kOk);
    EXPECT_TRUE(is_control(result.header.opcode));
  }
}

TEST(FrameParser, AgreesWithThePlainRulesOnEveryFirstTwoBytesAndLengthEdge) {
  const std::vector<Wire> lengths = {
      {0, 0, 0, 0, 0, 0, 0, 0},       {0, 125, 0, 0, 0, 0, 0, 0},
      {0, 126, 0, 0, 0, 0, 0, 0},     {0, 0, 0, 0, 0, 0, 0xFF, 0xFF},
      {0, 0, 0, 0, 0, 1, 0, 0},       {0xFF, 0xFF, 0, 0, 0, 0, 0, 0},
      {0x7F, 0, 0, 0, 0, 0, 0, 0},    {0, 0, 0, 0, 0, 0x10, 0, 1},
  };
  for (int rules_bits = 0; rules_bits < 16; ++rules_bits) {
    const HeaderRules rules{.expect_mask = (rules_bits & 1) != 0,
                            .allow_rsv1 = (rules_bits & 2) != 0,
                            .in_fragmented_message = (rules_bits & 4) != 0,
                            .payload_bytes_max = (rules_bits & 8) != 0 ? 0x100000U : 100U};
    for (unsigned head = 0; head < 0x10000; ++head) {
      for (const Wire& length : lengths) {
        Wire wire{static_cast<std::uint8_t>(head >> 8), static_cast<std::uint8_t>(head)};
        wire.insert(wire.end(), length.begin(), length.end());
        wire.resize(kHeaderBytesMax, 0xAB);
        const HeaderResult result = parse_header(wire, rules);
        ASSERT_EQ(verdict(result), plain_verdict(wire, rules)) << std::hex << head;
        if ((head & 0x7F) < 126) break;  // the length bytes do not count
      }
    }
  }
}

TEST(FrameParser, GivesOneVerdictForEveryPrefixOfRandomHeaders) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    Wire wire(kHeaderBytesMax);
    for (std::uint8_t& byte : wire) {
      byte = random() % 3 == 0 ? 0 : static_cast<std::uint8_t>(random());
    }
    if (round % 2 == 0) wire[1] |= 0xFE;
    const HeaderRules rules{.expect_mask = round % 5 != 0,
                            .allow_rsv1 = round % 3 == 0,
                            .in_fragmented_message = round % 7 == 0,
                            .payload_bytes_max = std::uint64_t{1} << random() % 64};
    expect_steady_verdict(wire, rules);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

TEST(ParseClose, ReadsCodeAndReason) {
  const auto closed = parse_close(as_bytes("\x03\xE8" "bye"));
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->code, 1000);
  EXPECT_EQ(closed->reason, "bye");
}

TEST(ParseClose, ReportsNoStatusForAnEmptyPayload) {
  const auto closed = parse_close({});
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->code, 1005);
  EXPECT_EQ(closed->reason, "");
}

TEST(ParseClose, TellsAProtocolErrorFromBadText) {
  const auto error = [](std::string_view payload) {
    const auto closed = parse_close(as_bytes(payload));
    return closed ? CloseCode::kNormal : closed.error();
  };
  EXPECT_EQ(error("\x03"), CloseCode::kProtocolError);
  EXPECT_EQ(error("\x03\xED"), CloseCode::kProtocolError);  // 1005
  EXPECT_EQ(error("\x03\xE7"), CloseCode::kProtocolError);  // 999
  EXPECT_EQ(error("\x13\x88"), CloseCode::kProtocolError);  // 5000
  EXPECT_EQ(error("\x03\xE8\xFF"), CloseCode::kInvalidPayload);
  EXPECT_EQ(error("\x03\xE8" "cut \xE2\x82"), CloseCode::kInvalidPayload);
}

}  // namespace
}  // namespace anywire::ws
