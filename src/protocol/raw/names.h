// Names and numbers of the raw protocol: plain WebSocket for anybody.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace anywire::protocol::raw {

inline constexpr std::string_view kPathPrefix = "/raw/";
// A client that offers this subprotocol may ask whether the link lives by sending an empty text
// message: it is answered with the same and never published.
inline constexpr std::string_view kHeartbeatSubprotocol = "anywire.raw.v1";
inline constexpr std::array<std::string_view, 1> kSubprotocols = {kHeartbeatSubprotocol};

inline constexpr std::string_view kGreeting = R"({"hello":"world"})";

// Places in hub::Delivery.
inline constexpr std::size_t kPlainVariant = 0;
inline constexpr std::size_t kCompressedVariant = 1;

}  // namespace anywire::protocol::raw
