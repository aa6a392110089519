// ScriptedServer: a small WebSocket server for the tests of the scenarios, honest or dishonest: it
// echoes, or sends everything to everybody; on every fourth message it may misbehave. Only tests
// include it.
//
// Thread: one of its own, because the generator runs a whole scenario in one call.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "websocket/frame_parser.h"
#include "websocket/frame_writer.h"
#include "websocket/handshake.h"
#include "websocket/mask.h"

namespace anywire::bench {

enum class Manner { kHonest, kLoses, kDoubles, kSwaps, kDamages, kRefuses, kNoClose, kForgets };

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
  }
  virtual ~ScriptedServer() {
    stop();
    for (const auto& [fd, peer] : peers_) ::close(fd);
    ::close(listener_);
  }

  // Once it is wholly made; and before any of it goes.
  void start() {
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  std::string url() const { return "ws://127.0.0.1:" + std::to_string(port_) + "/"; }

 protected:
  struct Peer {
    std::string input;
    bool open = false;
  };

  // A whole message of that peer.
  virtual void answer(int fd, std::string payload) {
    const bool odd = is_odd();
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
  virtual void on_gone(int) {}

  // One in four.
  bool is_odd() { return ++messages_ % 4 == 0; }
  Manner manner() const { return manner_; }
  static std::string frame(ws::Opcode opcode, std::string_view payload) {
    std::uint8_t header[ws::kHeaderBytesMax];
    const std::size_t size = ws::write_header(header, opcode, true, false, payload.size());
    return std::string(reinterpret_cast<const char*>(header), size).append(payload);
  }
  static void send(int fd, const std::string& bytes) {
    ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

 private:
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
    const std::size_t protocol = peer.input.find("Sec-WebSocket-Protocol: ");
    const std::string agreed =
        protocol < end
            ? peer.input.substr(protocol, peer.input.find("\r\n", protocol) + 2 - protocol)
            : "";
    peer.input.erase(0, end + 4);
    peer.open = true;
    send(fd, manner_ == Manner::kRefuses
                 ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
                 : "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\n" + agreed + "sec-websocket-accept: " + accept +
                   "\r\n\r\n");
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

  void drop(int fd) {
    peers_.erase(fd);
    on_gone(fd);
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

}  // namespace anywire::bench
