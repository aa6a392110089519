#include "net/tcp_stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "net/testing/stream_test.h"

namespace anywire::net {
namespace {

using TcpStreamTest = StreamTest;

TEST_P(TcpStreamTest, CarriesBytesBothWays) {
  Connection connection(queue);
  connection.peer.say("to the server");
  connection.stream->write(as_bytes("to the "));
  connection.stream->write(Buffer::copy_of(as_bytes("client")));
  EXPECT_EQ(connection.stream->queued_bytes(), 13u);
  EXPECT_EQ(connection.peer.hear(), "") << "nothing leaves before the end of the turn";
  turn();
  EXPECT_EQ(connection.handler.received, "to the server");
  EXPECT_EQ(connection.peer.hear(), "to the client");
  EXPECT_EQ(connection.stream->queued_bytes(), 0u);
  EXPECT_FALSE(connection.stream->encrypted());
}

TEST_P(TcpStreamTest, UnreadBytesBringAnotherCall) {
  Connection connection(queue);
  connection.handler.chunk = 3;
  connection.peer.say("abcdefgh");
  turns(3);
  EXPECT_EQ(connection.handler.readable_calls, 3);
  EXPECT_EQ(connection.handler.received, "abcdefgh");
}

TEST_P(TcpStreamTest, PeekTakesNothing) {
  Connection connection(queue);
  connection.peer.say("PROXY x");
  std::array<std::uint8_t, 5> head{};
  const ReadResult peeked = connection.stream->peek(head);
  EXPECT_EQ(peeked.bytes, 5u);
  EXPECT_EQ(as_text(head), "PROXY");
  turn();
  EXPECT_EQ(connection.handler.received, "PROXY x");
}

TEST_P(TcpStreamTest, NothingToReadWouldBlock) {
  Connection connection(queue);
  EXPECT_EQ(connection.handler.read_some(), ReadStatus::kWouldBlock);
}

TEST_P(TcpStreamTest, NoCallWhileReadingIsOff) {
  Connection connection(queue);
  connection.stream->set_reading(false);
  connection.peer.say("later");
  turns(3);
  EXPECT_EQ(connection.handler.readable_calls, 0);
  connection.stream->set_reading(true);
  turn();
  EXPECT_EQ(connection.handler.received, "later");
}

TEST_P(TcpStreamTest, ThePeersEndIsNoticedWhileReadingIsOffByWhoWatchesForIt) {
  for (const bool before : {true, false}) {
    Connection connection(queue);
    if (before) connection.stream->watch_for_end(true);
    connection.stream->set_reading(false);
    if (!before) connection.stream->watch_for_end(true);
    connection.peer.say("unread");
    turns(3);
    EXPECT_EQ(connection.handler.closed_calls, 0);
    connection.peer.end_saying();
    turns(3);
    EXPECT_EQ(connection.handler.closed_calls, 1);
    EXPECT_EQ(connection.handler.readable_calls, 0);
  }
}

TEST_P(TcpStreamTest, ThePeersEndIsReadByWhoReadsWhetherWatchedForOrNot) {
  Connection connection(queue);
  connection.stream->watch_for_end(true);
  connection.peer.say("last");
  connection.peer.end_saying();
  turns(3);
  EXPECT_EQ(connection.handler.received, "last");
  EXPECT_EQ(connection.handler.ends, 1);
}

TEST_P(TcpStreamTest, NobodyIsToldOfAnEndThatIsNotWatchedForAnyMore) {
  Connection connection(queue);
  connection.stream->set_reading(false);
  connection.stream->watch_for_end(true);
  connection.stream->watch_for_end(false);
  connection.peer.end_saying();
  turns(3);
  EXPECT_EQ(connection.handler.closed_calls, 0);
}

TEST_P(TcpStreamTest, APartialSendGoesOnWhenTheSocketHasRoom) {
  Connection connection(queue, 4096);
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i);
  connection.stream->write(as_bytes(text));
  std::string heard;
  for (int i = 0; i < 5000 && heard.size() < text.size(); ++i) {
    turn();
    heard += connection.peer.hear();
  }
  EXPECT_TRUE(heard == text);
  EXPECT_EQ(connection.stream->queued_bytes(), 0u);
}

TEST_P(TcpStreamTest, ManySmallSharedBuffersArriveInOrder) {
  Connection connection(queue, 4096);
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    const std::string part = std::to_string(i) + std::string(static_cast<std::size_t>(i % 40), '.');
    connection.stream->write(Buffer::copy_of(as_bytes(part)));
    text += part;
  }
  std::string heard;
  for (int i = 0; i < 2000 && heard.size() < text.size(); ++i) {
    turn();
    heard += connection.peer.hear();
  }
  EXPECT_TRUE(heard == text);
}

