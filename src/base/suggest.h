// Suggest: the known name a misspelt one was probably meant to be.
//
// Thread: any; pure functions. Views are read during the call; the result points into `candidates`.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace anywire {

// Words longer than this get no suggestion; nobody mistypes a name of ours into one.
inline constexpr std::size_t kSuggestBytesMax = 64;

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment) that turn
// `a` into `b`, ignoring ASCII case and the difference between `-` and `_`.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest candidate, if it is near enough to be more help than noise: a third of the word,
// at least one edit. The earlier of two equally near ones.
std::optional<std::string_view> suggest(std::string_view word,
                                        std::span<const std::string_view> candidates);

}  // namespace anywire
