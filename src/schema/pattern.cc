#include "schema/pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <utility>

#include "schema/ecma_pattern.h"

namespace anywire::schema {
namespace {

std::unique_ptr<const RE2> make(const std::string& expression) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(static_cast<std::int64_t>(kPatternMemory));
  return std::make_unique<const RE2>(expression, options);
}

}  // namespace

Pattern::Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

std::expected<Pattern, std::string> Pattern::compile(std::string_view text) {
  if (text.size() > kPatternBytesMax) {
    return std::unexpected(fmt::format("a pattern has at most {} bytes", kPatternBytesMax));
  }
  auto translated = translate_pattern(text);
  if (!translated) return std::unexpected(std::move(translated.error()));
  if (translated->conditions.size() > kConditionsMax) {
    return std::unexpected(fmt::format("a pattern has at most {} look-aheads", kConditionsMax));
  }
  Pattern pattern;
  pattern.expression_ = make(translated->expression);
  if (!pattern.expression_->ok()) return std::unexpected(pattern.expression_->error());
  for (const auto& [expression, wanted] : translated->conditions) {
    pattern.conditions_.push_back({make(expression), wanted});
    const RE2& made = *pattern.conditions_.back().expression;
    if (!made.ok()) return std::unexpected(made.error());
  }
  return pattern;
}

bool Pattern::matches(std::string_view text) const {
  const re2::StringPiece piece(text.data(), text.size());
  for (const Condition& condition : conditions_) {
    const bool met = condition.expression->Match(piece, 0, piece.size(), RE2::ANCHOR_START,
                                                 nullptr, 0);
    if (met != condition.wanted) return false;
  }
  return expression_->Match(piece, 0, piece.size(), RE2::UNANCHORED, nullptr, 0);
}

}  // namespace anywire::schema
