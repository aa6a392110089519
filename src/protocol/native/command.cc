#include "protocol/native/command.h"

#include <algorithm>

namespace anywire::protocol::native {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kEpochDigits = 16;

}  // namespace

bool Filter::matches(std::span<const broker::Tag> tags) const {
  return std::ranges::all_of(rules, [&](const Rule& rule) {
    return std::ranges::any_of(tags, [&](const broker::Tag& tag) {
      return tag.name == rule.tag && std::ranges::find(rule.values, tag.value) != rule.values.end();
    });
  });
}

std::string epoch_text(std::uint64_t epoch) {
  std::string text(kEpochDigits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, epoch >>= 4) {
    *digit = kHexDigits[epoch & 15];
  }
  return text;
}

std::uint64_t parse_epoch(std::string_view text) {
  if (text.size() != kEpochDigits) return 0;
  std::uint64_t epoch = 0;
  for (const char c : text) {
    const std::size_t digit = kHexDigits.find(c);
    if (digit == kHexDigits.npos) return 0;
    epoch = epoch << 4 | digit;
  }
  return epoch;
}

}  // namespace anywire::protocol::native
