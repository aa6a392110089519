// EchoAdapter and its two sessions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "protocol/echo/adapter.h"
#include "protocol/echo/session.h"
#include "protocol/transport/testing/fake_transport.h"

namespace anywire::protocol::echo {
namespace {

using ::testing::ElementsAre;

std::string answer_to(std::string_view message, bool text = true) {
  FakeTransport transport;
  EchoSession session(transport);
  session.on_attached(request_for("/echo"));
  ws::Message received = message_of(message, text);
  session.on_message(received);
  return transport.log.size() == 3 ? transport.log.back() : "";
}

TEST(EchoAdapter, TakesThePathsThatAreSwitchedOn) {
  const auto takes = [](const EchoOptions& options, std::string_view path) {
    return EchoAdapter(options).route(request_for(path), {}).has_value();
  };
  EXPECT_TRUE(takes({}, "/echo"));
  EXPECT_FALSE(takes({.echo = false}, "/echo"));
  EXPECT_FALSE(takes({}, "/"));
  EXPECT_TRUE(takes({.root = true}, "/"));
  EXPECT_FALSE(takes({}, "/conformance/echo"));
  EXPECT_TRUE(takes({.conformance = true}, "/conformance/echo"));
  EXPECT_FALSE(takes({.root = true, .conformance = true}, "/echo/more"));
}

TEST(EchoAdapter, MakesTheSessionOfThePath) {
  EchoAdapter adapter({.echo = true, .conformance = true});
  for (const bool mirror : {false, true}) {
    auto route = adapter.route(request_for(mirror ? "/conformance/echo" : "/echo"), {});
    ASSERT_TRUE(route && !route->refusal);
    FakeTransport transport;
    const auto session = route->make_session(transport, "");
    session->on_attached(request_for("/"));
    ws::Message message = message_of("1");
    session->on_message(message);
    EXPECT_EQ(transport.log.back(), mirror ? "text:1" : R"(text:{"echo":1})");
  }
}

TEST(EchoSession, GreetsWhoComes) {
  FakeTransport transport;
  EchoSession session(transport);
  session.on_attached(request_for("/echo"));
  EXPECT_THAT(transport.log, ElementsAre("open", R"(text:{"hello":"world"})"));
}

TEST(EchoSession, AnswersAsJsonStringifyWould) {
  EXPECT_EQ(answer_to(R"({"a":1})"), R"(text:{"echo":{"a":1}})");
  EXPECT_EQ(answer_to(R"( [ 1.0 , 1e3, "x" ] )"), R"(text:{"echo":[1,1000,"x"]})");
  EXPECT_EQ(answer_to("null"), R"(text:{"echo":null})");
  EXPECT_EQ(answer_to("\"\\u00fc\""), "text:{\"echo\":\"\xC3\xBC\"}");
}

TEST(EchoSession, SaysSoWhenItIsNoJson) {
  for (const char* text : {"", "{", "hello", "{'a':1}", "[1,]", "1 2", "NaN"}) {
    EXPECT_EQ(answer_to(text), "text:invalid json") << text;
  }
}

TEST(EchoSession, ReadsJsonFromABinaryFrameToo) {
  EXPECT_EQ(answer_to("[true]", false), R"(text:{"echo":[true]})");
}

TEST(MirrorSession, ReturnsEveryMessageInItsKind) {
  FakeTransport transport;
  MirrorSession session(transport);
  session.on_attached(request_for("/conformance/echo"));
  ws::Message text = message_of("t");
  ws::Message binary = message_of(std::string_view("\0b", 2), false);
  ws::Message owned{.text = true, .data = {}, .owned = Buffer::copy_of(as_bytes("o"))};
  owned.data = owned.owned->bytes();
  session.on_message(text);
  session.on_message(binary);
  session.on_message(owned);
  EXPECT_THAT(transport.log, ElementsAre("open", "text:t", std::string("binary:\0b", 9),
                                         "buffer text:o"));
}

}  // namespace
}  // namespace anywire::protocol::echo
