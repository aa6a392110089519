#include "tls/tls_stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "net/testing/fake_stream.h"
#include "net/testing/recorder.h"
#include "tls/testing.h"

namespace anywire::tls {
namespace {

using testing::Client;
using testing::ClientOptions;
using testing::shared_context;

class TlsStreamTest : public ::testing::Test {
 protected:
  TlsStreamTest() { connect({}); }

  void connect(const ClientOptions& options,
               std::shared_ptr<const Context> context = shared_context()) {
    client = std::make_unique<Client>(options);
    stream.reset();
    wire = std::make_unique<net::FakeWire>(*loop);
    wire->low_watermark = 16 * 1024;
    stream = std::make_unique<TlsStream>(queue, std::move(context), wire->make_stream());
    handler = net::Recorder();
    handler.stream = stream.get();
    // It is for the TlsStream to keep quiet once its end was read.
    handler.stop_at_end = false;
    stream->set_handler(handler);
  }

  void turn() {
    wire->pump();
    loop->turn(Duration::zero());
  }
  // Lets both sides talk until neither has anything to say.
  void exchange() {
    for (int quiet = 0; quiet < 3;) {
      client->feed(std::exchange(wire->sent, {}));
      const std::string to_server = client->take();
      wire->arrive(to_server);
      const std::size_t unread = wire->unread() + handler.received.size();
      turn();
      const bool moved = !to_server.empty() || !wire->sent.empty() ||
                         wire->unread() + handler.received.size() != unread;
      quiet = moved ? 0 : quiet + 1;
    }
  }
  void handshake() {
    exchange();
    ASSERT_TRUE(stream->handshake_done());
    ASSERT_TRUE(client->established());
  }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  EncryptQueue queue{*loop};
  std::unique_ptr<Client> client;
  net::Recorder handler;
  std::unique_ptr<net::FakeWire> wire;
  std::unique_ptr<TlsStream> stream;
};

TEST_F(TlsStreamTest, HandshakeIsTransparent) {
  handshake();
  EXPECT_EQ(handler.readable_calls, 0);
  EXPECT_EQ(handler.closed_calls, 0);
  EXPECT_STREQ(stream->version(), "TLSv1.3");
  EXPECT_TRUE(stream->encrypted());
}

class TlsStreamVersionTest : public TlsStreamTest,
                             public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override { connect({.version = GetParam()}); }
};

TEST_P(TlsStreamVersionTest, CarriesBytesBothWays) {
  handshake();
  wire->arrive(client->encrypt("hello server"));
  stream->write(as_bytes("hello client"));
  exchange();
  EXPECT_EQ(handler.received, "hello server");
  EXPECT_EQ(client->received, "hello client");
}

TEST_P(TlsStreamVersionTest, EveryReadSizeBelowGivesTheSameBytes) {
  for (std::size_t step = 1; step <= 40; ++step) {
    connect({.version = GetParam()});
    wire->read_max = step;
    handshake();
    wire->arrive(client->encrypt("first record"));
    wire->arrive(client->encrypt("second"));
    exchange();
    EXPECT_EQ(handler.received, "first recordsecond") << step;
  }
}

TEST_P(TlsStreamVersionTest, EverySplitOfTheClientsFirstFlightWorks) {
  // The whole of what a client says first is cut in two at each point.
  client->feed({});
  const std::string probe = client->take();
  for (std::size_t cut = 0; cut <= probe.size(); ++cut) {
    connect({.version = GetParam()});
    client->feed({});
    const std::string hello = client->take();
    const std::size_t at = std::min(cut, hello.size());
    wire->arrive(hello.substr(0, at));
    turn();
    wire->arrive(hello.substr(at));
    exchange();
    ASSERT_TRUE(stream->handshake_done()) << cut;
  }
}

TEST_P(TlsStreamVersionTest, DataInTheSameSegmentAsTheEndOfTheHandshakeIsDelivered) {
  client->feed({});
  wire->arrive(client->take());
  turn();
  client->feed(std::exchange(wire->sent, {}));
  if (GetParam() == TLS1_2_VERSION) {
    wire->arrive(client->take());
    turn();
    client->feed(std::exchange(wire->sent, {}));
  }
  ASSERT_TRUE(client->established());
  wire->arrive(client->take());
  wire->arrive(client->encrypt("eager"));
  turn();
  EXPECT_EQ(handler.received, "eager");
}

TEST_P(TlsStreamVersionTest, CloseNotifyFromThePeerIsTheEnd) {
  handshake();
  wire->arrive(client->encrypt("last words"));
  wire->arrive(client->close_notify());
  exchange();
  EXPECT_EQ(handler.received, "last words");
  EXPECT_EQ(handler.ends, 1);
  // Half-closed: our direction is still open.
  stream->write(as_bytes("answer"));
  turn();
  EXPECT_FALSE(wire->sent.empty());
  EXPECT_EQ(handler.closed_calls, 0);
}

TEST_P(TlsStreamVersionTest, FinishSendsWhatIsQueuedThenCloseNotifyThenEnds) {
  handshake();
  stream->write(as_bytes("goodbye"));
  stream->finish();
  stream->write(as_bytes("too late"));
  exchange();
  EXPECT_EQ(client->received, "goodbye");
  EXPECT_TRUE(client->peer_closed());
  EXPECT_TRUE(wire->fin_sent());
  EXPECT_FALSE(wire->closed());
  // Reading goes on.
  wire->arrive(client->encrypt("still talking"));
  exchange();
  EXPECT_EQ(handler.received, "still talking");
}

INSTANTIATE_TEST_SUITE_P(Versions, TlsStreamVersionTest,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST_F(TlsStreamTest, SmallWritesOfOneTurnShareARecord) {
  handshake();
  for (int i = 0; i < 100; ++i) stream->write(as_bytes("0123456789"));
  client->records = 0;
  exchange();
  EXPECT_EQ(client->received.size(), 1000u);
  EXPECT_EQ(client->records, 1);
}

TEST_F(TlsStreamTest, FramedWritesLeaveAsOnePiece) {
  handshake();
  stream->write_framed(as_bytes("head"), as_bytes(std::string(5000, 'x')), true);
  stream->write_framed(as_bytes("next"), as_bytes("y"), false);
  stream->write_framed({}, {}, false);
  EXPECT_EQ(stream->queued_bytes(), 5009u);
  client->records = 0;
  exchange();
  EXPECT_EQ(client->received, "head" + std::string(5000, 'x') + "nexty");
  EXPECT_EQ(client->records, 1);
}

TEST_F(TlsStreamTest, LargeWritesBecomeFullRecords) {
  handshake();
  stream->write(Buffer::copy_of(as_bytes(std::string(40 * 1024, 'x'))));
  client->records = 0;
  exchange();
  EXPECT_EQ(client->received, std::string(40 * 1024, 'x'));
  EXPECT_EQ(client->records, 3);
}

TEST_F(TlsStreamTest, WritesBeforeTheHandshakeLeaveAfterIt) {
  stream->write(as_bytes("early"));
  stream->write(Buffer::copy_of(as_bytes(" bird")));
  EXPECT_EQ(stream->queued_bytes(), 10u);
  exchange();
  EXPECT_EQ(client->received, "early bird");
  EXPECT_EQ(stream->queued_bytes(), 0u);
}

TEST_F(TlsStreamTest, TooMuchWrittenBeforeTheHandshakeBreaksTheConnection) {
  stream->write(as_bytes(std::string(TlsStream::kEarlyBytesMax, 'x')));
  loop->turn(Duration::zero());
  EXPECT_EQ(handler.closed_calls, 0);
  stream->write(as_bytes("x"));
  EXPECT_EQ(handler.closed_calls, 0) << "not from inside write";
  EXPECT_EQ(stream->queued_bytes(), 0u);
  loop->turn(Duration::zero());
  EXPECT_EQ(handler.closed_calls, 1);
  EXPECT_TRUE(wire->closed());
}

TEST_F(TlsStreamTest, FinishBeforeTheHandshakeWaitsForQueuedBytes) {
  stream->write(as_bytes("early"));
  stream->finish();
  exchange();
  EXPECT_EQ(client->received, "early");
  EXPECT_TRUE(client->peer_closed());
  EXPECT_TRUE(wire->fin_sent());
}

TEST_F(TlsStreamTest, FinishBeforeTheHandshakeWithNothingQueuedJustEnds) {
  stream->finish();
  turn();
  EXPECT_TRUE(wire->fin_sent());
  EXPECT_EQ(handler.closed_calls, 0);
}

TEST_F(TlsStreamTest, CloseWhenSentClosesAfterEverythingLeft) {
  handshake();
  wire->window = 0;
  stream->write(as_bytes("all of this"));
  stream->close_when_sent();
  turn();
  EXPECT_EQ(handler.closed_calls, 0);
  wire->window = net::FakeWire::kOpenWindow;
  turn();
  EXPECT_EQ(handler.closed_calls, 1);
  client->feed(std::exchange(wire->sent, {}));
  EXPECT_EQ(client->received, "all of this");
  EXPECT_TRUE(client->peer_closed());
}

TEST_F(TlsStreamTest, CloseWhenSentAfterFinishSendsOneCloseNotify) {
  handshake();
  stream->finish();
  turn();
  stream->close_when_sent();
  turn();
  EXPECT_TRUE(wire->closed());
  EXPECT_EQ(handler.closed_calls, 1);
}

TEST_F(TlsStreamTest, AStalledReaderHoldsLittleCiphertext) {
  handshake();
  wire->window = 0;
  const BufferRef shared = Buffer::copy_of(as_bytes(std::string(1024 * 1024, 's')));
  stream->write(shared);
  stream->write(shared);
  turn();
  EXPECT_LE(wire->queued(), TlsStream::kCiphertextBytesMax + 1024);
  EXPECT_GE(stream->queued_bytes(), 2u * 1024 * 1024);
}

TEST_F(TlsStreamTest, AReaderThatTakesALittleAtATimeGetsEverything) {
  handshake();
  wire->window = 0;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i);
  stream->write(as_bytes(text));
  stream->notify_when_drained();
  turn();
  EXPECT_EQ(handler.drained_calls, 0);
  for (int i = 0; i < 2000 && client->received.size() < text.size(); ++i) {
    wire->window = 7000;
    turn();
    client->feed(std::exchange(wire->sent, {}));
    EXPECT_LE(wire->queued(), TlsStream::kCiphertextBytesMax + 1024);
  }
  EXPECT_TRUE(client->received == text);
  EXPECT_EQ(handler.drained_calls, 1);
}

TEST_F(TlsStreamTest, DrainedComesInTheSameTurnWhenThePeerTakesAll) {
  handshake();
  stream->write(as_bytes(std::string(1024 * 1024, 'd')));
  stream->notify_when_drained();
  loop->turn(Duration::zero());
  EXPECT_EQ(handler.drained_calls, 1);
  EXPECT_EQ(stream->queued_bytes(), 0u);
}

TEST_F(TlsStreamTest, DrainedIsNotCalledUnasked) {
  handshake();
  wire->window = 0;
  stream->write(as_bytes(std::string(1024 * 1024, 'd')));
  turn();
  wire->window = net::FakeWire::kOpenWindow;
  exchange();
  EXPECT_EQ(client->received.size(), 1024u * 1024);
  EXPECT_EQ(handler.drained_calls, 0);
}

TEST_F(TlsStreamTest, BytesWrittenInOnDrainedLeaveInTheSameTurn) {
  handshake();
  handler.on_drained_hook = [&] { stream->write(as_bytes("more")); };
  stream->write(as_bytes("some"));
  stream->notify_when_drained();
  loop->turn(Duration::zero());
  client->feed(std::exchange(wire->sent, {}));
  EXPECT_EQ(client->received, "somemore");
}

TEST_F(TlsStreamTest, ClosingInOnDrainedIsSafe) {
  handshake();
  handler.on_drained_hook = [&] { stream->close(); };
  stream->write(as_bytes("some"));
  stream->notify_when_drained();
  loop->turn(Duration::zero());
  EXPECT_TRUE(wire->closed());
  EXPECT_EQ(handler.closed_calls, 0);
}

TEST_F(TlsStreamTest, OutputForAnotherStreamFromOnDrainedWakesTheLoop) {
  handshake();
  Client other_client;
  net::FakeWire other_wire(*loop);
  TlsStream other(queue, shared_context(), other_wire.make_stream());
  net::Recorder other_handler;
  other.set_handler(other_handler);
  other_handler.stream = &other;
  while (!other.handshake_done()) {
    other_client.feed(std::exchange(other_wire.sent, {}));
    other_wire.deliver(other_client.take());
    loop->turn(Duration::zero());
  }
  handler.on_drained_hook = [&] { other.write(as_bytes("across")); };
  stream->notify_when_drained();
  loop->turn(Duration::zero());
  // Without the wake-up this turn would sleep for good.
  loop->turn(reactor::TimerWheel::kNever);
  other_client.feed(std::exchange(other_wire.sent, {}));
  EXPECT_EQ(other_client.received, "across");
}

TEST_F(TlsStreamTest, PlaintextLeftInTheEngineBringsAnotherCall) {
  handshake();
  handler.chunk = 10;
  wire->deliver(client->encrypt(std::string(95, 'p')));
  EXPECT_EQ(handler.received.size(), 10u);
  EXPECT_EQ(wire->unread(), 0u) << "the socket below has nothing more to say";
  // One call per turn, without anything readable below, and none when all is read.
  for (int i = 0; i < 9; ++i) loop->turn(reactor::TimerWheel::kNever);
  EXPECT_EQ(handler.received.size(), 95u);
  const int calls = handler.readable_calls;
  loop->turn(Duration::zero());
  loop->turn(Duration::zero());
  EXPECT_EQ(handler.readable_calls, calls);
}

TEST_F(TlsStreamTest, AHandlerThatDoesNotReadIsCalledAgain) {
  handshake();
  handler.chunk = 10;
  wire->deliver(client->encrypt(std::string(20, 'p')));
  handler.on_readable_hook = [] {};
  const int calls = handler.readable_calls;
  loop->turn(reactor::TimerWheel::kNever);
  loop->turn(reactor::TimerWheel::kNever);
  EXPECT_EQ(handler.readable_calls, calls + 2);
}

TEST_F(TlsStreamTest, ManyRecordsReadInTinyPiecesArriveWhole) {
  handshake();
  handler.chunk = 600;
  std::string text;
  for (int i = 0; i < 50; ++i) {
    const std::string part(static_cast<std::size_t>(i) * 37, static_cast<char>('a' + i % 26));
    if (!part.empty()) wire->arrive(client->encrypt(part));
    text += part;
  }
  exchange();
  EXPECT_EQ(handler.received, text);
}

TEST_F(TlsStreamTest, NothingIsDeliveredWhileReadingIsOff) {
  handshake();
  handler.chunk = 10;
  wire->deliver(client->encrypt(std::string(30, 'p')));
  ASSERT_EQ(handler.received.size(), 10u);
  stream->set_reading(false);
  EXPECT_FALSE(wire->reading());
  for (int i = 0; i < 5; ++i) turn();
  EXPECT_EQ(handler.received.size(), 10u);
  stream->set_reading(true);
  EXPECT_TRUE(wire->reading());
  for (int i = 0; i < 5; ++i) turn();
  EXPECT_EQ(handler.received.size(), 30u);
}

TEST_F(TlsStreamTest, ReadingSwitchedOffBeforeTheHandshakeHoldsBackThePlaintextOnly) {
  stream->set_reading(false);
  client->feed({});
  wire->arrive(client->take());
  turn();
  client->feed(std::exchange(wire->sent, {}));
  wire->arrive(client->take());
  wire->arrive(client->encrypt("eager"));
  turn();
  EXPECT_TRUE(stream->handshake_done());
  EXPECT_FALSE(wire->reading());
  EXPECT_EQ(handler.readable_calls, 0);
  stream->set_reading(true);
  turn();
  EXPECT_EQ(handler.received, "eager");
}

TEST_F(TlsStreamTest, CloseNotifyHeldBackWhileReadingIsOffIsDeliveredLater) {
  handshake();
  handler.on_readable_hook = [&] {
    handler.read_some();
    stream->set_reading(false);
  };
  wire->arrive(client->encrypt("data"));
  wire->arrive(client->close_notify());
  turn();
  turn();
  EXPECT_EQ(handler.ends, 0);
  handler.on_readable_hook = nullptr;
  stream->set_reading(true);
  turn();
  turn();
  EXPECT_EQ(handler.received, "data");
  EXPECT_EQ(handler.ends, 1);
}

TEST_F(TlsStreamTest, AnEndIsNoticedWhileReadingIsOffByWhoWatchesForIt) {
  handshake();
  stream->set_reading(false);
  stream->watch_for_end(true);
  wire->arrive(client->encrypt("unread"));
  turn();
  EXPECT_EQ(handler.closed_calls, 0);
  wire->end_input();
  turn();
  EXPECT_EQ(handler.closed_calls, 1);
  EXPECT_EQ(handler.received, "");
}

TEST_F(TlsStreamTest, AnEndThatWasReadIsNotToldAgain) {
  handshake();
  stream->watch_for_end(true);
  wire->arrive(client->close_notify());
  wire->end_input();
  turn();
  turn();
  EXPECT_EQ(handler.ends, 1);
  EXPECT_EQ(handler.closed_calls, 0);
}

TEST_F(TlsStreamTest, ABareEndReadsAsTheEndOnce) {
  handshake();
  wire->end_input();
  for (int i = 0; i < 5; ++i) turn();
  EXPECT_EQ(handler.ends, 1);
  EXPECT_EQ(handler.readable_calls, 1);
  EXPECT_EQ(handler.errors, 0);
}

TEST_F(TlsStreamTest, AnEndDuringTheHandshakeIsClosed) {
  client->feed({});
  wire->arrive(client->take());
  wire->end_input();
  turn();
  turn();
  EXPECT_EQ(handler.closed_calls, 1);
  EXPECT_EQ(handler.readable_calls, 0);
}

TEST_F(TlsStreamTest, AResetBelowIsReportedOnce) {
  handshake();
  handler.close_on_closed = false;
  wire->fail_next_flush = true;
  turn();
  EXPECT_EQ(handler.closed_calls, 1);
  stream->write(as_bytes("into the void"));
  stream->finish();
  stream->notify_when_drained();
  turn();
  EXPECT_EQ(handler.closed_calls, 1);
  std::uint8_t byte = 0;
  EXPECT_EQ(stream->read({&byte, 1}).status, net::ReadStatus::kError);
}

TEST_F(TlsStreamTest, AResetSeenByAReadIsAnErrorToTheReader) {
  handshake();
  wire->reset_by_peer();
  turn();
  EXPECT_EQ(handler.errors, 1);
  EXPECT_EQ(handler.closed_calls, 0);
  EXPECT_TRUE(wire->closed());
}

TEST_F(TlsStreamTest, ATamperedRecordIsAnErrorAndTheAlertLeaves) {
  handshake();
  std::string record = client->encrypt("truth");
  record.back() = static_cast<char>(record.back() ^ 1);
  wire->arrive(record);
  turn();
  EXPECT_EQ(handler.errors, 1);
  EXPECT_EQ(handler.received, "");
  client->feed(std::exchange(wire->sent, {}));
  EXPECT_NE(client->problem.find("bad record mac"), std::string::npos) << client->problem;
  EXPECT_TRUE(wire->closed());
}

TEST_F(TlsStreamTest, GarbageInsteadOfAClientHelloClosesQuietly) {
  wire->arrive("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  turn();
  EXPECT_EQ(handler.closed_calls, 1);
  EXPECT_STREQ(stream->failure(), "not TLS");
  EXPECT_EQ(wire->sent, "");
}

TEST_F(TlsStreamTest, AlpnMismatchReachesTheClientAsAnAlert) {
  connect({.alpn = {"h2", "spdy/3"}});
  exchange();
  EXPECT_EQ(handler.closed_calls, 1);
  EXPECT_FALSE(stream->handshake_done());
  EXPECT_NE(client->problem.find("no application protocol"), std::string::npos) << client->problem;
}

TEST_F(TlsStreamTest, AFloodOfKeyUpdatesWithoutReadingIsCutOff) {
  handshake();
  wire->window = 0;
  for (int i = 0; i < 20'000 && handler.errors == 0; ++i) {
    SSL_key_update(client->native(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(client->native());
    wire->arrive(client->take());
    // Data in between, as OpenSSL itself refuses a long run of nothing else.
    wire->arrive(client->encrypt("x"));
    turn();
    ASSERT_LT(wire->queued(), 256u * 1024);
  }
  EXPECT_EQ(handler.errors, 1);
}

TEST_F(TlsStreamTest, DestructionInAnyStateLeavesNothingBehind) {
  handshake();
  handler.chunk = 10;
  wire->deliver(client->encrypt(std::string(30, 'p')));
  stream->write(as_bytes("dirty"));
  stream.reset();
  loop->turn(Duration::zero());
  connect({});
  stream->write(as_bytes(std::string(TlsStream::kEarlyBytesMax + 1, 'x')));
  stream.reset();
  loop->turn(Duration::zero());
}

TEST_F(TlsStreamTest, CloseInsideOnReadableIsSafe) {
  handshake();
  handler.chunk = 10;
  handler.on_readable_hook = [&] {
    handler.read_some();
    stream->close();
  };
  wire->arrive(client->encrypt(std::string(30, 'p')));
  turn();
  turn();
  EXPECT_TRUE(wire->closed());
  EXPECT_EQ(handler.readable_calls, 1);
  EXPECT_EQ(stream->read({}).status, net::ReadStatus::kError);
}

TEST_F(TlsStreamTest, OldConnectionsKeepTheirContextAfterAReload) {
  ContextHolder holder(testing::make_context("old"));
  connect({}, holder.current());
  handshake();
  EXPECT_EQ(client->peer_name(), "old");
  holder.replace(testing::make_context("new"));
  stream->write(as_bytes("unchanged"));
  exchange();
  EXPECT_EQ(client->received, "unchanged");
  connect({}, holder.current());
  handshake();
  EXPECT_EQ(client->peer_name(), "new");
}

}  // namespace
}  // namespace anywire::tls
