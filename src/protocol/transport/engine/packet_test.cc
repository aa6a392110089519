// What is a packet, and where one ends within a body.
#include "protocol/transport/engine/packet.h"

#include <gtest/gtest.h>

#include <string>

namespace anywire::protocol::engine {
namespace {

// "type:data" of each packet, with "!" for a broken one.
std::string read_all(std::string_view body) {
  std::string all;
  PayloadReader reader(body);
  while (reader.more()) {
    const auto packet = reader.next();
    if (!all.empty()) all += ' ';
    all += packet ? std::to_string(static_cast<int>(packet->type)) + ":" + std::string(packet->data)
                  : "!";
  }
  return all;
}

TEST(ParsePacket, TakesTheSevenDigits) {
  for (char digit = '0'; digit <= '6'; ++digit) {
    const std::string text = std::string(1, digit) + "data";
    const auto packet = parse_packet(text, false);
    ASSERT_TRUE(packet) << digit;
    EXPECT_EQ(static_cast<int>(packet->type), digit - '0');
    EXPECT_EQ(packet->data, "data");
  }
}

TEST(ParsePacket, RefusesEverythingElse) {
  EXPECT_FALSE(parse_packet("", true));
  for (int c = 0; c < 256; ++c) {
    const bool known = (c >= '0' && c <= '6') || c == 'b';
    EXPECT_EQ(parse_packet(std::string(1, static_cast<char>(c)) + "x", true).has_value(), known)
        << c;
  }
}

TEST(ParsePacket, KnowsBase64OnlyWithinABody) {
  EXPECT_TRUE(parse_packet("bAQI=", true));
  EXPECT_FALSE(parse_packet("bAQI=", false));
}

TEST(PayloadReader, CutsAtTheSeparator) {
  EXPECT_EQ(read_all("4hello"), "4:hello");
  EXPECT_EQ(read_all("4hello\x1e" "2\x1e" "bAQIDBA=="), "4:hello 2: 7:AQIDBA==");
  EXPECT_EQ(read_all("4\x1e" "4"), "4: 4:");
}

TEST(PayloadReader, StopsAtWhatIsBroken) {
  EXPECT_EQ(read_all(""), "!");
  EXPECT_EQ(read_all("abc"), "!");
  EXPECT_EQ(read_all("4a\x1e"), "4:a !");
  EXPECT_EQ(read_all("4a\x1e\x1e" "4b"), "4:a !");
  EXPECT_EQ(read_all("\x1e" "4b"), "!");
  EXPECT_EQ(read_all("4a\x1e" "7x\x1e" "4b"), "4:a !");
}

TEST(PayloadReader, HasNothingWhenItWasGivenNothing) { EXPECT_FALSE(PayloadReader().more()); }

// Cut anywhere, a body is the packets before the cut, whole, and a part of one.
TEST(PayloadReader, AnyCutKeepsThePacketsBeforeIt) {
  const std::string body = "4one\x1e" "bAQI=\x1e" "3\x1e" "4two";
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    const std::string whole = read_all(body);
    std::string part = read_all(std::string_view(body).substr(0, cut));
    if (part.ends_with('!')) part.resize(part.size() - 1);
    EXPECT_TRUE(whole.starts_with(part)) << cut;
  }
}

}  // namespace
}  // namespace anywire::protocol::engine
