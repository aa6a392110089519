// The Gateway with several apps: each request meets the adapters, origins and limits of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "protocol/transport/testing/http_world.h"
#include "server/gateway.h"
#include "websocket/compression_pool.h"

namespace anywire::server {
namespace {

using protocol::Via;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Has /http, and says whose it is and what it saw.
class NamedAdapter final : public protocol::Adapter {
 public:
  NamedAdapter(std::string app, protocol::Manners& manners)
      : app_(std::move(app)), manners_(manners) {}

  std::string_view name() const override { return "named"; }
  std::optional<protocol::Route> route(const http::RequestHead& request,
                                       const protocol::Caller& caller) override {
    protocol::Route route;
    if (request.path == "/poll") route.via = Via::kPoll;
    else if (request.path == "/ws") route.via = Via::kWebSocket;
    else if (request.path == "/" || request.path.starts_with("/http")) route.via = Via::kHttp;
    else return std::nullopt;
    route.methods = "GET, POST";
    route.handle = [this, named = caller.origin_named](
                       http::Connection&, const http::RequestHead& head, http::Response& response) {
      response.body = "<" + app_ + " " + std::string(head.path) + (named ? " named>" : ">");
    };
    route.make_session = [this](protocol::Transport& transport, std::string_view) {
      talks.push_back(std::make_unique<protocol::Talk>());
      talks.back()->transport = &transport;
      return std::make_unique<protocol::TalkSession>(*talks.back(), manners_);
    };
    return route;
  }

  std::vector<std::unique_ptr<protocol::Talk>> talks;

 private:
  const std::string app_;
  protocol::Manners& manners_;
};

class GatewayAppsTest : public ::testing::Test {
 protected:
  GatewayAppsTest() {
    options.router = &router;
    options.allowed_origins = {"https://main.example"};
    protocol::LimitOptions few;
    few.rate(protocol::Limited::kConnects, protocol::LimitedParty::kAddress) =
        Rate{.amount = 2, .per = std::chrono::minutes(1), .burst = 2};
    shop_limits = std::make_unique<protocol::LimitGroup>(few);
  }
  ~GatewayAppsTest() override {
    streams.abort();
    for (auto* transport : websockets.transports.snapshot()) transport->abort();
    for (auto* connection : http().connections.snapshot()) connection->abort();
    turn();
  }
  http::ConnectionContext& http() {
    if (http_) return *http_;
    gateway_ = std::make_unique<Gateway>(options, adapters("main"), websockets, streams, engine);
    gateway_->add_app({.adapters = adapters("shop"),
                       .limits = shop_limits.get(),
                       .allowed_origins = {"https://shop.example"},
                       .credentials = true});
    gateway_->add_app({.adapters = adapters("game"),
                       .limits = nullptr,
                       .allowed_origins = {"*"},
                       .credentials = false});
    http_.reset(new http::ConnectionContext{.loop = *loop,
                                            .options = {},
                                            .handler = *gateway_,
                                            .parser = http::RequestParser(),
                                            .connections = {}});
    return *http_;
  }
  std::vector<std::unique_ptr<protocol::Adapter>> adapters(std::string app) {
    std::vector<std::unique_ptr<protocol::Adapter>> all;
    all.push_back(std::make_unique<NamedAdapter>(std::move(app), manners));
    return all;
  }
  std::string ask(std::string_view method, std::string_view path, std::string_view headers = {},
                  std::string_view body = {}, const char* from = "192.0.2.1:1000") {
    clients.push_back(std::make_unique<protocol::Client>(*loop));
    http::Connection::start(http(), clients.back()->wire.make_stream(),
                            *net::Address::parse(from));
    clients.back()->ask(method, path, body, headers);
    turn();
    return clients.back()->wire.sent;
  }
  std::string upgrade(std::string_view path, const char* from = "192.0.2.1:1000",
                      std::string_view headers = {}) {
    return ask("GET", path,
               "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + std::string(headers),
               {}, from);
  }
  void turn() {
    for (int i = 0; i < 3; ++i) {
      clock.advance(Duration{1});
      loop->turn(Duration::zero());
    }
  }

  const std::vector<AppEntry> entries{
      {.name = "shop", .config = "x", .path = "/shop", .hosts = {"shop.example"}},
      {.name = "game", .config = "x", .path = "/shop/game", .hosts = {}}};
  const AppRouter router{entries};
  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  ws::CompressionPool compression{3};
  protocol::WebSocketContext websockets{
      {.loop = *loop, .options = {}, .compression = compression}, {}};
  protocol::HttpStreamGroup group;
  protocol::HttpStreams streams{group, *loop, {}};
  protocol::engine::Endpoints engine{*loop, {}, {}, compression};
  protocol::Manners manners;
  GatewayOptions options;
  std::unique_ptr<protocol::LimitGroup> shop_limits;
  std::vector<std::unique_ptr<protocol::Client>> clients;

