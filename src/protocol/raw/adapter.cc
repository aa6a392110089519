#include "protocol/raw/adapter.h"

#include "protocol/raw/codec.h"
#include "protocol/raw/names.h"
#include "protocol/raw/session.h"

namespace anywire::protocol::raw {

std::optional<Route> RawAdapter::route(const http::RequestHead& request) {
  const bool root = request.path == "/" && !options_.root_channel.empty();
  const bool channel = options_.enabled && request.path.starts_with(kPathPrefix);
  if (!root && !channel) return std::nullopt;
  Route route;
  if (channel && !channel_of_path(request.path, options_.channel_name_bytes_max)) {
    route.refusal = http::HttpError{400, "a channel name is 1 to so many bytes of UTF-8"};
    return route;
  }
  route.subprotocols = kSubprotocols;
  route.make_session = [this](Transport& transport, std::string_view subprotocol) {
    return std::make_unique<RawSession>(*this, transport, subprotocol == kHeartbeatSubprotocol);
  };
  return route;
}

}  // namespace anywire::protocol::raw
