#include "protocol/raw/adapter.h"

#include <utility>

#include "protocol/credentials.h"
#include "protocol/raw/codec.h"
#include "protocol/raw/known_session.h"
#include "protocol/raw/limited_session.h"
#include "protocol/raw/names.h"
#include "protocol/raw/session.h"

namespace anywire::protocol::raw {

std::optional<Route> RawAdapter::route(const http::RequestHead& request, const Caller& caller) {
  const bool root = request.path == "/" && !options_.root_channel.empty();
  const bool channel = options_.enabled && request.path.starts_with(kPathPrefix);
  if (!root && !channel) return std::nullopt;
  Route route;
  if (channel && !channel_of_path(request.path, options_.channel_name_bytes_max)) {
    route.refusal = http::HttpError{400, "a channel name is 1 to so many bytes of UTF-8"};
    return route;
  }
  Credentials shown = read_credentials(request, caller, options_.cookie);
  if (channel && is_reserved(request.path.substr(kPathPrefix.size())) && !shown.any()) {
    route.refusal = http::HttpError{403, "names that begin with $ are the server's own"};
    return route;
  }
  route.subprotocols = kSubprotocols;
  route.make_session = [this, shown = std::move(shown), address = caller.address](
                           Transport& transport,
                           std::string_view subprotocol) mutable -> std::unique_ptr<Session> {
    const bool heartbeat = subprotocol == kHeartbeatSubprotocol;
    // Where there is an application everybody is somebody, if only to be named in its questions.
    if (!shown.any() && services_.app == nullptr) {
      auto limits = make_limits(address);
      if (!limits) return std::make_unique<RawSession>(*this, transport, heartbeat);
      return std::make_unique<LimitedSession>(*this, transport, heartbeat, std::move(limits));
    }
    return std::make_unique<KnownSession>(*this, transport, heartbeat, std::move(shown),
                                          std::move(address));
  };
  return route;
}

std::unique_ptr<SessionLimits> RawAdapter::make_limits(const net::Address& client) const {
  LimitGroup* const group = services_.limits;
  if (group == nullptr || !group->limits_sessions()) return nullptr;
  return std::make_unique<SessionLimits>(*group, client, loop().now(), true);
}

bool RawAdapter::anyone_may(auth::Operation operation, std::string_view channel) const {
  const hub::ChannelRule& rule = services_.hub.rules().find(channel);
  const hub::Access access =
      operation == auth::Operation::kPublish ? rule.publish : rule.subscribe;
  if (options_.open && access == hub::Access::kCapability && !is_reserved(channel)) {
    return rule.allows_protocol(kName);
  }
  return anonymous_.permit(rule, operation, channel, kName, {});
}

bool RawAdapter::may(const Rights& rights, auth::Operation operation, std::string_view channel,
                     std::string_view user) const {
  return anyone_may(operation, channel) ||
         rights.permit(services_.hub.rules().find(channel), operation, channel, kName, user);
}

}  // namespace anywire::protocol::raw
