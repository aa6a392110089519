#include "http/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/text_for_test.h"
#include "net/testing/fake_stream.h"

namespace anywire::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Answers "<method> <path>" and takes the stream over at /take.
class Handler final : public RequestHandler {
 public:
  void on_request(Connection& connection, const RequestHead& head, Response& response) override {
    requests.push_back(std::string(head.method_text) + " " + std::string(head.path));
    if (head.path == "/take") {
      Connection::Taken taken = connection.take_stream();
      early = std::string(as_text(taken.early));
      stream = std::move(taken.stream);
      return;
    }
    response.content_type = "text/plain";
    response.body = "<" + requests.back() + std::string(padding, '.') + ">";
  }

  std::vector<std::string> requests;
  std::unique_ptr<net::Stream> stream;
  std::string early;
  std::size_t padding = 0;
};

class HttpConnectionTest : public ::testing::Test {
 protected:
  HttpConnectionTest() {
    context.options.head_timeout = Duration{10'000};
    context.options.keep_alive_timeout = Duration{30'000};
  }
  ~HttpConnectionTest() override {
    for (Connection* connection : context.connections.snapshot()) connection->abort();
    turn();
  }
  void start(bool draining = false) {
    context.draining = draining;
    Connection::start(context, wire.make_stream(), net::Address::ipv4({127, 0, 0, 1}, 9));
  }
  void turn() {
    wire.pump();
    loop->turn(Duration::zero());
  }
  void advance(Duration by) {
    clock.advance(by);
    turn();
  }
  bool over() const { return context.connections.empty(); }
  // The bodies of the answers so far.
  std::vector<std::string> bodies() const {
    std::vector<std::string> found;
    for (std::size_t at = 0; (at = wire.sent.find('<', at)) != wire.sent.npos;) {
      const std::size_t end = wire.sent.find('>', at);
      found.push_back(wire.sent.substr(at + 1, end - at - 1));
      at = end;
    }
    return found;
  }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  Handler handler;
  ConnectionContext context{.loop = *loop,
                            .options = {},
                            .handler = handler,
                            .parser = RequestParser(),
                            .connections = {}};
  net::FakeWire wire{*loop};
};

TEST_F(HttpConnectionTest, AnswersRequestsOneAfterTheOther) {
  start();
  wire.deliver(get("/one"));
  turn();
  EXPECT_THAT(bodies(), ElementsAre("GET /one"));
  EXPECT_TRUE(wire.sent.starts_with("HTTP/1.1 200 OK\r\n"));
  wire.deliver(get("/two"));
  turn();
  EXPECT_THAT(bodies(), ElementsAre("GET /one", "GET /two"));
  EXPECT_FALSE(wire.closed());
}

TEST_F(HttpConnectionTest, DatesEveryAnswerAndEveryRefusal) {
  start();
  wire.deliver(get("/one") + get("/two") + "nonsense\r\n");
  turn();
  EXPECT_EQ(count(wire.sent, "\r\n\r\n"), 3u);
  EXPECT_EQ(count(wire.sent, "\r\nDate: "), 3u) << wire.sent;
  EXPECT_EQ(count(wire.sent, " GMT\r\n"), 3u) << wire.sent;
}

TEST_F(HttpConnectionTest, WantsTlsForAnHttpsTarget) {
  start();
  wire.deliver("GET http://a/one HTTP/1.1\r\nHost: a\r\n\r\n");
  wire.deliver("GET HTTPS://a/two HTTP/1.1\r\nHost: a\r\n\r\n" + get("/three"));
  turn();
  EXPECT_THAT(bodies(), ElementsAre("GET /one"));
  EXPECT_EQ(count(wire.sent, "HTTP/1.1 421 "), 1u) << wire.sent;
  EXPECT_TRUE(wire.fin_sent());
  wire.end_input();
  turn();

  net::FakeWire secure(*loop);
  secure.encrypted = true;
  Connection::start(context, secure.make_stream(), {});
  secure.deliver("GET https://a/four HTTP/1.1\r\nHost: a\r\n\r\n");
  turn();
  EXPECT_THAT(handler.requests, ElementsAre("GET /one", "GET /four"));
  secure.end_input();
  turn();
}

TEST_F(HttpConnectionTest, AnswersPipelinedRequestsInOrder) {
  start();
  wire.deliver(get("/1") + get("/2") + get("/3"));
  turn();
  EXPECT_THAT(bodies(), ElementsAre("GET /1", "GET /2", "GET /3"));
}

TEST_F(HttpConnectionTest, GivesTheSameAnswersWhereverTheBytesAreCut) {
  const std::string script = get("/1") +
                             "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" +
                             "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3\r\nabc\r\n0\r\n\r\n" +
                             get("/4");
  std::string whole;
  for (std::size_t cut = 0; cut < script.size(); ++cut) {
    net::FakeWire one(*loop);
    Connection::start(context, one.make_stream(), {});
    one.deliver(script.substr(0, cut));
    one.deliver(script.substr(cut));
    loop->turn(Duration::zero());
    if (cut == 0) whole = undated(one.sent);
    ASSERT_EQ(undated(one.sent), whole) << cut;
    one.end_input();
    loop->turn(Duration::zero());
    ASSERT_TRUE(one.destroyed());
  }
  EXPECT_EQ(count(whole, "HTTP/1.1 200"), 4u);
  ASSERT_TRUE(over());
  start();
  for (const char byte : script) wire.deliver(std::string(1, byte));
  turn();
  EXPECT_EQ(undated(wire.sent), whole);
}

TEST_F(HttpConnectionTest, KeepsConnectionsApartThatShareAParser) {
  net::FakeWire other(*loop);
  start();
  Connection::start(context, other.make_stream(), {});
  const std::string a = get("/a", "X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
  const std::string b = get("/b", "X-Long: bbbbbbbbbbbbbbbbbbbbbbbbbb\r\n");
  for (std::size_t i = 0; i < a.size(); i += 5) {
    wire.deliver(a.substr(i, 5));
    other.deliver(b.substr(i, 5));
  }
  turn();
  EXPECT_THAT(handler.requests, ElementsAre("GET /a", "GET /b"));
  other.end_input();
  turn();
}

TEST_F(HttpConnectionTest, DiscardsBodies) {
  start();
  std::string request = "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n";
  wire.deliver(request);
  for (int i = 0; i < 50; ++i) wire.deliver(std::string(10'000, 'G'));
  wire.deliver(get("/next"));
  turn();
  EXPECT_THAT(handler.requests, ElementsAre("POST /up", "GET /next"));
}

TEST_F(HttpConnectionTest, SendsNoBodyToHead) {
  start();
  wire.deliver("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
  turn();
  EXPECT_THAT(bodies(), IsEmpty());
  EXPECT_NE(wire.sent.find("Content-Length: 9\r\n"), std::string::npos) << wire.sent;
}

TEST_F(HttpConnectionTest, ClosesWhenTheClientWantsIt) {
  start();
  wire.deliver(get("/last", "Connection: close\r\n") + get("/never"));
  turn();
  EXPECT_THAT(handler.requests, ElementsAre("GET /last"));
  EXPECT_NE(wire.sent.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(wire.fin_sent());
  EXPECT_FALSE(wire.closed()) << "unread input would reset the connection";
  wire.end_input();
  turn();
  EXPECT_TRUE(over());
}

TEST_F(HttpConnectionTest, ClosesAfterOneRequestWithoutKeepAlive) {
  context.options.keep_alive_timeout = Duration{0};
  start();
  wire.deliver(get("/only"));
  turn();
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(HttpConnectionTest, ClosesAfterAnsweringWhoWaitsForContinue) {
  start();
  wire.deliver("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  turn();
  EXPECT_EQ(count(wire.sent, "HTTP/1.1"), 1u);
  EXPECT_NE(wire.sent.find("Connection: close"), std::string::npos);
  wire.deliver("abc");
  turn();
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(HttpConnectionTest, RefusesNonsenseAndLingers) {
  start();
  wire.deliver("GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n" + get("/smuggled"));
  turn();
  EXPECT_TRUE(wire.sent.starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(count(wire.sent, "HTTP/1.1"), 1u);
  EXPECT_THAT(handler.requests, IsEmpty());
  EXPECT_TRUE(wire.fin_sent());
  wire.deliver(std::string(100'000, 'x'));
  EXPECT_EQ(wire.unread(), 0u);
  advance(Duration{1'900});
  EXPECT_FALSE(over());
  advance(Duration{200});
  EXPECT_TRUE(over());
}

TEST_F(HttpConnectionTest, DropsASilentNewcomerWithoutAWord) {
  start();
  advance(Duration{9'900});
  EXPECT_FALSE(over());
  advance(Duration{200});
  EXPECT_TRUE(over());
  EXPECT_EQ(wire.sent, "");
}

TEST_F(HttpConnectionTest, AnswersASlowHeadWith408HoweverOftenABytesComes) {
  start();
  wire.deliver("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 11; ++i) {
    wire.deliver("X: y\r\n");
    advance(Duration{1'000});
  }
  EXPECT_TRUE(wire.sent.starts_with("HTTP/1.1 408 ")) << wire.sent;
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(HttpConnectionTest, GivesEachLaterHeadItsOwnTime) {
  start();
  wire.deliver(get("/1"));
  advance(Duration{25'000});
  EXPECT_FALSE(over());
  wire.deliver("GET /2 HTT");
  advance(Duration{9'000});
  EXPECT_EQ(count(wire.sent, "408"), 0u);
  advance(Duration{1'100});
  EXPECT_EQ(count(wire.sent, "HTTP/1.1 408"), 1u);
}

TEST_F(HttpConnectionTest, ClosesAnIdleConnectionSilently) {
  start();
  wire.deliver(get("/1"));
  turn();
  const std::string before = wire.sent;
  advance(Duration{29'900});
  EXPECT_FALSE(over());
  advance(Duration{200});
  EXPECT_TRUE(over());
  EXPECT_EQ(wire.sent, before);
}

TEST_F(HttpConnectionTest, NeverAnswersOneRequestTwice) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  {
    start();
    wire.deliver(head + "3\r\nab");
    turn();
    advance(Duration{10'100});
    EXPECT_EQ(count(wire.sent, "HTTP/1.1 "), 1u) << wire.sent;
    EXPECT_TRUE(wire.fin_sent());
  }
  net::FakeWire second(*loop);
  Connection::start(context, second.make_stream(), {});
  second.deliver(head + "zz\r\n");
  turn();
  EXPECT_EQ(count(second.sent, "HTTP/1.1 "), 1u) << second.sent;
  EXPECT_TRUE(second.fin_sent());
  second.end_input();
  turn();
}

TEST_F(HttpConnectionTest, HandsTheStreamOverWithWhatCameBehindTheRequest) {
  for (const bool split : {false, true}) {
    net::FakeWire mine(*loop);
    Connection::start(context, mine.make_stream(), {});
    const std::string request = get("/take") + "early bytes";
    const std::size_t cut = split ? 10 : 0;
    mine.deliver(request.substr(0, cut));
    mine.deliver(request.substr(cut));
    ASSERT_NE(handler.stream, nullptr);
    EXPECT_EQ(handler.early, "early bytes");
    EXPECT_TRUE(over());
    turn();
    EXPECT_FALSE(mine.closed());
    advance(Duration{60'000});
    EXPECT_FALSE(mine.closed()) << "its deadlines are over";
    EXPECT_EQ(mine.sent, "");
    handler.stream.reset();
  }
}

TEST_F(HttpConnectionTest, HandsTheStreamOverBehindPipelinedRequests) {
  start();
  wire.deliver(get("/1") + get("/take") + "x");
  EXPECT_EQ(handler.early, "x");
  turn();
  EXPECT_THAT(bodies(), ElementsAre("GET /1"));
  handler.stream.reset();
}

TEST_F(HttpConnectionTest, DrainClosesIdleConnectionsAtOnce) {
  start();
  wire.deliver(get("/1"));
  turn();
  for (Connection* connection : context.connections.snapshot()) connection->drain();
  turn();
  EXPECT_TRUE(over());
  EXPECT_TRUE(wire.closed());
}

TEST_F(HttpConnectionTest, DrainLosesNoAnswerOfTheSameTurn) {
  start();
  wire.deliver(get("/1"));
  for (Connection* connection : context.connections.snapshot()) connection->drain();
  turn();
  EXPECT_THAT(bodies(), ElementsAre("GET /1"));
  EXPECT_TRUE(wire.fin_sent() || wire.closed());
  wire.end_input();
  turn();
  EXPECT_TRUE(over());
}

TEST_F(HttpConnectionTest, DrainLetsARequestUnderWayFinish) {
  start();
  wire.deliver("GET /slow HTTP/1.1\r\n");
  context.draining = true;
  for (Connection* connection : context.connections.snapshot()) connection->drain();
  turn();
  EXPECT_FALSE(over());
  wire.deliver("Host: a\r\n\r\n");
  turn();
  EXPECT_THAT(bodies(), ElementsAre("GET /slow"));
  EXPECT_NE(wire.sent.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(HttpConnectionTest, StopsReadingFromAClientThatDoesNotReadItsAnswers) {
  handler.padding = 10'000;
  start();
  wire.window = 0;
  wire.low_watermark = 1'000;
  std::string pipeline;
  for (int i = 0; i < 2'000; ++i) pipeline += get("/" + std::to_string(i));
  wire.deliver(pipeline);
  turn();
  wire.deliver(get("/more"));
  EXPECT_LT(wire.queued(), 100'000u) << "a few kilobytes of requests must not cost megabytes";
  EXPECT_LT(handler.requests.size(), 20u);
  wire.window = net::FakeWire::kOpenWindow;
  for (int i = 0; i < 2'000 && handler.requests.size() < 2'001; ++i) turn();
  turn();
  ASSERT_EQ(handler.requests.size(), 2'001u);
  EXPECT_EQ(handler.requests[1'999], "GET /1999");
  EXPECT_EQ(handler.requests[2'000], "GET /more");
  EXPECT_EQ(count(wire.sent, "HTTP/1.1 200"), 2'001u);
}

TEST_F(HttpConnectionTest, ASlowClientGetsItsLastAnswerWhole) {
  handler.padding = 100'000;
  wire.window = 1'000;
  start();
  wire.deliver("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  turn();
  while (wire.queued() > 0) {
    wire.window = 1'000;
    advance(Duration{20'000});
    ASSERT_FALSE(over()) << wire.sent.size();
  }
  EXPECT_TRUE(wire.sent.ends_with(".>"));
  EXPECT_TRUE(wire.fin_sent());
  advance(Duration{2'100});
  EXPECT_TRUE(over());
}

TEST_F(HttpConnectionTest, ASlowClientGetsItsAnswerWholeAndMayAskAgain) {
  handler.padding = 50'000;
  wire.window = 1'000;
  start();
  wire.deliver("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  turn();
  while (wire.queued() > 0) {
    wire.window = 1'000;
    advance(Duration{20'000});
    ASSERT_FALSE(over()) << wire.sent.size();
  }
  advance(Duration{31'000});
  EXPECT_TRUE(over()) << "from there on it is idle";
}

TEST_F(HttpConnectionTest, WhoTakesNothingOfACompleteAnswerIsGivenUp) {
  for (const char* field : {"Connection: close\r\n", ""}) {
    net::FakeWire stalled(*loop);
    handler.padding = 100'000;
    stalled.window = 1'000;
    Connection::start(context, stalled.make_stream(), net::Address::ipv4({127, 0, 0, 1}, 9));
    stalled.deliver("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(field) + "\r\n");
    for (int second = 0; second < 55; ++second) advance(Duration{1'000});
    EXPECT_FALSE(over());
    for (int second = 0; second < 70; ++second) advance(Duration{1'000});
    EXPECT_TRUE(over()) << field;
  }
}

TEST_F(HttpConnectionTest, EndsWithTheStream) {
  start();
  wire.deliver("GET / HT");
  wire.reset_by_peer();
  turn();
  EXPECT_TRUE(over());
  EXPECT_TRUE(wire.destroyed());
}

TEST_F(HttpConnectionTest, EndsWhenWritingFails) {
  start();
  wire.deliver(get("/1"));
  wire.fail_next_flush = true;
  turn();
  EXPECT_TRUE(over());
}

TEST_F(HttpConnectionTest, TellsTheHandlerWhoAsks) {
  wire.encrypted = true;
  start();
  for (Connection* connection : context.connections.snapshot()) {
    EXPECT_EQ(connection->peer(), net::Address::ipv4({127, 0, 0, 1}, 9));
    EXPECT_TRUE(connection->encrypted());
  }
}

}  // namespace
}  // namespace anywire::http
