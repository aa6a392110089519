// TlsStream over TcpStream, FlushQueue and a real Loop, against OpenSSL's own client.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/clock.h"
#include "net/flush_queue.h"
#include "net/tcp_stream.h"
#include "net/testing/socket_pair.h"
#include "tls/testing.h"
#include "tls/tls_stream.h"

namespace anywire::tls {
namespace {

using testing::Client;
using testing::ClientOptions;
using testing::shared_context;

// Sends back what it gets; stops reading while much is queued.
class Echo final : public net::StreamHandler {
 public:
  explicit Echo(reactor::Loop& loop) : loop_(loop) {}
  void on_readable() override {
    const net::ReadResult result = stream->read(loop_.receive_buffer());
    if (result.status == net::ReadStatus::kEnd) stream->close_when_sent();
    if (result.status == net::ReadStatus::kError) stream->close();
    if (result.status != net::ReadStatus::kData) return;
    stream->write(Bytes(loop_.receive_buffer()).first(result.bytes));
    queued_max = std::max(queued_max, stream->queued_bytes());
    if (stream->queued_bytes() > 128 * 1024) {
      stream->set_reading(false);
      stream->notify_when_drained();
      ++pauses;
    }
  }
  void on_drained() override { stream->set_reading(true); }
  void on_closed() override {
    closed = true;
    stream->close();
  }

  TlsStream* stream = nullptr;
  bool closed = false;
  int pauses = 0;
  std::size_t queued_max = 0;

 private:
  reactor::Loop& loop_;
};

class TlsSocketTest : public ::testing::TestWithParam<int> {
 protected:
  TlsSocketTest() {
    stream = std::make_unique<TlsStream>(encrypt_queue, shared_context(),
                                         *net::TcpStream::adopt(flush_queue, peer.give()));
    stream->set_handler(echo);
    echo.stream = stream.get();
  }

  // The client sends and receives what it can, then the server has a turn.
  void step() {
    to_server += client.take();
    to_server.erase(0, peer.say_some(to_server));
    if (client_reads) client.feed(peer.hear_some(32 * 1024));
    loop->turn(Duration::zero());
  }
  void handshake() {
    for (int i = 0; i < 50 && !stream->handshake_done(); ++i) step();
    for (int i = 0; i < 5; ++i) step();
    ASSERT_TRUE(client.established());
  }

  SystemClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  EncryptQueue encrypt_queue{*loop};
  net::FlushQueue flush_queue{*loop, {}};
  Client client{{.version = GetParam()}};
  Echo echo{*loop};
  net::SocketPair peer;
  std::unique_ptr<TlsStream> stream;
  std::string to_server;
  bool client_reads = true;
};

TEST_P(TlsSocketTest, EightMebibytesEchoedWithBackpressureArriveWhole) {
  handshake();
  std::string text;
  for (int i = 0; text.size() < 8 * 1024 * 1024; ++i) text += std::to_string(i);
  to_server += client.encrypt(text);
  // First nobody reads: the server must stop at its limits, not swallow everything.
  client_reads = false;
  for (int i = 0; i < 300; ++i) step();
  EXPECT_GT(echo.pauses, 0);
  EXPECT_LT(echo.queued_max, 512u * 1024);
  client_reads = true;
  for (int i = 0; i < 20'000 && client.received.size() < text.size(); ++i) step();
  EXPECT_EQ(client.received.size(), text.size());
  EXPECT_TRUE(client.received == text);
  EXPECT_LT(echo.queued_max, 512u * 1024);
}

TEST_P(TlsSocketTest, CiphertextLeavesInTheTurnThePlaintextWasWritten) {
  handshake();
  stream->write(as_bytes("now"));
  loop->turn(Duration::zero());
  EXPECT_EQ(stream->queued_bytes(), 0u);
  client.feed(peer.hear());
  EXPECT_EQ(client.received, "now");
}

TEST_P(TlsSocketTest, GoesOnOnAnotherLoopWithWhatItHasToSay) {
  handshake();
  std::unique_ptr<reactor::Loop> other = *reactor::Loop::create({.index = 1}, clock);
  EncryptQueue other_encrypt_queue(*other);
  net::FlushQueue other_flush_queue(*other, {});
  const BufferRef shared = Buffer::copy_of(as_bytes("shared "));
  stream->write(shared);
  to_server += client.encrypt("echo");
  ASSERT_TRUE(stream->detach());
  EXPECT_TRUE(shared->exclusive());
  ASSERT_TRUE(static_cast<net::TcpStream&>(stream->lower()).attach(other_flush_queue));
  stream->attach(other_encrypt_queue);
  Echo there(*other);
  there.stream = stream.get();
  stream->set_handler(there);
  loop->turn(Duration::zero());
  EXPECT_EQ(peer.hear(), "");
  loop.swap(other);
  for (int i = 0; i < 20; ++i) step();
  loop.swap(other);
  EXPECT_EQ(client.received, "shared echo");
  stream.reset();
}

TEST_P(TlsSocketTest, CloseNotifyIsAnsweredAndBothSidesEnd) {
  handshake();
  to_server += client.encrypt("bye");
  to_server += client.close_notify();
  for (int i = 0; i < 20; ++i) step();
  EXPECT_EQ(client.received, "bye");
  EXPECT_TRUE(client.peer_closed());
  EXPECT_TRUE(echo.closed);
}

TEST_P(TlsSocketTest, ThePeerVanishingIsTheEnd) {
  handshake();
  peer.end_saying();
  for (int i = 0; i < 20; ++i) step();
  EXPECT_TRUE(client.peer_closed());
  EXPECT_TRUE(echo.closed);
}

TEST_P(TlsSocketTest, AnAlertLeavesBeforeTheSocketCloses) {
  handshake();
  std::string record = client.encrypt("truth");
  record.back() = static_cast<char>(record.back() ^ 1);
  to_server += record;
  for (int i = 0; i < 20; ++i) step();
  EXPECT_FALSE(client.problem.empty());
  EXPECT_STRNE(stream->failure(), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Versions, TlsSocketTest, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

}  // namespace
}  // namespace anywire::tls
