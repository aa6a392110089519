// Byte views. A view never owns; as a parameter it is valid until the call returns, and keeping it
// means copying.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace anywire {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace anywire
