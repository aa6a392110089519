#include "server/gateway.h"

#include <algorithm>
#include <optional>

#include "base/assert.h"
#include "http/forwarded.h"
#include "server/welcome_page.h"
#include "websocket/upgrade.h"

namespace anywire::server {
namespace {

constexpr const char* kForeignOrigin = "this Origin is not among http.allowed_origins";

// The configuration has been checked.
template <typename List>
List list_of(const std::vector<std::string>& patterns) {
  auto list = List::parse(patterns);
  AW_ASSERT(list.has_value());
  return *std::move(list);
}

// Browsers send no Origin with a GET of the same origin, an event stream's for one, but they say
// so in a header that no page can set (Fetch Metadata, "Sec-Fetch-Site").
bool is_own_page(const http::RequestHead& head) {
  const http::Header* site = head.find("Sec-Fetch-Site");
  return head.find("Origin") == nullptr && site != nullptr && site->value == "same-origin";
}

void refuse(http::Response& response, const http::HttpError& error,
            std::string_view methods = "GET") {
  response.status = error.status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = error.reason;
  response.body += '\n';
  // RFC 9110 15.5.22 and RFC 6455 4.4: say what would have been understood.
  std::vector<http::Header>& headers = response.headers;
  if (error.status == 426) {
    headers.insert(headers.end(), {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}});
  } else if (error.status == 405) {
    headers.push_back({"Allow", methods});
  } else if (error.status == 429) {
    headers.push_back({"Retry-After", "5"});
  }
}

std::string_view methods_of(const protocol::Route& route) {
  switch (route.via) {
    case protocol::Via::kWebSocket:
    case protocol::Via::kEventStream:
      return "GET";
    case protocol::Via::kPoll:
    case protocol::Via::kSend:
      return "POST";
    case protocol::Via::kHttp:
    case protocol::Via::kEngineIo:  // answers for itself
      break;
  }
  return route.methods;
}

// What a browser asks before it lets a page send such a request.
void answer_preflight(std::string_view methods, http::Response& response) {
  response.status = 204;
  response.headers.push_back({"Allow", methods});
  if (response.allow_origin.empty()) return;  // not a browser
  response.headers.insert(response.headers.end(),
                          {{"Access-Control-Allow-Methods", methods},
                           {"Access-Control-Allow-Headers",
                            "Authorization, Content-Type, Idempotency-Key"},
                           // Two hours; browsers keep it no longer.
                           {"Access-Control-Max-Age", "7200"}});
}

// A session that holds its connection's place in the AddressBudget. Made only where there is a
// limit, so that nobody else pays for it.
class CountedSession final : public protocol::Session {
 public:
  CountedSession(std::unique_ptr<protocol::Session> inner, AddressBudget::Lease lease)
      : lease_(std::move(lease)), inner_(std::move(inner)) {}

  void on_attached(const http::RequestHead& request) override { inner_->on_attached(request); }
  void on_message(ws::Message& message) override { inner_->on_message(message); }
  void on_writable() override { inner_->on_writable(); }
  void on_closed(ws::CloseCode code) override { inner_->on_closed(code); }

 private:
  AddressBudget::Lease lease_;
  std::unique_ptr<protocol::Session> inner_;
};

std::unique_ptr<protocol::Session> counted(std::unique_ptr<protocol::Session> session,
                                           AddressBudget::Lease lease) {
  if (!lease) return session;
  return std::make_unique<CountedSession>(std::move(session), std::move(lease));
}

}  // namespace

Gateway::Gateway(GatewayOptions options,
                 std::vector<std::unique_ptr<protocol::Adapter>> adapters,
                 protocol::WebSocketContext& websockets, protocol::HttpStreams& http_streams,
                 protocol::engine::Endpoints& engine)
    : options_(std::move(options)),
      hosts_(list_of<http::HostList>(options_.allowed_hosts)),
      websockets_(websockets),
      http_streams_(http_streams),
      engine_(engine) {
  add_app({.adapters = std::move(adapters),
           .limits = options_.limits,
           .allowed_origins = options_.allowed_origins,
           .credentials = options_.credentials});
}

Gateway::App::App(GatewayApp app)
    : adapters(std::move(app.adapters)),
      limits(app.limits),
      origins(list_of<http::OriginList>(app.allowed_origins)),
      credentials(app.credentials) {}

