#include "protocol/native/adapter.h"

#include "protocol/native/session.h"

namespace anywire::protocol::native {
namespace {

// `rest` is the path behind the adapter's own.
std::optional<Via> via_of(std::string_view rest) {
  if (rest.empty()) return Via::kWebSocket;
  if (rest == kEventStreamPath) return Via::kEventStream;
  if (rest == kPollPath) return Via::kPoll;
  if (rest == kSendPath) return Via::kSend;
  return std::nullopt;
}

}  // namespace

std::optional<Route> NativeAdapter::route(const http::RequestHead& request,
                                          const Caller& caller) {
  if (!options_.enabled || !request.path.starts_with(options_.path)) return std::nullopt;
  const std::optional<Via> via = via_of(request.path.substr(options_.path.size()));
  if (!via) return std::nullopt;
  Route route;
  route.via = *via;
  if (*via == Via::kSend) return route;
  if (*via == Via::kWebSocket) route.subprotocols = kSubprotocols;
  // Who names no subprotocol gets JSON, which needs no library to look at.
  route.make_session = [this, address = caller.address,
                        shown = read_credentials(request, caller, options_.cookie)](
                           Transport& transport, std::string_view subprotocol) mutable {
    const Format format = subprotocol == kMsgpackSubprotocol ? Format::kMsgpack : Format::kJson;
    auto session = std::make_unique<NativeSession>(*this, transport, format);
    session->show(std::move(shown), address);
    return session;
  };
  return route;
}

void NativeAdapter::begin_limits(std::uint32_t slot, const net::Address& client) {
  LimitGroup* const group = services_.limits;
  if (group == nullptr || !group->limits_sessions()) return;
  if (slot >= limits_.size()) limits_.resize(slot + 1);
  limits_[slot] = std::make_unique<SessionLimits>(*group, client, loop().now());
}

void NativeAdapter::advance_later(SessionRef session) {
  lagging_.push_back(session);
  if (!armed()) loop().arm(*this, kAdvanceDelay);
}

void NativeAdapter::tell(SessionRef ref, OccupancyNews& news) {
  if (LiveSession* session = table().find(ref)) {
    static_cast<NativeSession*>(session)->on_occupancy(news);
  }
}

void NativeAdapter::on_timer() {
  for (const SessionRef ref : std::exchange(lagging_, {})) {
    if (LiveSession* session = table().find(ref)) {
      static_cast<NativeSession*>(session)->send_advances();
    }
  }
}

}  // namespace anywire::protocol::native