TEST_P(TcpStreamTest, DrainedComesOnceAfterTheQueueFellToTheLowWatermark) {
  Connection connection(queue, 4096);
  connection.stream->write(as_bytes(std::string(300'000, 'x')));
  connection.stream->notify_when_drained();
  turn();
  EXPECT_EQ(connection.handler.drained_calls, 0);
  connection.handler.on_drained_hook = [&] {
    EXPECT_LE(connection.stream->queued_bytes(), 4096u);
  };
  for (int i = 0; i < 500; ++i) {
    connection.peer.hear();
    turn();
  }
  EXPECT_EQ(connection.handler.drained_calls, 1);
}

TEST_P(TcpStreamTest, DrainedComesInTheSameTurnWhenNothingBlocks) {
  Connection connection(queue);
  connection.stream->write(as_bytes("small"));
  connection.stream->notify_when_drained();
  EXPECT_EQ(connection.handler.drained_calls, 0);
  turn();
  EXPECT_EQ(connection.handler.drained_calls, 1);
  connection.stream->write(as_bytes("unasked"));
  turn();
  EXPECT_EQ(connection.handler.drained_calls, 1);
}

TEST_P(TcpStreamTest, DrainedComesEvenWithNothingQueued) {
  Connection connection(queue);
  connection.stream->notify_when_drained();
  turn();
  EXPECT_EQ(connection.handler.drained_calls, 1);
}

TEST_P(TcpStreamTest, AProducerDrivenByDrainedNeverStalls) {
  // The kernel takes some of it, all of it, or nothing at all; the producer only ever waits.
  Connection connection(queue, 4096);
  std::size_t produced = 0;
  const auto produce = [&] {
    if (produced >= 4'000'000) return;
    const std::size_t size = 1 + produced * 7919 % 90'000;
    connection.stream->write(as_bytes(std::string(size, 'p')));
    connection.stream->notify_when_drained();
    produced += size;
  };
  connection.handler.on_drained_hook = produce;
  produce();
  std::size_t heard = 0;
  for (int i = 0; i < 100'000 && (heard < produced || produced < 4'000'000); ++i) {
    turn();
    heard += connection.peer.hear().size();
  }
  EXPECT_GE(produced, 4'000'000u);
  EXPECT_EQ(heard, produced);
}

TEST_P(TcpStreamTest, FinishSendsTheRestThenEndsOneDirection) {
  Connection connection(queue, 4096);
  connection.stream->write(as_bytes(std::string(100'000, 'x')));
  connection.stream->finish();
  connection.stream->write(as_bytes("too late"));
  connection.stream->write(Buffer::copy_of(as_bytes("too late")));
  std::string heard;
  for (int i = 0; i < 500 && !connection.peer.heard_end(); ++i) {
    turn();
    heard += connection.peer.hear();
  }
  EXPECT_EQ(heard, std::string(100'000, 'x'));
  EXPECT_TRUE(connection.peer.heard_end());
  connection.peer.say("still here");
  turn();
  EXPECT_EQ(connection.handler.received, "still here");
  EXPECT_EQ(connection.handler.closed_calls, 0);
}

TEST_P(TcpStreamTest, FinishWithNothingQueuedEndsAtOnce) {
  Connection connection(queue);
  connection.stream->finish();
  connection.stream->finish();
  connection.peer.hear();
  EXPECT_TRUE(connection.peer.heard_end());
}

TEST_P(TcpStreamTest, CloseWhenSentReportsAfterTheLastByte) {
  Connection connection(queue, 4096);
  connection.stream->write(as_bytes(std::string(100'000, 'x')));
  connection.stream->close_when_sent();
  turn();
  EXPECT_EQ(connection.handler.closed_calls, 0);
  std::string heard;
  for (int i = 0; i < 500 && connection.handler.closed_calls == 0; ++i) {
    heard += connection.peer.hear();
    turn();
  }
  heard += connection.peer.hear();
  EXPECT_EQ(heard.size(), 100'000u);
  EXPECT_EQ(connection.handler.closed_calls, 1);
  EXPECT_EQ(connection.stream->fd(), -1);
}

TEST_P(TcpStreamTest, CloseWhenSentWithNothingQueuedReportsAtTheEndOfTheTurn) {
  Connection connection(queue);
  connection.stream->close_when_sent();
  EXPECT_EQ(connection.handler.closed_calls, 0);
  turn();
  EXPECT_EQ(connection.handler.closed_calls, 1);
  connection.peer.hear();
  EXPECT_TRUE(connection.peer.heard_end());
}

TEST_P(TcpStreamTest, CloseDropsWhatIsQueuedAndCallsNobody) {
  Connection connection(queue);
  connection.stream->write(as_bytes("lost"));
  connection.stream->notify_when_drained();
  connection.stream->close();
  connection.stream->close();
  turns(2);
  EXPECT_EQ(connection.peer.hear(), "");
  EXPECT_TRUE(connection.peer.heard_end());
  EXPECT_EQ(connection.handler.readable_calls + connection.handler.drained_calls +
                connection.handler.closed_calls, 0);
  connection.stream->write(as_bytes("into the void"));
  connection.stream->finish();
  connection.stream->set_reading(false);
  EXPECT_EQ(connection.stream->queued_bytes(), 0u);
  EXPECT_EQ(connection.handler.read_some(), ReadStatus::kError);
}

TEST_P(TcpStreamTest, ThePeersEndIsReadAfterItsLastBytes) {
  Connection connection(queue);
  connection.peer.say("last words");
  connection.peer.end_saying();
  turns(2);
  EXPECT_EQ(connection.handler.received, "last words");
  EXPECT_EQ(connection.handler.ends, 1);
  connection.stream->write(as_bytes("answer"));
  turn();
  EXPECT_EQ(connection.peer.hear(), "answer");
}

TEST_P(TcpStreamTest, WritingToAPeerThatIsGoneIsClosed) {
  Connection connection(queue);
  connection.peer.hang_up();
  connection.stream->set_reading(false);
  connection.stream->write(as_bytes("anybody there?"));
  turns(2);
  EXPECT_EQ(connection.handler.closed_calls, 1);
}

TEST_P(TcpStreamTest, AResetIsAnErrorToTheReader) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::connect(peer, reinterpret_cast<sockaddr*>(&address), size), 0);
  auto stream = *TcpStream::adopt(
      queue, ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  Recorder handler;
  handler.stream = stream.get();
  stream->set_handler(handler);
  const linger reset{1, 0};
  ::setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  ::close(peer);
  turns(2);
  EXPECT_EQ(handler.errors, 1);
  EXPECT_EQ(stream->fd(), -1);
  ::close(listener);
}

TEST_P(TcpStreamTest, ASendTimeoutEndsAPeerThatTakesNothing) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int little = 4096;
  ::setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
  ASSERT_EQ(::connect(peer, reinterpret_cast<sockaddr*>(&address), size), 0);
  auto stream = *TcpStream::adopt(
      queue, ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  Recorder handler;
  handler.stream = stream.get();
  stream->set_handler(handler);
  stream->set_send_timeout(Duration{100});
  stream->write(as_bytes(std::string(8 * 1024 * 1024, 'x')));
  // The kernel looks at the time whenever it asks whether the peer has room by now.
  for (int i = 0; i < 500 && handler.errors + handler.closed_calls == 0; ++i) {
    loop->turn(Duration{20});
  }
  EXPECT_EQ(handler.errors + handler.closed_calls, 1);
  ::close(peer);
  ::close(listener);
}

TEST_P(TcpStreamTest, ClosingInsideAnyCallbackIsSafe) {
  for (const char* where : {"readable", "drained"}) {
    Connection connection(queue);
    const auto close = [&] { connection.stream->close(); };
    if (std::string_view(where) == "readable") connection.handler.on_readable_hook = close;
    if (std::string_view(where) == "drained") connection.handler.on_drained_hook = close;
    connection.peer.say("x");
    connection.stream->write(as_bytes("y"));
    connection.stream->notify_when_drained();
    turns(2);
    EXPECT_EQ(connection.stream->fd(), -1) << where;
    EXPECT_EQ(connection.handler.closed_calls, 0) << where;
  }
}

TEST_P(TcpStreamTest, DeletionDeferredFromACallbackIsSafe) {
  Connection connection(queue);
  connection.handler.on_readable_hook = [&] {
    connection.stream->write(as_bytes("gone"));
    connection.stream->close();
    loop->defer_delete(std::move(connection.stream));
  };
  connection.peer.say("x");
  turns(2);
  EXPECT_EQ(connection.stream, nullptr);
}

TEST_P(TcpStreamTest, ADescriptorThatCannotBeWatchedIsClosed) {
  const int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  // epoll refuses ordinary files and devices without readiness.
  const auto adopted = TcpStream::adopt(queue, fd);
  EXPECT_FALSE(adopted.has_value());
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
}

INSTANTIATE_TEST_SUITE_P(Batching, TcpStreamTest, ::testing::Bool(), batching_name);

}  // namespace
}  // namespace anywire::net
