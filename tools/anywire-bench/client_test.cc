// The scenarios against a small scripted server, honest and dishonest: a generator that does not
// notice a lost message would make every figure worthless.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>

#include "scenarios.h"
#include "websocket/frame_parser.h"
#include "websocket/frame_writer.h"
#include "websocket/handshake.h"
#include "websocket/mask.h"

namespace anywire::bench {
namespace {

enum class Manner { kHonest, kLoses, kDoubles, kSwaps, kDamages, kRefuses, kNoClose };

// Echoes, or sends everything to everybody; on every fourth message it may misbehave. A thread of
// its own, because the generator runs a whole scenario in one call.
class ScriptedServer {
 public:
  ScriptedServer(bool broadcasts, Manner manner) : broadcasts_(broadcasts), manner_(manner) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~ScriptedServer() {
    stop_ = true;
    thread_.join();
    for (const auto& [fd, peer] : peers_) ::close(fd);
    ::close(listener_);
  }

  std::string url() const { return "ws://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  struct Peer {
    std::string input;
    bool open = false;
  };

  void run() {
    while (!stop_) {
      std::vector<pollfd> fds{{listener_, POLLIN, 0}};
      for (const auto& [fd, peer] : peers_) fds.push_back({fd, POLLIN, 0});
      ::poll(fds.data(), fds.size(), 10);
      for (const pollfd& ready : fds) {
        if ((ready.revents) == 0) continue;
        if (ready.fd == listener_) {
          peers_[::accept(listener_, nullptr, nullptr)];
        } else {
          read(ready.fd);
        }
      }
    }
  }

  void read(int fd) {
    char buffer[65536];
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) return drop(fd);
    peers_[fd].input.append(buffer, static_cast<std::size_t>(n));
    if (!peers_[fd].open && !open(fd)) return;
    while (peers_.contains(fd) && take_frame(fd)) {
    }
  }

  bool open(int fd) {
    Peer& peer = peers_[fd];
    const std::size_t end = peer.input.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::size_t key = peer.input.find("Sec-WebSocket-Key: ") + 19;
    const std::string accept = ws::accept_key(peer.input.substr(key, ws::kKeyBytes));
    peer.input.erase(0, end + 4);
    peer.open = true;
    send(fd, manner_ == Manner::kRefuses
                 ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
                 : "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nsec-websocket-accept: " + accept + "\r\n\r\n");
    return true;
  }

  bool take_frame(int fd) {
    std::string& input = peers_[fd].input;
    const auto parsed =
        ws::parse_header(as_bytes(input), {.expect_mask = true, .payload_bytes_max = 1 << 24});
    if (parsed.status != ws::HeaderStatus::kOk) return false;
    const std::size_t total = parsed.header_bytes + parsed.header.payload_bytes;
    if (input.size() < total) return false;
    std::string payload = input.substr(parsed.header_bytes, parsed.header.payload_bytes);
    input.erase(0, total);
    ws::unmask({reinterpret_cast<std::uint8_t*>(payload.data()), payload.size()},
               parsed.header.mask_key, 0);
    if (parsed.header.opcode == ws::Opcode::kClose) {
      if (manner_ != Manner::kNoClose) send(fd, frame(ws::Opcode::kClose, payload));
      drop(fd);
      return false;
    }
    answer(fd, payload);
    return true;
  }

  void answer(int fd, std::string payload) {
    const bool odd = ++messages_ % 4 == 0;
    if (odd && manner_ == Manner::kLoses) return;
    if (odd && manner_ == Manner::kDamages) payload[3] ^= 1;
    const std::string bytes = frame(ws::Opcode::kBinary, payload);
    const std::string both = manner_ == Manner::kDoubles && odd ? bytes + bytes : bytes;
    if (manner_ == Manner::kSwaps && odd) {
      held_ = bytes;
      return;
    }
    for (const auto& [peer, state] : peers_) {
      if (broadcasts_ ? state.open : peer == fd) send(peer, both + held_);
    }
    held_.clear();
  }

