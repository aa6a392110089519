// Workers over real sockets and in real threads: chat across loops, limits, drain.
#include "server/worker.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "hub/testing/memory_hubs.h"
#include "websocket/testing/peer.h"

namespace anywire::server {
namespace {

// A client over a blocking socket. A read that takes longer than any test may fails.
class Client {
 public:
  explicit Client(const net::Address& to) {
    sockaddr_storage storage{};
    const socklen_t size = to.to_sockaddr(storage);
    fd_ = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&storage), size), 0);
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void say(std::string_view bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // Reads until the head of the answer is there; what comes behind stays for frames().
  std::string head() {
    while (buffer_.find("\r\n\r\n") == std::string::npos && more()) {
    }
    const std::size_t end = std::min(buffer_.find("\r\n\r\n"), buffer_.size() - 4) + 4;
    std::string head = buffer_.substr(0, end);
    buffer_.erase(0, end);
    return head;
  }
  // Reads until so many whole frames are there, or the end.
  std::vector<std::string> frames(std::size_t count) {
    std::vector<std::string> all = ws::server_frames(buffer_);
    while ((all.size() < count || all.back().starts_with("rest:")) && more()) {
      all = ws::server_frames(buffer_);
    }
    return all;
  }
  void forget() { buffer_.clear(); }
  static bool may_connect(const net::Address& to) {
    sockaddr_storage storage{};
    const socklen_t size = to.to_sockaddr(storage);
    const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool may = ::connect(fd, reinterpret_cast<sockaddr*>(&storage), size) == 0;
    ::close(fd);
    return may;
  }
  std::string everything() {
    while (more()) {
    }
    return buffer_;
  }
  void ask(std::string_view path, std::string_view headers = {}) {
    say("GET " + std::string(path) +
        " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        std::string(headers) + "\r\n");
  }
  void join(std::string_view path, std::string_view headers = {}) {
    ask(path, headers);
    EXPECT_TRUE(head().starts_with("HTTP/1.1 101 "));
  }

 private:
  bool more() {
    char bytes[16 * 1024];
    const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n > 0) buffer_.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  }

  int fd_;
  std::string buffer_;
};

class WorkerTest : public ::testing::Test {
 protected:
  ~WorkerTest() override { stop(); }

  void start(unsigned count, std::uint64_t connections_max = 1000) {
    std::vector<reactor::Loop*> all;
    for (unsigned i = 0; i < count; ++i) {
      loops.push_back(*reactor::Loop::create({.index = i}, clock));
      all.push_back(loops.back().get());
    }
    hubs = std::make_unique<hub::MemoryHubs>(all);
    adapters = *AdapterGroup::create(config, all, wall);
    budget.reset(new ConnectionBudget{connections_max});
    addresses = std::make_unique<AddressBudget>(
        static_cast<std::uint32_t>(config.server.connections_per_address_max));
    overload = std::make_unique<Overload>(
        OverloadOptions{.memory_max = config.server.memory_max, .loops = count});
    const WorkerOptions options{
        .config = config,
        .budget = *budget,
        .addresses = *addresses,
        .overload = *overload,
        .adapters = *adapters,
        .http_streams = http_streams,
        .workers = worker_group,
        .welcome_page = false};
    address = *net::Address::parse("127.0.0.1:0");
    for (unsigned i = 0; i < count; ++i) {
      workers.push_back(std::make_unique<Worker>(*loops[i], options, hubs->hub(i), nullptr));
      const auto listening = workers[i]->listen(address, nullptr);
      ASSERT_TRUE(listening) << listening.error().message;
      address = workers[i]->listeners()[0]->address();
    }
    for (const auto& worker : workers) worker->start();
  }
  void drain() {
    const TimePoint deadline = clock.now() + config.server.drain_timeout;
    for (const auto& worker : workers) worker->drain(deadline);
  }
  void stop() {
    drain();
    for (const auto& worker : workers) worker->join();
  }

