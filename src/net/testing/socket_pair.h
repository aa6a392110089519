// SocketPair: two connected sockets in this process; one becomes a stream, the other is the test's.
// Only tests include it.
//
//   SocketPair sockets;
//   auto stream = *TcpStream::adopt(queue, sockets.give());
//   sockets.say("to the stream");
//
// Thread: one.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace anywire::net {

class SocketPair {
 public:
  // `send_buffer_bytes` > 0: how much the kernel holds of what the given end sends, roughly.
  explicit SocketPair(int send_buffer_bytes = 0) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds_.data()), 0);
    if (send_buffer_bytes > 0) {
      ::setsockopt(fds_[0], SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof send_buffer_bytes);
    }
  }
  ~SocketPair() {
    if (fds_[0] >= 0) ::close(fds_[0]);
    hang_up();
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  // The descriptor for the stream, whose owner closes it.
  int give() { return std::exchange(fds_[0], -1); }

  // The test's end.
  void say(std::string_view text) { EXPECT_EQ(say_some(text), text.size()); }
  // As much as fits; returns how much that was.
  std::size_t say_some(std::string_view text) {
    const ssize_t sent = ::send(fds_[1], text.data(), text.size(), MSG_NOSIGNAL);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  // What has arrived so far.
  std::string hear() {
    std::string all;
    for (std::string some; !(some = hear_some(256 * 1024)).empty();) all += some;
    return all;
  }
  // One read of at most `bytes_max`; empty when there is nothing.
  std::string hear_some(std::size_t bytes_max) {
    std::string some(bytes_max, '\0');
    const ssize_t got = ::read(fds_[1], some.data(), some.size());
    heard_end_ = got == 0;
    some.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return some;
  }
  bool heard_end() const { return heard_end_; }
  void end_saying() { ::shutdown(fds_[1], SHUT_WR); }
  void hang_up() {
    if (fds_[1] >= 0) ::close(std::exchange(fds_[1], -1));
  }

 private:
  std::array<int, 2> fds_{-1, -1};
  bool heard_end_ = false;
};

}  // namespace anywire::net
