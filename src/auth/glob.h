// Glob: a pattern for channel names, as capabilities, channel rules and wildcard subscriptions
// write them.
//
//   *   any run of characters, none and ':' and '/' included: "chat:*" takes "chat:eu:7"
//   ?   one character (of UTF-8, not one byte)
//
// Everything else stands for itself and is compared byte by byte; there are no sets, ranges or
// escapes, so what a pattern takes can be seen at a glance. A name that itself holds '*' or '?' can
// only be met by a wildcard.
//
// Thread: any; a value. Lifetime: views are read during the call.
// Limits: a pattern has 1..255 bytes. Matching takes as many steps as pattern and name have bytes,
// or a few times that, whatever is in them, and no memory; `covers` may take one times the other.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace anywire::auth {

inline constexpr std::size_t kGlobBytesMax = 255;

class Glob {
 public:
  Glob() : pattern_("*") {}

  // Refuses what is empty, too long, not UTF-8 or has control characters.
  [[nodiscard]] static Result<Glob> parse(std::string_view text);

  [[nodiscard]] bool matches(std::string_view name) const;

  // True only if this takes every name that `other` takes: the right to the one includes the other.
  // In exotic cases, such as "*a*" and "?a*a", the answer is no although it could be yes.
  [[nodiscard]] bool covers(const Glob& other) const;

  bool matches_all() const { return pattern_ == "*"; }
  bool literal() const { return literal_prefix().size() == pattern_.size(); }

  // What every matching name begins with: an index can sort by it.
  std::string_view literal_prefix() const;

  // In normal form: "a**?" is "a?*".
  const std::string& pattern() const { return pattern_; }

  bool operator==(const Glob&) const = default;

 private:
  explicit Glob(std::string pattern) : pattern_(std::move(pattern)) {}

  std::string pattern_;
};

// For who keeps patterns in a form of its own: `pattern` is what Glob::pattern() said.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view name);
[[nodiscard]] bool glob_covers(std::string_view pattern, std::string_view other);

// A name with one of these is a pattern.
inline bool has_wildcard(std::string_view name) {
  return name.find_first_of("*?") != std::string_view::npos;
}

}  // namespace anywire::auth
