#include "schema/number.h"

#include <gtest/gtest.h>

#include <string>

namespace anywire::schema {
namespace {

TEST(SchemaNumber, TakesWholeNumbersInWhateverFormForIntegers) {
  for (const char* token : {"0", "-0", "1", "1.0", "-3.000", "1e3", "12.5e1", "9007199254740993",
                            "18446744073709551615", "-9223372036854775808",
                            "123456789012345678901234567890", "1e300", "0e5", "1e-400"}) {
    EXPECT_TRUE(number_of(token).is_integer) << token;
  }
  for (const char* token : {"0.5", "1e-1", "12.55e1", "-1.0000001"}) {
    EXPECT_FALSE(number_of(token).is_integer) << token;
    EXPECT_TRUE(number_of(token).is_finite) << token;
  }
}

TEST(SchemaNumber, KnowsWhatNoDoubleHolds) {
  for (const char* token : {"1e400", "-1e400", "1e99999999999999999999", "10000000000e300"}) {
    EXPECT_FALSE(number_of(token).is_finite) << token;
  }
  EXPECT_FALSE(number_of("1" + std::string(400, '0')).is_finite);
  EXPECT_LT(number_of("-1e400").value, 0);
  EXPECT_GT(number_of("1e400").value, 0);
  EXPECT_EQ(number_of("1e-99999999999999999999").value, 0);
  EXPECT_EQ(number_of("0." + std::string(400, '0') + "1").value, 0);
  EXPECT_TRUE(number_of("0." + std::string(400, '0') + "1").is_finite);
}

TEST(SchemaNumber, TellsWholeNumbersApartThatAreOneDouble) {
  EXPECT_NE(number_of("9007199254740993").value, number_of("9007199254740992").value);
  EXPECT_LT(number_of("18446744073709551614").value, number_of("18446744073709551615").value);
  EXPECT_EQ(number_of("1.0").value, number_of("1").value);
  EXPECT_EQ(number_of("-0").value, number_of("0").value);
}

TEST(SchemaNumber, ReadsDecimals) {
  const auto expect = [](const char* token, std::uint64_t digits, int exponent) {
    const Decimal decimal = decimal_of(token);
    EXPECT_TRUE(decimal.is_exact) << token;
    EXPECT_EQ(decimal.digits, digits) << token;
    EXPECT_EQ(decimal.exponent, exponent) << token;
  };
  expect("0.01", 1, -2);
  expect("100", 1, 2);
  expect("-1.50e3", 15, 2);
  expect("0.0", 0, -1);
  expect("1234567890123456789", 1234567890123456789u, 0);
  EXPECT_FALSE(decimal_of("12345678901234567890.5").is_exact);
}

TEST(SchemaNumber, MultipliesDecimalsAsPeopleDo) {
  EXPECT_TRUE(is_multiple("0.3", "0.1"));
  EXPECT_TRUE(is_multiple("19.99", "0.01"));
  EXPECT_TRUE(is_multiple("-4.5", "1.5"));
  EXPECT_TRUE(is_multiple("0", "0.7"));
  EXPECT_TRUE(is_multiple("1e3", "10"));
  EXPECT_TRUE(is_multiple("1e300", "1e-300"));
  EXPECT_TRUE(is_multiple("1e308", "0.123456789e-9") == false);
  EXPECT_FALSE(is_multiple("0.35", "0.1"));
  EXPECT_FALSE(is_multiple("7", "2"));
  EXPECT_FALSE(is_multiple("1", "1e300"));
  EXPECT_FALSE(is_multiple("1e-300", "1"));
  EXPECT_TRUE(is_multiple("9007199254740993", "3"));
  EXPECT_FALSE(is_multiple("9007199254740993", "2"));
}

TEST(SchemaNumber, FallsBackOnDoublesBeyondNineteenDigits) {
  EXPECT_TRUE(is_multiple("123456789012345678901234567890", "2"));
  EXPECT_FALSE(is_multiple("1e400000000000001234567890123456789", "12345678901234567890123"));
}

}  // namespace
}  // namespace anywire::schema
