// find_forbidden: the one loop over the bytes of a head, shared by the parsers of requests and of
// responses.
//
// Thread: a pure function. Lifetime: nothing is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "http/chars.h"

namespace anywire::http {

// The index of the first byte in [from, to) that is_forbidden_in_head, or `to`. Eight bytes at a
// time: heads are long runs of harmless text.
inline std::size_t find_forbidden(std::string_view data, std::size_t from, std::size_t to) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = kOnes * 0x80;
  std::size_t i = from;
  while (i + 8 <= to) {
    std::uint64_t word;
    std::memcpy(&word, data.data() + i, 8);
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
    const std::uint64_t flipped = word ^ (kOnes * 0x7f);
    const std::uint64_t is_delete = (flipped - kOnes) & ~flipped;
    if (((below_space | is_delete) & kHighs) != 0) {
      // Some byte here is a control, perhaps only a tab; find out one by one.
      for (const std::size_t end = i + 8; i < end; ++i) {
        if (is_forbidden_in_head(data[i])) return i;
      }
      continue;
    }
    i += 8;
  }
  while (i < to && !is_forbidden_in_head(data[i])) ++i;
  return i;
}

}  // namespace anywire::http
