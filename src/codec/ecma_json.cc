#include "codec/ecma_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/utf8_lossy.h"

namespace anywire::codec {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A member of an object, as positions in the text written so far.
struct Member {
  std::size_t begin;    // of the key's opening quote
  std::size_t key_end;  // behind its closing quote
  std::size_t end;      // behind the value
};

// An object whose members come in another order than they were written, or not all of them.
struct Reordered {
  std::size_t begin, end;    // of the object, braces included
  std::size_t comma;         // any comma between two of its members
  std::size_t first, count;  // its members in kept_, in their final order
};

// One pass writes everything in the order of the input, which is right for nearly all input. An
// object that turns out disordered when it closes is only noted; if there was any, a second pass
// puts all of them in order at once. Moving the text at each closing brace instead would make deep
// nesting quadratic.
class Reserializer {
 public:
  Reserializer(std::string_view input, int depth_max) : rest_(input), depth_max_(depth_max) {
    out_.reserve(input.size());
  }

  std::optional<std::string> run() {
    if (!document()) return std::nullopt;
    return reordered_.empty() ? std::move(out_) : put_in_order();
  }

 private:
  struct Frame {
    bool is_object;
    std::size_t begin;
    std::size_t first_member;  // in open_members_
  };

  bool document() {
    // Each turn reads one value; then containers it completes are closed and, when one goes on,
    // the next element is prepared.
    do {
      if (!value()) return false;
      if (!after_value()) return false;
    } while (!frames_.empty());
    skip_whitespace();
    return rest_.empty();
  }

  // A scalar, an empty container, or the opening of a container; `pending_` then says that a value
  // must follow before anything can close.
  bool value() {
    pending_ = false;
    skip_whitespace();
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '{': return open(true);
      case '[': return open(false);
      case '"': return string();
      case 't': return literal("true");
      case 'f': return literal("false");
      case 'n': return literal("null");
      default: return number();
    }
  }

  bool open(bool is_object) {
    if (frames_.size() >= static_cast<std::size_t>(std::max(depth_max_, 0))) return false;
    const std::size_t begin = out_.size();
    out_ += rest_.front();
    rest_.remove_prefix(1);
    skip_whitespace();
    if (rest_.starts_with(is_object ? '}' : ']')) {
      out_ += rest_.front();
      rest_.remove_prefix(1);
      return true;
    }
    frames_.push_back({is_object, begin, open_members_.size()});
    pending_ = true;
    return !is_object || key();
  }

  bool key() {
    skip_whitespace();
    const std::size_t begin = out_.size();
    if (!rest_.starts_with('"') || !string()) return false;
    open_members_.push_back({begin, out_.size(), 0});
    skip_whitespace();
    return take(':');
  }

  bool after_value() {
    while (!pending_ && !frames_.empty()) {
      const Frame frame = frames_.back();
      if (frame.is_object) open_members_.back().end = out_.size();
      skip_whitespace();
      if (take(',')) {
        pending_ = true;
        if (frame.is_object && !key()) return false;
      } else if (take(frame.is_object ? '}' : ']')) {
        frames_.pop_back();
        if (frame.is_object) close_object(frame);
      } else {
        return false;
      }
    }
    return true;
  }

  void skip_whitespace() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n' ||
                              rest_.front() == '\r' || rest_.front() == '\t')) {
      rest_.remove_prefix(1);
    }
  }

  // Copies a punctuation mark if it comes next.
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    out_ += c;
    rest_.remove_prefix(1);
    return true;
  }

  bool literal(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    out_ += word;
    rest_.remove_prefix(word.size());
    return true;
  }

  bool string();
  bool escape();
  bool unicode_escape();
  bool number();
  void append_overflowing(std::string_view token);
  void close_object(const Frame& frame);
  void note_order(const Frame& frame);
  bool is_disordered(std::size_t first) const;
  std::string put_in_order();

  std::string_view key_of(const Member& member) const {
    return std::string_view(out_).substr(member.begin, member.key_end - member.begin);
  }

  std::string_view rest_;
  const int depth_max_;
  bool pending_ = false;
  std::string out_;
  std::vector<Frame> frames_;
  std::vector<Member> open_members_;
  std::vector<Member> kept_;
  std::vector<Reordered> reordered_;
};

