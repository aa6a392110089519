// Numbers as JSON Schema looks at them: by their value, not by how they are written. 1, 1.0 and
// 1e0 are one number, and an integer (2020-12 core, 4.2.2; validation, 6.1.1).
//
// Thread: any; pure functions. Lifetime: tokens are read during the call. Limits: time is linear in
// the token. Tokens are numbers by JSON's grammar already (codec::is_json_number).
#pragma once

#include <cstdint>
#include <string_view>

namespace anywire::schema {

// Long double holds every 64-bit integer and every double, so comparisons of those are exact. Whole
// numbers beyond 64 bits are the nearest double, as every receiver would read them.
struct Number {
  long double value = 0;
  bool is_integer = false;
  bool is_finite = true;  // false: beyond the range of a double, so that nobody could hold it
};

[[nodiscard]] Number number_of(std::string_view token);

// A decimal number as it is written: (-) digits * 10^exponent. For `multipleOf`, where 0.3 is a
// multiple of 0.1, though the doubles nearest to them are not.
struct Decimal {
  std::uint64_t digits = 0;
  int exponent = 0;
  bool is_exact = true;  // false: more than 19 digits; then nothing above means anything
};

[[nodiscard]] Decimal decimal_of(std::string_view token);

// Whether a number is a whole multiple of another, which is not zero: exactly for decimals of up to
// 19 digits, else as far as doubles tell.
[[nodiscard]] bool is_multiple(std::string_view token, std::string_view divisor);

}  // namespace anywire::schema
