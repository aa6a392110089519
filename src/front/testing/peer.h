// Peer and Listening: the test's ends of TCP connections on loopback, below HTTP. Only tests
// include it.
//
//   Listening app;                       // a server; app.address() is where
//   Peer asked = app.accept();           // none until somebody has connected
//   asked.say("HTTP/1.1 200 OK\r\n...");
//   asked.hear();                        // all that has come so far
//
// Thread: one. Nothing here waits but `Listening::dial`, and that only for the kernel.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "net/address.h"

namespace anywire::front {

class Peer {
 public:
  Peer() = default;
  explicit Peer(int fd) : fd_(fd) {}
  Peer(Peer&& other) noexcept { *this = std::move(other); }
  Peer& operator=(Peer&& other) noexcept {
    hang_up();
    fd_ = std::exchange(other.fd_, -1);
    heard_ = std::move(other.heard_);
    ended_ = other.ended_;
    broken_ = other.broken_;
    return *this;
  }
  ~Peer() { hang_up(); }

  explicit operator bool() const { return fd_ >= 0; }

  void say(std::string_view text) { EXPECT_EQ(say_some(text), text.size()); }
  // As much as fits; returns how much that was.
  std::size_t say_some(std::string_view text) {
    const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  void end_saying() { ::shutdown(fd_, SHUT_WR); }

  // Takes what has arrived; everything that was heard so far.
  const std::string& hear() {
    while (hear_some(256 * 1024) > 0) {
    }
    return heard_;
  }
  std::size_t hear_some(std::size_t bytes_max) {
    if (fd_ < 0) return 0;
    std::string some(bytes_max, '\0');
    const ssize_t got = ::recv(fd_, some.data(), some.size(), MSG_DONTWAIT);
    if (got == 0) ended_ = true;
    if (got < 0 && errno != EAGAIN) broken_ = true;
    if (got <= 0) return 0;
    heard_.append(some, 0, static_cast<std::size_t>(got));
    return static_cast<std::size_t>(got);
  }
  std::string take_heard() { return std::exchange(heard_, {}); }
  bool heard(std::string_view text) { return hear().find(text) != std::string::npos; }
  // The other side has ended its direction, in order or by a reset.
  bool ended() {
    hear();
    return ended_ || broken_;
  }
  bool broken() const { return broken_; }

  void hang_up() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    hang_up();
  }
  int fd() const { return fd_; }
  int give() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
  std::string heard_;
  bool ended_ = false;
  bool broken_ = false;
};

class Listening {
 public:
  Listening() {
    sockaddr_storage storage{};
    socklen_t size = net::Address::ipv4({127, 0, 0, 1}, 0).to_sockaddr(storage);
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    auto* const name = reinterpret_cast<sockaddr*>(&storage);
    EXPECT_EQ(::bind(fd_, name, size), 0);
    EXPECT_EQ(::listen(fd_, 64), 0);
    size = sizeof storage;
    ::getsockname(fd_, name, &size);
    address_ = *net::Address::from_sockaddr(name, size);
  }
  ~Listening() { stop(); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  const net::Address& address() const { return address_; }
  // Whoever connects from now on is refused.
  void stop() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  Peer accept() { return Peer(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)); }
  // A connection to this: the test's end. The kernel completes it without `accept`.
  Peer dial() const {
    sockaddr_storage storage{};
    const socklen_t size = address_.to_sockaddr(storage);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&storage), size), 0);
    return Peer(fd);
  }

 private:
  int fd_;
  net::Address address_;
};

}  // namespace anywire::front
