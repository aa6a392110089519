// Config accessors: how the tables of config_schema.cc and config_channels.cc name members.
//
// Thread: any; for those two files only.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

#include "server/config_schema.h"

namespace anywire::server {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;
inline constexpr std::size_t kGiB = 1024 * kMiB;

// The member of a section, as an accessor a table can hold: at<&Config::tls, &TlsSection::key>.
template <auto Section, auto Member>
auto& at(Config& config) {
  return (config.*Section).*Member;
}

template <auto Section, auto Member>
EnumKind one_of(std::span<const std::string_view> names) {
  return EnumKind{names,
                  [](Config& config) {
                    return static_cast<std::size_t>(at<Section, Member>(config));
                  },
                  [](Config& config, std::size_t index) {
                    auto& member = at<Section, Member>(config);
                    member = static_cast<std::remove_reference_t<decltype(member)>>(index);
                  }};
}

}  // namespace anywire::server
