// Stage: clients, a front and an application's server, joined by real sockets on one loop whose
// time the test moves. Only tests include it.
//
//   use({.proxy = ProxyOptions{.upstream = upstream()}});
//   Peer client = connect();
//   client.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//   Peer app = next_request("GET /");
//
// Thread: one. Limits: `until` gives up after some seconds of real time, and the test fails.
#pragma once

#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "front/front.h"
#include "front/testing/peer.h"
#include "http/connection.h"
#include "net/flush_queue.h"
#include "net/tcp_stream.h"

namespace anywire::front {

class Stage : public ::testing::Test, private http::RequestHandler {
 protected:
  ~Stage() override {
    for (http::Connection* connection : context.connections.snapshot()) connection->abort();
    turn();
    front.reset();
    turn();
  }

  UpstreamOptions upstream() const {
    const std::string authority = listening.address().to_string();
    return {.target = *Target::parse("http://" + authority)};
  }
  void use(const FrontOptions& options) { front = std::make_unique<Front>(queue, options); }

  Peer connect() {
    Listening door;
    Peer client = door.dial();
    Peer accepted = door.accept();
    served_fd = accepted.fd();
    auto stream = net::TcpStream::adopt(queue, accepted.give());
    EXPECT_TRUE(stream.has_value());
    http::Connection::start(context, *std::move(stream), net::Address::ipv4({192, 0, 2, 7}, 4711),
                            lease);
    return client;
  }

  void turn(Duration by = Duration::zero()) {
    clock.advance(by);
    loop->turn(Duration::zero());
  }
  // Time passes in steps, as it does outside.
  void pass(Duration by, Duration step = Duration{1'000}) {
    for (Duration left = by; left.count() > 0; left -= step) turn(step);
  }
  // Turns until `condition()` holds. Time moves by a millisecond a turn, for what is to be done "as
  // soon as possible"; so where a limit is looked at, leave it a second.
  template <typename Condition>
  [[nodiscard]] bool until(Condition condition) {
    for (int i = 0; i < 2'000; ++i) {
      if (condition()) return true;
      clock.advance(Duration{1});
      loop->turn(Duration{5});
    }
    return condition();
  }
  // Turns until nothing has moved for a while: for what must not happen.
  void settle() {
    for (int i = 0; i < 5; ++i) loop->turn(Duration{2});
  }

  // What the client that came last has sent and nobody has read.
  std::size_t unread() const {
    int bytes = 0;
    EXPECT_EQ(::ioctl(served_fd, FIONREAD, &bytes), 0);
    return static_cast<std::size_t>(bytes);
  }

  // The connection over which the application's server is asked next, with the head it got; or,
  // where none comes, one that is not there.
  Peer next_request(std::string_view start = {}) {
    Peer app;
    const bool connected = until([&] { return (app = listening.accept()).operator bool(); });
    EXPECT_TRUE(connected && until([&] { return app.heard("\r\n\r\n"); }));
    EXPECT_TRUE(app.hear().starts_with(start)) << app.hear();
    return app;
  }
  [[nodiscard]] bool until_heard(Peer& peer, std::string_view text) {
    return until([&] { return peer.heard(text); });
  }
  [[nodiscard]] bool until_ended(Peer& peer) {
    return until([&] { return peer.ended(); });
  }
  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  net::FlushQueue queue{*loop, {}};
  Listening listening;
  int served_fd = -1;
  std::shared_ptr<int> lease = std::make_shared<int>(1);
  std::unique_ptr<Front> front;
  http::ConnectionContext context{
      .loop = *loop,
      .options = {.limits = {.body_bytes_max = http::kNoBodyLimit, .opaque_paths = true}},
      .handler = *this,
      .parser = http::RequestParser({.body_bytes_max = http::kNoBodyLimit, .opaque_paths = true}),
      .connections = {}};

 private:
  void on_request(http::Connection& connection, const http::RequestHead& head,
                  http::Response& response) override {
    if (!front->serve(connection, head, response, lease)) response = {.status = 404};
  }
};

}  // namespace anywire::front