void Gateway::add_app(GatewayApp app) { apps_.emplace_back(std::move(app)); }

void Gateway::on_request(http::Connection& connection, const http::RequestHead& head,
                         http::Response& response) {
  if (!hosts_.allows(head.host)) {
    // RFC 9110 15.5.20: not the server for that name.
    return refuse_plain(connection, head,
                        {421, "this Host is not among http.allowed_hosts of this server"}, response);
  }
  const AppRouter::Found found =
      options_.router != nullptr ? options_.router->find(head) : AppRouter::Found();
  const bool wants_page = options_.welcome_page && found.app == 0 && !head.upgrades_to_websocket &&
                          head.path == "/" &&
                          (head.method == http::Method::kGet || head.method == http::Method::kHead);
  if (wants_page) {
    response.content_type = "text/html; charset=utf-8";
    response.body = kWelcomePage;
    return;
  }
  const App& app = apps_[found.app];
  if (found.prefix_bytes == 0) {
    if (route(app, connection, head, response)) return;
  } else {
    http::RequestHead within = head;
    within.path = path_within(head.path, found.prefix_bytes);
    if (route(app, connection, within, response)) return;
  }
  if (options_.front != nullptr) {
    AddressBudget::Lease lease;
    if (head.upgrades_to_websocket) {
      const auto why = admit(proxied_client(connection, head), lease);
      if (why) return turn_newcomer_away(connection, head, *why, response);
    }
    if (options_.front->serve(connection, head, response, std::move(lease))) return;
  }
  const http::HttpError error{404, "nothing is served at this path"};
  log_request(log::Level::kInfo, "request refused", connection, head, error);
  refuse(response, error);
}

// False when it is for none of the app's adapters. `head` has the path as the app sees it.
bool Gateway::route(const App& app, http::Connection& connection, const http::RequestHead& head,
                    http::Response& response) {
  const protocol::Caller caller = caller_of(app, connection, head);
  for (const auto& adapter : app.adapters) {
    std::optional<protocol::Route> route = adapter->route(head, caller);
    if (!route) continue;
    // A WebSocket at "/" leaves the page there to the site.
    if (options_.front != nullptr && head.path == "/" && !head.upgrades_to_websocket &&
        route->via == protocol::Via::kWebSocket) {
      continue;
    }
    if (route->via == protocol::Via::kWebSocket) {
      upgrade(app, connection, head, *route, response);
    } else if (route->via == protocol::Via::kEngineIo) {
      serve_engine(app, connection, head, *route, response);
    } else {
      serve(app, connection, head, *route, response);
    }
    return true;
  }
  return false;
}

protocol::Caller Gateway::caller_of(const App& app, const http::Connection& connection,
                                    const http::RequestHead& head) const {
  http::Client client =
      http::find_client(head, connection.peer(), connection.encrypted(), options_.trusted_proxies);
  return {.address = std::move(client.address),
          .secure = client.is_secure,
          .origin_named = app.origins.names(head) || is_own_page(head)};
}

void Gateway::upgrade(const App& app, http::Connection& connection,
                      const http::RequestHead& head, protocol::Route& route,
                      http::Response& response) {
  if (!route.refusal && !app.origins.allows(head)) {
    route.refusal = http::HttpError{403, kForeignOrigin};
  }
  AddressBudget::Lease lease;
  if (!route.refusal) {
    auto why = admit_to(app, client_of(app, connection, head));
    if (!why) why = admit(proxied_client(connection, head), lease);
    if (why) return turn_newcomer_away(connection, head, *why, response);
  }
  std::expected<ws::UpgradeAnswer, http::HttpError> answer =
      route.refusal ? std::unexpected(*route.refusal)
                    : ws::accept_upgrade(head, route.subprotocols, options_.deflate);
  if (!answer) {
    log_request(log::Level::kInfo, "request refused", connection, head, answer.error());
    return refuse(response, answer.error());
  }
  log_request(log::Level::kDebug, "connected", connection, head, {101, "websocket"});
  http::Connection::Taken taken = connection.take_stream();
  if (!lease) lease = std::move(taken.lease);
  protocol::WebSocketTransport::start(
      websockets_, std::move(taken.stream), taken.early, std::move(*answer), head,
      [&](protocol::Transport& transport, std::string_view subprotocol) {
        std::unique_ptr<protocol::Session> session = route.make_session(transport, subprotocol);
        return counted(std::move(session), std::move(lease));
      });
}

