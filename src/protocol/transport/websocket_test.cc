#include "protocol/transport/websocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "websocket/testing/peer.h"

namespace anywire::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What a session was told, and whether it still lives.
struct Diary {
  std::vector<std::string> log;
  Transport* transport = nullptr;
  std::string subprotocol;
  bool open_at_once = true;
  bool alive = false;
};

class DiarySession final : public Session {
 public:
  explicit DiarySession(Diary& diary) : diary_(diary) { diary_.alive = true; }
  ~DiarySession() override { diary_.alive = false; }
  void on_attached(const http::RequestHead& request) override {
    diary_.log.push_back("attached " + std::string(request.path));
    if (diary_.open_at_once) diary_.transport->open();
  }
  void on_message(ws::Message& message) override {
    diary_.log.push_back("message " + std::string(as_text(message.data)));
  }
  void on_writable() override { diary_.log.push_back("writable"); }
  void on_closed(ws::CloseCode code) override {
    diary_.log.push_back("closed " + std::to_string(static_cast<unsigned>(code)));
  }

 private:
  Diary& diary_;
};

class WebSocketTransportTest : public ::testing::Test {
 protected:
  ~WebSocketTransportTest() override {
    for (auto* transport : context.transports.snapshot()) transport->abort();
    turn();
  }
  void start(std::optional<ws::DeflateParams> deflate = {}, std::string_view early = {}) {
    http::RequestHead head;
    head.path = "/somewhere";
    ws::UpgradeAnswer answer{
        .response = std::string(ws::kResponse), .subprotocol = "p", .deflate = deflate};
    WebSocketTransport::start(context, wire.make_stream(), as_bytes(early), std::move(answer), head,
                              [this](Transport& transport, std::string_view subprotocol) {
                                diary.transport = &transport;
                                diary.subprotocol = subprotocol;
                                return std::make_unique<DiarySession>(diary);
                              });
  }
  void turn() {
    wire.pump();
    loop->turn(Duration::zero());
  }
  std::vector<std::string> frames() const {
    return ws::server_frames(std::string_view(wire.sent).substr(ws::kResponse.size()));
  }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  ws::CompressionPool compression{3};
  WebSocketContext context{{.loop = *loop, .options = {}, .compression = compression}, {}};
  net::FakeWire wire{*loop};
  Diary diary;
};

TEST_F(WebSocketTransportTest, AttachesTheSessionBeforeThePeerIsAnswered) {
  diary.open_at_once = false;
  start();
  turn();
  EXPECT_THAT(diary.log, ElementsAre("attached /somewhere"));
  EXPECT_EQ(diary.subprotocol, "p");
  EXPECT_EQ(wire.sent, "");
  EXPECT_EQ(context.transports.size(), 1u);
  diary.transport->open();
  turn();
  EXPECT_EQ(wire.sent, ws::kResponse);
}

TEST_F(WebSocketTransportTest, BringsEarlyMessagesToTheSession) {
  start({}, ws::client_frame(ws::Opcode::kText, "early"));
  EXPECT_THAT(diary.log, ElementsAre("attached /somewhere", "message early"));
}

TEST_F(WebSocketTransportTest, SendsEveryKindOfMessage) {
  start();
  diary.transport->send_text("t");
  diary.transport->send_binary(as_bytes("b"));
  diary.transport->send(true, Buffer::copy_of(as_bytes("bt")));
  diary.transport->send(false, Buffer::copy_of(as_bytes("bb")));
  diary.transport->send_frame(ws::encode_frame(ws::Opcode::kText, as_bytes("f")));
  turn();
  EXPECT_THAT(frames(), ElementsAre("text:t", "binary:b", "text:bt", "binary:bb", "text:f"));
}

TEST_F(WebSocketTransportTest, WantsCompressedFramesWhereTheyWereAgreedOnAndWorthIt) {
  start(ws::DeflateParams{.server_no_context_takeover = true});
  const std::size_t least = context.options.compression_bytes_min;
  EXPECT_EQ(diary.transport->encoding(least), Transport::Encoding::kCompressed);
  EXPECT_EQ(diary.transport->encoding(least - 1), Transport::Encoding::kPlain);
}

TEST_F(WebSocketTransportTest, WantsPlainFramesWithoutAgreementOrWithContext) {
  start(ws::DeflateParams{.server_no_context_takeover = false});
  EXPECT_EQ(diary.transport->encoding(100'000), Transport::Encoding::kPlain);
  diary.transport->close(ws::CloseCode::kNormal, "");
  for (auto* transport : context.transports.snapshot()) transport->abort();
  turn();
  net::FakeWire second(*loop);
  WebSocketTransport::start(context, second.make_stream(), {}, {}, {},
                            [this](Transport& transport, std::string_view) {
                              diary.transport = &transport;
                              return std::make_unique<DiarySession>(diary);
                            });
  EXPECT_EQ(diary.transport->encoding(100'000), Transport::Encoding::kPlain);
  for (auto* transport : context.transports.snapshot()) transport->abort();
  turn();
}

TEST_F(WebSocketTransportTest, TellsTheSessionWhenASlowPeerHasCaughtUp) {
  start();
  turn();
  wire.window = 0;
  diary.transport->send_binary(as_bytes(std::string(300'000, 'x')));
  wire.window = net::FakeWire::kOpenWindow;
  turn();
  EXPECT_EQ(diary.log.back(), "writable");
}

TEST_F(WebSocketTransportTest, EndsWithItsSessionAtTheEndOfTheTurn) {
  start();
  wire.deliver(ws::client_frame(ws::Opcode::kText, "m") + ws::client_close(1000));
  EXPECT_TRUE(diary.alive);
  turn();
  EXPECT_THAT(diary.log, ElementsAre("attached /somewhere", "message m", "closed 1000"));
  EXPECT_FALSE(diary.alive);
  EXPECT_TRUE(context.transports.empty());
  EXPECT_TRUE(wire.destroyed());
}

TEST_F(WebSocketTransportTest, ClosesWithCodeAndReason) {
  start();
  diary.transport->close(ws::CloseCode::kGoingAway, "bye");
  turn();
  EXPECT_THAT(frames(), ElementsAre("close:1001:bye"));
  wire.deliver(ws::client_close(1001));
  turn();
  EXPECT_EQ(diary.log.back(), "closed 1001");
}

TEST_F(WebSocketTransportTest, AbortsWithoutAWord) {
  start();
  turn();
  for (auto* transport : context.transports.snapshot()) transport->abort();
  EXPECT_EQ(diary.log.back(), "closed 1006");
  turn();
  EXPECT_THAT(frames(), IsEmpty());
  EXPECT_FALSE(diary.alive);
}

TEST_F(WebSocketTransportTest, TellsTheSessionThatThePeerLeftBeforeTheOpening) {
  diary.open_at_once = false;
  start();
  wire.deliver("x");
  wire.reset_by_peer();
  EXPECT_THAT(diary.log, ElementsAre("attached /somewhere", "closed 1006"));
  turn();
  EXPECT_FALSE(diary.alive);
}

}  // namespace
}  // namespace anywire::protocol
