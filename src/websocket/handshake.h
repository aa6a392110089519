// The WebSocket-specific headers of the opening handshake: key, subprotocols, extensions
// (RFC 6455 4.2.2 and 9.1, RFC 7692 7.1). The HTTP part of the request is http/'s business.
//
// Pure functions. Thread: any. Lifetime: arguments are read during the call; what is returned is
// owned, except the subprotocol, which points into the server's own list. A header that came in
// several lines is passed joined with ", ", an absent one as the empty text. An Error means the
// header breaks its grammar, which is a reason to answer 400.
//
// Limits: time linear in the header, memory constant; no more than kSubprotocolsMax names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "websocket/deflate.h"

namespace anywire::ws {

inline constexpr std::size_t kKeyBytes = 24;
inline constexpr std::size_t kAcceptKeyBytes = 28;
inline constexpr std::size_t kSubprotocolsMax = 64;

// Is this the base64 text of 16 bytes? The four unused bits of the last digit may be anything
// (RFC 4648 3.5 lets a decoder choose), since some clients make the key from random characters.
[[nodiscard]] bool is_valid_key(std::string_view key);

// The Sec-WebSocket-Accept value for a key.
[[nodiscard]] std::string accept_key(std::string_view key);

// The same without allocating: writes kAcceptKeyBytes characters, no terminator.
void accept_key_to(std::string_view key, char* out);

// The first name of the client's list, which is in its order of preference, that we support, or
// the empty text. Refused: names that are no tokens, names given twice (RFC 6455 4.1), more than
// kSubprotocolsMax of them.
[[nodiscard]] Result<std::string_view> select_subprotocol(
    std::string_view offered, std::span<const std::string_view> supported);

enum class DeflateMode : std::uint8_t {
  kOff,
  kShared,     // no context either way, so that connections can share their compressors
  kDedicated,  // each connection keeps its windows, unless the client wants otherwise
};

// What the server is ready for.
struct DeflateOffer {
  DeflateMode mode = DeflateMode::kShared;
  std::uint8_t server_max_window_bits = kWindowBitsMax;  // kDeflateWindowBitsMin to 15
  // 8 to 15. Only a client that offers client_max_window_bits can be held to less than 15.
  std::uint8_t client_max_window_bits = kWindowBitsMax;
};

// Takes the first permessage-deflate offer of a Sec-WebSocket-Extensions header that can be
// accepted. An offer with an unknown, repeated or invalid parameter is passed over (RFC 7692 7.1),
// so is one that asks the server for a window of 8 bits; other extensions are ignored.
[[nodiscard]] Result<std::optional<DeflateParams>> negotiate_deflate(std::string_view extensions,
                                                                     const DeflateOffer& offer);

// The value of the response's Sec-WebSocket-Extensions header.
[[nodiscard]] std::string deflate_response(const DeflateParams& params);

}  // namespace anywire::ws
