// Three lines: extensions, subprotocols, key. The response we would write must itself be a list we
// can read, and must keep to what the server is ready for.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "websocket/handshake.h"

namespace {

using namespace anywire;
using namespace anywire::ws;

void check(bool condition) {
  if (!condition) std::abort();
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

void negotiate(std::string_view extensions, const DeflateOffer& offer) {
  const auto negotiated = negotiate_deflate(extensions, offer);
  if (!negotiated || !*negotiated) return;
  const DeflateParams& params = **negotiated;
  check(offer.mode != DeflateMode::kOff);
  check(params.server_max_window_bits >= kDeflateWindowBitsMin);
  check(params.server_max_window_bits <= offer.server_max_window_bits);
  check(params.client_max_window_bits >= 8);
  if (offer.mode == DeflateMode::kShared) {
    check(params.server_no_context_takeover && params.client_no_context_takeover);
  }
  const std::string response = deflate_response(params);
  const auto echoed = negotiate_deflate(response, offer);
  check(echoed && *echoed && deflate_response(**echoed) == response);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = as_text({data, size});
  const std::string_view extensions = take_line(text);
  const std::string_view subprotocols = take_line(text);
  const std::string_view key = take_line(text);

  negotiate(extensions, {.mode = DeflateMode::kShared});
  negotiate(extensions, {.mode = DeflateMode::kOff});
  negotiate(extensions, {.mode = DeflateMode::kDedicated,
                         .server_max_window_bits = 10,
                         .client_max_window_bits = 9});

  static constexpr std::array<std::string_view, 3> kSupported = {"chat", "a", "v2"};
  const auto selected = select_subprotocol(subprotocols, kSupported);
  if (selected && !selected->empty()) check(subprotocols.find(*selected) != std::string_view::npos);

  if (is_valid_key(key)) check(key.size() == kKeyBytes);
  check(accept_key(key).size() == kAcceptKeyBytes);
  return 0;
}
