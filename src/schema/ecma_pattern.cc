#include "schema/ecma_pattern.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace anywire::schema {
namespace {

using std::string_view;

// ECMA-262 22.2.2.9: white space and line terminators; what is left when they are taken away.
constexpr string_view kSpaces =
    R"(\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff})";
constexpr string_view kNoSpaces =
    R"(\x{0}-\x{8}\x{e}-\x{1f}!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027})"
    R"(\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff})";
constexpr string_view kAnyButLineEnds = R"([^\n\r\x{2028}\x{2029}])";

// RE2 knows general categories by their short names only.
constexpr std::array<std::pair<string_view, string_view>, 12> kCategories = {{
    {"Letter", "L"},
    {"Lowercase_Letter", "Ll"},
    {"Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"Other", "C"},
    {"Punctuation", "P"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Symbol", "S"},
    {"Uppercase_Letter", "Lu"},
}};

class Translator {
 public:
  explicit Translator(string_view text) : text_(text) {}

  std::expected<TranslatedPattern, std::string> run();

 private:
  bool sequence(std::string& out);
  bool group(std::string& out);
  bool character_class(std::string& out);
  bool escape(std::string& out, bool in_class);
  bool letter_escape(char c, std::string& out, bool in_class);
  bool unicode_escape(std::string& out);
  bool property(char c, std::string& out);
  std::optional<std::uint32_t> hex(std::size_t digits);
  bool condition(TranslatedPattern& pattern);

  bool at_end() const { return at_ == text_.size(); }
  bool at(string_view what) const { return text_.substr(at_).starts_with(what); }
  bool take(string_view what) {
    if (!at(what)) return false;
    at_ += what.size();
    return true;
  }
  bool refuse(std::string text) {
    if (error_.empty()) error_ = std::move(text);
    return false;
  }

  string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool has_bar_ = false;  // an alternative outside of all groups
  std::string error_;
};

std::expected<TranslatedPattern, std::string> Translator::run() {
  TranslatedPattern pattern;
  if (take("^")) {
    pattern.expression = "^";
    while (at("(?=") || at("(?!")) {
      if (!condition(pattern)) return std::unexpected(error_);
    }
  }
  has_bar_ = false;
  if (!sequence(pattern.expression)) return std::unexpected(error_);
  if (!at_end()) return std::unexpected("a \")\" has no \"(\"");
  if (has_bar_ && !pattern.conditions.empty()) {
    return std::unexpected(
        "look-ahead beside \"|\" is not supported; put the alternatives into \"(?:...)\"");
  }
  return pattern;
}

bool Translator::condition(TranslatedPattern& pattern) {
  TranslatedPattern::Condition condition{.wanted = at("(?=")};
  at_ += 3;
  ++depth_;
  if (!sequence(condition.expression)) return false;
  --depth_;
  if (!take(")")) return refuse("a \"(\" has no \")\"");
  pattern.conditions.push_back(std::move(condition));
  return true;
}

// Up to the end, or to the parenthesis that closes the group we are in.
bool Translator::sequence(std::string& out) {
  while (!at_end() && text_[at_] != ')') {
    const char c = text_[at_];
    switch (c) {
      case '(':
        if (!group(out)) return false;
        break;
      case '[':
        if (!character_class(out)) return false;
        break;
      case '\\':
        if (!escape(out, false)) return false;
        break;
      case '.':
        ++at_;
        out += kAnyButLineEnds;
        break;
      case '|':
        if (depth_ == 0) has_bar_ = true;
        [[fallthrough]];
      default:
        ++at_;
        out += c;
    }
  }
  return true;
}

bool Translator::group(std::string& out) {
  constexpr int kDepthMax = 50;
  if (at("(?=") || at("(?!")) {
    return refuse(
        "look-ahead is supported only at the very beginning, behind \"^\": linear time cannot be "
        "had with it elsewhere");
  }
  if (at("(?<=") || at("(?<!")) return refuse("look-behind is not supported");
  if (++depth_ > kDepthMax) return refuse("the groups are nested too deeply");
  if (take("(?<")) {
    const std::size_t end = text_.find('>', at_);
    if (end == text_.npos) return refuse("the name of a group has no \">\"");
    at_ = end + 1;
    out += "(?:";
  } else if (take("(?:")) {
    out += "(?:";
  } else if (take("(?i:")) {
    out += "(?i:";
  } else if (at("(?")) {
    return refuse("ECMAScript knows no such group");
  } else {
    ++at_;
    out += "(?:";  // what it captured nobody asks for
  }
  if (!sequence(out)) return false;
  if (!take(")")) return refuse("a \"(\" has no \")\"");
  --depth_;
  out += ')';
  return true;
}

bool Translator::character_class(std::string& out) {
  ++at_;
  const bool negated = take("^");
  if (take("]")) {
    out += negated ? R"([\x{0}-\x{10ffff}])" : R"([^\x{0}-\x{10ffff}])";
    return true;
  }
  out += negated ? "[^" : "[";
  while (!at_end() && text_[at_] != ']') {
    const char c = text_[at_];
    if (c == '\\') {
      if (!escape(out, true)) return false;
      continue;
    }
    ++at_;
    // To RE2 "[:" begins a class of its own, and a caret in front would negate.
    if (c == '[' || c == '^') out += '\\';
    out += c;
  }
  if (!take("]")) return refuse("a \"[\" has no \"]\"");
  out += ']';
  return true;
}

bool Translator::escape(std::string& out, bool in_class) {
  if (text_.size() - at_ < 2) return refuse("there is nothing behind the last \"\\\"");
  const char c = text_[at_ + 1];
  at_ += 2;
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (is_letter) return letter_escape(c, out, in_class);
  if (c == '0' && (at_end() || text_[at_] < '0' || text_[at_] > '9')) {
    out += R"(\x{0})";
    return true;
  }
  if (c >= '0' && c <= '9') {
    return refuse("back-references are not supported: linear time cannot be had with them");
  }
  if ((c & 0x80) != 0) return refuse("a character that needs no \"\\\" has one in front");
  out += '\\';
  out += c;
  return true;
}

bool Translator::letter_escape(char c, std::string& out, bool in_class) {
  switch (c) {
    case 'd': case 'D': case 'w': case 'W':
    case 't': case 'n': case 'v': case 'f': case 'r':
      out += '\\';
      out += c;
      return true;
    case 's':
    case 'S': {
      const string_view set = c == 's' ? kSpaces : kNoSpaces;
      out += in_class ? std::string(set) : fmt::format("[{}]", set);
      return true;
    }
    case 'b':
      out += in_class ? R"(\x{8})" : R"(\b)";
      return true;
    case 'B':
      if (in_class) break;
      out += R"(\B)";
      return true;
    case 'c':
      if (at_end()) break;
      out += fmt::format("\\x{{{:x}}}", text_[at_++] & 31);
      return true;
    case 'x': {
      const auto code = hex(2);
      if (!code) break;
      out += fmt::format("\\x{{{:x}}}", *code);
      return true;
    }
    case 'u': return unicode_escape(out);
    case 'k':
      return refuse("back-references are not supported: linear time cannot be had with them");
    case 'p':
    case 'P': return property(c, out);
    default: break;
  }
  return refuse(fmt::format("ECMAScript knows no \"\\{}\" here", c));
}

// \u{1F600}, \u00e9, or the two halves of a surrogate pair.
bool Translator::unicode_escape(std::string& out) {
  std::optional<std::uint32_t> code;
  if (take("{")) {
    const std::size_t end = text_.find('}', at_);
    if (end != text_.npos && end > at_ && end - at_ <= 6) code = hex(end - at_);
    if (!take("}")) code.reset();
  } else {
    code = hex(4);
    if (code && *code >= 0xD800 && *code < 0xDC00 && take("\\u")) {
      const auto low = hex(4);
      if (!low || *low < 0xDC00 || *low > 0xDFFF) return refuse("half a surrogate pair");
      code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
    }
  }
  if (!code || *code > 0x10FFFF) return refuse("\"\\u\" needs a code point in hexadecimal digits");
  if (*code >= 0xD800 && *code <= 0xDFFF) {
    return refuse("half a surrogate pair: texts here hold code points");
  }
  out += fmt::format("\\x{{{:x}}}", *code);
  return true;
}

bool Translator::property(char c, std::string& out) {
  const std::size_t end = text_.find('}', at_);
  if (!take("{") || end == text_.npos) return refuse("\"\\p\" needs a property in braces");
  string_view name = text_.substr(at_, end - at_);
  at_ = end + 1;
  for (const string_view prefix : {"General_Category=", "gc=", "Script=", "sc="}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  for (const auto& [long_name, short_name] : kCategories) {
    if (name == long_name) name = short_name;
  }
  for (const char letter : name) {
    const bool fits = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                      letter == '_';
    if (!fits) return refuse("a Unicode property of this kind is not supported");
  }
  out += fmt::format("\\{}{{{}}}", c, name);
  return true;
}

std::optional<std::uint32_t> Translator::hex(std::size_t digits) {
  if (text_.size() - at_ < digits) return std::nullopt;
  std::uint32_t code = 0;
  for (const char c : text_.substr(at_, digits)) {
    code <<= 4;
    if (c >= '0' && c <= '9') {
      code |= static_cast<std::uint32_t>(c - '0');
    } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
      code |= static_cast<std::uint32_t>((c | 32) - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  at_ += digits;
  return code;
}

}  // namespace

std::expected<TranslatedPattern, std::string> translate_pattern(string_view ecma) {
  return Translator(ecma).run();
}

}  // namespace anywire::schema
