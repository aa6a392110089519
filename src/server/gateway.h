// Gateway: where a request meets the protocols. It asks the adapters in order, checks Origin and
// method, answers preflights (the CORS protocol of the Fetch standard, without credentials), does
// the WebSocket handshake and starts the transport; whatever nobody wants gets a 404.
//
// Thread: the loop's, one per loop. Lifetime: outlives the loop's connections.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "http/connection.h"
#include "net/cidr.h"
#include "protocol/adapter.h"
#include "protocol/transport/http_streams.h"
#include "protocol/transport/websocket.h"
#include "server/address_budget.h"
#include "websocket/handshake.h"

namespace anywire::server {

struct GatewayOptions {
  // For clients behind trusted proxies, whom only their request names; null = no limit.
  AddressBudget* addresses = nullptr;
  std::vector<std::string> allowed_origins = {"*"};
  net::CidrList trusted_proxies;
  ws::DeflateOffer deflate;
  bool welcome_page = false;  // GET / shows a page with a small chat (`anywire dev`)
};

class Gateway final : public http::RequestHandler {
 public:
  Gateway(GatewayOptions options, std::vector<std::unique_ptr<protocol::Adapter>> adapters,
          protocol::WebSocketContext& websockets, protocol::HttpStreams& http_streams);

  void on_request(http::Connection& connection, const http::RequestHead& head,
                  http::Response& response) override;

 private:
  void log_request(log::Level level, std::string_view text, const http::Connection& connection,
                   const http::RequestHead& head, const http::HttpError& error) const;
  bool origin_allowed(const http::RequestHead& head) const;
  bool any_origin_allowed() const;
  bool count_proxied(const http::Connection& connection, const http::RequestHead& head,
                     AddressBudget::Lease& lease) const;
  void upgrade(http::Connection& connection, const http::RequestHead& head,
               protocol::Route& route, http::Response& response);
  void serve(http::Connection& connection, const http::RequestHead& head, protocol::Route& route,
             http::Response& response);
  void refuse_plain(const http::Connection& connection, const http::RequestHead& head,
                    const http::HttpError& error, http::Response& response) const;
  void open_event_stream(http::Connection& connection, const http::RequestHead& head,
                         protocol::Route& route, http::Response& response);
  void poll(http::Connection& connection, const http::RequestHead& head, protocol::Route& route);

  GatewayOptions options_;
  std::vector<std::unique_ptr<protocol::Adapter>> adapters_;
  protocol::WebSocketContext& websockets_;
  protocol::HttpStreams& http_streams_;
};

}  // namespace anywire::server