bool Reserializer::string() {
  const auto is_plain = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
  };
  out_ += '"';
  rest_.remove_prefix(1);
  for (;;) {
    const auto run_end = std::find_if_not(rest_.begin(), rest_.end(), is_plain);
    const auto run = static_cast<std::size_t>(run_end - rest_.begin());
    out_.append(rest_.substr(0, run));
    rest_.remove_prefix(run);
    if (rest_.empty()) return false;
    const char c = rest_.front();
    if (c == '"') return take('"');
    if (c == '\\') {
      if (!escape()) return false;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      return false;
    } else {
      const LossyCharacter character = decode_lossy(rest_);
      append_utf8(out_, character.code_point);
      rest_.remove_prefix(character.length);
    }
  }
}

std::optional<std::uint32_t> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t unit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + 4, unit, 16);
  if (error != std::errc() || end != text.data() + 4) return std::nullopt;
  return unit;
}

// One character as JSON.stringify writes it (ECMA-262 25.5.2.3, QuoteJSONString).
void append_quoted(std::string& out, std::uint32_t code_point) {
  const auto hex = [&] {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(code_point >> shift) & 15];
  };
  switch (code_point) {
    case '\b': out += "\\b"; return;
    case '\t': out += "\\t"; return;
    case '\n': out += "\\n"; return;
    case '\f': out += "\\f"; return;
    case '\r': out += "\\r"; return;
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    default: break;
  }
  const bool is_surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < 0x20 || is_surrogate) hex();
  else append_utf8(out, code_point);
}

bool Reserializer::escape() {
  if (rest_.size() < 2) return false;
  const char c = rest_[1];
  if (c == 'u') return unicode_escape();
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const std::size_t index = kNames.find(c);
  if (index == kNames.npos) return false;
  append_quoted(out_, static_cast<std::uint32_t>(kMeanings[index]));
  rest_.remove_prefix(2);
  return true;
}

bool Reserializer::unicode_escape() {
  constexpr std::size_t kLength = 6;  // \uXXXX
  const auto unit = hex4(rest_.substr(2));
  if (!unit) return false;
  rest_.remove_prefix(kLength);
  // Two escapes that form a pair are one character; anything else is what it is.
  if (*unit >= 0xd800 && *unit <= 0xdbff && rest_.starts_with("\\u")) {
    const auto low = hex4(rest_.substr(2));
    if (low && *low >= 0xdc00 && *low <= 0xdfff) {
      append_utf8(out_, 0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00));
      rest_.remove_prefix(kLength);
      return true;
    }
  }
  append_quoted(out_, *unit);
  return true;
}

bool Reserializer::number() {
  std::size_t length = 0;
  const auto peek = [&] { return length < rest_.size() ? rest_[length] : '\0'; };
  const auto digits = [&] {
    const std::size_t begin = length;
    while (is_digit(peek())) ++length;
    return length > begin;
  };
  if (peek() == '-') ++length;
  if (peek() == '0') ++length;
  else if (!digits()) return false;
  bool is_integer = true;
  if (peek() == '.') {
    is_integer = false;
    ++length;
    if (!digits()) return false;
  }
  if (peek() == 'e' || peek() == 'E') {
    is_integer = false;
    ++length;
    if (peek() == '+' || peek() == '-') ++length;
    if (!digits()) return false;
  }
  const std::string_view token = rest_.substr(0, length);
  rest_.remove_prefix(length);

  constexpr std::size_t kExactDigits = 15;  // integers so short are doubles and print as written
  if (is_integer && length <= kExactDigits && token != "-0") {
    out_ += token;
    return true;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + length, value);
  if (error == std::errc::result_out_of_range || !std::isfinite(value)) append_overflowing(token);
  else append_number(out_, value);
  return true;
}

// The value is too large for a double, hence Infinity, which stringify writes as null; or too
// small, hence 0. from_chars does not say which.
void Reserializer::append_overflowing(std::string_view token) {
  constexpr std::int64_t kFar = std::int64_t{1} << 40;  // beyond any length of input
  std::int64_t exponent = 0;
  const std::size_t e = std::min(token.find_first_of("eE"), token.size());
  if (e < token.size()) {
    const std::size_t digits = token[e + 1] == '+' ? e + 2 : e + 1;
    const auto [end, error] =
        std::from_chars(token.data() + digits, token.data() + token.size(), exponent);
    const bool fits = error == std::errc() && exponent < kFar && exponent > -kFar;
    if (!fits) exponent = token[e + 1] == '-' ? -kFar : kFar;
  }
  const std::string_view mantissa = token.substr(0, e);
  const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  const auto leading = static_cast<std::int64_t>(mantissa.find_first_of("123456789"));
  out_ += exponent + point - leading > 0 ? "null" : "0";
}

