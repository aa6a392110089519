#include "server/gateway.h"

#include <algorithm>
#include <optional>

#include "http/forwarded.h"
#include "server/welcome_page.h"
#include "websocket/upgrade.h"

namespace anywire::server {
namespace {

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
                           {"Access-Control-Allow-Headers", "Authorization, Content-Type"},
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
                 protocol::WebSocketContext& websockets, protocol::HttpStreams& http_streams)
    : options_(std::move(options)),
      adapters_(std::move(adapters)),
      websockets_(websockets),
      http_streams_(http_streams) {}

void Gateway::on_request(http::Connection& connection, const http::RequestHead& head,
                         http::Response& response) {
  const bool wants_page = options_.welcome_page && !head.upgrades_to_websocket &&
                          head.path == "/" &&
                          (head.method == http::Method::kGet || head.method == http::Method::kHead);
  if (wants_page) {
    response.content_type = "text/html; charset=utf-8";
    response.body = kWelcomePage;
    return;
  }
  for (const auto& adapter : adapters_) {
    std::optional<protocol::Route> route = adapter->route(head);
    if (!route) continue;
    return route->via == protocol::Via::kWebSocket ? upgrade(connection, head, *route, response)
                                                   : serve(connection, head, *route, response);
  }
  const http::HttpError error{404, "nothing is served at this path"};
  log_request(log::Level::kInfo, "request refused", connection, head, error);
  refuse(response, error);
}

void Gateway::upgrade(http::Connection& connection, const http::RequestHead& head,
                      protocol::Route& route, http::Response& response) {
  if (!route.refusal && !origin_allowed(head)) {
    route.refusal = http::HttpError{403, "this Origin is not allowed"};
  }
  AddressBudget::Lease lease;
  if (!route.refusal && !count_proxied(connection, head, lease)) {
    route.refusal = http::HttpError{429, "too many connections from this address"};
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

void Gateway::serve(http::Connection& connection, const http::RequestHead& head,
                    protocol::Route& route, http::Response& response) {
  const std::string_view methods = methods_of(route);
  const http::Header* origin = head.find("Origin");
  // A cache must not give one origin's answer to another, nor that for none to any.
  if (!any_origin_allowed()) response.headers.push_back({"Vary", "Origin"});
  if (!origin_allowed(head)) {
    return refuse_plain(connection, head, {403, "this Origin is not allowed"}, response);
  }
  if (origin != nullptr) response.allow_origin = any_origin_allowed() ? "*" : origin->value;
  if (head.method == http::Method::kOptions) return answer_preflight(methods, response);
  if (!http::list_has_token(methods, head.method_text)) {
    log_request(log::Level::kInfo, "request refused", connection, head, {405, "wrong method"});
    return refuse(response, {405, "this path is not for that method"}, methods);
  }
  if (route.refusal) return refuse_plain(connection, head, *route.refusal, response);
  switch (route.via) {
    case protocol::Via::kEventStream:
      return open_event_stream(connection, head, route, response);
    case protocol::Via::kPoll:
      return poll(connection, head, route);
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

void Gateway::open_event_stream(http::Connection& connection, const http::RequestHead& head,
                                protocol::Route& route, http::Response& response) {
  AddressBudget::Lease lease;
  if (!count_proxied(connection, head, lease)) {
    return refuse_plain(connection, head, {429, "too many connections from this address"},
                        response);
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
void Gateway::poll(http::Connection& connection, const http::RequestHead& head,
                   protocol::Route& route) {
  AddressBudget* const addresses =
      options_.addresses != nullptr && options_.addresses->limited() ? options_.addresses : nullptr;
  net::Address client;
  if (addresses != nullptr) {
    client = http::find_client(head, connection.peer(), connection.encrypted(),
                               options_.trusted_proxies)
                 .address;
    // A trusted proxy's own requests are not counted.
    if (options_.trusted_proxies.contains(client)) client = {};
  }
  const bool is_counted = addresses != nullptr && client != net::Address();
  http_streams_.serve_poll(
      connection, [make = std::move(route.make_session), addresses, is_counted,
                   client = std::move(client)](protocol::Transport& transport) mutable {
        std::optional<AddressBudget::Lease> lease = AddressBudget::Lease();
        if (is_counted) lease = addresses->take(client);
        if (!lease) return std::unique_ptr<protocol::Session>();
        return counted(make(transport, {}), std::move(*lease));
      });
}

// False when the client, as a trusted proxy names it, has too many connections. Everybody else was
// counted when they came; a proxy's own requests, such as its health checks, are not.
bool Gateway::count_proxied(const http::Connection& connection, const http::RequestHead& head,
                            AddressBudget::Lease& lease) const {
  const net::CidrList& proxies = options_.trusted_proxies;
  if (options_.addresses == nullptr || !options_.addresses->limited()) return true;
  if (!proxies.contains(connection.peer())) return true;
  const http::Client client =
      http::find_client(head, connection.peer(), connection.encrypted(), proxies);
  if (proxies.contains(client.address)) return true;
  std::optional<AddressBudget::Lease> taken = options_.addresses->take(client.address);
  if (!taken) return false;
  lease = std::move(*taken);
  return true;
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

bool Gateway::origin_allowed(const http::RequestHead& head) const {
  const http::Header* origin = head.find("Origin");
  if (origin == nullptr) return true;  // not a browser
  return std::any_of(options_.allowed_origins.begin(), options_.allowed_origins.end(),
                     [&](const std::string& allowed) {
                       return allowed == "*" || http::equals_ignore_case(allowed, origin->value);
                     });
}

bool Gateway::any_origin_allowed() const {
  const std::vector<std::string>& allowed = options_.allowed_origins;
  return std::find(allowed.begin(), allowed.end(), "*") != allowed.end();
}

}  // namespace anywire::server
