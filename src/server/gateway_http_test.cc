// The Gateway and requests that are no WebSocket: methods, CORS, the transports without WebSocket,
// and how their clients are counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "protocol/transport/testing/http_world.h"
#include "server/gateway.h"
#include "websocket/compression_pool.h"

namespace anywire::server {
namespace {

using protocol::Via;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// One path for each way.
class StubAdapter final : public protocol::Adapter {
 public:
  explicit StubAdapter(protocol::Manners& manners) : manners_(manners) {}

  std::string_view name() const override { return "stub"; }
  std::optional<protocol::Route> route(const http::RequestHead& request,
                                       const protocol::Caller& caller) override {
    origin_named = caller.origin_named;
    static const std::map<std::string, Via, std::less<>> kPaths = {
        {"/ws", Via::kWebSocket}, {"/sse", Via::kEventStream}, {"/poll", Via::kPoll},
        {"/send", Via::kSend},    {"/http", Via::kHttp},       {"/refused", Via::kHttp},
    };
    const auto found = kPaths.find(request.path);
    if (found == kPaths.end()) return std::nullopt;
    protocol::Route route;
    route.via = found->second;
    if (request.path == "/refused") route.refusal = http::HttpError{400, "not like that"};
    route.make_session = [this](protocol::Transport& transport, std::string_view) {
      talks.push_back(std::make_unique<protocol::Talk>());
      talks.back()->transport = &transport;
      return std::make_unique<protocol::TalkSession>(*talks.back(), manners_);
    };
    route.methods = "GET, POST";
    route.handle = [](http::Connection&, const http::RequestHead& head, http::Response& response) {
      response.body = "<" + std::string(head.method_text) + ">";
    };
    return route;
  }

  std::vector<std::unique_ptr<protocol::Talk>> talks;
  bool origin_named = false;  // of the last request

 private:
  protocol::Manners& manners_;
};

class GatewayHttpTest : public ::testing::Test {
 protected:
  ~GatewayHttpTest() override {
    streams.abort();
    for (auto* connection : http().connections.snapshot()) connection->abort();
    turn();
  }
  http::ConnectionContext& http() {
    if (http_) return *http_;
    auto adapter = std::make_unique<StubAdapter>(manners);
    stub = adapter.get();
    std::vector<std::unique_ptr<protocol::Adapter>> adapters;
    adapters.push_back(std::move(adapter));
    gateway_ =
        std::make_unique<Gateway>(options, std::move(adapters), websockets, streams, engine);
    http_.reset(new http::ConnectionContext{.loop = *loop,
                                            .options = {},
                                            .handler = *gateway_,
                                            .parser = http::RequestParser(),
                                            .connections = {}});
    return *http_;
  }
  protocol::Client& connect(const net::Address& peer = {}) {
    clients.push_back(std::make_unique<protocol::Client>(*loop));
    http::Connection::start(http(), clients.back()->wire.make_stream(), peer);
    return *clients.back();
  }
  std::string ask(std::string_view method, std::string_view path, std::string_view headers = {},
                  std::string_view body = {}) {
    protocol::Client& client = connect();
    client.ask(method, path, body, headers);
    turn();
    return client.wire.sent;
  }
  AddressBudget& limit_addresses(std::uint32_t per_address_max) {
    addresses_ = std::make_unique<AddressBudget>(per_address_max);
    options.addresses = addresses_.get();
    return *addresses_;
  }
  void turn() {
    for (int i = 0; i < 3; ++i) {
      clock.advance(Duration{1});
      loop->turn(Duration::zero());
    }
  }

  std::unique_ptr<AddressBudget> addresses_;  // outlives the sessions it counts
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
  StubAdapter* stub = nullptr;
  std::vector<std::unique_ptr<protocol::Client>> clients;