void Gateway::serve(const App& app, http::Connection& connection, const http::RequestHead& head,
                    protocol::Route& route, http::Response& response) {
  const std::string_view methods = methods_of(route);
  const http::Header* origin = head.find("Origin");
  // A cache must not give one origin's answer to another, nor that for none to any.
  if (app.origins.selective()) response.headers.push_back({"Vary", "Origin"});
  if (!app.origins.allows(head)) {
    refuse_plain(connection, head, {403, kForeignOrigin}, response);
    if (route.describe != nullptr) route.describe(response);
    return;
  }
  if (origin != nullptr) response.allow_origin = app.origins.any() ? "*" : origin->value;
  if (app.credentials && app.origins.names(head)) {
    // Fetch standard: with credentials "*" would not do.
    response.allow_origin = origin->value;
    response.headers.push_back({"Access-Control-Allow-Credentials", "true"});
  }
  if (head.method == http::Method::kOptions) return answer_preflight(methods, response);
  if (!http::list_has_token(methods, head.method_text)) {
    log_request(log::Level::kInfo, "request refused", connection, head, {405, "wrong method"});
    refuse(response, {405, "this path is not for that method"}, methods);
    if (route.describe != nullptr) route.describe(response);
    return;
  }
  if (route.refusal) return refuse_plain(connection, head, *route.refusal, response);
  switch (route.via) {
    case protocol::Via::kEventStream:
      return open_event_stream(app, connection, head, route, response);
    case protocol::Via::kPoll:
      return poll(app, connection, head, route);
    case protocol::Via::kSend:
      return http_streams_.serve_send(connection);
    default:
      return route.handle(connection, head, response);
  }
}

void Gateway::refuse_plain(const http::Connection& connection, const http::RequestHead& head,
                           const http::HttpError& error, http::Response& response) const {
  log_request(log::Level::kInfo, "request refused", connection, head, error);
  refuse(response, error);
}

void Gateway::open_event_stream(const App& app, http::Connection& connection,
                                const http::RequestHead& head, protocol::Route& route,
                                http::Response& response) {
  AddressBudget::Lease lease;
  auto why = admit_to(app, client_of(app, connection, head));
  if (!why) why = admit(proxied_client(connection, head), lease);
  if (why) {
    return turn_newcomer_away(connection, head, *why, response);
  }
  log_request(log::Level::kDebug, "connected", connection, head, {200, "event stream"});
  http_streams_.serve_event_stream(
      connection, [make = std::move(route.make_session),
                   lease = std::move(lease)](protocol::Transport& transport) mutable {
        return counted(make(transport, {}), std::move(lease));
      });
}

// Whether a poll opens a stream is known when its body is there. A polled stream counts as a
// connection of its client, since it outlives all of them.
void Gateway::poll(const App& app, http::Connection& connection, const http::RequestHead& head,
                   protocol::Route& route) {
  net::Address client;
  if (counts_addresses() || limits_connects()) {
    client = http::find_client(head, connection.peer(), connection.encrypted(),
                               options_.trusted_proxies)
                 .address;
    // A trusted proxy's own requests are not counted.
    if (options_.trusted_proxies.contains(client)) client = {};
  }
  http_streams_.serve_poll(
      connection, [this, &app, make = std::move(route.make_session), client = std::move(client),
                   app_client = client_of(app, connection, head),
                   came_by_itself = !options_.trusted_proxies.contains(connection.peer())](
                      protocol::Transport& transport) mutable
                  -> std::expected<std::unique_ptr<protocol::Session>, http::Response> {
        AddressBudget::Lease lease;
        auto why = admit_to(app, app_client);
        if (!why) why = admit(client, lease, came_by_itself);
        if (why) {
          http::Response response;
          turn_away(response, *why);
          return std::unexpected(std::move(response));
        }
        return counted(make(transport, {}), std::move(lease));
      });
}

