// What a client does with a delta: docs/protocol.md, section 3. For tests and the fuzzer.
//
// Thread: any; a pure function. Lifetime: arguments are read during the call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace anywire::codec {

// Nothing if the delta is not one, or not of this base.
inline std::optional<std::string> apply_delta(std::string_view base, std::string_view delta) {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
  const auto number = [&] {
    std::uint64_t value = 0;
    for (std::size_t digit; !delta.empty() && (digit = kDigits.find(delta[0])) != kDigits.npos;
         delta.remove_prefix(1)) {
      value = value << 6 | digit;
    }
    return value;
  };
  const auto next = [&] {
    const char c = delta.empty() ? '\0' : delta[0];
    if (!delta.empty()) delta.remove_prefix(1);
    return c;
  };
  const std::uint64_t size = number();
  if (next() != '\n') return std::nullopt;
  std::string out;
  while (!delta.empty()) {
    const std::uint64_t count = number();
    switch (next()) {
      case '@': {
        const std::uint64_t from = number();
        if (next() != ',' || from > base.size() || count > base.size() - from) return std::nullopt;
        out += base.substr(from, count);
        break;
      }
      case ':':
        if (count > delta.size()) return std::nullopt;
        out += delta.substr(0, count);
        delta.remove_prefix(count);
        break;
      case ';': {
        std::uint32_t sum = 0;
        for (std::size_t i = 0; i < out.size(); ++i) {
          sum += std::uint32_t{static_cast<std::uint8_t>(out[i])} << (24 - 8 * (i % 4));
        }
        if (!delta.empty() || out.size() != size || sum != count) return std::nullopt;
        return out;
      }
      default: return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace anywire::codec
