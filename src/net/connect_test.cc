#include "net/connect.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "net/flush_queue.h"
#include "net/testing/recorder.h"

namespace anywire::net {
namespace {

// A listening socket of the test's own; `backlog` connections are taken by the kernel.
class Listening {
 public:
  explicit Listening(Family family = Family::kIpv4) {
    Address any = family == Family::kIpv6
                      ? Address::ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0)
                      : Address::ipv4({127, 0, 0, 1}, 0);
    if (family == Family::kUnix) {
      any = *Address::parse("unix:@anywire-connect-test-" + std::to_string(::getpid()));
    }
    sockaddr_storage storage{};
    socklen_t size = any.to_sockaddr(storage);
    fd_ = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    usable = ::bind(fd_, reinterpret_cast<sockaddr*>(&storage), size) == 0 && ::listen(fd_, 8) == 0;
    size = sizeof storage;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &size);
    address = *Address::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), size);
  }
  ~Listening() { stop(); }
  void stop() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  bool usable = false;
  Address address;

 private:
  int fd_;
};

class ConnectTest : public ::testing::Test, public ConnectHandler {
 protected:
  void on_connected(std::unique_ptr<TcpStream> made) override {
    ++calls;
    made->set_handler(recorder);
    recorder.stream = made.get();
    stream = std::move(made);
    loop->defer_delete(std::move(connector));
  }
  void on_connect_failed(int system_errno) override {
    ++calls;
    failure = system_errno;
    loop->defer_delete(std::move(connector));
  }
  void connect(const Address& address, Duration timeout = Duration{5'000}) {
    connector = Connector::start(queue, address, timeout, *this);
    EXPECT_EQ(calls, 0) << "never from within start";
  }
  void wait() {
    for (int i = 0; i < 500 && calls == 0; ++i) loop->turn(Duration{10});
  }

  SystemClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  FlushQueue queue{*loop, {}};
  Recorder recorder;
  std::unique_ptr<Connector> connector;
  std::unique_ptr<TcpStream> stream;
  int calls = 0;
  int failure = 0;
};

TEST_F(ConnectTest, ConnectsToEachFamily) {
  for (const Family family : {Family::kIpv4, Family::kIpv6, Family::kUnix}) {
    Listening listening(family);
    if (!listening.usable) continue;  // a machine without IPv6
    calls = 0;
    connect(listening.address);
    wait();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(failure, 0);
    ASSERT_TRUE(stream);
    stream.reset();
  }
}

TEST_F(ConnectTest, NotesWhenProbesAreToBeSent) {
  Listening listening;
  connect(listening.address);
  wait();
  int on = 0;
  socklen_t size = sizeof on;
  ::getsockopt(stream->fd(), SOL_SOCKET, SO_KEEPALIVE, &on, &size);
  EXPECT_NE(on, 0);
}

TEST_F(ConnectTest, SaysThatNobodyListens) {
  Listening listening;
  listening.stop();
  connect(listening.address);
  wait();
  EXPECT_EQ(failure, ECONNREFUSED);
}

TEST_F(ConnectTest, SaysThatThereIsNoSuchPath) {
  connect(*Address::parse("unix:/nowhere/at/all.sock"));
  wait();
  EXPECT_EQ(failure, ENOENT);
}

TEST_F(ConnectTest, AnAddressOfNoKindFails) {
  connect(Address());
  wait();
  EXPECT_EQ(failure, EDESTADDRREQ);
}

TEST_F(ConnectTest, MayBeGivenUp) {
  Listening listening;
  connect(listening.address);
  connector.reset();
  for (int i = 0; i < 3; ++i) loop->turn(Duration::zero());
  EXPECT_EQ(calls, 0);
}

TEST(ConnectTimeout, IsKept) {
  ManualClock clock;
  auto loop = *reactor::Loop::create({}, clock);
  FlushQueue queue(*loop, {});
  struct Handler final : ConnectHandler {
    void on_connected(std::unique_ptr<TcpStream>) override {}
    void on_connect_failed(int system_errno) override { failure = system_errno; }
    int failure = 0;
  };
  Handler handler;
  // RFC 5737: nobody is there. Some machines say so at once, which is as good.
  auto connector =
      Connector::start(queue, Address::ipv4({192, 0, 2, 1}, 9), Duration{1'000}, handler);
  clock.advance(Duration{900});
  loop->turn(Duration::zero());
  if (handler.failure != 0) GTEST_SKIP() << "no route";
  clock.advance(Duration{200});
  loop->turn(Duration::zero());
  EXPECT_EQ(handler.failure, ETIMEDOUT);
}

}  // namespace
}  // namespace anywire::net
