#include "net/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/clock.h"

namespace anywire::net {
namespace {

class Door final : public AcceptHandler {
 public:
  ~Door() {
    for (const int fd : fds) ::close(fd);
  }
  void on_accept(int fd, const Address& peer) override {
    fds.push_back(fd);
    peers.push_back(peer);
  }
  void on_shed() override { ++shed; }

  std::vector<int> fds;
  std::vector<Address> peers;
  int shed = 0;
};

// A client's socket; blocking, because connecting to a listening socket on this machine is at once.
class Client {
 public:
  explicit Client(const Address& to) {
    sockaddr_storage storage{};
    const socklen_t size = to.to_sockaddr(storage);
    fd_ = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&storage), size) != 0) error = errno;
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  // True when the server has closed the connection.
  bool turned_away() const {
    char byte = 0;
    return ::recv(fd_, &byte, 1, 0) <= 0;
  }
  std::uint16_t port() const {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &size);
    return Address::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), size)->port();
  }

  int error = 0;

 private:
  int fd_;
};

class ListenerTest : public ::testing::Test {
 protected:
  ~ListenerTest() override {
    if (!folder_.empty()) {
      ::unlink((folder_ + "/s").c_str());
      ::rmdir(folder_.c_str());
    }
  }
  Result<std::unique_ptr<Listener>> open(const std::string& where, ListenerOptions options = {}) {
    return Listener::open(*loop, *Address::parse(where), options, door);
  }
  std::string path() {
    if (folder_.empty()) {
      std::string name = ::testing::TempDir() + "anywire-XXXXXX";
      EXPECT_NE(::mkdtemp(name.data()), nullptr);
      folder_ = name;
    }
    return folder_ + "/s";
  }
  void turn() { loop->turn(Duration::zero()); }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  Door door;

 private:
  std::string folder_;
};

TEST_F(ListenerTest, AcceptsOverIpv4AndKnowsItsPort) {
  auto listener = open("127.0.0.1:0");
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_NE((*listener)->address().port(), 0);
  const Client client((*listener)->address());
  ASSERT_EQ(client.error, 0);
  turn();
  ASSERT_EQ(door.fds.size(), 1u);
  EXPECT_EQ(door.peers[0], Address::ipv4({127, 0, 0, 1}, client.port()));
}

TEST_F(ListenerTest, HandsOutSocketsThatAreReady) {
  auto listener = open("127.0.0.1:0");
  const Client client((*listener)->address());
  turn();
  ASSERT_EQ(door.fds.size(), 1u);
  char byte = 0;
  EXPECT_EQ(::recv(door.fds[0], &byte, 1, 0), -1);
  EXPECT_EQ(errno, EAGAIN) << "non-blocking";
  int on = 0;
  socklen_t size = sizeof on;
  ::getsockopt(door.fds[0], IPPROTO_TCP, TCP_NODELAY, &on, &size);
  EXPECT_NE(on, 0);
}

TEST_F(ListenerTest, AcceptsOverIpv6) {
  auto listener = open("[::1]:0");
  if (!listener && (listener.error().system_errno == EAFNOSUPPORT ||
                    listener.error().system_errno == EADDRNOTAVAIL)) {
    GTEST_SKIP() << "no IPv6 here";
  }
  ASSERT_TRUE(listener) << listener.error().message;
  const Client client((*listener)->address());
  ASSERT_EQ(client.error, 0);
  turn();
  ASSERT_EQ(door.peers.size(), 1u);
  EXPECT_EQ(door.peers[0].family(), Family::kIpv6);
  EXPECT_TRUE(door.peers[0].is_loopback());
}

TEST_F(ListenerTest, AcceptsManyInOneTurnAndTheRestInTheNext) {
  auto listener = open("127.0.0.1:0");
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<Client>((*listener)->address()));
  }
  turn();
  EXPECT_GT(door.fds.size(), 0u);
  EXPECT_LT(door.fds.size(), 100u) << "a storm must not starve those already here";
  turn();
  EXPECT_EQ(door.fds.size(), 100u);
  EXPECT_EQ(door.shed, 0);
}

TEST_F(ListenerTest, RefusesATakenPort) {
  auto first = open("127.0.0.1:0", {.reuse_port = false});
  ASSERT_TRUE(first);
  auto second = open((*first)->address().to_string(), {.reuse_port = false});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().system_errno, EADDRINUSE);
  EXPECT_EQ(second.error().message, "cannot listen on " + (*first)->address().to_string() +
                                        ": the address is already in use");
}

TEST_F(ListenerTest, SharesAPortBetweenLoopsOnlyWhenAsked) {
  auto first = open("127.0.0.1:0");
  auto second = open((*first)->address().to_string());
  EXPECT_TRUE(second);
  EXPECT_FALSE(open((*first)->address().to_string(), {.reuse_port = false}));
}

