// Bodies taken as they come, answers passed on as somebody else gave them, and the way out of HTTP:
// what a reverse proxy needs of an Exchange.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "http/connection.h"
#include "http/text_for_test.h"
#include "net/testing/fake_stream.h"

namespace anywire::http {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class Relay final : public Exchange {
 public:
  Relay(std::vector<std::string>& log, Relay*& place) : log_(log), place_(place) { place_ = this; }
  ~Relay() override {
    if (place_ == this) place_ = nullptr;
  }
  void on_body(Bytes part) override {
    log_.push_back(std::string(as_text(part)));
    if (on_part) on_part();
  }
  void on_request(const RequestHead&, BufferRef body) override {
    EXPECT_FALSE(body) << "it has been handed out in parts";
    log_.push_back("complete");
  }
  void on_drained() override { log_.push_back("drained"); }
  void on_gone() override { log_.push_back("gone"); }

  std::function<void()> on_part;

 private:
  std::vector<std::string>& log_;
  Relay*& place_;
};

class ExchangeStreamTest : public ::testing::Test, private RequestHandler {
 protected:
  ~ExchangeStreamTest() override {
    for (Connection* connection : context.connections.snapshot()) connection->abort();
    turn();
    EXPECT_EQ(relay, nullptr);
  }
  void start() { Connection::start(context, wire.make_stream(), {}); }
  void turn(Duration by = Duration{1}) {
    clock.advance(by);
    wire.pump();
    loop->turn(Duration::zero());
  }
  void say(std::string_view bytes) {
    wire.deliver(bytes);
    turn();
  }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  std::vector<std::string> log;
  Relay* relay = nullptr;
  BodyLimits limits{.body_bytes_max = 1'000'000, .body_timeout = Duration{5'000}, .streamed = true};
  ConnectionContext context{.loop = *loop,
                            .options = {.limits = {.body_bytes_max = 1'000'000}},
                            .handler = *this,
                            .parser = RequestParser({.body_bytes_max = 1'000'000}),
                            .connections = {}};
  net::FakeWire wire{*loop};

 private:
  void on_request(Connection& connection, const RequestHead&, Response&) override {
    connection.answer_later(std::make_unique<Relay>(log, relay), limits);
  }
};

constexpr std::string_view kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n";
constexpr std::string_view kChunked =
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(ExchangeStreamTest, HandsTheBodyOutAsItComes) {
  start();
  say(std::string(kPost) + "abc");
  EXPECT_THAT(log, ElementsAre("abc"));
  say("def");
  EXPECT_THAT(log, ElementsAre("abc", "def", "complete"));
  EXPECT_EQ(context.held_body_bytes, 0u);
  relay->respond({.body = "x"});
  say(std::string(kChunked) + "2\r\nxy\r\n");
  say("1\r\nz\r\n0\r\n\r\n");
  EXPECT_THAT(log, ElementsAre("abc", "def", "complete", "xy", "z", "complete"));
}

TEST_F(ExchangeStreamTest, TheSameBytesComeOutWhereverTheyAreCut) {
  const std::string script = std::string(kChunked) + "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";
  for (std::size_t cut = 0; cut <= script.size(); ++cut) {
    net::FakeWire one(*loop);
    log.clear();
    Connection::start(context, one.make_stream(), {});
    one.deliver(script.substr(0, cut));
    one.deliver(script.substr(cut));
    std::string body;
    for (const std::string& part : log) body += part;
    EXPECT_EQ(body, "abcdefcomplete") << cut;
    one.end_input();
    turn();
  }
}

TEST_F(ExchangeStreamTest, APausedBodyIsNotReadAndHasTime) {
  start();
  say(kPost);
  relay->pause_body();
  EXPECT_FALSE(wire.reading());
  turn(Duration{60'000});
  EXPECT_NE(relay, nullptr) << "who holds it back does not punish the client for it";
  relay->resume_body();
  EXPECT_TRUE(wire.reading());
  say("abcdef");
  EXPECT_THAT(log, ElementsAre("abcdef", "complete"));
}

TEST_F(ExchangeStreamTest, AfterTheLastPartTheClientIsWatchedAgain) {
  start();
  say(std::string(kPost) + "abc");
  relay->on_part = [this] { relay->pause_body(); };
  say("def");
  EXPECT_TRUE(wire.reading());
  wire.end_input();
  turn();
  EXPECT_THAT(log, ElementsAre("abc", "def", "complete", "gone"));
}

TEST_F(ExchangeStreamTest, EachPartHasItsTime) {
  start();
  say(kPost);
  for (const char* part : {"a", "b", "c"}) {
    turn(Duration{4'000});
    say(part);
  }
  EXPECT_NE(relay, nullptr);
  turn(Duration{5'100});
  EXPECT_THAT(wire.sent, StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(log.back(), "gone");
}

TEST_F(ExchangeStreamTest, WithoutATimeoutThereIsNone) {
  limits.body_timeout = Duration::zero();
  start();
  say(kPost);
  turn(Duration{3'600'000});
  EXPECT_NE(relay, nullptr);
}

TEST_F(ExchangeStreamTest, ContinueIsTheExchangesToSend) {
  start();
  say("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  EXPECT_EQ(wire.sent, "");
  relay->send_informational(100, {});
  turn();
  EXPECT_EQ(wire.sent, "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST_F(ExchangeStreamTest, AnAnswerBeforeTheBodyEndsTheConnection) {
  start();
  say("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  relay->respond({.status = 502, .body = "no"});
  turn();
  EXPECT_THAT(wire.sent, HasSubstr("Connection: close\r\n"))
      << "whether the body still comes nobody knows";
}

TEST_F(ExchangeStreamTest, HintsGoToWhoKnowsThem) {
  start();
  say(kGet);
  const std::array<Header, 1> link{{{"Link", "</a>"}}};
  relay->send_informational(103, link);
  turn();
  EXPECT_EQ(wire.sent, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  relay->abort();
  net::FakeWire old(*loop);
  Connection::start(context, old.make_stream(), {});
  old.deliver("GET / HTTP/1.0\r\n\r\n");
  relay->send_informational(103, link);
  loop->turn(Duration::zero());
  EXPECT_EQ(old.sent, "");
  relay->abort();
  turn();
}

TEST_F(ExchangeStreamTest, PassesAnAnswerOnWithItsLength) {
  start();
  say(kGet);
  const std::array<Header, 2> headers{{{"X-A", "1"}, {"Date", "then"}}};
  relay->begin_answer({.status = 206, .content_length = 6, .headers = headers});
  relay->write(as_bytes("abc"));
  turn();
  EXPECT_THAT(wire.sent, EndsWith("\r\n\r\nabc"));
  relay->write(as_bytes("def"));
  relay->finish();
  turn();
  EXPECT_EQ(wire.sent,
            "HTTP/1.1 206 Partial Content\r\nX-A: 1\r\nDate: then\r\nContent-Length: 6\r\n"
            "Connection: keep-alive\r\n\r\nabcdef");
  EXPECT_FALSE(wire.fin_sent());
}

TEST_F(ExchangeStreamTest, FramesAnAnswerOfUnknownLength) {
  start();
  say(kGet);
  relay->begin_answer({});
  relay->write(as_bytes("abc"));
  relay->finish();
  turn();
  EXPECT_THAT(wire.sent, HasSubstr("Date: "));
  EXPECT_THAT(wire.sent, EndsWith("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
                                  "3\r\nabc\r\n0\r\n\r\n"));
}

TEST_F(ExchangeStreamTest, WithoutChunksTheConnectionEndsTheAnswer) {
  start();
  say("GET / HTTP/1.0\r\n\r\n");
  relay->begin_answer({});
  relay->write(as_bytes("abc"));
  relay->finish();
  turn();
  EXPECT_THAT(wire.sent, Not(HasSubstr("chunked")));
  EXPECT_THAT(wire.sent, EndsWith("Connection: close\r\n\r\nabc"));
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(ExchangeStreamTest, AnswersWithoutABodyHaveNone) {
  for (const auto& [request, head, ending] :
       std::vector<std::tuple<std::string, AnswerHead, std::string>>{
           {std::string(kGet),
            {.status = 304, .content_length = 7, .has_body = false},
            "keep-alive"},
           {std::string(kGet), {.status = 204, .has_body = false}, "keep-alive"},
           {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", {.has_body = false}, "keep-alive"}}) {
    net::FakeWire one(*loop);
    Connection::start(context, one.make_stream(), {});
    one.deliver(request);
    relay->begin_answer(head);
    relay->finish();
    loop->turn(Duration::zero());
    EXPECT_THAT(one.sent, EndsWith("Connection: " + ending + "\r\n\r\n"));
    EXPECT_THAT(one.sent, Not(HasSubstr("Content-Length")));
    EXPECT_THAT(one.sent, Not(HasSubstr("chunked")));
    one.end_input();
    turn();
  }
  net::FakeWire head(*loop);
  Connection::start(context, head.make_stream(), {});
  head.deliver("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  relay->begin_answer({.content_length = 99, .has_body = false});
  relay->write(as_bytes("not to be sent"));
  relay->finish();
  loop->turn(Duration::zero());
  EXPECT_THAT(head.sent, EndsWith("Content-Length: 99\r\nConnection: keep-alive\r\n\r\n"));
  head.end_input();
  turn();
}

TEST_F(ExchangeStreamTest, SwitchesProtocolsAndHandsTheStreamOver) {
  start();
  say("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
  EXPECT_THAT(log, ElementsAre("complete"));
  const std::array<Header, 1> headers{{{"Upgrade", "websocket"}}};
  Exchange::Switched switched = relay->switch_protocols(headers);
  turn();
  EXPECT_EQ(wire.sent,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\n\r\n");
  ASSERT_TRUE(switched.early);
  EXPECT_EQ(as_text(switched.early->bytes()), "early");
  EXPECT_TRUE(context.connections.empty());
  EXPECT_FALSE(wire.closed()) << "the stream lives on";
  EXPECT_EQ(relay, nullptr);
  EXPECT_THAT(log, ElementsAre("complete")) << "and nobody is gone";
}

TEST_F(ExchangeStreamTest, ALateClientLeavesInTheMiddleOfItsBody) {
  start();
  say(std::string(kPost) + "abc");
  wire.end_input();
  turn();
  EXPECT_THAT(log, ElementsAre("abc", "gone"));
}

TEST_F(ExchangeStreamTest, AClientThatLeavesWhileItsBodyIsPausedIsGone) {
  start();
  say(std::string(kPost) + "abc");
  relay->pause_body();
  wire.arrive("unread");
  wire.end_input();
  turn();
  EXPECT_THAT(log, ElementsAre("abc", "gone"));
  EXPECT_TRUE(context.connections.empty());
}

TEST_F(ExchangeStreamTest, AClientThatLeavesBehindTooManyRequestsIsGone) {
  start();
  say(kGet);
  say(std::string(100'000, 'x'));
  EXPECT_FALSE(wire.reading());
  wire.end_input();
  turn();
  EXPECT_THAT(log, ElementsAre("complete", "gone"));
}

TEST_F(ExchangeStreamTest, TheRestOfABodyIsDroppedAfterTheAnswer) {
  start();
  say(std::string(kPost) + "abc");
  relay->begin_answer({.status = 413, .content_length = 0});
  relay->finish();
  say("def");
  EXPECT_THAT(log, ElementsAre("abc"));
  EXPECT_TRUE(wire.fin_sent());
}

}  // namespace
}  // namespace anywire::http
