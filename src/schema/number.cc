#include "schema/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "codec/json_text.h"

namespace anywire::schema {
namespace {

constexpr int kExponentMax = 1'000'000;  // of what is looked at; no double comes near
constexpr int kDigitsMax = 19;           // that always fit 64 bits

struct Parts {
  std::string_view digits;  // with a point among them
  int exponent = 0;
};

Parts split(std::string_view token) {
  if (token.starts_with('-')) token.remove_prefix(1);
  const std::size_t e = token.find_first_of("eE");
  Parts parts{.digits = token.substr(0, e)};
  if (e == token.npos) return parts;
  std::string_view exponent = token.substr(e + 1);
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  const auto [end, error] =
      std::from_chars(exponent.data(), exponent.data() + exponent.size(), parts.exponent);
  if (error != std::errc()) {
    parts.exponent = exponent.starts_with('-') ? -kExponentMax : kExponentMax;
  }
  parts.exponent = std::clamp(parts.exponent, -kExponentMax, kExponentMax);
  return parts;
}

// Of a number that no double holds: too large, or too near to zero?
bool is_huge(std::string_view token) {
  const Parts parts = split(token);
  const std::size_t first = parts.digits.find_first_of("123456789");
  const std::size_t point = std::min(parts.digits.find('.'), parts.digits.size());
  const auto places = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  return places + parts.exponent > 0;
}

using Wide = unsigned __int128;

std::uint64_t multiply(std::uint64_t a, std::uint64_t b, std::uint64_t modulus) {
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b % modulus);
}

std::uint64_t power_of_ten(int exponent, std::uint64_t modulus) {
  std::uint64_t result = 1 % modulus;
  for (std::uint64_t base = 10 % modulus; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = multiply(result, base, modulus);
    base = multiply(base, base, modulus);
  }
  return result;
}

}  // namespace

Number number_of(std::string_view token) {
  if (const auto whole = codec::json_u64(token)) {
    return {.value = static_cast<long double>(*whole), .is_integer = true};
  }
  if (const auto whole = codec::json_i64(token)) {
    return {.value = static_cast<long double>(*whole), .is_integer = true};
  }
  if (const auto number = codec::json_double(token)) {
    return {.value = *number, .is_integer = std::trunc(*number) == *number};
  }
  if (!is_huge(token)) return {.value = 0, .is_integer = true};
  const long double infinity = std::numeric_limits<long double>::infinity();
  return {.value = token.starts_with('-') ? -infinity : infinity, .is_finite = false};
}

Decimal decimal_of(std::string_view token) {
  const Parts parts = split(token);
  Decimal decimal{.exponent = parts.exponent};
  int zeros = 0;  // seen, but not yet known to have a digit behind them
  int digits = 0;
  bool fraction = false;
  for (const char c : parts.digits) {
    if (c == '.') {
      fraction = true;
      continue;
    }
    if (fraction) --decimal.exponent;
    if (c == '0') {
      if (decimal.digits != 0) ++zeros;
      continue;
    }
    digits += decimal.digits == 0 ? 1 : zeros + 1;
    if (digits > kDigitsMax) return {.is_exact = false};
    for (; zeros > 0; --zeros) decimal.digits *= 10;
    decimal.digits = decimal.digits * 10 + static_cast<std::uint64_t>(c - '0');
  }
  decimal.exponent += zeros;
  return decimal;
}

bool is_multiple(std::string_view token, std::string_view divisor) {
  const Decimal a = decimal_of(token);
  const Decimal b = decimal_of(divisor);
  if (!a.is_exact || !b.is_exact) {
    const Number number = number_of(token);
    return number.is_finite && std::fmod(number.value, number_of(divisor).value) == 0;
  }
  if (a.digits == 0) return true;
  const int places = a.exponent - b.exponent;
  if (places >= 0) {
    return multiply(a.digits % b.digits, power_of_ten(places, b.digits), b.digits) == 0;
  }
  // The divisor has so many zeros that it is larger than any number of 64 bits.
  if (-places > kDigitsMax) return false;
  Wide scaled = b.digits;
  for (int i = 0; i < -places; ++i) scaled *= 10;
  return a.digits % scaled == 0;
}

}  // namespace anywire::schema
