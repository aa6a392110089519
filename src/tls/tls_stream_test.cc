#include "tls/tls_stream.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/clock.h"
#include "tls/testing.h"

namespace anywire::tls {
namespace {

using testing::Client;
using testing::ClientOptions;
using testing::FakeStream;
using testing::shared_context;

// Reads everything, `chunk` bytes at a time, unless told otherwise.
class Recorder final : public net::StreamHandler {
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
    if (close_on_closed) stream->close();
  }

  // One read of at most `chunk` bytes.
  net::ReadStatus read_some() {
    std::vector<std::uint8_t> buffer(chunk);
    const net::ReadResult result = stream->read(buffer);
    if (result.status == net::ReadStatus::kData) {
      received.append(as_text({buffer.data(), result.bytes}));
    }
    if (result.status == net::ReadStatus::kEnd) ++ends;
    if (result.status == net::ReadStatus::kError) {
      ++errors;
      stream->close();
    }
    return result.status;
  }

  TlsStream* stream = nullptr;
  std::size_t chunk = 256 * 1024;
  bool close_on_closed = true;
  std::string received;
  int readable_calls = 0;
  int drained_calls = 0;
  int closed_calls = 0;
  int ends = 0;
  int errors = 0;
  std::function<void()> on_readable_hook;
  std::function<void()> on_drained_hook;
};

class TlsStreamTest : public ::testing::Test {
 protected:
  TlsStreamTest() { connect({}); }

  void connect(const ClientOptions& options,
               std::shared_ptr<const Context> context = shared_context()) {
    client = std::make_unique<Client>(options);
    auto owned = std::make_unique<FakeStream>(*loop);
    lower = owned.get();
    handler = Recorder();
    stream = std::make_unique<TlsStream>(queue, std::move(context), std::move(owned));
    stream->set_handler(handler);
    handler.stream = stream.get();
  }