  static std::string frame(ws::Opcode opcode, std::string_view payload) {
    std::uint8_t header[ws::kHeaderBytesMax];
    const std::size_t size = ws::write_header(header, opcode, true, false, payload.size());
    return std::string(reinterpret_cast<const char*>(header), size).append(payload);
  }
  static void send(int fd, const std::string& bytes) {
    ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  void drop(int fd) {
    peers_.erase(fd);
    ::close(fd);
  }

  bool broadcasts_;
  Manner manner_;
  int listener_;
  std::uint16_t port_;
  std::map<int, Peer> peers_;
  std::string held_;
  std::uint64_t messages_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

Options quick() {
  Options options;
  options.connections = 4;
  options.size = 64;
  options.depth = 4;
  options.outstanding = 4;
  options.total = 20;
  options.concurrency = 4;
  options.pid = ::getpid();
  options.duration = std::chrono::milliseconds(100);
  options.warmup = std::chrono::milliseconds(0);
  return options;
}

using RunScenario = Result<Report> (*)(Engine&, const Options&);

Result<Report> run(RunScenario scenario, const ScriptedServer& server, const Options& options) {
  auto engine = Engine::create({.url = *parse_url(server.url())});
  EXPECT_TRUE(engine);
  return scenario(**engine, options);
}

TEST(EchoScenario, ReportsRateCpuAndLatencyOfAnHonestServer) {
  const ScriptedServer server(false, Manner::kHonest);
  const auto report = run(run_echo, server, quick());
  ASSERT_TRUE(report) << report.error().message;
  for (const char* field : {"\"rate\":", "\"cpu_us\":", "\"p50_us\":", "\"p99_us\":"}) {
    EXPECT_NE(report->to_json().find(field), std::string::npos) << field;
  }
}

TEST(EchoScenario, ChecksLargeRepliesToo) {
  const ScriptedServer server(false, Manner::kHonest);
  Options options = quick();
  options.size = 200'000;
  options.depth = 1;
  const auto report = run(run_echo, server, options);
  EXPECT_TRUE(report) << report.error().message;
}

TEST(EchoScenario, NoticesLostDoubledAndDamagedReplies) {
  for (const Manner manner : {Manner::kLoses, Manner::kDoubles, Manner::kSwaps, Manner::kDamages}) {
    const ScriptedServer server(false, manner);
    const auto report = run(run_echo, server, quick());
    ASSERT_FALSE(report) << static_cast<int>(manner);
    EXPECT_NE(report.error().message.find("not what was sent"), std::string::npos)
        << report.error().message;
  }
}

TEST(FanoutScenario, CountsEveryDelivery) {
  const ScriptedServer server(true, Manner::kHonest);
  const auto report = run(run_fanout, server, quick());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_NE(report->to_json().find("\"rate\":"), std::string::npos);
}

TEST(FanoutScenario, NoticesLostDoubledReorderedAndDamagedDeliveries) {
  for (const Manner manner : {Manner::kLoses, Manner::kDoubles, Manner::kSwaps, Manner::kDamages}) {
    const ScriptedServer server(true, manner);
    const auto report = run(run_fanout, server, quick());
    EXPECT_FALSE(report) << static_cast<int>(manner);
  }
}

TEST(ConnectScenario, RunsTheGivenNumberOfCycles) {
  const ScriptedServer server(false, Manner::kHonest);
  const auto report = run(run_connect, server, quick());
  ASSERT_TRUE(report) << report.error().message;
}

TEST(ConnectScenario, WantsAClosingHandshake) {
  const ScriptedServer server(false, Manner::kNoClose);
  const auto report = run(run_connect, server, quick());
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("closing handshake"), std::string::npos);
}

TEST(IdleScenario, MeasuresAProcessAndNeedsToKnowWhich) {
  const ScriptedServer server(false, Manner::kHonest);
  Options options = quick();
  options.settle = std::chrono::milliseconds(0);
  const auto report = run(run_idle, server, options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_NE(report->to_json().find("\"bytes_per_connection\":"), std::string::npos);
  options.pid = 0;
  EXPECT_FALSE(run(run_idle, server, options));
}

TEST(AnyScenario, SaysWhyTheServerDidNotUpgrade) {
  const ScriptedServer server(false, Manner::kRefuses);
  for (const RunScenario scenario : {run_echo, run_fanout, run_connect}) {
    const auto report = run(scenario, server, quick());
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().message.find("403 Forbidden"), std::string::npos)
        << report.error().message;
  }
}

}  // namespace
}  // namespace anywire::bench
