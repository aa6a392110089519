// A message in memory of exactly its size, so that a sanitizer sees each step beyond it. Only tests
// include it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace anywire::codec {

class Exact {
 public:
  explicit Exact(std::string_view text)
      : bytes_(std::make_unique<std::uint8_t[]>(text.size())), size_(text.size()) {
    std::copy(text.begin(), text.end(), bytes_.get());
  }
  [[nodiscard]] Bytes view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_;
};

}  // namespace anywire::codec
