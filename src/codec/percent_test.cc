#include "codec/percent.h"

#include <gtest/gtest.h>

#include <string>

namespace anywire::codec {
namespace {

struct DecodeCase {
  const char* text;
  const char* bytes;
};

TEST(PercentDecode, DecodesEscapesAndLeavesTheRestAlone) {
  const DecodeCase cases[] = {
      {"", ""},           {"plain", "plain"},   {"%41", "A"},          {"a%20b", "a b"},
      {"%2f%2F", "//"},   {"100%25", "100%"},   {"%2541", "%41"},      {"a+b", "a+b"},
      {"%c3%a9", "\xc3\xa9"}, {"%ff%FE", "\xff\xfe"}, {"\xc3\xa9", "\xc3\xa9"},
  };
  for (const DecodeCase& c : cases) {
    const Result<std::string> decoded = percent_decode(c.text);
    ASSERT_TRUE(decoded) << c.text;
    EXPECT_EQ(*decoded, c.bytes) << c.text;
  }
}

TEST(PercentDecode, KeepsAnEncodedNul) {
  const Result<std::string> decoded = percent_decode("a%00b");
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, std::string("a\0b", 3));
}

TEST(PercentDecode, RefusesBrokenEscapes) {
  for (const char* text : {"%", "%4", "a%", "a%4", "%zz", "%4z", "%z4", "%%41", "%-1", "% 41",
                           "%u0041",
                           "%4%31"}) {
    const Result<std::string> decoded = percent_decode(text);
    EXPECT_FALSE(decoded) << text;
  }
}

TEST(PercentDecode, RefusesAnEscapeCutByTheEndOfTheViewEvenIfMoreBytesFollowIt) {
  const std::string_view whole = "%41";
  EXPECT_FALSE(percent_decode(whole.substr(0, 2)));
  EXPECT_FALSE(percent_decode(whole.substr(0, 1)));
}

TEST(PercentDecode, WorksInPlace) {
  std::string text = "x%41%42y%43";
  const auto size = percent_decode_into(text, text.data());
  ASSERT_TRUE(size);
  EXPECT_EQ(text.substr(0, *size), "xAByC");
}

TEST(PercentEncode, KeepsOnlyUnreservedBytes) {
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode("a b/c?d#e%f"), "a%20b%2Fc%3Fd%23e%25f");
  EXPECT_EQ(percent_encode("\r\n"), "%0D%0A");
  EXPECT_EQ(percent_encode("\xc3\xa9"), "%C3%A9");
  EXPECT_EQ(percent_encode(""), "");
}

TEST(PercentEncode, EveryByteComesBack) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  const Result<std::string> decoded = percent_decode(percent_encode(every));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, every);
}

}  // namespace
}  // namespace anywire::codec
