#include "protocol/echo/adapter.h"

#include "protocol/echo/session.h"

namespace anywire::protocol::echo {

std::optional<Route> EchoAdapter::route(const http::RequestHead& request, const Caller&) {
  Route route;
  if (options_.conformance && request.path == "/conformance/echo") {
    route.make_session = [](Transport& transport, std::string_view) {
      return std::make_unique<MirrorSession>(transport);
    };
    return route;
  }
  if (options_.conformance && (request.path == "/engine.io/" || request.path == "/engine.io")) {
    route.via = Via::kEngineIo;
    route.engine = &options_.engine;
    route.make_session = [](Transport& transport, std::string_view) {
      return std::make_unique<MirrorSession>(transport);
    };
    return route;
  }
  if ((options_.echo && request.path == "/echo") || (options_.root && request.path == "/")) {
    route.make_session = [](Transport& transport, std::string_view) {
      return std::make_unique<EchoSession>(transport);
    };
    return route;
  }
  return std::nullopt;
}

}  // namespace anywire::protocol::echo
