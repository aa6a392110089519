// A connection that goes on elsewhere with the request it was about to answer.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "http/connection.h"
#include "net/testing/fake_stream.h"

namespace anywire::http {
namespace {

// Sends /there away while it is here, and answers with what it was asked.
class Handler final : public RequestHandler {
 public:
  void on_request(Connection& connection, const RequestHead& head, Response& response) override {
    if (here && head.path == "/there") {
      moved = connection.move_away();
      return;
    }
    response.body = std::string(head.method_text) + std::string(head.target);
    for (const Header& header : head.headers) {
      response.body += "|" + std::string(header.name) + "=" + std::string(header.value);
    }
  }

  bool here = true;
  std::optional<Connection::Moved> moved;
};

class ConnectionMoveTest : public ::testing::Test {
 protected:
  ~ConnectionMoveTest() override {
    for (Connection* connection : context.connections.snapshot()) connection->abort();
    turn();
  }
  void turn() {
    wire.pump();
    loop->turn(Duration::zero());
  }
  void start() {
    Connection::start(context, wire.make_stream(), net::Address::ipv4({127, 0, 0, 1}, 9), lease);
  }
  void resume() {
    handler.here = false;
    Connection::resume(context, *std::exchange(handler.moved, std::nullopt));
    turn();
  }
  // What stands in the sent bytes, so that tests read as one line.
  bool sent(std::string_view text) const { return wire.sent.find(text) != wire.sent.npos; }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  net::FakeWire wire{*loop};
  Handler handler;
  std::shared_ptr<int> lease = std::make_shared<int>(1);
  ConnectionContext context{.loop = *loop,
                            .options = {},
                            .handler = handler,
                            .parser = RequestParser(),
                            .connections = {}};
};

TEST_F(ConnectionMoveTest, GoesOnWithTheRequest) {
  start();
  wire.deliver("GET /there?a=b%20c HTTP/1.1\r\nHost: a\r\nX-Mine:  two  words \r\n\r\n");
  ASSERT_TRUE(handler.moved);
  turn();
  EXPECT_TRUE(context.connections.empty());
  EXPECT_EQ(wire.sent, "");
  resume();
  EXPECT_TRUE(sent("GET/there?a=b%20c|Host=a|X-Mine=two words") ||
              sent("GET/there?a=b%20c|Host=a|X-Mine=two  words"));
  EXPECT_EQ(context.connections.size(), 1u);
}

TEST_F(ConnectionMoveTest, TakesAlongWhatCameBehind) {
  start();
  wire.deliver("POST /there HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
               "GET /next HTTP/1.1\r\nHost: b\r\n\r\n");
  turn();
  resume();
  EXPECT_TRUE(sent("POST/there|Host=a|Content-Length=4"));
  EXPECT_TRUE(sent("GET/next|Host=b"));
}

// However the request is cut, what has not been read yet is read at the other place.
TEST_F(ConnectionMoveTest, MayBeCutAnywhere) {
  const std::string request = "POST /there HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
                              "GET /next HTTP/1.1\r\nHost: b\r\n\r\n";
  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    net::FakeWire one(*loop);
    handler.here = true;
    Connection::start(context, one.make_stream(), {});
    one.deliver(request.substr(0, cut));
    loop->turn(Duration::zero());
    const auto go_on = [&] {
      if (!handler.moved) return;
      handler.here = false;
      Connection::resume(context, *std::exchange(handler.moved, std::nullopt));
    };
    go_on();
    one.deliver(request.substr(cut));
    go_on();
    one.pump();
    loop->turn(Duration::zero());
    EXPECT_NE(one.sent.find("POST/there"), std::string::npos) << cut;
    EXPECT_NE(one.sent.find("GET/next|Host=b"), std::string::npos) << cut;
    for (Connection* connection : context.connections.snapshot()) connection->abort();
    loop->turn(Duration::zero());
  }
}

TEST_F(ConnectionMoveTest, KeepsItsLease) {
  start();
  wire.deliver("GET /there HTTP/1.1\r\nHost: a\r\n\r\n");
  turn();
  EXPECT_EQ(lease.use_count(), 2);
  resume();
  EXPECT_EQ(lease.use_count(), 2);
  for (Connection* connection : context.connections.snapshot()) connection->abort();
  turn();
  EXPECT_EQ(lease.use_count(), 1);
}

TEST_F(ConnectionMoveTest, OldVersionsStayOld) {
  start();
  wire.deliver("GET /there HTTP/1.0\r\n\r\n");
  turn();
  resume();
  EXPECT_TRUE(sent("GET/there"));
  EXPECT_TRUE(wire.fin_sent());
}

}  // namespace
}  // namespace anywire::http