 private:
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<http::ConnectionContext> http_;
};

TEST_F(GatewayAppsTest, TakesARequestToItsApp) {
  EXPECT_THAT(ask("GET", "/http"), HasSubstr("<main /http>"));
  EXPECT_THAT(ask("GET", "/shop/http"), HasSubstr("<shop /http>"));
  EXPECT_THAT(ask("GET", "/shop/game/http/1"), HasSubstr("<game /http/1>"));
  EXPECT_THAT(ask("GET", "/shop"), HasSubstr("<shop />"));
  EXPECT_THAT(ask("GET", "/shopping/http"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("GET", "/shop/nowhere"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(GatewayAppsTest, LooksAtThePathAsItIsDecodedAndOnce) {
  EXPECT_THAT(ask("GET", "/%73hop/http"), HasSubstr("<shop /http>"));
  EXPECT_THAT(ask("GET", "/shop/../http"), HasSubstr("<main /http>"));
  EXPECT_THAT(ask("GET", "/x/../shop/./http"), HasSubstr("<shop /http>"));
  EXPECT_THAT(ask("GET", "/shop/game/../http"), HasSubstr("<shop /http>"));
  EXPECT_THAT(ask("GET", "/SHOP/http"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("GET", "//shop/http"), Not(HasSubstr("<shop")));
  EXPECT_THAT(ask("GET", "/shop%2fhttp"), Not(HasSubstr("<shop")));
  EXPECT_THAT(ask("GET", "/shop%2f..%2fhttp"), Not(HasSubstr("<")));
}

TEST_F(GatewayAppsTest, HoldsEachAppToItsOwnOrigins) {
  const std::string main = "Origin: https://main.example\r\n";
  const std::string shop = "Origin: https://shop.example\r\n";
  EXPECT_THAT(ask("GET", "/http", main), HasSubstr("named>"));
  EXPECT_THAT(ask("GET", "/http", shop), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(ask("GET", "/shop/http", main), StartsWith("HTTP/1.1 403 "));
  const std::string answer = ask("GET", "/shop/http", shop);
  EXPECT_THAT(answer, HasSubstr("named>"));
  EXPECT_THAT(answer, HasSubstr("Access-Control-Allow-Credentials: true\r\n"));
  EXPECT_THAT(ask("GET", "/http", main), Not(HasSubstr("Allow-Credentials")));
  EXPECT_THAT(ask("GET", "/shop/game/http", main), HasSubstr("Access-Control-Allow-Origin: *\r\n"));
  EXPECT_THAT(upgrade("/shop/ws", "192.0.2.1:1000", main), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(upgrade("/shop/ws", "192.0.2.1:1000", shop), StartsWith("HTTP/1.1 101 "));
}

TEST_F(GatewayAppsTest, LimitsConnectsPerApp) {
  manners.echo = true;
  EXPECT_THAT(upgrade("/shop/ws"), StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(ask("POST", "/shop/poll", {}, R"({"messages":[1]})"), StartsWith("HTTP/1.1 200 "));
  const std::string refused = upgrade("/shop/ws");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(refused, HasSubstr("Retry-After: "));
  EXPECT_THAT(ask("POST", "/shop/poll", {}, R"({"messages":[1]})"), StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(upgrade("/shop/ws", "192.0.2.2:1000"), StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(upgrade("/ws"), StartsWith("HTTP/1.1 101 ")) << "the other apps know nothing of it";
  EXPECT_THAT(upgrade("/shop/game/ws"), StartsWith("HTTP/1.1 101 "));
}

TEST_F(GatewayAppsTest, CountsTheClientThatATrustedProxyNames) {
  options.trusted_proxies =
      *net::CidrList::parse(std::vector<std::string>{"192.0.2.1/32"});
  const std::string ann = "X-Forwarded-For: 198.51.100.1\r\n";
  const std::string bob = "X-Forwarded-For: 198.51.100.2\r\n";
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(upgrade("/shop/ws", "192.0.2.1:1", ann), StartsWith("HTTP/1.1 101 "));
  }
  EXPECT_THAT(upgrade("/shop/ws", "192.0.2.1:1", ann), StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(upgrade("/shop/ws", "192.0.2.1:1", bob), StartsWith("HTTP/1.1 101 "));
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(upgrade("/shop/ws", "192.0.2.1:1"), StartsWith("HTTP/1.1 101 "))
        << "its own checks";
  }
}

TEST_F(GatewayAppsTest, TurnsNewcomersOfEveryAppAwayWhenOverloaded) {
  bool overloaded = false;
  options.overloaded = [&] { return overloaded; };
  EXPECT_THAT(upgrade("/shop/ws"), StartsWith("HTTP/1.1 101 "));
  overloaded = true;
  EXPECT_THAT(upgrade("/shop/ws"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(upgrade("/ws"), StartsWith("HTTP/1.1 503 "));
}

}  // namespace
}  // namespace anywire::server
