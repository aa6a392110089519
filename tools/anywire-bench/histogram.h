// Histogram: latencies in nanoseconds, in buckets of about 3 % width. Adding costs a few
// instructions and memory is fixed, so every message can be recorded.
//
// Thread: none of its own. Limits: values of 2^40 ns (18 minutes) and more fall into the last
// bucket.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace anywire::bench {

class Histogram {
 public:
  void add(std::uint64_t ns, std::uint64_t times = 1) {
    counts_[index_of(std::min(ns, kValueMax))] += times;
    total_ += times;
  }
  void clear() {
    counts_.fill(0);
    total_ = 0;
  }
  std::uint64_t total() const { return total_; }

  // The upper edge of the bucket that holds the given share (0 to 1) of the values; 0 when empty.
  std::uint64_t quantile(double share) const {
    if (total_ == 0) return 0;
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(total_ - 1)) + 1;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= rank) return upper_edge(i);
    }
    return kValueMax;
  }

 private:
  static constexpr unsigned kSubBits = 5;  // 32 buckets per power of two
  static constexpr unsigned kTopBit = 40;
  static constexpr std::uint64_t kValueMax = (std::uint64_t{1} << kTopBit) - 1;

  // Values below 32 have a bucket each; above, the five bits after the leading one choose it.
  static std::size_t index_of(std::uint64_t value) {
    if (value < (1u << kSubBits)) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kSubBits - 1;
    return (std::size_t{shift} << kSubBits) + (value >> shift);
  }
  static std::uint64_t upper_edge(std::size_t index) {
    if (index < (1u << kSubBits)) return index;
    const std::size_t shift = (index >> kSubBits) - 1;
    return ((index - (shift << kSubBits) + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (std::size_t{kTopBit} - kSubBits + 1) << kSubBits> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace anywire::bench
