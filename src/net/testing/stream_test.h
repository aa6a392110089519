// What the tests of streams over sockets share: a connection with its two ends, and a loop with a
// flush queue. Only tests include it.
//
// Thread: one. Lifetime: the fixture's queue outlives its connections.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "net/flush_queue.h"
#include "net/tcp_stream.h"
#include "net/testing/recorder.h"
#include "net/testing/socket_pair.h"

namespace anywire::net {

// A TcpStream on one end of a pair of sockets, what it does written down; `peer` is the test's.
struct Connection {
  explicit Connection(FlushQueue& queue, int send_buffer_bytes = 0) : peer(send_buffer_bytes) {
    auto adopted = TcpStream::adopt(queue, peer.give());
    EXPECT_TRUE(adopted.has_value());
    stream = std::move(*adopted);
    stream->set_handler(handler);
    handler.stream = stream.get();
  }

  SocketPair peer;
  Recorder handler;
  std::unique_ptr<TcpStream> stream;
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
