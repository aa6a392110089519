// RequestParser against llhttp: whatever ours accepts, llhttp accepts and sees the same request.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "http/llhttp_oracle_for_test.h"
#include "http/parse_all_for_test.h"

namespace anywire::http {
namespace {

// Answers whether ours accepted the request, so that callers can tell the test has a point.
bool expect_agreement(const std::string& input) {
  const ParsedRequest ours = parse_whole(input);
  if (ours.status == ParseStatus::kError || !ours.has_head) return false;
  const LlhttpOracle theirs(input);
  EXPECT_TRUE(theirs.is_accepted) << input << "\n" << theirs.reason;
  EXPECT_TRUE(theirs.has_head) << input;
  EXPECT_EQ(ours.method, theirs.method) << input;
  EXPECT_EQ(ours.target, theirs.target) << input;
  EXPECT_EQ(ours.version_minor, theirs.version_minor) << input;
  EXPECT_EQ(ours.headers, theirs.headers) << input;
  EXPECT_EQ(ours.body, theirs.body) << input;
  EXPECT_EQ(ours.status == ParseStatus::kComplete, theirs.is_complete) << input;
  EXPECT_TRUE(theirs.is_upgrade || !ours.is_websocket_upgrade) << input;
  return true;
}

TEST(RequestParserOracle, AgreesOnOrdinaryRequests) {
  const std::string inputs[] = {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "\r\nGET /x?y HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET http://a:80/x HTTP/1.1\r\nHost: a:80\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nrest",
      "GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: \t a b \t\r\nZ: \xff\x80\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\nA;x=\"y z\"\r\n0123456789\r\n00\r\nT: u\r\n\r\n",
      "PUT / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"
      "Content-Length: 2\r\n\r\nok",
      "POST / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nok",
  };
  for (const std::string& input : inputs) EXPECT_TRUE(expect_agreement(input)) << input;
}

// Requests put together at random from harmless and harmful parts, then perhaps damaged. Seeded, so
// a failure comes back.
TEST(RequestParserOracle, AgreesOnRandomRequests) {
  const std::vector<std::string> request_lines = {
      "GET / HTTP/1.1\r\n",         "POST /a?b HTTP/1.1\r\n",      "GET /a/../b HTTP/1.0\r\n",
      "GET http://a/ HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n",      "DELETE /%41 HTTP/1.1\r\n",
      "PATCH /{}|^\" HTTP/1.1\r\n", "GET /?\"<>[]`{} HTTP/1.1\r\n"};
  const std::vector<std::string> lines = {
      "Connection: close\r\n", "Connection: keep-alive, Upgrade\r\n", "Upgrade: websocket\r\n",
      "Upgrade: h2c\r\n", "Content-Length: 5\r\n", "Content-Length: 0\r\n",
      "Transfer-Encoding: chunked\r\n", "X: y\r\n", "Expect: 100-continue\r\n", "X-Y:\t z\t\r\n",
      "Content-Length:\t5 \t\r\n", "Transfer-Encoding: \tchunked\t\r\n", "Connection:\tclose\t\r\n",
      "Upgrade: websocket\t\r\n", "Proxy-Connection: close\r\n", "Cookie: a=b; c=\"d\"\r\n",
      "!#$%&'*+-.^_`|~: x\r\n",
      "Connection: , ,close\r\n", "Connection: closeX, upgrade\r\n"};
  const std::vector<std::string> bodies = {"", "hello", "5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n",
                                           "2;a=b\r\nhe\r\n0\r\nA: b\r\n\r\n",
                                           "GET / HTTP/1.1\r\n"};
  std::mt19937 random(20260101);
  const auto pick = [&](const std::vector<std::string>& from) {
    return from[random() % from.size()];
  };
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string input = pick(request_lines) + "Host: a\r\n";
    for (auto left = random() % 4; left > 0; --left) input += pick(lines);
    input += "\r\n" + pick(bodies);
    for (auto left = random() % 3; left > 1; --left) {
      input[random() % input.size()] = "\r\n \t:;,\0aA0/%#\x7f\xff"[random() % 17];
    }
    accepted += expect_agreement(input) ? 1 : 0;
  }
  EXPECT_GT(accepted, 5000);
}

}  // namespace
}  // namespace anywire::http
