// Bodies for those who want them, answers that come later, and answers that stream.
#include "http/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/connection.h"
#include "http/text_for_test.h"
#include "net/testing/fake_stream.h"

namespace anywire::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What happened to the exchanges of a test, and where they are, or were.
struct Office {
  std::vector<std::string> log;
  std::vector<Exchange*> made;
  int alive = 0;
  std::function<void(Exchange&)> on_drained;
};

// Writes down what it is told. Answers "/echo" with the body at once; all others wait.
class Job final : public Exchange {
 public:
  Job(Office& office, std::string name) : office_(office), name_(std::move(name)) {
    ++office_.alive;
    office_.made.push_back(this);
  }
  ~Job() override { --office_.alive; }

  void on_request(const RequestHead& head, BufferRef body) override {
    const std::string text = body ? std::string(as_text(body->bytes())) : "";
    EXPECT_EQ(name_, head.path);
    office_.log.push_back(name_ + " complete:" + text);
    if (!name_.starts_with("/echo")) return;
    respond({.content_type = "text/plain", .body = "<" + text + ">"});
  }
  void on_drained() override {
    office_.log.push_back(name_ + " drained");
    if (office_.on_drained) office_.on_drained(*this);
  }
  void on_gone() override {
    EXPECT_FALSE(pending());
    office_.log.push_back(name_ + " gone");
    respond({});  // nothing may come of it
  }

 private:
  Office& office_;
  std::string name_;
};

class Handler final : public RequestHandler {
 public:
  void on_request(Connection& connection, const RequestHead& head, Response& response) override {
    response.headers = {{"X-Given", "early"}};
    response.allow_origin = origin;
    if (head.path == "/plain") {
      response.body = "<plain>";
      return;
    }
    auto job = std::make_unique<Job>(office, std::string(head.path));
    Job& same = *job;
    connection.answer_later(std::move(job), limits);
    if (head.path == "/now") same.respond({.body = "<now>"});
    if (head.path == "/drop") same.abort();
  }

