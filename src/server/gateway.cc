#include "server/gateway.h"

#include <algorithm>
#include <optional>

#include "http/forwarded.h"
#include "server/welcome_page.h"
#include "websocket/upgrade.h"

namespace anywire::server {
namespace {

void refuse(http::Response& response, const http::HttpError& error) {
  response.status = error.status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = error.reason;
  response.body += '\n';
  // RFC 9110 15.5.22 and RFC 6455 4.4: say what would have been understood.
  if (error.status == 426) {
    response.headers = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}};
  } else if (error.status == 405) {
    response.headers = {{"Allow", "GET"}};
  } else if (error.status == 429) {
    response.headers = {{"Retry-After", "5"}};
  }
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

}  // namespace

Gateway::Gateway(GatewayOptions options,
                 std::vector<std::unique_ptr<protocol::Adapter>> adapters,
                 protocol::WebSocketContext& websockets)
    : options_(std::move(options)), adapters_(std::move(adapters)), websockets_(websockets) {}

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
    if (route) return upgrade(connection, head, *route, response);
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
        if (!lease) return session;
        return std::unique_ptr<protocol::Session>(
            std::make_unique<CountedSession>(std::move(session), std::move(lease)));
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

}  // namespace anywire::server
