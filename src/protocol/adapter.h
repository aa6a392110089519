// Adapter: one wire protocol's door. It looks at upgrade requests and makes sessions for those that
// are its own. Adapters never know of each other; server/adapters.cc is the one list of them.
//
// Thread: one instance per loop, used on that loop only. Lifetime: outlives its sessions.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "http/request.h"
#include "http/status.h"
#include "protocol/session.h"
#include "protocol/transport.h"

namespace anywire::protocol {

// What an adapter says to an upgrade request on one of its paths.
struct Route {
  // Set to refuse; then nothing below matters.
  std::optional<http::HttpError> refusal;
  // Subprotocols this path speaks, best first; with none, what the client offers is ignored.
  std::span<const std::string_view> subprotocols;
  // `subprotocol` is the one agreed on, or empty.
  std::move_only_function<std::unique_ptr<Session>(Transport&, std::string_view subprotocol)>
      make_session;
};

class Adapter {
 public:
  virtual ~Adapter() = default;
  virtual std::string_view name() const = 0;
  // Nothing when the path is not this adapter's.
  virtual std::optional<Route> route(const http::RequestHead& request) = 0;
};

}  // namespace anywire::protocol
