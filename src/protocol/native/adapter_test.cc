#include "protocol/native/adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/native/testing/native_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class NativeAdapterTest : public NativeTest {
 protected:
  std::optional<Route> route(std::string_view path) {
    return adapter().route(request_for(path), {});
  }
};

TEST_F(NativeAdapterTest, TakesItsPathsAndNoOthers) {
  EXPECT_EQ(route("/anywire")->via, Via::kWebSocket);
  EXPECT_EQ(route("/anywire/sse")->via, Via::kEventStream);
  EXPECT_EQ(route("/anywire/poll")->via, Via::kPoll);
  EXPECT_EQ(route("/anywire/send")->via, Via::kSend);
  for (const char* path : {"/", "/anywire/", "/anywhere", "/anywire/ssee", "/anywir", "/raw/x"}) {
    EXPECT_FALSE(route(path)) << path;
  }
  EXPECT_EQ(adapter().name(), "native");
}

TEST_F(NativeAdapterTest, MayBeElsewhere) {
  options.path = "/live";
  EXPECT_TRUE(route("/live"));
  EXPECT_TRUE(route("/live/sse"));
  EXPECT_FALSE(route("/anywire"));
}

TEST_F(NativeAdapterTest, CanBeSwitchedOff) {
  options.enabled = false;
  EXPECT_FALSE(route("/anywire"));
}

TEST_F(NativeAdapterTest, SpeaksTheFormThatWasAgreedOn) {
  EXPECT_THAT(route("/anywire")->subprotocols, ElementsAre(kJsonSubprotocol, kMsgpackSubprotocol));
  const std::string_view forms[] = {kJsonSubprotocol, kMsgpackSubprotocol, ""};
  for (const std::string_view subprotocol : forms) {
    FakeTransport transport;
    const auto session = route("/anywire")->make_session(transport, subprotocol);
    session->on_attached(request_for("/anywire"));
    const bool msgpack = subprotocol == kMsgpackSubprotocol;
    const std::string ping = to_frame(msgpack ? Format::kMsgpack : Format::kJson,
                                      R"({"type":"ping","id":1})");
    ws::Message message = message_of(ping, !msgpack);
    session->on_message(message);
    EXPECT_THAT(transport.log, ElementsAre("open", StartsWith(msgpack ? "binary:" : "text:")))
        << subprotocol;
    session->on_closed(ws::CloseCode::kNormal);
  }
}

TEST_F(NativeAdapterTest, SpeaksJsonWhereThereIsNoWebSocket) {
  for (const char* path : {"/anywire/sse", "/anywire/poll"}) {
    FakeTransport transport;
    auto found = route(path);
    EXPECT_TRUE(found->subprotocols.empty());
    const auto session = found->make_session(transport, "");
    session->on_attached(request_for(path));
    ws::Message message = message_of(R"({"type":"connect","id":1})");
    session->on_message(message);
    EXPECT_THAT(transport.log, ElementsAre("open", HasSubstr("connected")));
    session->on_closed(ws::CloseCode::kNormal);
  }
}

}  // namespace
}  // namespace anywire::protocol::native
