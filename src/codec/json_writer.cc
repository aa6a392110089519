#include "codec/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "base/assert.h"

namespace anywire::codec {
namespace {

constexpr std::uint64_t kEveryByte = 0x0101'0101'0101'0101;
constexpr std::uint64_t kHighBits = kEveryByte * 0x80;

bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

// Whether one of eight bytes needs an escape. A byte below n borrows from its high bit when n is
// subtracted; bytes that had the bit are not below n, and a borrow from a lower byte can only come
// when that one was a hit itself, so the answer is exact.
bool any_needs_escape(std::uint64_t eight) {
  const auto below = [](std::uint64_t word, std::uint64_t n) {
    return (word - kEveryByte * n) & ~word & kHighBits;
  };
  const std::uint64_t quotes = eight ^ (kEveryByte * '"');
  const std::uint64_t backslashes = eight ^ (kEveryByte * '\\');
  return (below(eight, 0x20) | below(quotes, 1) | below(backslashes, 1)) != 0;
}

// How many bytes from the front can be copied as they are.
std::size_t plain_bytes(std::string_view text) {
  std::size_t at = 0;
  for (; text.size() - at >= 8; at += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, text.data() + at, 8);
    if (any_needs_escape(eight)) break;
  }
  while (at < text.size() && !needs_escape(text[at])) ++at;
  return at;
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  out += "\\u00";
  out += kHex[static_cast<unsigned char>(c) >> 4];
  out += kHex[c & 15];
}

template <typename... Arguments>
std::string_view print(std::array<char, 32>& buffer, Arguments... arguments) {
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), arguments...);
  AW_ASSERT(error == std::errc());
  return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (true) {
    const std::size_t plain = plain_bytes(text);
    out.append(text.data(), plain);
    if (plain == text.size()) break;
    append_escape(out, text[plain]);
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

void append_json_integer(std::string& out, std::uint64_t value) {
  std::array<char, 32> buffer;
  out += print(buffer, value);
}

void append_json_integer(std::string& out, std::int64_t value) {
  std::array<char, 32> buffer;
  out += print(buffer, value);
}

void append_json_number(std::string& out, double value) {
  AW_ASSERT(std::isfinite(value));
  std::array<char, 32> buffer;
  // From here on, to_chars() would print digits that a double does not have.
  constexpr double kWholeMax = 9007199254740992;  // 2^53
  const std::string_view text = std::abs(value) < kWholeMax
                                    ? print(buffer, value)
                                    : print(buffer, value, std::chars_format::scientific);
  out += text;
  if (text.find_first_of(".e") == text.npos) out += ".0";
}

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::u64(std::uint64_t value) {
  separate();
  append_json_integer(out_, value);
  return *this;
}

JsonWriter& JsonWriter::i64(std::int64_t value) {
  separate();
  append_json_integer(out_, value);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  separate();
  append_json_number(out_, value);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace anywire::codec
