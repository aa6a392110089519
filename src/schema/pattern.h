// Pattern: a regular expression as JSON Schema writes them, in ECMAScript's syntax with the flag
// "u" (2020-12 core, 6.4), run by RE2, which takes linear time whatever pattern and text are.
//
// What the two spell differently is translated: \s, "." and classes mean what ECMAScript says.
// What RE2 cannot do is refused when the pattern is compiled: back-references, look-behind, and
// look-ahead, but for one use that people need: conditions at the very beginning, as in
// "^(?=.*[0-9])(?!.*\s).{8,}$", are patterns of their own and are run as such.
//
// Thread: any; const once made. Lifetime: the text is read during the call. Limits: a pattern has
// kPatternBytesMax bytes and kConditionsMax conditions; RE2 has kPatternMemory for each.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace anywire::schema {

inline constexpr std::size_t kPatternBytesMax = 4 * 1024;
inline constexpr std::size_t kConditionsMax = 8;
inline constexpr std::size_t kPatternMemory = std::size_t{1} << 20;

class Pattern {
 public:
  // The error is a sentence without a full stop that says what is wrong.
  [[nodiscard]] static std::expected<Pattern, std::string> compile(std::string_view text);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Anywhere in the text, unless the pattern says otherwise. `text` is UTF-8.
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  struct Condition {
    std::unique_ptr<const re2::RE2> expression;  // at the text's beginning
    bool wanted = true;
  };

  Pattern();

  std::unique_ptr<const re2::RE2> expression_;
  std::vector<Condition> conditions_;
};

}  // namespace anywire::schema
