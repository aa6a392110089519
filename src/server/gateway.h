// Gateway: where a request meets the protocols. It checks Host, finds the app that the request is
// for, asks its adapters in order, checks Origin and method, answers preflights (the CORS protocol
// of the Fetch standard), does the WebSocket handshake and starts the transport; whatever nobody
// wants gets a 404.
//
// Thread: the loop's, one per loop. Lifetime: outlives the loop's connections.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "front/front.h"
#include "http/connection.h"
#include "http/host_list.h"
#include "http/origin_list.h"
#include "net/cidr.h"
#include "protocol/adapter.h"
#include "protocol/limits.h"
#include "protocol/transport/engine/endpoint.h"
#include "protocol/transport/http_streams.h"
#include "protocol/transport/websocket.h"
#include "server/address_budget.h"
#include "server/app_router.h"
#include "server/refusals.h"
#include "websocket/handshake.h"

namespace anywire::server {

// What an app has of the Gateway of a loop.
struct GatewayApp {
  std::vector<std::unique_ptr<protocol::Adapter>> adapters;
  protocol::LimitGroup* limits = nullptr;            // null = no limit
  std::vector<std::string> allowed_origins = {"*"};  // http::OriginList
  bool credentials = false;  // pages of a named origin may send cookies along
};

struct GatewayOptions {
  // Both for clients behind trusted proxies, whom only their request names; null = no limit.
  AddressBudget* addresses = nullptr;
  protocol::LimitGroup* limits = nullptr;
  // The server has too much to do for newcomers; null = never.
  std::function<bool()> overloaded;
  std::vector<std::string> allowed_origins = {"*"};  // http::OriginList
  std::vector<std::string> allowed_hosts;            // http::HostList; empty: any
  bool credentials = false;  // pages of a named origin may send cookies along
  net::CidrList trusted_proxies;
  ws::DeflateOffer deflate;
  const AppRouter* router = nullptr;  // null: there is the default app only
  front::Front* front = nullptr;  // has the paths that nobody else has; null: they are 404
  // Hands a connection to another loop, see engine::Visit; null: there is none.
  std::function<bool(std::uint32_t loop, http::Connection&)> move;
  bool welcome_page = false;  // GET / shows a page with a small chat (`anywire dev`)
};

class Gateway final : public http::RequestHandler {
 public:
  Gateway(GatewayOptions options, std::vector<std::unique_ptr<protocol::Adapter>> adapters,
          protocol::WebSocketContext& websockets, protocol::HttpStreams& http_streams,
          protocol::engine::Endpoints& engine);

  // The next app of the router's, before the first request. The default app is made of the options:
  // its limits on connects are asked where connections are accepted, before a request says whose
  // they are; those of the others are asked here.
  void add_app(GatewayApp app);

  void on_request(http::Connection& connection, const http::RequestHead& head,
                  http::Response& response) override;

 private:
  struct App {
    explicit App(GatewayApp app);

    std::vector<std::unique_ptr<protocol::Adapter>> adapters;
    protocol::LimitGroup* limits;
    http::OriginList origins;
    bool credentials;
  };

  bool route(const App& app, http::Connection& connection, const http::RequestHead& head,
             http::Response& response);
  std::optional<TurnAway> admit_to(const App& app, const net::Address& client) const;
  net::Address client_of(const App& app, const http::Connection& connection,
                         const http::RequestHead& head) const;
  void log_request(log::Level level, std::string_view text, const http::Connection& connection,
                   const http::RequestHead& head, const http::HttpError& error) const;
  protocol::Caller caller_of(const App& app, const http::Connection& connection,
                             const http::RequestHead& head) const;
  bool counts_addresses() const {
    return options_.addresses != nullptr && options_.addresses->limited();
  }
  bool limits_connects() const {
    return options_.limits != nullptr && options_.limits->limits_connects();
  }
  net::Address proxied_client(const http::Connection& connection,
                              const http::RequestHead& head) const;
  std::optional<TurnAway> admit(const net::Address& client, AddressBudget::Lease& lease,
                                bool came_by_itself = false) const;
  void turn_newcomer_away(const http::Connection& connection, const http::RequestHead& head,
                          const TurnAway& why, http::Response& response) const;
  void upgrade(const App& app, http::Connection& connection, const http::RequestHead& head,
               protocol::Route& route, http::Response& response);
  void serve(const App& app, http::Connection& connection, const http::RequestHead& head,
             protocol::Route& route, http::Response& response);
  void refuse_plain(const http::Connection& connection, const http::RequestHead& head,
                    const http::HttpError& error, http::Response& response) const;
  void open_event_stream(const App& app, http::Connection& connection,
                         const http::RequestHead& head, protocol::Route& route, http::Response& response);
  void poll(const App& app, http::Connection& connection, const http::RequestHead& head,
            protocol::Route& route);
  void serve_engine(const App& app, http::Connection& connection, const http::RequestHead& head,
                    protocol::Route& route, http::Response& response);

  const GatewayOptions options_;
  const http::HostList hosts_;
  std::vector<App> apps_;  // the default one first
  protocol::WebSocketContext& websockets_;
  protocol::HttpStreams& http_streams_;
  protocol::engine::Endpoints& engine_;
};

}  // namespace anywire::server
