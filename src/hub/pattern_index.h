// PatternIndex: which of many patterns may take a channel's name, found without asking them all.
// Patterns are kept by what every name they take begins with, and numbered as they come: who
// remembers the number of the last one it has seen asks only for those that came since.
// Internal to hub/.
//
// `T` has a `const auth::Glob glob` and a `std::uint64_t number`, which is set here; the index
// points to it from `add` to `remove`.
//
// Thread: the loop's. Limits: none of its own. Asking costs a look-up for each length of prefix in
// use (256 at most), and a step for each pattern whose prefix the name begins with.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/glob.h"
#include "base/assert.h"
#include "hub/names.h"

namespace anywire::hub {

template <typename T>
class PatternIndex {
 public:
  void add(T& pattern) {
    pattern.number = ++last_;
    by_number_.emplace(pattern.number, &pattern);
    const std::string_view prefix = pattern.glob.literal_prefix();
    auto found = by_prefix_.find(prefix);
    if (found == by_prefix_.end()) {
      found = by_prefix_.emplace(std::string(prefix), Numbered{}).first;
      if (prefixes_[prefix.size()]++ == 0) mark(prefix.size(), true);
    }
    found->second.emplace(pattern.number, &pattern);
  }

  void remove(T& pattern) {
    const std::string_view prefix = pattern.glob.literal_prefix();
    const auto found = by_prefix_.find(prefix);
    AW_ASSERT(found != by_prefix_.end());
    by_number_.erase(pattern.number);
    found->second.erase(pattern.number);
    if (!found->second.empty()) return;
    by_prefix_.erase(found);
    if (--prefixes_[prefix.size()] == 0) mark(prefix.size(), false);
  }

  bool has(std::uint64_t number) const { return by_number_.contains(number); }

  // The number of the one that came last, also if it has gone again; 0 before the first.
  std::uint64_t last() const { return last_; }
  std::size_t size() const { return by_number_.size(); }

  // Calls `visit(T&)` for each pattern with a number beyond `since` that may take the name, among
  // them all that do, until it returns false. It must not add or remove any.
  template <typename Visit>
  void candidates(std::string_view name, std::uint64_t since, Visit&& visit) const {
    if (since == last_) return;
    if (last_ - since <= kFew) {
      visit_since(by_number_, since, visit);
      return;
    }
    for (std::size_t word = 0; word < lengths_.size(); ++word) {
      for (std::uint64_t left = lengths_[word]; left != 0; left &= left - 1) {
        const std::size_t length = 64 * word + static_cast<std::size_t>(std::countr_zero(left));
        if (length > name.size()) return;
        const auto found = by_prefix_.find(name.substr(0, length));
        if (found != by_prefix_.end() && !visit_since(found->second, since, visit)) return;
      }
    }
  }

 private:
  using Numbered = std::map<std::uint64_t, T*>;

  // So many are asked at once: that costs no more than the look-ups.
  static constexpr std::uint64_t kFew = 8;

  template <typename Visit>
  static bool visit_since(const Numbered& patterns, std::uint64_t since, Visit& visit) {
    for (auto at = patterns.upper_bound(since); at != patterns.end(); ++at) {
      if (!visit(*at->second)) return false;
    }
    return true;
  }

  void mark(std::size_t length, bool used) {
    const std::uint64_t bit = std::uint64_t{1} << (length % 64);
    std::uint64_t& word = lengths_[length / 64];
    word = used ? word | bit : word & ~bit;
  }

  std::uint64_t last_ = 0;
  Numbered by_number_;
  std::unordered_map<std::string, Numbered, NameHash, std::equal_to<>> by_prefix_;
  std::array<std::uint32_t, auth::kGlobBytesMax + 1> prefixes_{};  // of each length
  std::array<std::uint64_t, (auth::kGlobBytesMax + 64) / 64> lengths_{};  // a bit for each in use
};

}  // namespace anywire::hub
