// A stream that goes from one loop to another, with everything it has still to do.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "base/clock.h"
#include "net/flush_queue.h"
#include "net/tcp_stream.h"
#include "net/testing/socket_pair.h"

namespace anywire::net {
namespace {

class Reader final : public StreamHandler {
 public:
  void on_readable() override {
    std::array<std::uint8_t, 256> some{};
    const ReadResult result = stream->read(some);
    if (result.status == ReadStatus::kData) got += as_text(Bytes(some).first(result.bytes));
    ended = ended || result.status == ReadStatus::kEnd;
  }
  void on_drained() override { ++drained; }
  void on_closed() override { closed = true; }

  TcpStream* stream = nullptr;
  std::string got;
  int drained = 0;
  bool ended = false;
  bool closed = false;
};

class TcpStreamMoveTest : public ::testing::Test {
 protected:
  TcpStreamMoveTest() {
    reader.stream = stream.get();
    stream->set_handler(reader);
  }
  void move() {
    ASSERT_TRUE(stream->detach());
    ASSERT_TRUE(stream->attach(second_queue));
  }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> first = *reactor::Loop::create({.index = 0}, clock);
  std::unique_ptr<reactor::Loop> second = *reactor::Loop::create({.index = 1}, clock);
  FlushQueue first_queue{*first, {}};
  FlushQueue second_queue{*second, {}};
  SocketPair peer;
  std::unique_ptr<TcpStream> stream = *TcpStream::adopt(first_queue, peer.give());
  Reader reader;
};

TEST_F(TcpStreamMoveTest, ReadsOnItsNewLoopOnly) {
  peer.say("before");
  move();
  first->turn(Duration::zero());
  EXPECT_EQ(reader.got, "");
  second->turn(Duration::zero());
  peer.say(" after");
  second->turn(Duration::zero());
  EXPECT_EQ(reader.got, "before after");
}

TEST_F(TcpStreamMoveTest, TakesItsOutputAlongAndLeavesSharedBytesBehind) {
  const BufferRef shared = Buffer::copy_of(as_bytes("shared with others "));
  stream->write(as_bytes("own "));
  stream->write(shared);
  stream->write(as_bytes("end"));
  ASSERT_TRUE(stream->detach());
  EXPECT_TRUE(shared->exclusive());
  EXPECT_EQ(stream->queued_bytes(), 26u);
  ASSERT_TRUE(stream->attach(second_queue));
  first->turn(Duration::zero());
  EXPECT_EQ(peer.hear(), "");
  second->turn(Duration::zero());
  EXPECT_EQ(peer.hear(), "own shared with others end");
}

TEST_F(TcpStreamMoveTest, GoesOnWhereThePeerReadSlowly) {
  const std::string much(4 * 1024 * 1024, 'x');
  stream->write(as_bytes(much));
  stream->notify_when_drained();
  first->turn(Duration::zero());
  ASSERT_GT(stream->queued_bytes(), 0u);
  move();
  std::size_t heard = 0;
  for (int i = 0; i < 1000 && heard < much.size(); ++i) {
    heard += peer.hear().size();
    second->turn(Duration::zero());
  }
  EXPECT_EQ(heard, much.size());
  EXPECT_EQ(reader.drained, 1);
}

TEST_F(TcpStreamMoveTest, FinishesThereWhatItHadToFinish) {
  stream->write(as_bytes("last"));
  stream->finish();
  move();
  second->turn(Duration::zero());
  EXPECT_EQ(peer.hear(), "last");
  EXPECT_TRUE(peer.heard_end());
}

TEST_F(TcpStreamMoveTest, MayBeLostOnTheWay) {
  stream->write(as_bytes("never sent"));
  ASSERT_TRUE(stream->detach());
  stream.reset();
  first->turn(Duration::zero());
  EXPECT_EQ(peer.hear(), "");
  EXPECT_TRUE(peer.heard_end());
}

TEST_F(TcpStreamMoveTest, StaysWhenItIsClosed) {
  stream->close();
  EXPECT_FALSE(stream->detach());
}

}  // namespace
}  // namespace anywire::net
