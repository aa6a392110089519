#include "codec/json_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "base/bytes.h"
#include "codec/utf8.h"

namespace anywire::codec {
namespace {

TEST(JsonText, KnowsTheFourSpaces) {
  for (int c = 0; c < 256; ++c) {
    const bool space = c == 0x20 || c == 0x09 || c == 0x0a || c == 0x0d;
    EXPECT_EQ(is_json_space(static_cast<char>(c)), space) << c;
  }
}

TEST(JsonText, TakesNumbersByTheGrammar) {
  for (const char* token : {"0", "-0", "1", "-1", "10", "1234567890", "0.5", "-0.0", "1.50", "0e0",
                            "1e5", "1E5", "1e+5", "1e-5", "-12.34E-56", "1e00", "0.0e-0", "1e400",
                            "123456789012345678901234567890"}) {
    EXPECT_TRUE(is_json_number(token)) << token;
  }
}

TEST(JsonText, RefusesOtherNumbers) {
  for (const char* token :
       {"", "-", "+1", "01", "-01", "00", "1.", ".5", "-.5", "1.e5", "1e", "1e+", "1e-", "e5",
        "1e5.5", "1 ", " 1", "1a", "0x10", "1_000", "Infinity", "-Infinity", "NaN", "--1", "1-",
        "1e5e5", "1.2.3"}) {
    EXPECT_FALSE(is_json_number(token)) << token;
  }
}

TEST(JsonText, ReadsWholeNumbersExactly) {
  EXPECT_EQ(json_u64("0"), 0U);
  EXPECT_EQ(json_u64("9007199254740993"), 9007199254740993U);
  EXPECT_EQ(json_u64("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(json_i64("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(json_i64("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
}

TEST(JsonText, RefusesWholeNumbersThatAreNot) {
  for (const char* token : {"18446744073709551616", "-1", "-0", "1.0", "1e3", "0.0", "1E0"}) {
    EXPECT_FALSE(json_u64(token)) << token;
  }
  for (const char* token : {"9223372036854775808", "-9223372036854775809", "-0", "-1.0", "-1e3"}) {
    EXPECT_FALSE(json_i64(token)) << token;
  }
}

TEST(JsonText, ReadsTheNearestDouble) {
  EXPECT_EQ(json_double("0.1"), 0.1);
  EXPECT_EQ(json_double("-2.5e3"), -2500.0);
  EXPECT_EQ(json_double("9007199254740993"), 9007199254740992.0);
  EXPECT_EQ(json_double("1.7976931348623157e308"), std::numeric_limits<double>::max());
  EXPECT_EQ(json_double("5e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(std::signbit(*json_double("-0")));
  EXPECT_EQ(json_double("0e999999999999"), 0.0);
  EXPECT_EQ(json_double("0.000e-5"), 0.0);
}

TEST(JsonText, RefusesDoublesOutOfRange) {
  for (const char* token : {"1e309", "-1e309", "1e99999999999999999999", "1e-400", "-1e-400",
                            "0.1e-99999999999999999999"}) {
    EXPECT_FALSE(json_double(token)) << token;
  }
  EXPECT_FALSE(json_double("1" + std::string(400, '0')));
}

TEST(JsonText, ReadsFourHexadecimalDigits) {
  EXPECT_EQ(read_hex4("0000"), 0U);
  EXPECT_EQ(read_hex4("fFaA9"), 0xffaaU);
  for (const char* text : {"", "000", "00g0", "+123", "0x12", "12 4", " 123"}) {
    EXPECT_FALSE(read_hex4(text)) << text;
  }
  // Bytes that a careless lowering of case would take for letters or digits.
  EXPECT_FALSE(read_hex4("\x10\x11\x12\x13"));
  EXPECT_FALSE(read_hex4("000\xc1"));
}

TEST(JsonText, WritesEveryCodePointAsUtf8) {
  for (std::uint32_t code_point = 0; code_point <= 0x10ffff; ++code_point) {
    if (code_point == 0xd800) code_point = 0xe000;
    std::string out;
    append_utf8(out, code_point);
    ASSERT_TRUE(is_valid_utf8(as_bytes(out))) << code_point;
    const std::size_t expected =
        code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    ASSERT_EQ(out.size(), expected) << code_point;
  }
  std::string euro;
  append_utf8(euro, 0x20ac);
  EXPECT_EQ(euro, "\u20ac");
}

}  // namespace
}  // namespace anywire::codec
