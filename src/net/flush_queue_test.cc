#include "net/flush_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "net/testing/stream_test.h"

namespace anywire::net {
namespace {

class FlushQueueTest : public StreamTest {
 protected:
  std::deque<Connection>& connect(std::size_t count, int buffer_bytes = 0) {
    for (std::size_t i = 0; i < count; ++i) connections.emplace_back(queue, buffer_bytes);
    return connections;
  }

  std::deque<Connection> connections;
};

TEST_P(FlushQueueTest, FlushesManyStreamsInOneTurn) {
  // More than one batch.
  connect(600);
  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i].stream->write(as_bytes(std::to_string(i)));
    connections[i].stream->write(Buffer::copy_of(as_bytes("!")));
  }
  turn();
  for (std::size_t i = 0; i < connections.size(); ++i) {
    ASSERT_EQ(connections[i].peer.hear(), std::to_string(i) + "!");
    ASSERT_EQ(connections[i].stream->queued_bytes(), 0u);
  }
}

TEST_P(FlushQueueTest, UsesIoUringOnlyWhenAllowed) {
  connect(10);
  for (Connection& connection : connections) connection.stream->write(as_bytes("x"));
  turn();
  // Where it is allowed, the kernel may still refuse it.
  EXPECT_TRUE(GetParam() || !queue.uses_io_uring());
}

TEST_P(FlushQueueTest, MixesSmallJoinedAndLargeOutput) {
  connect(40);
  std::vector<std::string> expected(connections.size());
  const BufferRef frame = Buffer::copy_of(as_bytes(std::string(15'000, 'f')));
  for (std::size_t i = 0; i < connections.size(); ++i) {
    TcpStream& stream = *connections[i].stream;
    // One buffer, several to be joined, and too much to be joined, in turn. The joined ones
    // together are more than the staging space holds.
    for (std::size_t n = 0; n <= i % 5; ++n) {
      stream.write(as_bytes("head"));
      stream.write(frame);
      expected[i] += "head" + std::string(15'000, 'f');
    }
  }
  turns(3);
  for (std::size_t i = 0; i < connections.size(); ++i) {
    ASSERT_TRUE(connections[i].peer.hear() == expected[i]) << i;
  }
}

TEST_P(FlushQueueTest, BlockedStreamsDoNotHoldUpOthers) {
  connect(6, 4096);
  for (Connection& connection : connections) {
    connection.stream->write(as_bytes(std::string(200'000, 'x')));
  }
  turn();
  // Only one of them is ever read.
  std::size_t heard = 0;
  for (int i = 0; i < 500; ++i) {
    heard += connections[3].peer.hear().size();
    turn();
  }
  EXPECT_EQ(heard, 200'000u);
  EXPECT_GT(connections[0].stream->queued_bytes(), 0u);
}

TEST_P(FlushQueueTest, WhatCallbacksWriteLeavesInTheSameTurn) {
  connect(8);
  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i].handler.on_drained_hook = [this, i] {
      // To itself and to a neighbour whose own send may already be over.
      connections[i].stream->write(as_bytes("again"));
      connections[(i + 7) % 8].stream->write(as_bytes("cross"));
    };
    connections[i].stream->write(as_bytes("first"));
    connections[i].stream->notify_when_drained();
  }
  turn();
  for (Connection& connection : connections) {
    const std::string heard = connection.peer.hear();
    ASSERT_EQ(heard.size(), 15u) << heard;
    EXPECT_EQ(heard.substr(0, 5), "first");
  }
}

TEST_P(FlushQueueTest, NothingIsSentTwiceHoweverCallbacksInterleave) {
  // Every drained notification writes to everybody and asks again, for some rounds, with outputs
  // of every kind; each stream's bytes are numbered.
  connect(6);
  std::vector<std::string> expected(connections.size());
  int budget = 60;
  const auto write_to_all = [&](std::size_t from) {
    for (std::size_t i = 0; i < connections.size(); ++i) {
      const std::size_t pad = (from + i) % 3 == 0 ? 9'000 : 3;
      const std::string text = std::to_string(budget) + "," + std::string(pad, '.');
      connections[i].stream->write(Buffer::copy_of(as_bytes(text)));
      connections[i].stream->write(Buffer::copy_of(as_bytes(";")));
      expected[i] += text + ";";
    }
  };
  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i].handler.on_drained_hook = [&, i] {
      if (--budget < 0) return;
      write_to_all(i);
      connections[i].stream->notify_when_drained();
    };
    connections[i].stream->notify_when_drained();
  }
  write_to_all(0);
  std::vector<std::string> heard(connections.size());
  for (int t = 0; t < 200; ++t) {
    turn();
    for (std::size_t i = 0; i < connections.size(); ++i) heard[i] += connections[i].peer.hear();
  }
  for (std::size_t i = 0; i < connections.size(); ++i) EXPECT_TRUE(heard[i] == expected[i]) << i;
}

TEST_P(FlushQueueTest, CallbacksMayCloseOtherStreamsOfTheSameFlush) {
  connect(8);
  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i].handler.on_drained_hook = [this] {
      for (Connection& connection : connections) connection.stream->close();
    };
    connections[i].stream->write(as_bytes("x"));
    connections[i].stream->notify_when_drained();
  }
  turns(2);
  int calls = 0;
  for (Connection& connection : connections) calls += connection.handler.drained_calls;
  EXPECT_EQ(calls, 1);
}

TEST_P(FlushQueueTest, SurvivesPeersThatAreGone) {
  connect(9);
  for (std::size_t i = 0; i < connections.size(); i += 2) connections[i].peer.hang_up();
  for (Connection& connection : connections) {
    connection.stream->set_reading(false);
    connection.stream->write(as_bytes("x"));
  }
  turns(2);
  for (std::size_t i = 0; i < connections.size(); ++i) {
    EXPECT_EQ(connections[i].handler.closed_calls, i % 2 == 0 ? 1 : 0) << i;
  }
}

TEST_P(FlushQueueTest, ADirtyStreamMayBeDestroyedAtTearDown) {
  connect(5);
  for (Connection& connection : connections) connection.stream->write(as_bytes("x"));
  connections[2].stream.reset();
  connections[4].stream.reset();
  turn();
  EXPECT_EQ(connections[0].peer.hear(), "x");
  EXPECT_EQ(connections[2].peer.hear(), "");
}

TEST_P(FlushQueueTest, AStreamClosedWhileDirtyIsPassedOver) {
  connect(5);
  for (Connection& connection : connections) connection.stream->write(as_bytes("x"));
  connections[1].stream->close();
  turn();
  EXPECT_EQ(connections[1].peer.hear(), "");
  EXPECT_EQ(connections[3].peer.hear(), "x");
}

INSTANTIATE_TEST_SUITE_P(Batching, FlushQueueTest, ::testing::Bool(), batching_name);

}  // namespace
}  // namespace anywire::net