// The numeric value of a quoted key that is an array index: 0 to 2^32 - 2 in canonical form.
std::optional<std::uint32_t> array_index(std::string_view key) {
  const std::string_view digits = key.substr(1, key.size() - 2);
  if (digits.empty() || digits.size() > 10) return std::nullopt;
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  if (digits.front() == '0' && digits.size() > 1) return std::nullopt;
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (value > 0xfffffffe) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

// Whether the members from `first` on need another order, or repeat a key. The quoted form of a key
// is unique, so comparing the text compares the keys.
bool Reserializer::is_disordered(std::size_t first) const {
  bool has_name = false;
  std::int64_t last_index = -1;
  for (std::size_t i = first; i < open_members_.size(); ++i) {
    const auto index = array_index(key_of(open_members_[i]));
    if (!index) {
      has_name = true;
    } else if (has_name || *index <= last_index) {
      return true;
    } else {
      last_index = *index;
    }
  }
  const std::size_t count = open_members_.size() - first;
  constexpr std::size_t kFewMembers = 8;
  if (count <= kFewMembers) {
    for (std::size_t i = first; i < open_members_.size(); ++i) {
      for (std::size_t j = first; j < i; ++j) {
        if (key_of(open_members_[i]) == key_of(open_members_[j])) return true;
      }
    }
    return false;
  }
  // Sorting, not hashing: nobody can choose keys that make it slow.
  std::vector<std::string_view> names;
  names.reserve(count);
  for (std::size_t i = first; i < open_members_.size(); ++i) {
    names.push_back(key_of(open_members_[i]));
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

void Reserializer::close_object(const Frame& frame) {
  if (is_disordered(frame.first_member)) note_order(frame);
  open_members_.resize(frame.first_member);
}

void Reserializer::note_order(const Frame& frame) {
  struct Place {
    Member member;
    std::size_t place;  // of the key's first appearance
    std::optional<std::uint32_t> index;
  };
  std::vector<Place> places;
  for (std::size_t i = frame.first_member; i < open_members_.size(); ++i) {
    places.push_back({open_members_[i], i, array_index(key_of(open_members_[i]))});
  }
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    const int order = key_of(a.member).compare(key_of(b.member));
    return order != 0 ? order < 0 : a.place < b.place;
  });
  // Of each group of equal keys, still in input order: the first one's place, the last one's value.
  std::size_t kept = 0;
  for (const Place& place : places) {
    if (kept > 0 && key_of(places[kept - 1].member) == key_of(place.member)) {
      places[kept - 1].member = place.member;
    } else {
      places[kept++] = place;
    }
  }
  places.resize(kept);
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    if (a.index && b.index) return *a.index < *b.index;
    if (a.index || b.index) return a.index.has_value();
    return a.place < b.place;
  });
  // Two members at least, or nothing would be out of order.
  const std::size_t comma = open_members_[frame.first_member + 1].begin - 1;
  reordered_.push_back({frame.begin, out_.size(), comma, kept_.size(), kept});
  for (const Place& place : places) kept_.push_back(place.member);
}

std::string Reserializer::put_in_order() {
  struct Range {
    std::size_t begin, end;
  };
  std::sort(reordered_.begin(), reordered_.end(),
            [](const Reordered& a, const Reordered& b) { return a.begin < b.begin; });
  std::string result;
  result.reserve(out_.size());
  std::vector<Range> todo{{0, out_.size()}};  // the last one is next
  while (!todo.empty()) {
    const Range range = todo.back();
    todo.pop_back();
    // An object begins before those inside it, so the first one found is the outermost.
    const auto object =
        std::lower_bound(reordered_.begin(), reordered_.end(), range.begin,
                         [](const Reordered& r, std::size_t begin) { return r.begin < begin; });
    if (object == reordered_.end() || object->begin >= range.end) {
      result.append(out_, range.begin, range.end - range.begin);
      continue;
    }
    result.append(out_, range.begin, object->begin + 1 - range.begin);  // with the brace
    todo.push_back({object->end - 1, range.end});                       // from its closing brace
    for (std::size_t i = object->count; i-- > 0;) {
      const Member& member = kept_[object->first + i];
      todo.push_back({member.begin, member.end});
      if (i > 0) todo.push_back({object->comma, object->comma + 1});
    }
  }
  return result;
}

}  // namespace

std::optional<std::string> reserialize(Bytes input, int depth_max) {
  return Reserializer(as_text(input), depth_max).run();
}

}  // namespace anywire::codec