 private:
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<http::ConnectionContext> http_;
};

constexpr const char* kOpenPoll = R"({"messages":[1]})";

TEST_F(GatewayHttpTest, TakesEachWayToItsTransport) {
  manners.echo = true;
  EXPECT_THAT(ask("GET", "/sse"), HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(ask("POST", "/poll", {}, kOpenPoll), HasSubstr(R"("messages":[1]})"));
  EXPECT_THAT(ask("POST", "/send", {}, R"({"stream":"x","messages":[1]})"),
              HasSubstr(R"({"code":"stream_gone")"));
  EXPECT_THAT(ask("GET", "/http"), HasSubstr("<GET>"));
  EXPECT_THAT(ask("POST", "/http"), HasSubstr("<POST>"));
  EXPECT_THAT(ask("GET", "/ws"), StartsWith("HTTP/1.1 426 "));
  EXPECT_EQ(stub->talks.size(), 2u);
}

TEST_F(GatewayHttpTest, NamesTheMethodsAPathTakes) {
  const struct {
    const char* method;
    const char* path;
    const char* allow;
  } cases[] = {
      {"POST", "/sse", "GET"},   {"HEAD", "/sse", "GET"},       {"GET", "/poll", "POST"},
      {"GET", "/send", "POST"},  {"DELETE", "/send", "POST"},   {"PUT", "/http", "GET, POST"},
      {"HEAD", "/http", "GET, POST"},
  };
  for (const auto& one : cases) {
    const std::string answer = ask(one.method, one.path);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << one.path;
    EXPECT_THAT(answer, HasSubstr("Allow: " + std::string(one.allow) + "\r\n")) << one.path;
  }
  EXPECT_TRUE(stub->talks.empty());
}

TEST_F(GatewayHttpTest, PassesAnAdaptersRefusalOn) {
  const std::string answer = ask("GET", "/refused", "Origin: https://a.example\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer, HasSubstr("Access-Control-Allow-Origin: *\r\n"));
}

TEST_F(GatewayHttpTest, LetsPagesOfAnyOriginReadAnswersByDefault) {
  for (const char* path : {"/sse", "/http"}) {
    const std::string answer = ask("GET", path, "Origin: https://a.example\r\n");
    EXPECT_THAT(answer, HasSubstr("Access-Control-Allow-Origin: *\r\n")) << path;
    EXPECT_THAT(answer, Not(HasSubstr("Vary:"))) << "the answer is the same for all";
    EXPECT_THAT(answer, Not(HasSubstr("Access-Control-Allow-Credentials"))) << path;
  }
  EXPECT_THAT(ask("GET", "/http"), Not(HasSubstr("Access-Control")));
}

TEST_F(GatewayHttpTest, LetsPagesReadWhyARequestFailed) {
  const std::string origin = "Origin: https://a.example\r\n";
  for (const std::string& answer :
       {ask("POST", "/send", origin, "{"), ask("GET", "/send", origin),
        ask("POST", "/poll", origin + "Content-Type: x/y\r\n", kOpenPoll),
        ask("GET", "/sse", origin + "Content-Length: 5\r\n")}) {
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 4"));
    EXPECT_THAT(answer, HasSubstr("Access-Control-Allow-Origin: *\r\n")) << answer;
  }
}

TEST_F(GatewayHttpTest, ChecksTheOriginOfPlainRequestsToo) {
  options.allowed_origins = {"https://app.example", "http://localhost:3000"};
  for (const char* path : {"/sse", "/http"}) {
    const std::string good = ask("GET", path, "Origin: https://app.example\r\n");
    EXPECT_THAT(good, StartsWith("HTTP/1.1 200 ")) << path;
    EXPECT_THAT(good, HasSubstr("Access-Control-Allow-Origin: https://app.example\r\n"))
        << "as the browser wrote it";
    EXPECT_THAT(good, HasSubstr("Vary: Origin\r\n"));
    const std::string bad = ask("GET", path, "Origin: https://evil.example\r\n");
    EXPECT_THAT(bad, StartsWith("HTTP/1.1 403 "));
    EXPECT_THAT(bad, Not(HasSubstr("Access-Control")));
    EXPECT_THAT(bad, HasSubstr("Vary: Origin\r\n"));
    const std::string none = ask("GET", path);
    EXPECT_THAT(none, StartsWith("HTTP/1.1 200 ")) << "not a browser";
    EXPECT_THAT(none, HasSubstr("Vary: Origin\r\n")) << "a cache must not give it to a page";
  }
  EXPECT_THAT(ask("POST", "/poll", "Origin: null\r\n", kOpenPoll), StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(stub->talks.size(), 2u);
}

TEST_F(GatewayHttpTest, AnswersPreflights) {
  options.allowed_origins = {"https://app.example"};
  const std::string wants =
      "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n";
  const std::string answer = ask("OPTIONS", "/send", "Origin: https://app.example\r\n" + wants);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 204 "));
  for (const char* line :
       {"Access-Control-Allow-Origin: https://app.example\r\n",
        "Access-Control-Allow-Methods: POST\r\n",
        "Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key\r\n",
        "Access-Control-Max-Age: 7200\r\n", "Vary: Origin\r\n", "Connection: keep-alive\r\n"}) {
    EXPECT_THAT(answer, HasSubstr(line));
  }
  EXPECT_THAT(answer, Not(HasSubstr("Content-Length"))) << "RFC 9110 section 8.6";
  EXPECT_THAT(ask("OPTIONS", "/send", "Origin: https://evil.example\r\n" + wants),
              StartsWith("HTTP/1.1 403 "));
  const std::string plain = ask("OPTIONS", "/http");
  EXPECT_THAT(plain, HasSubstr("Allow: GET, POST\r\n"));
  EXPECT_THAT(plain, Not(HasSubstr("Access-Control")));
  EXPECT_THAT(ask("OPTIONS", "/refused", "Origin: https://app.example\r\n" + wants),
              StartsWith("HTTP/1.1 204 "))
      << "what is wrong with the request itself, the request is told";
}

TEST_F(GatewayHttpTest, CountsPolledStreamsAsConnectionsOfTheirClient) {
  AddressBudget& addresses = limit_addresses(2);
  const net::Address peer = net::Address::ipv4({192, 0, 2, 1}, 5);
  // One connection is enough to open them all.
  protocol::Client& client = connect(peer);
  for (int i = 0; i < 3; ++i) client.post("/poll", kOpenPoll);
  ASSERT_EQ(stub->talks.size(), 1u) << "the second waits for the answer to the first";
  for (int i = 0; i < 4; ++i) {
    stub->talks.back()->transport->send_text("1");
    turn();
  }
  std::vector<int> statuses;
  for (const auto& answer : client.answers()) statuses.push_back(answer.status);
  EXPECT_THAT(statuses, ElementsAre(200, 200, 429));
  // A stream that ends gives its place back.
  stub->talks[0]->transport->close(ws::CloseCode::kNormal, "");
  turn();
  protocol::Client& next = connect(peer);
  next.post("/poll", kOpenPoll);
  turn();
  EXPECT_EQ(stub->talks.size(), 3u);
  EXPECT_EQ(addresses.addresses(), 1u);
}

TEST_F(GatewayHttpTest, CountsTheClientsOfATrustedProxy) {
  AddressBudget& addresses = limit_addresses(1);
  const std::vector<std::string> proxies = {"10.0.0.0/8"};
  options.trusted_proxies = *net::CidrList::parse(proxies);
  const net::Address proxy = net::Address::ipv4({10, 0, 0, 1}, 5);
  const std::string from_a = "X-Forwarded-For: 192.0.2.1\r\n";
  const std::string from_b = "X-Forwarded-For: 192.0.2.2\r\n";
  const auto ask_as = [&](std::string_view method, std::string_view path, std::string_view headers,
                          std::string_view body = {}) {
    protocol::Client& one = connect(proxy);
    one.ask(method, path, body, headers);
    turn();
    return one.wire.sent;
  };
  EXPECT_THAT(ask_as("GET", "/sse", from_a), StartsWith("HTTP/1.1 200 "));
  const std::string refused = ask_as("GET", "/sse", from_a);
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(refused, HasSubstr("Retry-After: "));
  EXPECT_THAT(ask_as("POST", "/poll", from_a, kOpenPoll), StartsWith("HTTP/1.1 429 "));
  manners.echo = true;
  EXPECT_THAT(ask_as("POST", "/poll", from_b, kOpenPoll), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask_as("GET", "/sse", from_b), StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(ask_as("GET", "/sse", ""), StartsWith("HTTP/1.1 200 ")) << "the proxy's own";
  EXPECT_THAT(ask_as("GET", "/sse", ""), StartsWith("HTTP/1.1 200 "));
  streams.abort();
  turn();
  EXPECT_EQ(addresses.addresses(), 0u);
}

TEST_F(GatewayHttpTest, TakesNamesBelowADomainAndAnyPortWhereTheListSaysSo) {
  options.allowed_origins = {"https://*.app.example", "http://localhost:*"};
  for (const char* origin : {"https://a.app.example", "http://localhost:5173"}) {
    const std::string answer = ask("GET", "/http", "Origin: " + std::string(origin) + "\r\n");
    EXPECT_THAT(answer, HasSubstr("Access-Control-Allow-Origin: " + std::string(origin) + "\r\n"));
  }
  for (const char* origin : {"https://app.example", "https://a.app.example.evil.com",
                             "https://evil.com#.app.example", "http://localhost.evil.com"}) {
    EXPECT_THAT(ask("GET", "/http", "Origin: " + std::string(origin) + "\r\n"),
                StartsWith("HTTP/1.1 403 "))
        << origin;
  }
}

TEST_F(GatewayHttpTest, LetsNamedOriginsOnlySendCookiesAlong) {
  options.allowed_origins = {"*", "https://app.example"};
  options.credentials = true;
  const std::string named = ask("GET", "/http", "Origin: https://app.example\r\n");
  EXPECT_THAT(named, HasSubstr("Access-Control-Allow-Origin: https://app.example\r\n"));
  EXPECT_THAT(named, HasSubstr("Access-Control-Allow-Credentials: true\r\n"));
  EXPECT_THAT(named, HasSubstr("Vary: Origin\r\n"));
  const std::string other = ask("GET", "/http", "Origin: https://evil.com\r\n");
  EXPECT_THAT(other, HasSubstr("Access-Control-Allow-Origin: *\r\n"));
  EXPECT_THAT(other, Not(HasSubstr("Credentials")));
  EXPECT_THAT(other, HasSubstr("Vary: Origin\r\n")) << "a cache must not mix them up";
  EXPECT_THAT(ask("OPTIONS", "/http", "Origin: https://app.example\r\n"),
              HasSubstr("Access-Control-Allow-Credentials: true\r\n"));
}

TEST_F(GatewayHttpTest, KnowsPagesOfItsOwnOriginThoughTheySendNoOrigin) {
  options.allowed_origins = {"https://app.example"};
  const auto named = [&](const char* headers) {
    ask("GET", "/http", headers);
    return stub->origin_named;
  };
  EXPECT_TRUE(named("Origin: https://app.example\r\n"));
  EXPECT_TRUE(named("Sec-Fetch-Site: same-origin\r\n"));
  EXPECT_FALSE(named("")) << "not a browser";
  EXPECT_FALSE(named("Sec-Fetch-Site: same-site\r\n"));
  EXPECT_FALSE(named("Sec-Fetch-Site: cross-site\r\n"));
  EXPECT_FALSE(named("Sec-Fetch-Site: none\r\n")) << "typed, or a link in a mail";
  EXPECT_FALSE(named("Origin: https://evil.com\r\nSec-Fetch-Site: same-origin\r\n"));
}

TEST_F(GatewayHttpTest, IsNotTheServerForOtherHosts) {
  options.allowed_hosts = {"a", "*.app.example"};
  options.welcome_page = true;
  EXPECT_THAT(ask("GET", "/http"), StartsWith("HTTP/1.1 200 "));
  const auto ask_host = [&](const char* host, const char* path) {
    protocol::Client& client = connect();
    client.wire.deliver("GET " + std::string(path) + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    turn();
    return client.wire.sent;
  };
  EXPECT_THAT(ask_host("x.app.example:3001", "/http"), StartsWith("HTTP/1.1 200 "));
  for (const char* path : {"/http", "/sse", "/", "/ws", "/nowhere"}) {
    const std::string answer = ask_host("evil.com", path);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 421 ")) << path;
    EXPECT_THAT(answer, HasSubstr("http.allowed_hosts"));
    EXPECT_THAT(answer, Not(HasSubstr("evil.com"))) << "nothing is reflected";
  }
}

TEST_F(GatewayHttpTest, LimitsHowFastTheClientsOfATrustedProxyConnect) {
  protocol::LimitOptions rates;
  rates.rate(protocol::Limited::kConnects, protocol::LimitedParty::kAddress) = {
      .amount = 2, .per = std::chrono::minutes(1)};
  protocol::LimitGroup limits(rates);
  options.limits = &limits;
  const std::vector<std::string> proxies = {"10.0.0.0/8"};
  options.trusted_proxies = *net::CidrList::parse(proxies);
  const auto ask_as = [&](const char* client, std::string_view method, std::string_view path,
                          std::string_view body = {}) {
    protocol::Client& one = connect(net::Address::ipv4({10, 0, 0, 1}, 5));
    one.ask(method, path, body, "X-Forwarded-For: " + std::string(client) + "\r\n");
    turn();
    return one.wire.sent;
  };
  manners.echo = true;
  EXPECT_THAT(ask_as("192.0.2.1", "GET", "/sse"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask_as("192.0.2.1", "POST", "/poll", kOpenPoll), StartsWith("HTTP/1.1 200 "));
  for (const std::string& refused : {ask_as("192.0.2.1", "GET", "/sse"),
                                     ask_as("192.0.2.1", "POST", "/poll", kOpenPoll)}) {
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 429 "));
    EXPECT_THAT(refused, HasSubstr("Retry-After: 30\r\n"));
    EXPECT_THAT(refused, HasSubstr(R"({"code":"rate_limited","message":"over the limit )"
                                   "connects_per_address: 2 in a minute"));
  }
  EXPECT_THAT(ask_as("192.0.2.2", "GET", "/sse"), StartsWith("HTTP/1.1 200 "));
  // The proxy itself, for its health checks.
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(ask_as("10.0.0.1", "GET", "/sse"), StartsWith("HTTP/1.1 200 "));
  }
}

TEST_F(GatewayHttpTest, TurnsNewcomersAwayWhenThereIsTooMuchToDoButNotWhoIsThere) {
  bool overloaded = false;
  options.overloaded = [&] { return overloaded; };
  manners.echo = true;
  protocol::Client& polls = connect();
  polls.post("/poll", kOpenPoll);
  turn();
  const std::string stream = polls.answers().back().body;
  const std::size_t at = stream.find(R"("stream":")") + 10;
  const std::string id = stream.substr(at, stream.find('"', at) - at);
  overloaded = true;
  for (const std::string& refused :
       {ask("GET", "/sse", "Origin: https://a.example\r\n"),
        ask("POST", "/poll", "Origin: https://a.example\r\n", kOpenPoll)}) {
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(refused, HasSubstr(R"({"code":"overloaded","message":)"));
    EXPECT_THAT(refused, HasSubstr("Retry-After: "));
    EXPECT_THAT(refused, HasSubstr("Access-Control-Allow-Origin: *\r\n")) << "pages can read it";
  }
  protocol::Client& upgrades = connect();
  upgrades.wire.deliver(
      "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  turn();
  EXPECT_THAT(upgrades.wire.sent, StartsWith("HTTP/1.1 503 "));
  // Requests, and who has a stream already.
  EXPECT_THAT(ask("GET", "/http"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask("POST", "/send", {}, R"({"stream":")" + id + R"(","messages":[2]})"),
              StartsWith("HTTP/1.1 204 "));
  overloaded = false;
  EXPECT_THAT(ask("GET", "/sse"), StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace anywire::server
