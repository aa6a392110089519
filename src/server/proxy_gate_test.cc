#include "server/proxy_gate.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

#include "base/clock.h"
#include "net/flush_queue.h"

namespace anywire::server {
namespace {

// Who owns an admitted stream; the tests read from it themselves.
class Silent final : public net::StreamHandler {
  void on_readable() override {}
  void on_drained() override {}
  void on_closed() override {}
};

class ProxyGateTest : public ::testing::Test {
 protected:
  ProxyGateTest() {
    context.admit = [this](std::unique_ptr<net::TcpStream> stream, net::Address peer) {
      stream->set_handler(silent);
      admitted = std::move(stream);
      address = std::move(peer);
    };
  }
  ~ProxyGateTest() override {
    for (ProxyGate* gate : context.gates.snapshot()) gate->end();
    turn();
    if (balancer >= 0) ::close(balancer);
  }
  void start() {
    std::array<int, 2> fds{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    balancer = fds[1];
    ProxyGate::start(context, *net::TcpStream::adopt(queue, fds[0]), kBalancer);
  }
  void say(std::string_view bytes) {
    ASSERT_EQ(::send(balancer, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    turn();
  }
  void turn() { loop->turn(Duration::zero()); }
  bool turned_away() {
    turn();
    char byte = 0;
    return context.gates.empty() && admitted == nullptr && ::recv(balancer, &byte, 1, 0) <= 0 &&
           errno != EAGAIN;
  }
  std::string behind_the_header() {
    std::array<std::uint8_t, 256> buffer;
    const net::ReadResult result = admitted->read(buffer);
    return std::string(as_text(Bytes(buffer).first(result.bytes)));
  }

  const net::Address kBalancer = net::Address::ipv4({10, 0, 0, 1}, 1);
  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  net::FlushQueue queue{*loop, {}};
  Silent silent;
  std::unique_ptr<net::TcpStream> admitted;
  net::Address address;
  ProxyGate::Context context{.loop = *loop,
                             .accepted = ProxyProtocol::kAny,
                             .timeout = Duration{1'000},
                             .admit = {},
                             .gates = {}};
  int balancer = -1;
};

constexpr std::string_view kV1 = "PROXY TCP4 203.0.113.7 192.0.2.1 5555 80\r\n";
const std::string kV2 = std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C", 16) +
                        std::string("\xCB\0\x71\x07\xC0\0\x02\x01\x15\xB3\0\x50", 12);

TEST_F(ProxyGateTest, AdmitsWithTheAddressOfTheHeader) {
  for (const std::string_view header : {kV1, std::string_view(kV2)}) {
    admitted.reset();
    start();
    say(header);
    ASSERT_NE(admitted, nullptr);
    EXPECT_EQ(address, net::Address::ipv4({203, 0, 113, 7}, 5555));
    EXPECT_TRUE(context.gates.empty());
    ::close(std::exchange(balancer, -1));
  }
}

TEST_F(ProxyGateTest, EatsNothingBehindTheHeader) {
  start();
  say(std::string(kV1) + "GET / HTTP/1.1\r\n");
  ASSERT_NE(admitted, nullptr);
  EXPECT_EQ(behind_the_header(), "GET / HTTP/1.1\r\n");
}

TEST_F(ProxyGateTest, TakesAHeaderByteByByte) {
  for (const std::string& header : {std::string(kV1), kV2}) {
    admitted.reset();
    start();
    for (const char byte : header) {
      EXPECT_EQ(admitted, nullptr);
      say(std::string(1, byte));
    }
    ASSERT_NE(admitted, nullptr);
    say("next");
    EXPECT_EQ(behind_the_header(), "next");
    ::close(std::exchange(balancer, -1));
  }
}

TEST_F(ProxyGateTest, KeepsTheSocketsAddressForTheBalancersOwnChecks) {
  start();
  say("PROXY UNKNOWN\r\n");
  ASSERT_NE(admitted, nullptr);
  EXPECT_EQ(address, kBalancer);
}

TEST_F(ProxyGateTest, TurnsAwayWhoSendsNoHeader) {
  start();
  say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(turned_away());
}

TEST_F(ProxyGateTest, TurnsAwayTheVersionThatWasNotAskedFor) {
  context.accepted = ProxyProtocol::kV2;
  start();
  say(kV1);
  EXPECT_TRUE(turned_away());
  ::close(std::exchange(balancer, -1));
  context.accepted = ProxyProtocol::kV1;
  start();
  say(kV2.substr(0, 5));
  EXPECT_TRUE(turned_away());
}

TEST_F(ProxyGateTest, GivesUpOnASlowHeader) {
  start();
  say(kV1.substr(0, 10));
  clock.advance(Duration{1'100});
  turn();
  EXPECT_TRUE(turned_away());
}

TEST_F(ProxyGateTest, EndsWhenTheBalancerLeaves) {
  start();
  say(kV1.substr(0, 10));
  ::close(std::exchange(balancer, -1));
  turn();
  EXPECT_TRUE(context.gates.empty());
  EXPECT_EQ(admitted, nullptr);
}

}  // namespace
}  // namespace anywire::server
