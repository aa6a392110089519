#include "websocket/upgrade.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "http/request_parser.h"

namespace anywire::ws {
namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 1.3
constexpr std::array<std::string_view, 2> kProtocols = {"v2.test", "v1.test"};

class UpgradeTest : public ::testing::Test {
 protected:
  const http::RequestHead& head(std::string_view start, std::string_view headers) {
    input_ = std::string(start) + "\r\nHost: a\r\n" + std::string(headers) + "\r\n";
    parser_.reset();
    EXPECT_EQ(parser_.feed(as_bytes(input_)).status, http::ParseStatus::kHead) << input_;
    return parser_.head();
  }
  static std::string handshake(std::string_view more = {}) {
    return "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: " +
           std::string(kKey) + "\r\n" + std::string(more);
  }
  auto answer(std::string_view headers, std::string_view start = "GET / HTTP/1.1",
              const DeflateOffer& offer = {}) {
    return accept_upgrade(head(start, headers), kProtocols, offer);
  }
  int refusal(std::string_view headers, std::string_view start = "GET / HTTP/1.1") {
    const auto result = answer(headers, start);
    return result ? 101 : result.error().status;
  }

  std::string input_;
  http::RequestParser parser_;
};

TEST_F(UpgradeTest, AnswersTheExampleOfTheRfc) {
  const auto result = answer(handshake());
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->response.starts_with("HTTP/1.1 101 "));
  EXPECT_NE(result->response.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            std::string::npos);
  EXPECT_TRUE(result->response.ends_with("\r\n\r\n"));
  EXPECT_EQ(result->response.find("Sec-WebSocket-Protocol"), std::string::npos);
  EXPECT_EQ(result->response.find("Sec-WebSocket-Extensions"), std::string::npos);
  EXPECT_EQ(result->subprotocol, "");
  EXPECT_FALSE(result->deflate);
}

TEST_F(UpgradeTest, SendsARequestThatIsNoUpgradeToUpgrade) {
  EXPECT_EQ(refusal(""), 426);
  EXPECT_EQ(refusal("Upgrade: websocket\r\n"), 426);
  EXPECT_EQ(refusal("Connection: Upgrade\r\n"), 426);
  EXPECT_EQ(refusal("Connection: Upgrade\r\nUpgrade: h2c\r\n"), 426);
}

TEST_F(UpgradeTest, TakesGetOnly) {
  for (const char* method : {"POST", "HEAD", "PUT", "OPTIONS"}) {
    EXPECT_EQ(refusal(handshake(), std::string(method) + " / HTTP/1.1"), 405) << method;
  }
}

TEST_F(UpgradeTest, NeedsVersion13) {
  for (const char* version : {"8", "0", "14", "13 ", "013", "", "13, 8"}) {
    const std::string headers = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: " +
                                std::string(kKey) + "\r\nSec-WebSocket-Version: " +
                                version + "\r\n";
    EXPECT_EQ(refusal(headers), std::string_view(version) == "13 " ? 101 : 426) << version;
  }
  EXPECT_EQ(refusal("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: " +
                    std::string(kKey) + "\r\n"),
            426);
}

TEST_F(UpgradeTest, NeedsAKeyOf16Bytes) {
  for (const char* key : {"", "abc", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
                          "dGhlIHNhbXBsZSBub25jZ!==", "dGhlIHNhbXBsZSBub25jZSBsb25n"}) {
    EXPECT_EQ(refusal("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: " +
                      std::string(key) + "\r\n"),
              400)
        << key;
  }
  EXPECT_EQ(refusal("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
            400);
}

TEST_F(UpgradeTest, AgreesOnTheClientsFavouriteSubprotocol) {
  const auto result = answer(handshake("Sec-WebSocket-Protocol: other, v1.test, v2.test\r\n"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->subprotocol, "v1.test");
  EXPECT_NE(result->response.find("Sec-WebSocket-Protocol: v1.test\r\n"), std::string::npos);
}

TEST_F(UpgradeTest, ReadsAListThatCameInSeveralLines) {
  const auto result = answer(handshake(
      "Sec-WebSocket-Protocol: other\r\nsec-websocket-protocol: nope\r\n"
      "SEC-WEBSOCKET-PROTOCOL: v2.test\r\nSec-WebSocket-Extensions: x-unknown\r\n"
      "Sec-WebSocket-Extensions: permessage-deflate\r\n"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->subprotocol, "v2.test");
  ASSERT_TRUE(result->deflate);
  EXPECT_NE(result->response.find("Sec-WebSocket-Extensions: permessage-deflate"),
            std::string::npos);
}

TEST_F(UpgradeTest, GoesWithoutASubprotocolWhenNoneIsCommon) {
  const auto result = answer(handshake("Sec-WebSocket-Protocol: other\r\n"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->subprotocol, "");
  EXPECT_EQ(result->response.find("Sec-WebSocket-Protocol"), std::string::npos);
}

TEST_F(UpgradeTest, RefusesBrokenLists) {
  EXPECT_EQ(refusal(handshake("Sec-WebSocket-Protocol: a b\r\n")), 400);
  EXPECT_EQ(refusal(handshake("Sec-WebSocket-Protocol: v1.test, v1.test\r\n")), 400);
  EXPECT_EQ(refusal(handshake("Sec-WebSocket-Protocol: v1.test\r\n"
                              "Sec-WebSocket-Protocol: v1.test\r\n")),
            400);
  EXPECT_EQ(refusal(handshake("Sec-WebSocket-Extensions: permessage-deflate; =\r\n")), 400);
}

TEST_F(UpgradeTest, AnswersWhatWasAgreedOnForCompression) {
  const std::string offer =
      handshake("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n");
  const auto shared = answer(offer);
  ASSERT_TRUE(shared && shared->deflate);
  EXPECT_TRUE(shared->deflate->server_no_context_takeover);
  EXPECT_EQ(shared->deflate->server_max_window_bits, 10);
  EXPECT_NE(shared->response.find("server_max_window_bits=10"), std::string::npos);
  const auto off = answer(offer, "GET / HTTP/1.1", {.mode = DeflateMode::kOff});
  ASSERT_TRUE(off);
  EXPECT_FALSE(off->deflate);
  EXPECT_EQ(off->response.find("permessage-deflate"), std::string::npos);
}

TEST_F(UpgradeTest, PutsNothingOfTheClientsIntoTheAnswerUnchecked) {
  const auto result = answer(handshake("Sec-WebSocket-Protocol: evil\r\nX-Evil: evil\r\n"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->response.find("evil"), std::string::npos);
}

}  // namespace
}  // namespace anywire::ws