  void turn() {
    lower->poll();
    loop->turn(Duration::zero());
  }
  // Lets both sides talk until neither has anything to say.
  void exchange() {
    for (int quiet = 0; quiet < 3;) {
      client->feed(std::exchange(lower->sent, {}));
      const std::string to_server = client->take();
      lower->input += to_server;
      const std::size_t unread = lower->input.size() + handler.received.size();
      turn();
      const bool moved = !to_server.empty() || !lower->sent.empty() ||
                         lower->input.size() + handler.received.size() != unread;
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
  Recorder handler;
  FakeStream* lower = nullptr;
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
  lower->input += client->encrypt("hello server");
  stream->write(as_bytes("hello client"));
  exchange();
  EXPECT_EQ(handler.received, "hello server");
  EXPECT_EQ(client->received, "hello client");
}

TEST_P(TlsStreamVersionTest, EveryReadSizeBelowGivesTheSameBytes) {
  for (std::size_t step = 1; step <= 40; ++step) {
    connect({.version = GetParam()});
    lower->read_max = step;
    handshake();
    lower->input += client->encrypt("first record");
    lower->input += client->encrypt("second");
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
    lower->input = hello.substr(0, at);
    turn();
    lower->input += hello.substr(at);
    exchange();
    ASSERT_TRUE(stream->handshake_done()) << cut;
  }
}

TEST_P(TlsStreamVersionTest, DataInTheSameSegmentAsTheEndOfTheHandshakeIsDelivered) {
  client->feed({});
  lower->input = client->take();
  turn();
  client->feed(std::exchange(lower->sent, {}));
  if (GetParam() == TLS1_2_VERSION) {
    lower->input = client->take();
    turn();
    client->feed(std::exchange(lower->sent, {}));
  }
  ASSERT_TRUE(client->established());
  lower->input = client->take();
  lower->input += client->encrypt("eager");
  turn();
  EXPECT_EQ(handler.received, "eager");
}

TEST_P(TlsStreamVersionTest, CloseNotifyFromThePeerIsTheEnd) {
  handshake();
  lower->input += client->encrypt("last words");
  lower->input += client->close_notify();
  exchange();
  EXPECT_EQ(handler.received, "last words");
  EXPECT_EQ(handler.ends, 1);
  // Half-closed: our direction is still open.
  stream->write(as_bytes("answer"));
  turn();
  EXPECT_FALSE(lower->sent.empty());
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
  EXPECT_TRUE(lower->finishing);
  EXPECT_FALSE(lower->closing);
  // Reading goes on.
  lower->input += client->encrypt("still talking");
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
  EXPECT_TRUE(lower->closed);
}

TEST_F(TlsStreamTest, FinishBeforeTheHandshakeWaitsForQueuedBytes) {
  stream->write(as_bytes("early"));
  stream->finish();
  exchange();
  EXPECT_EQ(client->received, "early");
  EXPECT_TRUE(client->peer_closed());
  EXPECT_TRUE(lower->finishing);
}

TEST_F(TlsStreamTest, FinishBeforeTheHandshakeWithNothingQueuedJustEnds) {
  stream->finish();
  turn();
  EXPECT_TRUE(lower->finishing);
  EXPECT_EQ(handler.closed_calls, 0);
}

TEST_F(TlsStreamTest, CloseWhenSentClosesAfterEverythingLeft) {
  handshake();
  lower->window = 0;
  stream->write(as_bytes("all of this"));
  stream->close_when_sent();
  turn();
  EXPECT_EQ(handler.closed_calls, 0);
  lower->window = std::string::npos;
  turn();
  EXPECT_EQ(handler.closed_calls, 1);
  client->feed(std::exchange(lower->sent, {}));
  EXPECT_EQ(client->received, "all of this");
  EXPECT_TRUE(client->peer_closed());
}

TEST_F(TlsStreamTest, CloseWhenSentAfterFinishSendsOneCloseNotify) {
  handshake();
  stream->finish();
  turn();
  stream->close_when_sent();
  turn();
  EXPECT_TRUE(lower->closed);
  EXPECT_EQ(handler.closed_calls, 1);
}

TEST_F(TlsStreamTest, AStalledReaderHoldsLittleCiphertext) {
  handshake();
  lower->window = 0;
  const BufferRef shared = Buffer::copy_of(as_bytes(std::string(1024 * 1024, 's')));
  stream->write(shared);
  stream->write(shared);
  turn();
  EXPECT_LE(lower->queued_bytes(), TlsStream::kCiphertextBytesMax + 1024);
  EXPECT_GE(stream->queued_bytes(), 2u * 1024 * 1024);
}

TEST_F(TlsStreamTest, AReaderThatTakesALittleAtATimeGetsEverything) {
  handshake();
  lower->window = 0;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i);
  stream->write(as_bytes(text));
  stream->notify_when_drained();
  turn();
  EXPECT_EQ(handler.drained_calls, 0);
  for (int i = 0; i < 2000 && client->received.size() < text.size(); ++i) {
    lower->window = 7000;
    turn();
    client->feed(std::exchange(lower->sent, {}));
    EXPECT_LE(lower->queued_bytes(), TlsStream::kCiphertextBytesMax + 1024);
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
  lower->window = 0;
  stream->write(as_bytes(std::string(1024 * 1024, 'd')));
  turn();
  lower->window = std::string::npos;
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
  client->feed(std::exchange(lower->sent, {}));
  EXPECT_EQ(client->received, "somemore");
}

TEST_F(TlsStreamTest, ClosingInOnDrainedIsSafe) {
  handshake();
  handler.on_drained_hook = [&] { stream->close(); };
  stream->write(as_bytes("some"));
  stream->notify_when_drained();
  loop->turn(Duration::zero());
  EXPECT_TRUE(lower->closed);
  EXPECT_EQ(handler.closed_calls, 0);
}

TEST_F(TlsStreamTest, OutputForAnotherStreamFromOnDrainedWakesTheLoop) {
  handshake();
  Client other_client;
  auto other_owned = std::make_unique<FakeStream>(*loop);
  FakeStream* other_lower = other_owned.get();
  TlsStream other(queue, shared_context(), std::move(other_owned));
  Recorder other_handler;
  other.set_handler(other_handler);
  other_handler.stream = &other;
  while (!other.handshake_done()) {
    other_client.feed(std::exchange(other_lower->sent, {}));
    other_lower->input += other_client.take();
    other_lower->poll();
    loop->turn(Duration::zero());
  }
  handler.on_drained_hook = [&] { other.write(as_bytes("across")); };
  stream->notify_when_drained();
  loop->turn(Duration::zero());
  // Without the wake-up this turn would sleep for good.
  loop->turn(reactor::TimerWheel::kNever);
  other_client.feed(std::exchange(other_lower->sent, {}));
  EXPECT_EQ(other_client.received, "across");
}

TEST_F(TlsStreamTest, PlaintextLeftInTheEngineBringsAnotherCall) {
  handshake();
  handler.chunk = 10;
  lower->input += client->encrypt(std::string(95, 'p'));
  lower->poll();
  EXPECT_EQ(handler.received.size(), 10u);
  EXPECT_TRUE(lower->input.empty()) << "the socket below has nothing more to say";
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
  lower->input += client->encrypt(std::string(20, 'p'));
  lower->poll();
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
    if (!part.empty()) lower->input += client->encrypt(part);
    text += part;
  }
  exchange();
  EXPECT_EQ(handler.received, text);
}

TEST_F(TlsStreamTest, NothingIsDeliveredWhileReadingIsOff) {
  handshake();
  handler.chunk = 10;
  lower->input += client->encrypt(std::string(30, 'p'));
  lower->poll();
  ASSERT_EQ(handler.received.size(), 10u);
  stream->set_reading(false);
  EXPECT_FALSE(lower->reading);
  for (int i = 0; i < 5; ++i) turn();
  EXPECT_EQ(handler.received.size(), 10u);
  stream->set_reading(true);
  EXPECT_TRUE(lower->reading);
  for (int i = 0; i < 5; ++i) turn();
  EXPECT_EQ(handler.received.size(), 30u);
}

TEST_F(TlsStreamTest, ReadingSwitchedOffBeforeTheHandshakeHoldsBackThePlaintextOnly) {
  stream->set_reading(false);
  client->feed({});
  lower->input = client->take();
  turn();
  client->feed(std::exchange(lower->sent, {}));
  lower->input = client->take();
  lower->input += client->encrypt("eager");
  turn();
  EXPECT_TRUE(stream->handshake_done());
  EXPECT_FALSE(lower->reading);
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
  lower->input += client->encrypt("data");
  lower->input += client->close_notify();
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

TEST_F(TlsStreamTest, ABareEndReadsAsTheEndOnce) {
  handshake();
  lower->ended = true;
  for (int i = 0; i < 5; ++i) turn();
  EXPECT_EQ(handler.ends, 1);
  EXPECT_EQ(handler.readable_calls, 1);
  EXPECT_EQ(handler.errors, 0);
}

TEST_F(TlsStreamTest, AnEndDuringTheHandshakeIsClosed) {
  client->feed({});
  lower->input = client->take();
  lower->ended = true;
  turn();
  turn();
  EXPECT_EQ(handler.closed_calls, 1);
  EXPECT_EQ(handler.readable_calls, 0);
}

TEST_F(TlsStreamTest, AResetBelowIsReportedOnce) {
  handshake();
  handler.close_on_closed = false;
  lower->break_now();
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

TEST_F(TlsStreamTest, ATamperedRecordIsAnErrorAndTheAlertLeaves) {
  handshake();
  std::string record = client->encrypt("truth");
  record.back() = static_cast<char>(record.back() ^ 1);
  lower->input += record;
  turn();
  EXPECT_EQ(handler.errors, 1);
  EXPECT_EQ(handler.received, "");
  client->feed(std::exchange(lower->sent, {}));
  EXPECT_NE(client->problem.find("bad record mac"), std::string::npos) << client->problem;
  EXPECT_TRUE(lower->closed);
}

TEST_F(TlsStreamTest, GarbageInsteadOfAClientHelloClosesQuietly) {
  lower->input = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  turn();
  EXPECT_EQ(handler.closed_calls, 1);
  EXPECT_STREQ(stream->failure(), "not TLS");
  EXPECT_EQ(lower->sent, "");
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
  lower->window = 0;
  for (int i = 0; i < 20'000 && handler.errors == 0; ++i) {
    SSL_key_update(client->native(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(client->native());
    lower->input += client->take();
    // Data in between, as OpenSSL itself refuses a long run of nothing else.
    lower->input += client->encrypt("x");
    turn();
    ASSERT_LT(lower->queued_bytes(), 256u * 1024);
  }
  EXPECT_EQ(handler.errors, 1);
}

TEST_F(TlsStreamTest, DestructionInAnyStateLeavesNothingBehind) {
  handshake();
  handler.chunk = 10;
  lower->input += client->encrypt(std::string(30, 'p'));
  lower->poll();
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
  lower->input += client->encrypt(std::string(30, 'p'));
  turn();
  turn();
  EXPECT_TRUE(lower->closed);
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
