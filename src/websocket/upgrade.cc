#include "websocket/upgrade.h"

#include <array>

#include "http/response_writer.h"

namespace anywire::ws {
namespace {

// All lines of a list header as one list; usually there is just one, which is not copied.
std::string_view joined(const http::RequestHead& request, std::string_view name,
                        std::string& storage) {
  std::string_view first;
  bool found = false;
  for (const http::Header& header : request.headers) {
    if (!http::equals_ignore_case(header.name, name)) continue;
    if (!found) {
      first = header.value;
      found = true;
      continue;
    }
    if (storage.empty()) storage = first;
    storage.append(", ").append(header.value);
  }
  return storage.empty() ? first : std::string_view(storage);
}

std::optional<http::HttpError> judge(const http::RequestHead& request) {
  if (!request.upgrades_to_websocket || !request.upgrades_connection) {
    return http::HttpError{426, "this path speaks WebSocket"};
  }
  if (request.method != http::Method::kGet) {
    return http::HttpError{405, "a WebSocket is opened with GET"};
  }
  if (request.version_minor != 1) return http::HttpError{400, "a WebSocket needs HTTP/1.1"};
  if (request.header("Sec-WebSocket-Version") != "13") {
    return http::HttpError{426, "only WebSocket version 13 is spoken here"};
  }
  if (!is_valid_key(request.header("Sec-WebSocket-Key"))) {
    return http::HttpError{400, "Sec-WebSocket-Key is missing or not 16 bytes in base64"};
  }
  return std::nullopt;
}

}  // namespace

std::expected<UpgradeAnswer, http::HttpError> accept_upgrade(
    const http::RequestHead& request, std::span<const std::string_view> subprotocols,
    const DeflateOffer& offer) {
  if (const auto refusal = judge(request)) return std::unexpected(*refusal);
  UpgradeAnswer answer;
  std::string storage;
  const auto subprotocol =
      select_subprotocol(joined(request, "Sec-WebSocket-Protocol", storage), subprotocols);
  if (!subprotocol) {
    return std::unexpected(http::HttpError{400, "Sec-WebSocket-Protocol is malformed"});
  }
  answer.subprotocol = *subprotocol;
  storage.clear();
  const auto deflate =
      negotiate_deflate(joined(request, "Sec-WebSocket-Extensions", storage), offer);
  if (!deflate) {
    return std::unexpected(http::HttpError{400, "Sec-WebSocket-Extensions is malformed"});
  }
  answer.deflate = *deflate;
  std::array<char, kAcceptKeyBytes> key;
  accept_key_to(request.header("Sec-WebSocket-Key"), key.data());
  const std::string extensions = answer.deflate ? deflate_response(*answer.deflate) : "";
  const auto written = http::write_switching_protocols(
      answer.response,
      {.accept_key = {key.data(), key.size()},
       .subprotocol = answer.subprotocol,
       .extensions = extensions});
  if (!written) return std::unexpected(http::HttpError{500, "the answer could not be written"});
  return answer;
}

}  // namespace anywire::ws
