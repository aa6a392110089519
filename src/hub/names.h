// Maps from channel names, asked with views. Internal to hub/.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace anywire::hub {

struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const {
    return std::hash<std::string_view>{}(name);
  }
};

template <typename T>
using ByName = std::unordered_map<std::string, std::unique_ptr<T>, NameHash, std::equal_to<>>;

}  // namespace anywire::hub