  SystemClock clock;
  Config config;
  std::vector<std::unique_ptr<reactor::Loop>> loops;
  std::unique_ptr<hub::MemoryHubs> hubs;
  SystemWallClock wall;
  std::unique_ptr<AdapterGroup> adapters;
  std::unique_ptr<ConnectionBudget> budget;
  std::unique_ptr<AddressBudget> addresses;
  std::unique_ptr<Overload> overload;
  protocol::HttpStreamGroup http_streams;
  WorkerGroup worker_group;
  std::vector<std::unique_ptr<Worker>> workers;
  net::Address address;
};

std::string text(std::string_view payload) { return ws::client_frame(ws::Opcode::kText, payload); }

TEST_F(WorkerTest, ServesAChannelAcrossFourLoops) {
  start(4);
  // The kernel spreads these over the loops' sockets.
  constexpr std::size_t kClients = 24;
  constexpr std::size_t kEach = 20;
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<Client>(address));
    clients.back()->join("/raw/room");
  }
  for (std::size_t n = 0; n < kEach; ++n) {
    for (std::size_t i = 0; i < kClients; ++i) {
      clients[i]->say(text(std::to_string(i) + ":" + std::to_string(n)));
    }
  }
  const std::vector<std::string> first = clients[0]->frames(kClients * kEach);
  EXPECT_EQ(first.size(), kClients * kEach);
  for (const auto& client : clients) {
    ASSERT_EQ(client->frames(kClients * kEach), first) << "one order for everybody";
  }
}

TEST_F(WorkerTest, MissesNothingFromTheAnswerOn) {
  start(4);
  Client speaker(address);
  speaker.join("/raw/room");
  for (int i = 0; i < 30; ++i) {
    Client listener(address);
    listener.join("/raw/room");
    speaker.say(text(std::to_string(i)));
    ASSERT_EQ(listener.frames(1).front(), "text:" + std::to_string(i));
  }
}

TEST_F(WorkerTest, KeepsChannelsApart) {
  start(2);
  Client a(address), b(address);
  a.join("/raw/a");
  b.join("/raw/b");
  a.say(text("for a"));
  b.say(text("for b"));
  EXPECT_EQ(a.frames(1), std::vector<std::string>{"text:for a"});
  EXPECT_EQ(b.frames(1), std::vector<std::string>{"text:for b"});
}

TEST_F(WorkerTest, CarriesLargeMessagesAndSmallBehindThem) {
  start(2);
  Client a(address), b(address);
  a.join("/raw/room");
  b.join("/raw/room");
  const std::string large(900'000, 'L');
  a.say(text(large) + text("small"));
  const std::vector<std::string> expected = {"text:" + ws::shown(large), "text:small"};
  EXPECT_EQ(b.frames(2), expected);
  EXPECT_EQ(a.frames(2), expected);
}

TEST_F(WorkerTest, SaysGoodbyeWhenDrained) {
  start(4);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<Client>(address));
    clients.back()->join("/raw/room");
  }
  drain();
  for (const auto& client : clients) {
    EXPECT_EQ(client->frames(1),
              std::vector<std::string>{"close:1001:server is shutting down"});
    client->say(ws::client_close(1001));
    client->everything();
  }
  for (const auto& worker : workers) worker->join();
}

TEST_F(WorkerTest, DoesNotWaitForeverForThoseWhoDoNotAnswer) {
  config.server.drain_timeout = Duration{50};
  start(1);
  Client silent(address);
  silent.join("/raw/room");
  drain();
  for (const auto& worker : workers) worker->join();
  EXPECT_EQ(silent.frames(1), std::vector<std::string>{"close:1001:server is shutting down"});
}

TEST_F(WorkerTest, ClosesIdleHttpConnectionsAndItsDoorWhenDrained) {
  start(1);
  Client client(address);
  client.say("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.head().starts_with("HTTP/1.1 404 "));
  stop();
  client.everything();
  EXPECT_TRUE(net::check_unused(address)) << "a restarted server may listen at once";
}

TEST_F(WorkerTest, ServesThoseWhoAreThereAfterItsDoorIsClosed) {
  start(1);
  Client client(address);
  client.join("/raw/room");
  workers[0]->stop_accepting();
  // The second answer comes in a turn after the one that closed the door.
  for (const char* word : {"one", "two"}) {
    client.say(text(word));
    EXPECT_EQ(client.frames(1), std::vector<std::string>{std::string("text:") + word});
    client.forget();
  }
  EXPECT_FALSE(Client::may_connect(address));
  client.say(text("three"));
  EXPECT_EQ(client.frames(1), std::vector<std::string>{"text:three"});
}

TEST_F(WorkerTest, TurnsNewcomersAwayAtTheLimit) {
  start(1, 2);
  Client a(address), b(address);
  a.join("/raw/room");
  b.join("/raw/room");
  Client c(address);
  const std::string answer = c.everything();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("Retry-After: "), std::string::npos);
  a.say(text("unharmed"));
  EXPECT_EQ(b.frames(1), std::vector<std::string>{"text:unharmed"});
}