  Office office;
  BodyLimits limits{.body_bytes_max = 100, .body_timeout = Duration{5'000}};
  std::string origin;
};

std::string post(std::string_view path, std::string_view body, std::string_view headers = {}) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
std::string post_chunks(std::string_view path, std::string_view framed) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(framed);
}
class HttpExchangeTest : public ::testing::Test {
 protected:
  ~HttpExchangeTest() override {
    for (Connection* connection : context.connections.snapshot()) connection->abort();
    turn();
    EXPECT_EQ(office.alive, 0);
    EXPECT_EQ(context.held_body_bytes, 0u);
  }
  void start() { Connection::start(context, wire.make_stream(), {}); }
  // A millisecond long, for what is put off until the next one.
  void turn() {
    clock.advance(Duration{1});
    wire.pump();
    loop->turn(Duration::zero());
  }
  void advance(Duration by) {
    clock.advance(by);
    turn();
  }
  bool over() const { return context.connections.empty(); }
  Exchange& job(std::size_t index) { return *office.made.at(index); }
  std::vector<std::string> bodies() const { return bodies_of(wire); }
  static std::vector<std::string> bodies_of(const net::FakeWire& from) {
    std::vector<std::string> found;
    for (std::size_t at = 0; (at = from.sent.find('<', at)) != from.sent.npos;) {
      const std::size_t end = from.sent.find('>', at);
      found.push_back(from.sent.substr(at + 1, end - at - 1));
      at = end;
    }
    return found;
  }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  Handler handler;
  Office& office = handler.office;
  ConnectionContext context{.loop = *loop,
                            .options = {},
                            .handler = handler,
                            .parser = RequestParser(),
                            .connections = {}};
  net::FakeWire wire{*loop};
};

TEST_F(HttpExchangeTest, GivesTheWholeBodyToWhoeverWantsIt) {
  start();
  wire.deliver(post("/echo", "hello") + post_chunks("/echo/2", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") +
               post("/echo/3", "") + get("/echo/4"));
  turn();
  EXPECT_THAT(bodies(), ElementsAre("hello", "abcde", "", ""));
  EXPECT_FALSE(over());
  EXPECT_EQ(office.alive, 0);
}

TEST_F(HttpExchangeTest, GivesTheSameWhereverTheBytesAreCut) {
  const std::string script = post("/echo", "hello") +
                             post_chunks("/echo/2",
                                         "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n") +
                             get("/plain") + get("/echo/3") + post("/now", "skipped") +
                             post("/plain", "skipped, too") + post("/echo/4", "end");
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
  EXPECT_EQ(count(whole, "HTTP/1.1 200"), 7u) << whole;
  start();
  for (const char byte : script) wire.deliver(std::string(1, byte));
  turn();
  EXPECT_EQ(undated(wire.sent), whole);
  EXPECT_THAT(bodies(), ElementsAre("hello", "abcde", "plain", "", "now", "plain", "end"));
}

TEST_F(HttpExchangeTest, KeepsBodiesOfConnectionsApart) {
  net::FakeWire other(*loop);
  start();
  Connection::start(context, other.make_stream(), {});
  const std::string a = post("/echo", std::string(90, 'a'));
  const std::string b = post("/echo", std::string(90, 'b'));
  for (std::size_t i = 0; i < a.size(); i += 7) {
    wire.deliver(a.substr(i, 7));
    other.deliver(b.substr(i, 7));
  }
  turn();
  EXPECT_THAT(bodies(), ElementsAre(std::string(90, 'a')));
  EXPECT_THAT(bodies_of(other), ElementsAre(std::string(90, 'b')));
  other.end_input();
  turn();
}

TEST_F(HttpExchangeTest, RefusesALengthOverTheLimitBeforeAnyOfIt) {
  handler.origin = "https://app.example";
  start();
  wire.deliver("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n");
  turn();
  EXPECT_TRUE(wire.sent.starts_with("HTTP/1.1 413 ")) << wire.sent;
  EXPECT_THAT(wire.sent, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(wire.sent, HasSubstr("Access-Control-Allow-Origin: https://app.example\r\n"))
      << "a page must be able to see what is wrong";
  EXPECT_THAT(office.log, ElementsAre("/up gone"));
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(HttpExchangeTest, TakesABodyOfExactlyTheLimit) {
  start();
  wire.deliver(post("/echo", std::string(100, 'x')));
  wire.deliver(post_chunks("/echo/2", "64\r\n" + std::string(100, 'y') + "\r\n0\r\n\r\n"));
  turn();
  EXPECT_THAT(bodies(), ElementsAre(std::string(100, 'x'), std::string(100, 'y')));
}

TEST_F(HttpExchangeTest, RefusesAChunkThatBreaksTheLimit) {
  start();
  wire.deliver(post_chunks("/up", "60\r\n" + std::string(0x60, 'x') + "\r\n5\r\n"));
  turn();
  EXPECT_TRUE(wire.sent.starts_with("HTTP/1.1 413 ")) << wire.sent;
  EXPECT_THAT(office.log, ElementsAre("/up gone"));
  EXPECT_EQ(context.held_body_bytes, 0u);
}

TEST_F(HttpExchangeTest, RefusesBrokenChunks) {
  start();
  wire.deliver(post_chunks("/up", "3\r\nabcX") + get("/smuggled"));
  turn();
  EXPECT_TRUE(wire.sent.starts_with("HTTP/1.1 400 ")) << wire.sent;
  EXPECT_EQ(count(wire.sent, "HTTP/1.1 "), 1u);
  EXPECT_THAT(office.log, ElementsAre("/up gone"));
}

TEST_F(HttpExchangeTest, HandlersMayNotTakeMoreThanTheServerAllows) {
  context.options.limits.body_bytes_max = 50;
  context.parser = RequestParser(context.options.limits);
  handler.limits.body_bytes_max = 1000;
  start();
  wire.deliver(post("/up", std::string(51, 'x')));
  turn();
  EXPECT_TRUE(wire.sent.starts_with("HTTP/1.1 413 ")) << wire.sent;
  EXPECT_THAT(office.log, IsEmpty()) << "not even asked";
}

TEST_F(HttpExchangeTest, SkipsNoMoreThanItsOwnLimitOfWhatNobodyWants) {
  context.options.skipped_body_bytes_max = 10;
  start();
  wire.deliver(post("/plain", "0123456789") + post("/plain", "0123456789x"));
  turn();
  EXPECT_THAT(bodies(), ElementsAre("plain"));
  EXPECT_THAT(wire.sent, HasSubstr("HTTP/1.1 413 "));
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(HttpExchangeTest, BoundsWhatAllBodiesTogetherHold) {
  context.options.held_body_bytes_max = 150;
  start();
  net::FakeWire other(*loop);
  Connection::start(context, other.make_stream(), {});
  wire.deliver("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + std::string(99, 'a'));
  EXPECT_EQ(context.held_body_bytes, 99u);
  other.deliver("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n" + std::string(52, 'b'));
  turn();
  EXPECT_TRUE(other.sent.starts_with("HTTP/1.1 503 ")) << other.sent;
  EXPECT_THAT(other.sent, HasSubstr("Retry-After: "));
  wire.deliver("!");
  turn();
  EXPECT_THAT(office.log, ElementsAre("/b gone", "/a complete:" + std::string(99, 'a') + "!"));
  EXPECT_EQ(context.held_body_bytes, 0u) << "it is the handler's now";
  other.end_input();
  turn();
}

TEST_F(HttpExchangeTest, TellsAWaitingClientToGoOn) {
  start();
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
  wire.deliver(head);
  turn();
  EXPECT_EQ(wire.sent, "HTTP/1.1 100 Continue\r\n\r\n");
  wire.deliver("abc");
  turn();
  EXPECT_THAT(bodies(), ElementsAre("abc"));
  wire.sent.clear();
  wire.deliver(head + "xyz");
  turn();
  EXPECT_EQ(count(wire.sent, "100 Continue"), 0u) << "it did not wait";
  EXPECT_THAT(bodies(), ElementsAre("xyz"));
  EXPECT_FALSE(wire.fin_sent());
}

TEST_F(HttpExchangeTest, RefusesAWaitingClientInsteadOfTellingItToGoOn) {
  start();
  wire.deliver(
      "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n");
  turn();
  EXPECT_TRUE(wire.sent.starts_with("HTTP/1.1 413 ")) << wire.sent;
}

TEST_F(HttpExchangeTest, ClosesWhenAWaitingClientWasAnsweredAtOnce) {
  start();
  wire.deliver(
      "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  turn();
  EXPECT_THAT(bodies(), ElementsAre("now"));
  EXPECT_THAT(wire.sent, HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(HttpExchangeTest, GivesABodySoMuchTimeAndNoMore) {
  start();
  wire.deliver("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n");
  for (int i = 0; i < 4; ++i) {
    advance(Duration{1'200});
    wire.deliver("x");
  }
  EXPECT_EQ(wire.sent, "");
  advance(Duration{300});
  EXPECT_TRUE(wire.sent.starts_with("HTTP/1.1 408 ")) << wire.sent;
  EXPECT_THAT(office.log, ElementsAre("/up gone"));
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(HttpExchangeTest, WaitsForAnAnswerAsLongAsItTakes) {
  start();
  wire.deliver(get("/wait"));
  advance(Duration{3'600'000});
  EXPECT_FALSE(over());
  job(0).respond({.body = "<at last>"});
  turn();
  EXPECT_THAT(bodies(), ElementsAre("at last"));
  EXPECT_EQ(office.alive, 0);
  wire.deliver(get("/plain"));
  turn();
  EXPECT_THAT(bodies(), ElementsAre("at last", "plain")) << "the connection goes on";
  advance(Duration{31'000});
  EXPECT_TRUE(over()) << "and its silence counts from the answer";
}

TEST_F(HttpExchangeTest, AnswersWithWhatWasGivenEarlyAndLate) {
  handler.origin = "*";
  start();
  wire.deliver(get("/wait"));
  job(0).respond({.status = 404, .headers = {{"X-Given", "late"}}});
  job(0).respond({});
  turn();
  EXPECT_TRUE(wire.sent.starts_with("HTTP/1.1 404 ")) << wire.sent;
  EXPECT_THAT(wire.sent, HasSubstr("X-Given: early\r\nX-Given: late\r\n"));
  EXPECT_THAT(wire.sent, HasSubstr("Access-Control-Allow-Origin: *\r\n"));
  EXPECT_THAT(wire.sent, HasSubstr("Date: "));
  EXPECT_EQ(count(wire.sent, "HTTP/1.1 "), 1u) << "one request, one answer";
}

TEST_F(HttpExchangeTest, AnswersInTheOrderOfTheRequests) {
  start();
  wire.deliver(get("/wait/1") + get("/plain") + post("/wait/2", "b") + get("/plain"));
  turn();
  EXPECT_THAT(office.log, ElementsAre("/wait/1 complete:"));
  EXPECT_EQ(wire.sent, "");
  job(0).respond({.body = "<1>"});
  turn();
  turn();
  EXPECT_THAT(bodies(), ElementsAre("1", "plain"));
  job(1).respond({.body = "<2>"});
  turn();
  turn();
  EXPECT_THAT(bodies(), ElementsAre("1", "plain", "2", "plain"));
  EXPECT_FALSE(wire.closed());
}

TEST_F(HttpExchangeTest, KeepsWhatComesWhileARequestWaitsInOrder) {
  start();
  wire.deliver(get("/wait") + "GET /pl");
  wire.deliver("ain HTTP/1.1\r\nHo");
  wire.deliver("st: a\r\n\r\n");
  job(0).respond({.body = "<1>"});
  // Before the connection comes round to what it kept.
  wire.deliver(get("/echo"));
  turn();
  turn();
  EXPECT_THAT(bodies(), ElementsAre("1", "plain", ""));
}

TEST_F(HttpExchangeTest, LeavesNoConnectionWithoutADeadline) {
  start();
  wire.deliver(post("/wait", "x") + "\r\n");  // as browsers of old did
  job(0).respond({.body = "<1>"});
  turn();
  turn();
  EXPECT_FALSE(over());
  advance(Duration{10'100});
  advance(Duration{20'100});
  EXPECT_TRUE(over());
}

TEST_F(HttpExchangeTest, ReadsOnlySoMuchBehindARequestThatWaits) {
  start();
  wire.deliver(get("/wait"));
  std::string pipeline;
  for (int i = 0; i < 5'000; ++i) pipeline += get("/plain");
  wire.deliver(pipeline);
  turn();
  EXPECT_FALSE(wire.reading());
  EXPECT_GT(wire.unread(), pipeline.size() - 20'000);
  job(0).respond({.body = "<1>"});
  for (int i = 0; i < 5'000 && bodies().size() < 5'001; ++i) turn();
  EXPECT_EQ(bodies().size(), 5'001u);
  EXPECT_EQ(wire.unread(), 0u);
}

TEST_F(HttpExchangeTest, AnAnswerBeforeTheBodySkipsTheRestOfIt) {
  start();
  wire.deliver(post("/now", "body").substr(0, 50));
  wire.deliver(post("/now", "body").substr(50) + get("/plain"));
  turn();
  EXPECT_THAT(bodies(), ElementsAre("now", "plain"));
  EXPECT_THAT(office.log, IsEmpty()) << "not told of a request that was answered";
}

TEST_F(HttpExchangeTest, SkipsTheRestOfABodyOnlyForSoLong) {
  start();
  wire.deliver("POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nslow");
  turn();
  advance(Duration{10'100});
  EXPECT_EQ(count(wire.sent, "HTTP/1.1 "), 1u) << wire.sent;
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(HttpExchangeTest, TellsWhenTheClientLeavesAtEveryStage) {
  const struct {
    const char* stage;
    std::string sent;
    std::vector<std::string> log;
  } cases[] = {
      {"in the head", "POST /up HTTP/1.1\r\nHos", {}},
      {"before the body",
       "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
       {"/up gone"}},
      {"in the body", "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", {"/up gone"}},
      {"in a chunk", post_chunks("/up", "5\r\nabc"), {"/up gone"}},
      {"waiting", get("/wait"), {"/wait complete:", "/wait gone"}},
      {"waiting with more behind", get("/wait") + get("/plain"), {"/wait complete:", "/wait gone"}},
  };
  for (const auto& one : cases) {
    for (const bool reset : {false, true}) {
      SCOPED_TRACE(std::string(one.stage) + (reset ? ", reset" : ", closed"));
      office.log.clear();
      net::FakeWire mine(*loop);
      Connection::start(context, mine.make_stream(), {});
      mine.deliver(one.sent);
      reset ? mine.reset_by_peer() : mine.end_input();
      loop->turn(Duration::zero());
      EXPECT_EQ(office.log, one.log);
      EXPECT_TRUE(mine.destroyed());
      EXPECT_TRUE(over());
      EXPECT_EQ(office.alive, 0);
      EXPECT_EQ(context.held_body_bytes, 0u);
    }
  }
}

TEST_F(HttpExchangeTest, TellsWhenWritingTheAnswerFails) {
  start();
  wire.deliver(get("/wait"));
  job(0).begin_stream({});
  job(0).write(as_bytes("x"));
  wire.fail_next_flush = true;
  turn();
  EXPECT_THAT(office.log, ElementsAre("/wait complete:", "/wait gone"));
  EXPECT_TRUE(over());
}

TEST_F(HttpExchangeTest, DropsTheConnectionWhenToldTo) {
  start();
  wire.deliver(get("/drop") + get("/plain"));
  turn();
  EXPECT_TRUE(over());
  net::FakeWire other(*loop);
  Connection::start(context, other.make_stream(), {});
  other.deliver(get("/wait") + get("/plain"));
  job(1).abort();
  EXPECT_FALSE(job(1).pending());
  loop->turn(Duration::zero());
  EXPECT_TRUE(over());
  EXPECT_EQ(wire.sent + other.sent, "");
  EXPECT_THAT(office.log, ElementsAre("/wait complete:")) << "who drops it need not be told";
}

TEST_F(HttpExchangeTest, StreamsInChunksAndGoesOn) {
  start();
  wire.deliver(get("/wait") + get("/plain"));
  const Header header{"X-Stream", "yes"};
  job(0).begin_stream({.content_type = "text/x", .headers = {&header, 1}});
  job(0).write(as_bytes("first"));
  turn();
  EXPECT_TRUE(wire.sent.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(wire.sent, HasSubstr("Content-Type: text/x\r\nX-Given: early\r\nX-Stream: yes\r\n"));
  EXPECT_THAT(wire.sent, HasSubstr("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n"));
  EXPECT_THAT(wire.sent, Not(HasSubstr("Content-Length")));
  EXPECT_TRUE(wire.sent.ends_with("\r\n\r\n5\r\nfirst\r\n")) << wire.sent;
  wire.sent.clear();
  job(0).write(Bytes());  // would be the end
  job(0).write(Buffer::copy_of(as_bytes(std::string(300, 'y'))));
  job(0).finish();
  EXPECT_FALSE(job(0).pending());
  turn();
  turn();
  EXPECT_TRUE(
      wire.sent.starts_with("12c\r\n" + std::string(300, 'y') + "\r\n0\r\n\r\nHTTP/1.1 200"));
  EXPECT_THAT(bodies(), ElementsAre("plain"));
}

TEST_F(HttpExchangeTest, StreamsUntilTheEndOfTheConnectionWhenThatIsWanted) {
  start();
  wire.deliver(get("/wait") + get("/plain"));
  job(0).begin_stream({.content_type = "text/x", .chunked = false});
  job(0).write(as_bytes("abc"));
  turn();
  EXPECT_THAT(wire.sent, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(wire.sent, Not(HasSubstr("chunked")));
  job(0).write(Buffer::copy_of(as_bytes("def")));
  job(0).finish();
  turn();
  EXPECT_TRUE(wire.sent.ends_with("\r\n\r\nabcdef")) << wire.sent;
  EXPECT_TRUE(wire.fin_sent());
  wire.end_input();
  turn();
  EXPECT_TRUE(over());
}

TEST_F(HttpExchangeTest, StreamsToHttp10WithoutChunks) {
  start();
  wire.deliver("GET /wait HTTP/1.0\r\n\r\n");
  job(0).begin_stream({});
  job(0).write(as_bytes("abc"));
  job(0).finish();
  turn();
  EXPECT_THAT(wire.sent, Not(HasSubstr("chunked")));
  EXPECT_TRUE(wire.sent.ends_with("\r\n\r\nabc")) << wire.sent;
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(HttpExchangeTest, SendsNoBodyToHead) {
  start();
  wire.deliver("HEAD /wait HTTP/1.1\r\nHost: a\r\n\r\nHEAD /wait HTTP/1.1\r\nHost: a\r\n\r\n" +
               get("/plain"));
  job(0).respond({.body = "four"});
  turn();
  turn();
  job(1).begin_stream({});
  job(1).write(as_bytes("nothing"));
  job(1).write(Buffer::copy_of(as_bytes("nothing")));
  job(1).finish();
  turn();
  turn();
  EXPECT_THAT(wire.sent, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(wire.sent, Not(HasSubstr("nothing")));
  EXPECT_THAT(wire.sent, Not(HasSubstr("0\r\n\r\nHTTP")));
  EXPECT_THAT(bodies(), ElementsAre("plain"));
}

TEST_F(HttpExchangeTest, CountsWhatASlowReaderHasNotTaken) {
  start();
  wire.deliver(get("/wait"));
  job(0).begin_stream({.chunked = false});
  turn();
  wire.window = 0;
  wire.low_watermark = 100;
  job(0).write(Buffer::copy_of(as_bytes(std::string(1'000, 'x'))));
  job(0).notify_when_drained();
  turn();
  EXPECT_EQ(job(0).queued_bytes(), 1'000u);
  const std::uint64_t before = job(0).progress();
  wire.window = 500;
  turn();
  EXPECT_EQ(job(0).queued_bytes(), 500u);
  EXPECT_NE(job(0).progress(), before);
  EXPECT_THAT(office.log, ElementsAre("/wait complete:"));
  // What is written in the callback leaves; what ends there ends.
  office.on_drained = [](Exchange& exchange) {
    exchange.write(as_bytes("last"));
    exchange.finish();
  };
  wire.window = net::FakeWire::kOpenWindow;
  turn();
  EXPECT_THAT(office.log, ElementsAre("/wait complete:", "/wait drained"));
  EXPECT_TRUE(wire.sent.ends_with("xlast"));
}

TEST_F(HttpExchangeTest, NoticesAClientThatLeavesWhileAStreamFlows) {
  start();
  wire.deliver(get("/wait"));
  job(0).begin_stream({.chunked = false});
  turn();
  wire.end_input();
  EXPECT_THAT(office.log, ElementsAre("/wait complete:", "/wait gone"));
  turn();
  EXPECT_TRUE(over());
}

TEST_F(HttpExchangeTest, SendsNoRefusalIntoAStream) {
  start();
  wire.deliver("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
  job(0).begin_stream({});
  job(0).write(as_bytes("abc"));
  turn();
  advance(Duration{5'100});
  EXPECT_EQ(count(wire.sent, "HTTP/1.1 "), 1u) << wire.sent;
  EXPECT_THAT(office.log, ElementsAre("/up gone"));
  EXPECT_TRUE(over());
}

TEST_F(HttpExchangeTest, DrainWaitsForTheAnswerAndThenCloses) {
  start();
  wire.deliver(get("/wait") + get("/plain"));
  context.draining = true;
  for (Connection* connection : context.connections.snapshot()) connection->drain();
  turn();
  EXPECT_FALSE(over());
  job(0).respond({.body = "<1>"});
  turn();
  turn();
  EXPECT_THAT(bodies(), ElementsAre("1"));
  EXPECT_THAT(wire.sent, HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(HttpExchangeTest, HonoursTheClientsWishToClose) {
  start();
  wire.deliver(get("/wait", "Connection: close\r\n"));
  job(0).respond({.body = "<1>"});
  turn();
  EXPECT_THAT(wire.sent, HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(wire.fin_sent());
}

TEST_F(HttpExchangeTest, StopsParsingWhenTheClientDoesNotReadLateAnswers) {
  start();
  wire.window = 0;
  wire.deliver(get("/wait") + get("/plain"));
  job(0).respond({.body = "<" + std::string(100'000, '.') + ">"});
  turn();
  turn();
  EXPECT_GT(wire.queued(), 100'000u);
  EXPECT_LT(wire.queued(), 100'400u) << "the next request waits";
  wire.window = net::FakeWire::kOpenWindow;
  turn();
  turn();
  EXPECT_EQ(bodies().size(), 2u);
}

}  // namespace
}  // namespace anywire::http