// The endpoint does all the rest, preflights too: its clients know answers of its own form only.
void Gateway::serve_engine(const App& app, http::Connection& connection,
                           const http::RequestHead& head, protocol::Route& route,
                           http::Response& response) {
  const http::Header* origin = head.find("Origin");
  const bool allowed = app.origins.allows(head);
  if (app.origins.selective()) response.headers.push_back({"Vary", "Origin"});
  if (origin != nullptr && allowed) {
    // Fetch standard: with credentials "*" would not do.
    const bool named = app.origins.names(head);
    response.allow_origin = app.origins.any() && !named ? "*" : origin->value;
    if (named) response.headers.push_back({"Access-Control-Allow-Credentials", "true"});
  }
  engine_.at(*route.engine)
      .serve({.connection = connection,
              .head = head,
              .response = response,
              .origin_allowed = allowed,
              .refusal = route.refusal,
              .make_session = std::move(route.make_session),
              .admit = [&](std::shared_ptr<void>& lease,
                           bool newcomer) -> std::optional<http::Response> {
                std::optional<TurnAway> why;
                if (newcomer) why = admit_to(app, client_of(app, connection, head));
                if (!why) why = admit(proxied_client(connection, head), lease, !newcomer);
                if (!why) return std::nullopt;
                http::Response refusal;
                turn_newcomer_away(connection, head, *why, refusal);
                return refusal;
              },
              .deflate = options_.deflate,
              .move = [this, &connection](std::uint32_t loop) {
                return options_.move && options_.move(loop, connection);
              }});
}

// Whom a trusted proxy names. Nobody when there is none in between, since all others were counted
// when they came, and when it is the proxy that asks, for its health checks.
net::Address Gateway::proxied_client(const http::Connection& connection,
                                     const http::RequestHead& head) const {
  const net::CidrList& proxies = options_.trusted_proxies;
  if ((!counts_addresses() && !limits_connects()) || !proxies.contains(connection.peer())) {
    return {};
  }
  http::Client client =
      http::find_client(head, connection.peer(), connection.encrypted(), proxies);
  return proxies.contains(client.address) ? net::Address() : std::move(client.address);
}

// Whom the limits on connects of an app other than the default one are about; nobody where there
// are none, and when it is a trusted proxy that asks.
net::Address Gateway::client_of(const App& app, const http::Connection& connection,
                                const http::RequestHead& head) const {
  if (&app == apps_.data() || app.limits == nullptr || !app.limits->limits_connects()) return {};
  http::Client client =
      http::find_client(head, connection.peer(), connection.encrypted(), options_.trusted_proxies);
  return options_.trusted_proxies.contains(client.address) ? net::Address()
                                                           : std::move(client.address);
}

std::optional<TurnAway> Gateway::admit_to(const App& app, const net::Address& client) const {
  if (client == net::Address()) return std::nullopt;
  if (options_.overloaded && options_.overloaded()) return overloaded_now();
  auto hit = app.limits->admit_connect(client, websockets_.loop.now());
  if (!hit) return std::nullopt;
  return rate_limited(*std::move(hit));
}

// Why a newcomer is turned away, if it is. How fast those come who come by themselves was looked at
// when their connection was accepted.
std::optional<TurnAway> Gateway::admit(const net::Address& client, AddressBudget::Lease& lease,
                                       bool came_by_itself) const {
  if (options_.overloaded && options_.overloaded()) return overloaded_now();
  if (client == net::Address()) return std::nullopt;
  if (limits_connects() && !came_by_itself) {
    if (auto hit = options_.limits->admit_connect(client, websockets_.loop.now())) {
      return rate_limited(*std::move(hit));
    }
  }
  if (!counts_addresses()) return std::nullopt;
  std::optional<AddressBudget::Lease> taken = options_.addresses->take(client);
  if (!taken) return too_many_from_address();
  lease = std::move(*taken);
  return std::nullopt;
}

void Gateway::turn_newcomer_away(const http::Connection& connection, const http::RequestHead& head,
                                 const TurnAway& why, http::Response& response) const {
  log_request(log::Level::kInfo, "request refused", connection, head, {why.status, why.code});
  turn_away(response, why);
}

void Gateway::log_request(log::Level level, std::string_view text,
                          const http::Connection& connection, const http::RequestHead& head,
                          const http::HttpError& error) const {
  if (!log::enabled(level)) return;
  static log::Limiter limiter;
  const http::Client client =
      http::find_client(head, connection.peer(), connection.encrypted(), options_.trusted_proxies);
  // The path may hold a channel name; the query may hold a secret and stays out.
  log::limited(limiter, log::coarse_now(), level, text,
               {{"status", error.status},
                {"reason", std::string_view(error.reason)},
                {"path", head.raw_path},
                {"client", client.address.host()},
                {"secure", client.is_secure}});
}

}  // namespace anywire::server
