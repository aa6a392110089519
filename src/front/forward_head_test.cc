// What goes on to the application's server, and what comes back from it.
#include "front/forward_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "http/request_parser.h"

namespace anywire::front {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const net::CidrList& proxies() {
  static const net::CidrList list = *net::CidrList::parse(std::vector<std::string>{"10.0.0.0/8"});
  return list;
}

struct Given {
  const char* peer = "192.0.2.7";
  bool encrypted = false;
  bool opaque = false;
};

// The request as RequestParser sees it and as it goes on.
std::string forwarded(std::string_view request, const Given& given = {}) {
  http::RequestParser parser({.opaque_paths = given.opaque});
  const http::ParseResult result = parser.feed(as_bytes(request));
  EXPECT_EQ(result.status, http::ParseStatus::kHead) << request << ": " << parser.error().reason;
  const net::Address peer = *net::Address::parse_ip(given.peer);
  std::string out;
  write_request_head(out, parser.head(),
                     {.peer = peer, .encrypted = given.encrypted, .trusted = proxies()},
                     "app.internal:3000");
  return out;
}

// Without what is said about the client.
std::string bare(std::string_view request, const Given& given = {}) {
  std::string out = forwarded(request, given);
  for (const char* name :
       {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"}) {
    const std::size_t at = out.find("\r\n" + std::string(name) + ": ");
    EXPECT_NE(at, out.npos) << name << " in " << out;
    if (at != out.npos) out.erase(at, out.find("\r\n", at + 2) - at);
  }
  return out;
}

TEST(ForwardHead, PassesMethodTargetHostAndFieldsOn) {
  EXPECT_EQ(bare("GET /a/../b?x=%2F HTTP/1.1\r\nHost: App.example:8080\r\n"
                 "X-One: 1\r\nCookie: a=b\r\nx-one: 2\r\n\r\n"),
            "GET /a/../b?x=%2F HTTP/1.1\r\nHost: App.example:8080\r\nX-One: 1\r\nCookie: a=b\r\n"
            "x-one: 2\r\n\r\n");
}

TEST(ForwardHead, WritesTheTargetInOriginForm) {
  EXPECT_THAT(forwarded("GET http://a/p?q HTTP/1.1\r\nHost: a\r\n\r\n"),
              ::testing::StartsWith("GET /p?q HTTP/1.1\r\nHost: a\r\n"));
  EXPECT_THAT(forwarded("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"),
              ::testing::StartsWith("GET / HTTP/1.1\r\n"));
  EXPECT_THAT(forwarded("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
              ::testing::StartsWith("OPTIONS * HTTP/1.1\r\n"));
  EXPECT_THAT(forwarded("GET /? HTTP/1.1\r\nHost: a\r\n\r\n"),
              ::testing::StartsWith("GET /? HTTP/1.1\r\n"));
}

TEST(ForwardHead, KeepsAnEncodedSlashWhereItMayPass) {
  EXPECT_THAT(forwarded("GET /docs/a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n", {.opaque = true}),
              ::testing::StartsWith("GET /docs/a%2Fb HTTP/1.1\r\n"));
}

TEST(ForwardHead, SpeaksHttp11ForAClientOfHttp10) {
  EXPECT_THAT(forwarded("GET / HTTP/1.0\r\n\r\n"),
              ::testing::StartsWith("GET / HTTP/1.1\r\nHost: app.internal:3000\r\n"));
}

TEST(ForwardHead, DropsWhatIsForOneHop) {
  EXPECT_EQ(bare("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine , x-other\r\n"
                 "Keep-Alive: 5\r\nX-Mine: 1\r\nX-OTHER: 2\r\nTE: trailers\r\nTrailer: X\r\n"
                 "Proxy-Connection: close\r\nProxy-Authorization: Basic eA==\r\n"
                 "HTTP2-Settings: x\r\nUpgrade: h2c\r\nX-Kept: 3\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: a\r\nX-Kept: 3\r\n\r\n");
}

TEST(ForwardHead, WritesOneFraming) {
  EXPECT_THAT(bare("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\n\r\n"),
              HasSubstr("\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_THAT(bare("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
              HasSubstr("\r\nContent-Length: 0\r\n"));
  EXPECT_THAT(bare("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n"),
              HasSubstr("\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_THAT(bare("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Not(HasSubstr("Content-Length")));
}

TEST(ForwardHead, PassesOnThatTheClientWaitsForContinue) {
  EXPECT_THAT(bare("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
                   "Content-Length: 1\r\n\r\n"),
              HasSubstr("\r\nExpect: 100-continue\r\n"));
  EXPECT_THAT(bare("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"),
              Not(HasSubstr("Expect")));
}

TEST(ForwardHead, PassesOnWebSocketUpgradesAndNoOthers) {
  EXPECT_THAT(bare("GET /_next/hmr HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
                   "Upgrade: WebSocket\r\nSec-WebSocket-Key: x\r\n\r\n"),
              ::testing::EndsWith("Sec-WebSocket-Key: x\r\nConnection: Upgrade\r\n"
                                  "Upgrade: websocket\r\n\r\n"));
  for (const char* fields : {"Upgrade: websocket\r\n", "Connection: Upgrade\r\n",
                             "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"}) {
    const std::string out =
        bare("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n");
    EXPECT_THAT(out, Not(HasSubstr("pgrade"))) << fields;
  }
}

TEST(ForwardHead, SaysWhoTheClientIs) {
  EXPECT_EQ(forwarded("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 192.0.2.7\r\n"
            "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a.example\r\n"
            "Forwarded: for=192.0.2.7;host=a.example;proto=http\r\n\r\n");
  const std::string v6 = forwarded("GET / HTTP/1.1\r\nHost: a:81\r\n\r\n",
                                   {.peer = "2001:db8::1", .encrypted = true});
  EXPECT_THAT(v6, HasSubstr("X-Forwarded-For: 2001:db8::1\r\nX-Forwarded-Proto: https\r\n"));
  EXPECT_THAT(v6, HasSubstr("Forwarded: for=\"[2001:db8::1]\";host=\"a:81\";proto=https\r\n"));
  EXPECT_THAT(forwarded("GET / HTTP/1.1\r\nHost: a\r\n\r\n", {.peer = "::ffff:192.0.2.9"}),
              HasSubstr("X-Forwarded-For: 192.0.2.9\r\n"));
}

constexpr std::string_view kClaims =
    "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.1, 203.0.113.2\r\n"
    "x-forwarded-proto: https\r\nX-Forwarded-Host: shop.example\r\nX-Forwarded-Port: 443\r\n"
    "Forwarded: for=203.0.113.1;proto=https\r\nX-Real-IP: 203.0.113.1\r\n"
    "Connection: X-Forwarded-Host, x-forwarded-proto\r\n\r\n";

TEST(ForwardHead, DropsWhatAStrangerSaysAboutItself) {
  EXPECT_EQ(forwarded(kClaims), forwarded("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
}

TEST(ForwardHead, DropsWhatOtherServersWouldTakeForAFieldOfOurs) {
  const std::string plain = forwarded("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  for (const std::string name :
       {"X_Forwarded_For", "x-forwarded_for", "X_FORWARDED_PROTO", "X_Forwarded-Anything",
        "X_Real_IP", "x_real-ip", "Content_Length", "Transfer_Encoding", "transfer_encoding",
        "Proxy_Authorization", "Keep_Alive", "HTTP2_Settings"}) {
    const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n" + name + ": 1\r\n\r\n";
    EXPECT_EQ(forwarded(request), plain) << name;
    EXPECT_THAT(forwarded(request, {.peer = "10.1.2.3"}), Not(HasSubstr(name)))
        << "a trusted proxy hands on what its client has sent";
  }
  EXPECT_THAT(forwarded("GET / HTTP/1.1\r\nHost: a\r\napi_key: 1\r\nX_Forward: 2\r\n\r\n"),
              HasSubstr("\r\napi_key: 1\r\nX_Forward: 2\r\n"))
      << "others are the application's own";
}

TEST(ForwardHead, ExtendsWhatATrustedProxySays) {
  const std::string out = forwarded(kClaims, {.peer = "10.1.2.3"});
  EXPECT_THAT(out, HasSubstr("X-Forwarded-For: 203.0.113.1, 203.0.113.2, 10.1.2.3\r\n"));
  EXPECT_THAT(out, HasSubstr("x-forwarded-proto: https\r\n")) << "naming it does not drop it";
  EXPECT_THAT(out, HasSubstr("X-Forwarded-Host: shop.example\r\n"));
  EXPECT_THAT(out, HasSubstr("X-Forwarded-Port: 443\r\n"));
  EXPECT_THAT(out, HasSubstr("X-Real-IP: 203.0.113.1\r\n"));
  EXPECT_THAT(out, HasSubstr("Forwarded: for=203.0.113.1;proto=https, "
                             "for=10.1.2.3;host=a;proto=http\r\n"));
  EXPECT_THAT(out, Not(HasSubstr("X-Forwarded-Proto: http\r\n")));
  EXPECT_THAT(forwarded("GET / HTTP/1.1\r\nHost: a\r\n\r\n", {.peer = "10.1.2.3"}),
              HasSubstr("X-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n"));
}

TEST(ForwardHead, JoinsSeveralLinesOfOneList) {
  EXPECT_THAT(forwarded("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\n"
                        "X-Forwarded-For:\r\nX-Forwarded-For: 2.2.2.2\r\n\r\n",
                        {.peer = "10.1.2.3"}),
              HasSubstr("X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.1.2.3\r\n"));
}

std::vector<std::string> back(std::string_view response) {
  http::ResponseParser parser;
  parser.reset(false);
  EXPECT_EQ(parser.feed(as_bytes(response)).status, http::ParseStatus::kHead) << response;
  std::vector<std::string> lines;
  for (const http::Header& header : forwardable_headers(parser.head())) {
    lines.push_back(std::string(header.name) + ": " + std::string(header.value));
  }
  return lines;
}

TEST(ForwardableHeaders, KeepOrderAndRepetitions) {
  EXPECT_THAT(back("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX: y\r\nSet-Cookie: b=2\r\n"
                   "Content-Length: 0\r\nDate: now\r\n\r\n"),
              ElementsAre("Set-Cookie: a=1", "X: y", "Set-Cookie: b=2", "Date: now"));
}

TEST(ForwardableHeaders, LeaveOutWhatIsForOneHop) {
  EXPECT_THAT(back("HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\n"
                   "X-Hop: 1\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\nUpgrade: h2c\r\n\r\n"),
              IsEmpty());
}

TEST(ForwardableHeaders, KeepUpgradeWhereItMeansSomething) {
  EXPECT_THAT(back("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                   "Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n"),
              ElementsAre("Upgrade: websocket", "Sec-WebSocket-Accept: x"));
  EXPECT_THAT(back("HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n"
                   "Content-Length: 0\r\n\r\n"),
              ElementsAre("Upgrade: websocket"));
}

}  // namespace
}  // namespace anywire::front
