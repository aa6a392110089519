#include "server/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "hub/testing/memory_hubs.h"
#include "server/adapters.h"
#include "websocket/testing/peer.h"

namespace anywire::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class GatewayTest : public ::testing::Test {
 protected:
  ~GatewayTest() override {
    if (!http_) return;
    for (auto* connection : http_->connections.snapshot()) connection->abort();
    for (auto* transport : websockets.transports.snapshot()) transport->abort();
    loop->turn(Duration::zero());
  }
  // The answer to one request on a connection of its own.
  std::string ask(std::string_view request) {
    if (!http_) {
      gateway_ = std::make_unique<Gateway>(options,
                                           make_adapters(config, *shared,
                                                         {.loop = *loop,
                                                          .hub = group.hub(0),
                                                          .compression = compression}),
                                           websockets, http_streams, engine);
      http_.reset(new http::ConnectionContext{.loop = *loop,
                                              .options = {},
                                              .handler = *gateway_,
                                              .parser = http::RequestParser(),
                                              .connections = {}});
    }
    wires.push_back(std::make_unique<net::FakeWire>(*loop));
    http::Connection::start(*http_, wires.back()->make_stream(), {});
    wires.back()->deliver(request);
    loop->turn(Duration::zero());
    return wires.back()->sent;
  }
  static std::string upgrade(std::string_view path, std::string_view headers = {}) {
    return "GET " + std::string(path) +
           " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
           std::string(headers) + "\r\n";
  }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  hub::MemoryHubs group{{loop.get()}};
  SystemWallClock wall;
  std::unique_ptr<AdapterGroup> shared = *AdapterGroup::create(Config(), {loop.get()}, wall);
  ws::CompressionPool compression{3};
  protocol::WebSocketContext websockets{
      {.loop = *loop, .options = {}, .compression = compression}, {}};
  protocol::HttpStreamGroup stream_group;
  protocol::HttpStreams http_streams{stream_group, *loop, {}};
  protocol::engine::Endpoints engine{*loop, {}, {}, compression};
  Config config;
  GatewayOptions options;
  std::vector<std::unique_ptr<net::FakeWire>> wires;

 private:
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<http::ConnectionContext> http_;
};

TEST_F(GatewayTest, OpensAWebSocketWhereAnAdapterWantsIt) {
  EXPECT_THAT(ask(upgrade("/raw/room")), StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(ask(upgrade("/echo")), StartsWith("HTTP/1.1 101 "));
  EXPECT_EQ(websockets.transports.size(), 2u);
}

TEST_F(GatewayTest, CarriesBytesBehindTheRequestIntoTheWebSocket) {
  const std::string answer =
      ask(upgrade("/echo") + ws::client_frame(ws::Opcode::kText, "[1]"));
  EXPECT_THAT(answer, HasSubstr(R"({"echo":[1]})"));
}

TEST_F(GatewayTest, KnowsNothingAtOtherPaths) {
  EXPECT_THAT(ask(upgrade("/nowhere")), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(GatewayTest, SaysWhatAPlainRequestShouldHaveBeen) {
  const std::string answer = ask("GET /raw/room HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(answer, HasSubstr("Upgrade: websocket\r\n"));
  EXPECT_THAT(answer, HasSubstr("Sec-WebSocket-Version: 13\r\n"));
}

TEST_F(GatewayTest, NamesTheMethodItTakes) {
  std::string request = upgrade("/raw/room");
  request.replace(0, 3, "POST");
  const std::string answer = ask(request);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("Allow: GET\r\n"));
}

TEST_F(GatewayTest, PassesAnAdaptersRefusalOn) {
  EXPECT_THAT(ask(upgrade("/raw/%FF")), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(websockets.transports.empty());
}

TEST_F(GatewayTest, LetsAnyOriginInByDefault) {
  EXPECT_THAT(ask(upgrade("/echo", "Origin: https://anywhere.example\r\n")),
              StartsWith("HTTP/1.1 101 "));
}

TEST_F(GatewayTest, ChecksTheOriginWhenToldTo) {
  options.allowed_origins = {"https://app.example", "http://localhost:3000"};
  EXPECT_THAT(ask(upgrade("/echo", "Origin: https://app.example\r\n")), StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(ask(upgrade("/echo", "Origin: HTTPS://App.Example\r\n")), StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(ask(upgrade("/echo")), StartsWith("HTTP/1.1 101")) << "not a browser";
  for (const char* origin : {"https://evil.example", "https://app.example.evil.example",
                             "http://app.example", "https://app.example:8443", "null", ""}) {
    EXPECT_THAT(ask(upgrade("/echo", "Origin: " + std::string(origin) + "\r\n")),
                StartsWith("HTTP/1.1 403 "))
        << origin;
  }
}

TEST_F(GatewayTest, ServesTheWelcomePageOnlyWhenAsked) {
  options.welcome_page = true;
  const std::string page = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(page, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(page, HasSubstr("Content-Type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(page, HasSubstr("<html"));
  EXPECT_THAT(ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"), Not(HasSubstr("<html")));
  EXPECT_THAT(ask(upgrade("/echo")), StartsWith("HTTP/1.1 101 "));
}

TEST_F(GatewayTest, AgreesOnCompressionAsConfigured) {
  const std::string offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  options.deflate.mode = ws::DeflateMode::kOff;
  EXPECT_THAT(ask(upgrade("/echo", offer)), Not(HasSubstr("permessage-deflate")));
}

TEST_F(GatewayTest, KeepsTheConnectionAfterARefusal) {
  ask("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
  wires.back()->deliver(upgrade("/echo"));
  loop->turn(Duration::zero());
  EXPECT_THAT(wires.back()->sent, HasSubstr("HTTP/1.1 101 "));
}

}  // namespace
}  // namespace anywire::server
