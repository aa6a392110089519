// The judgement on a WebSocket opening handshake (RFC 6455 4.2) as a whole: from a parsed request
// and the server's preferences to a 101 response or a refusal.
//
// Pure functions. Thread: any. Lifetime: nothing is kept.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/request.h"
#include "http/status.h"
#include "websocket/handshake.h"

namespace anywire::ws {

struct UpgradeAnswer {
  std::string response;         // the whole 101, ready to send
  std::string_view subprotocol;  // points into the server's list; empty when none was agreed on
  std::optional<DeflateParams> deflate;
};

// 400 for a broken handshake, 405 for another method than GET, 426 for a version we do not speak
// and for a request that is no upgrade at all.
std::expected<UpgradeAnswer, http::HttpError> accept_upgrade(
    const http::RequestHead& request, std::span<const std::string_view> subprotocols,
    const DeflateOffer& offer);

}  // namespace anywire::ws
