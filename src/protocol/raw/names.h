// Names and numbers of the raw protocol: plain WebSocket for anybody.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace anywire::protocol::raw {

inline constexpr std::string_view kPathPrefix = "/raw/";
// A client that offers this subprotocol may ask whether the link lives by sending an empty text
// message: it is answered with the same and never published.
inline constexpr std::string_view kHeartbeatSubprotocol = "anywire.raw.v1";
inline constexpr std::array<std::string_view, 1> kSubprotocols = {kHeartbeatSubprotocol};

inline constexpr std::string_view kGreeting = R"({"hello":"world"})";

// Close codes, carried as static_cast<ws::CloseCode>; those above 4000 mean what they mean in the
// native protocol (docs/protocol.md section 6).
enum class Close : std::uint16_t {
  kTryAgainLater = 1013,
  kNotWanted = 4403,
  kTokenNeeded = 4450,
  kTokenRefused = 4451,
  kTokenExpired = 4452,
  kRevoked = 4453,
  kDisconnected = 4501,
  kAppUnavailable = 4503,
  kTooManyMessages = 4529,
};

// Places in hub::Delivery.
inline constexpr std::size_t kPlainVariant = 0;
inline constexpr std::size_t kCompressedVariant = 1;

}  // namespace anywire::protocol::raw
