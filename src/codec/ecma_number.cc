#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/assert.h"
#include "codec/ecma_json.h"

namespace anywire::codec {

// The names s, k and n are those of the specification: the value is s times 10 to the (n - k), and
// s has k digits, as few as identify the double.
void append_number(std::string& out, double value) {
  if (value == 0) {  // -0 as well
    out += '0';
    return;
  }
  if (value < 0) {
    out += '-';
    value = -value;
  }
  std::array<char, 32> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                          std::chars_format::scientific);
  AW_ASSERT(error == std::errc());
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t e = text.find('e');
  AW_ASSERT(e != text.npos);  // infinity and NaN have none
  std::string s(text.substr(0, e));
  if (s.size() > 1) s.erase(1, 1);  // the point
  const int k = static_cast<int>(s.size());
  int exponent = 0;
  const char* digits = text.data() + e + (text[e + 1] == '+' ? 2 : 1);  // from_chars takes no '+'
  std::from_chars(digits, end, exponent);
  const int n = exponent + 1;

  const auto zeros = [](int count) { return std::string(static_cast<std::size_t>(count), '0'); };
  const auto split = static_cast<std::size_t>(n);
  if (k <= n && n <= 21) {
    out += s + zeros(n - k);
  } else if (0 < n && n <= 21) {
    out.append(s, 0, split).append(1, '.').append(s, split);
  } else if (-6 < n && n <= 0) {
    out += "0." + zeros(-n) + s;
  } else {
    out += s[0];
    if (k > 1) out.append(1, '.').append(s, 1);
    out += n - 1 < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(n - 1));
  }
}

}  // namespace anywire::codec