TEST_F(ListenerTest, FindsOutWhatReusePortWouldHide) {
  auto listener = open("127.0.0.1:0");
  const Address address = (*listener)->address();
  EXPECT_FALSE(check_unused(address));
  listener->reset();
  EXPECT_TRUE(check_unused(address));
  EXPECT_TRUE(check_unused(*Address::parse("127.0.0.1:0")));
  EXPECT_TRUE(check_unused(*Address::parse("unix:/nowhere/at/all")));
}

TEST_F(ListenerTest, RefusesAnAddressThisMachineDoesNotHave) {
  auto listener = open("192.0.2.1:0");
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().system_errno, EADDRNOTAVAIL);
}

TEST_F(ListenerTest, StopsListeningWhenDestroyed) {
  auto listener = open("127.0.0.1:0");
  const Address address = (*listener)->address();
  listener->reset();
  EXPECT_EQ(Client(address).error, ECONNREFUSED);
  turn();
}

TEST_F(ListenerTest, AcceptsOnAUnixPathAndRemovesItAtTheEnd) {
  auto listener = open("unix:" + path());
  ASSERT_TRUE(listener) << listener.error().message;
  const Client client((*listener)->address());
  ASSERT_EQ(client.error, 0);
  turn();
  ASSERT_EQ(door.peers.size(), 1u);
  EXPECT_EQ(door.peers[0].family(), Family::kUnix);
  listener->reset();
  EXPECT_NE(::access(path().c_str(), F_OK), 0);
}

TEST_F(ListenerTest, ReplacesTheSocketOfADeadServer) {
  // Bound and closed without unlinking: what a crash leaves behind.
  const Address address = *Address::parse("unix:" + path());
  sockaddr_storage storage{};
  const socklen_t size = address.to_sockaddr(storage);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&storage), size), 0);
  ::close(fd);
  ASSERT_EQ(::access(path().c_str(), F_OK), 0);
  auto listener = open("unix:" + path());
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_EQ(Client(address).error, 0);
}

TEST_F(ListenerTest, LeavesTheSocketOfALiveServerAlone) {
  auto first = open("unix:" + path());
  ASSERT_TRUE(first);
  auto second = open("unix:" + path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().system_errno, EADDRINUSE);
  EXPECT_EQ(Client((*first)->address()).error, 0) << "the first still serves";
}

TEST_F(ListenerTest, LeavesAFileThatIsNoSocketAlone) {
  FILE* file = std::fopen(path().c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs("precious", file);
  std::fclose(file);
  EXPECT_FALSE(open("unix:" + path()));
  struct stat status{};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 8);
}

TEST_F(ListenerTest, ListensInTheAbstractNamespace) {
  const std::string name = "unix:@anywire-test-" + std::to_string(::getpid());
  auto listener = open(name);
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_EQ(Client((*listener)->address()).error, 0);
  EXPECT_FALSE(open(name));
  listener->reset();
  EXPECT_TRUE(open(name));
}

TEST_F(ListenerTest, SharesOneSocketBetweenTwoLoops) {
  auto first = open("unix:" + path());
  ASSERT_TRUE(first);
  auto other_loop = *reactor::Loop::create({.index = 1}, clock);
  Door other_door;
  auto second = Listener::share(*other_loop, **first, other_door);
  ASSERT_TRUE(second) << second.error().message;
  const Client one((*first)->address());
  other_loop->turn(Duration::zero());
  EXPECT_EQ(other_door.fds.size(), 1u);
  const Client two((*first)->address());
  turn();
  EXPECT_EQ(door.fds.size(), 1u);
  second->reset();
  EXPECT_EQ(::access(path().c_str(), F_OK), 0) << "the path is the first one's";
  const Client three((*first)->address());
  turn();
  EXPECT_EQ(door.fds.size(), 2u);
}

// Lets the process open no further descriptor while it lives.
class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);
    rlimit lowered = before_;
    lowered.rlim_cur = static_cast<rlim_t>(next);
    ::close(next);
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  }
  ~NoDescriptorsLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(ListenerTest, TurnsNewcomersAwayWhenDescriptorsRunOut) {
  auto listener = open("127.0.0.1:0");
  // Sanitizers need descriptors for the first look at an object, so everything is used once before.
  const Client zero((*listener)->address());
  turn();
  door.fds.reserve(10);
  const Client one((*listener)->address());
  const Client two((*listener)->address());
  const Client three((*listener)->address());
  {
    const NoDescriptorsLeft exhausted;
    turn();
    EXPECT_EQ(door.fds.size(), 1u);
    EXPECT_EQ(door.shed, 3) << "each newcomer counts once";
    turn();
    EXPECT_EQ(door.shed, 3) << "an empty queue is nobody turned away";
  }
  EXPECT_TRUE(one.turned_away());
  EXPECT_TRUE(two.turned_away());
  EXPECT_TRUE(three.turned_away());
  const Client four((*listener)->address());
  turn();
  EXPECT_EQ(door.fds.size(), 2u) << "as before once there are descriptors";
}

}  // namespace
}  // namespace anywire::net