TEST_F(WorkerTest, SharesTheLimitBetweenLoopsHoweverTheKernelSpreadsThem) {
  start(4, 5);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<Client>(address));
    clients.back()->join("/raw/room");
  }
  Client refused(address);
  EXPECT_TRUE(refused.everything().starts_with("HTTP/1.1 503 "));
}

TEST_F(WorkerTest, TurnsTooManyFromOneAddressAway) {
  config.server.connections_per_address_max = 3;
  start(4);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(address));
    clients.back()->join("/raw/room");
  }
  Client refused(address);
  const std::string answer = refused.everything();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 429 ")) << answer;
  EXPECT_NE(answer.find("Retry-After: "), std::string::npos);
  clients[0]->say(text("unharmed"));
  EXPECT_EQ(clients[1]->frames(1), std::vector<std::string>{"text:unharmed"});
}

TEST_F(WorkerTest, CountsConnectionsThatHaveNotAskedForAnything) {
  config.server.connections_per_address_max = 1;
  start(1);
  Client silent(address);
  Client refused(address);
  EXPECT_TRUE(refused.everything().starts_with("HTTP/1.1 429 "));
}

TEST_F(WorkerTest, LetsAnAddressInAgainWhenOneOfItsConnectionsEnds) {
  config.server.connections_per_address_max = 1;
  start(1);
  for (int i = 0; i < 3; ++i) {
    Client a(address);
    a.join("/raw/room");
    Client refused(address);
    EXPECT_TRUE(refused.everything().starts_with("HTTP/1.1 429 "));
    a.say(ws::client_close(1000));
    a.everything();
  }
}

TEST_F(WorkerTest, CountsTheClientAndNotTheProxyInFrontOfIt) {
  config.server.connections_per_address_max = 1;
  config.http.trusted_proxies = {"127.0.0.1"};
  start(2);
  std::vector<std::unique_ptr<Client>> clients;
  for (const char* who : {"192.0.2.1", "192.0.2.2"}) {
    clients.push_back(std::make_unique<Client>(address));
    clients.back()->join("/raw/room", "X-Forwarded-For: " + std::string(who) + "\r\n");
  }
  Client same(address);
  same.ask("/raw/room", "X-Forwarded-For: 192.0.2.1\r\n");
  EXPECT_TRUE(same.head().starts_with("HTTP/1.1 429 "));
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(address));
    clients.back()->join("/raw/room");  // the proxy's own
  }
}

TEST_F(WorkerTest, CountsTheClientThatTheProxyProtocolNames) {
  config.server.connections_per_address_max = 1;
  config.http.proxy_protocol = ProxyProtocol::kV1;
  start(1);
  const auto hello = [](std::string_view client) {
    return "PROXY TCP4 " + std::string(client) + " 127.0.0.1 1000 80\r\n";
  };
  Client a(address), b(address), again(address);
  a.say(hello("192.0.2.1"));
  a.join("/raw/room");
  b.say(hello("192.0.2.2"));
  b.join("/raw/room");
  again.say(hello("192.0.2.1"));
  EXPECT_TRUE(again.everything().starts_with("HTTP/1.1 429 "));
}

TEST_F(WorkerTest, LetsTheNextOneInWhenSomebodyLeaves) {
  start(1, 1);
  {
    Client a(address);
    a.join("/raw/room");
    a.say(ws::client_close(1000));
    a.everything();
  }
  Client b(address);
  b.join("/raw/room");
}

}  // namespace
}  // namespace anywire::server
