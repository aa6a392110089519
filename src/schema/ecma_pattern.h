// From ECMAScript's regular expressions to RE2's. For pattern.cc.
//
// Thread: any; pure functions. Limits: what comes out is at most some 200 times as long.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace anywire::schema {

struct TranslatedPattern {
  struct Condition {
    std::string expression;
    bool wanted = true;  // (?=...) rather than (?!...)
  };
  std::vector<Condition> conditions;  // of the beginning
  std::string expression;
};

// The error is a sentence without a full stop.
[[nodiscard]] std::expected<TranslatedPattern, std::string> translate_pattern(
    std::string_view ecma);

}  // namespace anywire::schema
