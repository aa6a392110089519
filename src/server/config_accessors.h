// Config accessors: how the tables of config_schema.cc and config_channels.cc name members.
//
// Thread: any; for the files config_schema*.cc and config_channels.cc only.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

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

// [limits], in config_schema_limits.cc.
inline constexpr Table kLimitsTable{
    "limits", "How fast clients may do things. Nothing is limited unless it is set here."};
std::vector<Key> limits_keys();

// [front], in config_schema_front.cc.
inline constexpr Table kFrontTable{
    "front", "What is served at paths that are not Anywire's own: your application, your site."};
std::vector<Key> front_keys();
std::vector<Key> api_keys();

// [app], in config_schema_app.cc.
inline constexpr Table kAppTable{
    "app", "Your application, which may be asked before things happen and told what has happened."};
std::vector<Key> app_keys();

// [engine], in config_schema_engine.cc.
inline constexpr Table kEngineTable{
    "engine", "Engine.IO 4, on which Socket.IO is spoken: polls, WebSocket, and from one to the "
              "other."};
std::vector<Key> engine_keys();

}  // namespace anywire::server
