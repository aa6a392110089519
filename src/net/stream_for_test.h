// What the tests of streams share: sockets in pairs and a handler that writes down what happens.
// Only tests include it.
//
// Thread: one. Lifetime: a Recorder outlives its stream.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/flush_queue.h"
#include "net/tcp_stream.h"

namespace anywire::net {

class Recorder final : public StreamHandler {
 public:
  void on_readable() override {
    ++readable_calls;
    if (on_readable_hook) return on_readable_hook();
    read_some();
  }
  void on_drained() override {
    ++drained_calls;
    if (on_drained_hook) on_drained_hook();
  }
  void on_closed() override {
    ++closed_calls;
    if (on_closed_hook) on_closed_hook();
    stream->close();
  }

  ReadStatus read_some() {
    std::vector<std::uint8_t> buffer(chunk);
    const ReadResult result = stream->read(buffer);
    if (result.status == ReadStatus::kData) received.append(as_text({buffer.data(), result.bytes}));
    if (result.status == ReadStatus::kEnd) {
      ++ends;
      stream->set_reading(false);
    }
    if (result.status == ReadStatus::kError) {
      ++errors;
      stream->close();
    }
    return result.status;
  }

  Stream* stream = nullptr;
  std::size_t chunk = 64 * 1024;
  std::string received;
  int readable_calls = 0;
  int drained_calls = 0;
  int closed_calls = 0;
  int ends = 0;
  int errors = 0;
  std::function<void()> on_readable_hook;
  std::function<void()> on_drained_hook;
  std::function<void()> on_closed_hook;
};

// A stream on one end of a socket pair; the other end is the test's.
struct Connection {
  explicit Connection(FlushQueue& queue, int buffer_bytes = 0) {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    peer = fds[1];
    if (buffer_bytes > 0) {
      ::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
    }
    auto adopted = TcpStream::adopt(queue, fds[0]);
    EXPECT_TRUE(adopted.has_value());
    stream = std::move(*adopted);
    stream->set_handler(handler);
    handler.stream = stream.get();
  }
  ~Connection() { hang_up(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void hang_up() {
    if (peer >= 0) ::close(peer);
    peer = -1;
  }
  void say(std::string_view text) {
    EXPECT_EQ(::write(peer, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // What has arrived at the test's end so far.
  std::string hear() {
    std::string all;
    std::vector<char> buffer(256 * 1024);
    ssize_t n = 0;
    while ((n = ::read(peer, buffer.data(), buffer.size())) > 0) {
      all.append(buffer.data(), static_cast<std::size_t>(n));
    }
    heard_end = n == 0;
    return all;
  }

  Recorder handler;
  std::unique_ptr<TcpStream> stream;
  int peer = -1;
  bool heard_end = false;
};

// A loop with a queue, with and without io_uring.
class StreamTest : public ::testing::TestWithParam<bool> {
 protected:
  void turn() { loop->turn(Duration::zero()); }
  void turns(int count) {
    for (int i = 0; i < count; ++i) turn();
  }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  FlushQueue queue{*loop, {.low_watermark_bytes = 4096, .use_io_uring = GetParam()}};
};

inline std::string batching_name(const ::testing::TestParamInfo<bool>& use_io_uring) {
  return use_io_uring.param ? "Batched" : "Plain";
}

}  // namespace anywire::net
