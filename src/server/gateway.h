// Gateway: where a request meets the protocols. It checks Host, asks the adapters in order, checks
// Origin and method, answers preflights (the CORS protocol of the Fetch standard), does the
// WebSocket handshake and starts the transport; whatever nobody wants gets a 404.
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
#include "protocol/transport/http_streams.h"
#include "protocol/transport/websocket.h"
#include "server/address_budget.h"
#include "server/refusals.h"
#include "websocket/handshake.h"

namespace anywire::server {

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
  front::Front* front = nullptr;  // has the paths that nobody else has; null: they are 404
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
  protocol::Caller caller_of(const http::Connection& connection,
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
  void upgrade(http::Connection& connection, const http::RequestHead& head,
               protocol::Route& route, http::Response& response);
  void serve(http::Connection& connection, const http::RequestHead& head, protocol::Route& route,
             http::Response& response);
  void refuse_plain(const http::Connection& connection, const http::RequestHead& head,
                    const http::HttpError& error, http::Response& response) const;
  void open_event_stream(http::Connection& connection, const http::RequestHead& head,
                         protocol::Route& route, http::Response& response);
  void poll(http::Connection& connection, const http::RequestHead& head, protocol::Route& route);

  const GatewayOptions options_;
  const http::OriginList origins_;
  const http::HostList hosts_;
  std::vector<std::unique_ptr<protocol::Adapter>> adapters_;
  protocol::WebSocketContext& websockets_;
  protocol::HttpStreams& http_streams_;
};

}  // namespace anywire::server
