// PackedTexts: two texts in one allocation of just their size, none if both are empty. What every
// session has of its user would be 64 bytes as std::strings, and more on the heap.
//
// Thread: of its owner. Limits: 64 KiB - 1 for each text; longer ones are a bug.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/assert.h"

namespace anywire::protocol::native {

class PackedTexts {
 public:
  PackedTexts() = default;
  PackedTexts(std::string_view first, std::string_view second) {
    if (first.empty() && second.empty()) return;
    const Sizes sizes{narrow(first), narrow(second)};
    block_ = std::make_unique_for_overwrite<char[]>(sizeof(Sizes) + first.size() + second.size());
    std::memcpy(block_.get(), &sizes, sizeof(Sizes));
    first.copy(block_.get() + sizeof(Sizes), first.size());
    second.copy(block_.get() + sizeof(Sizes) + first.size(), second.size());
  }

  std::string_view first() const {
    if (!block_) return {};
    return {block_.get() + sizeof(Sizes), sizes().first};
  }
  std::string_view second() const {
    if (!block_) return {};
    return {block_.get() + sizeof(Sizes) + sizes().first, sizes().second};
  }

 private:
  struct Sizes {
    std::uint16_t first = 0;
    std::uint16_t second = 0;
  };

  static std::uint16_t narrow(std::string_view text) {
    AW_ASSERT(text.size() <= UINT16_MAX);
    return static_cast<std::uint16_t>(text.size());
  }
  Sizes sizes() const {
    Sizes sizes;
    std::memcpy(&sizes, block_.get(), sizeof(Sizes));
    return sizes;
  }

  std::unique_ptr<char[]> block_;
};

}  // namespace anywire::protocol::native
