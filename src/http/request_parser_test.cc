#include "http/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>

#include "http/parse_all_for_test.h"

namespace anywire::http {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

const std::string kUpgrade =
    "GET /chat/room%201?since=5 HTTP/1.1\r\n"
    "Host: example.com:3001\r\n"
    "Connection: keep-alive, Upgrade\r\n"
    "Upgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Origin: http://example.com\r\n"
    "X-Empty:\r\n"
    "\r\n";

const std::string kPost =
    "POST /publish HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world";

const std::string kChunked =
    "POST /publish HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5;a=b\r\nhello\r\n006;name=\"v; w\"\r\n world\r\n0\r\nX-Sum: 1\r\nX-Other:\r\n\r\n";

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

// A head of exactly `size` bytes.
std::string head_of_size(std::size_t size) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX-Pad: ";
  head.append(size - head.size() - 4, 'x');
  return head + "\r\n\r\n";
}

TEST(RequestParser, ReadsAWebSocketUpgrade) {
  RequestParser parser;
  const ParseResult result = parser.feed(as_bytes(kUpgrade));
  ASSERT_EQ(result.status, ParseStatus::kHead) << parser.error().reason;
  EXPECT_EQ(result.consumed, kUpgrade.size());
  const RequestHead& head = parser.head();
  EXPECT_EQ(head.method, Method::kGet);
  EXPECT_EQ(head.method_text, "GET");
  EXPECT_EQ(head.target, "/chat/room%201?since=5");
  EXPECT_EQ(head.raw_path, "/chat/room%201");
  EXPECT_EQ(head.path, "/chat/room 1");
  EXPECT_EQ(head.query, "since=5");
  EXPECT_EQ(head.host, "example.com:3001");
  EXPECT_EQ(head.version_minor, 1);
  EXPECT_EQ(head.headers.size(), 7U);
  EXPECT_EQ(head.header("sec-websocket-KEY"), "dGhlIHNhbXBsZSBub25jZQ==");
  EXPECT_NE(head.find("x-empty"), nullptr);
  EXPECT_EQ(head.header("x-empty"), "");
  EXPECT_EQ(head.find("x-missing"), nullptr);
  EXPECT_TRUE(head.has_token("connection", "upgrade"));
  EXPECT_TRUE(head.is_websocket_upgrade());
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.has_body());
  EXPECT_EQ(parser.feed({}).status, ParseStatus::kComplete);
}

TEST(RequestParser, LeavesWhatFollowsTheHeadOfAnUpgradeAlone) {
  const std::string input = kUpgrade + "\x81\x85....";
  RequestParser parser;
  EXPECT_EQ(parser.feed(as_bytes(input)).consumed, kUpgrade.size());
}

TEST(RequestParser, ParsesInPlaceWhenTheHeadComesWhole) {
  RequestParser parser;
  ASSERT_EQ(parser.feed(as_bytes(kUpgrade)).status, ParseStatus::kHead);
  EXPECT_EQ(parser.head().target.data(), kUpgrade.data() + 4);
}

TEST(RequestParser, DetachedHeadOutlivesItsInput) {
  auto input = std::make_unique<std::string>(kUpgrade);
  RequestParser parser;
  ASSERT_EQ(parser.feed(as_bytes(*input)).status, ParseStatus::kHead);
  parser.detach();
  input->assign(input->size(), '!');
  input.reset();
  EXPECT_EQ(parser.head().target, "/chat/room%201?since=5");
  EXPECT_EQ(parser.head().path, "/chat/room 1");
  EXPECT_EQ(parser.head().header("origin"), "http://example.com");
  EXPECT_EQ(parser.head().host, "example.com:3001");
}

TEST(RequestParser, MovedParserKeepsADetachedHead) {
  auto shared = std::make_unique<RequestParser>();
  const std::string input = kPost.substr(0, kPost.size() - 4);
  std::size_t used = shared->feed(as_bytes(input)).consumed;
  shared->detach();
  RequestParser mine(std::move(*shared));
  shared->reset();
  EXPECT_EQ(shared->feed(as_bytes(kUpgrade)).status, ParseStatus::kHead);
  shared.reset();
  EXPECT_EQ(mine.head().target, "/publish");
  EXPECT_EQ(mine.head().header("host"), "a");
  const ParseResult body = mine.feed(as_bytes(input).subspan(used));
  EXPECT_EQ(body.status, ParseStatus::kBody);
  EXPECT_EQ(as_text(body.body), "hello w");
}

TEST(RequestParser, MovesAHeadThatIsOnlyHalfThere) {
  for (std::size_t cut = 1; cut < kUpgrade.size(); ++cut) {
    RequestParser first;
    ASSERT_EQ(first.feed(as_bytes(kUpgrade.substr(0, cut))).status, ParseStatus::kNeedMore);
    RequestParser second(std::move(first));
    ASSERT_EQ(second.feed(as_bytes(kUpgrade.substr(cut))).status, ParseStatus::kHead);
    EXPECT_EQ(second.head().query, "since=5");
    EXPECT_TRUE(second.head().is_websocket_upgrade());
  }
}

TEST(RequestParser, IsReadyForTheNextRequestAfterReset) {
  RequestParser parser;
  const std::string input = kPost + kChunked + kUpgrade;
  std::string_view rest = input;
  std::string bodies;
  int heads = 0;
  while (!rest.empty()) {
    const ParseResult result = parser.feed(as_bytes(rest));
    ASSERT_NE(result.status, ParseStatus::kError) << parser.error().reason;
    heads += result.status == ParseStatus::kHead;
    bodies += as_text(result.body);
    rest.remove_prefix(result.consumed);
    if (result.status == ParseStatus::kComplete) parser.reset();
  }
  EXPECT_EQ(heads, 3);
  EXPECT_EQ(bodies, "hello worldhello world");
}

TEST(RequestParser, KnowsWhetherARequestHasBegun) {
  RequestParser parser;
  EXPECT_TRUE(parser.is_idle());
  parser.feed(as_bytes("G"));
  EXPECT_FALSE(parser.is_idle());
  parser.reset();
  EXPECT_TRUE(parser.is_idle());
}

TEST(RequestParser, ReadsASizedBody) {
  const ParsedRequest request = parse_whole(kPost + "GET");
  EXPECT_EQ(request.status, ParseStatus::kComplete);
  EXPECT_EQ(request.body, "hello world");
  EXPECT_EQ(request.consumed, kPost.size());
}

TEST(RequestParser, ReadsAChunkedBodyAndDropsExtensionsAndTrailers) {
  const ParsedRequest request = parse_whole(kChunked + "GET");
  EXPECT_EQ(request.status, ParseStatus::kComplete) << request.error_reason;
  EXPECT_EQ(request.body, "hello world");
  EXPECT_EQ(request.consumed, kChunked.size());
  EXPECT_THAT(request.headers,
              ElementsAre(Pair("Host", "a"), Pair("Transfer-Encoding", "chunked")));
}

TEST(RequestParser, NoCutIntoReadsChangesAnything) {
  const std::string inputs[] = {
      kUpgrade,
      "\r\n" + kUpgrade,
      kPost,
      kChunked,
      get("/a/./b/../c%41?x"),
      get("http://a/x"),
      head_of_size(600),
      // Refused ones: the verdict must not depend on the cut either.
      "GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
      "GET / HTTP/3.0\r\nHost: a\x01\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
  };
  for (const std::string& input : inputs) {
    const ParsedRequest whole = parse_whole(input);
    for (std::size_t cut = 0; cut <= input.size(); ++cut) {
      RequestParser parser;
      const std::string_view text = input;
      EXPECT_EQ(parse_pieces(parser, {text.substr(0, cut), text.substr(cut)}), whole)
          << input << " cut at " << cut;
    }
    for (const std::size_t step : {1, 2, 3, 7}) {
      EXPECT_EQ(parse_in_steps(input, step), whole) << input << " in steps of " << step;
    }
  }
}

TEST(RequestParser, NeedsMoreUntilTheLastByteOfTheHead) {
  for (std::size_t size = 0; size < kUpgrade.size(); ++size) {
    RequestParser parser;
    const std::string part = kUpgrade.substr(0, size);
    const ParseResult result = parser.feed(as_bytes(part));
    EXPECT_EQ(result.status, ParseStatus::kNeedMore);
    EXPECT_EQ(result.consumed, size);
  }
}

struct PathCase {
  const char* target;
  const char* path;
  const char* query;
};

TEST(RequestParser, NormalisesPaths) {
  const PathCase cases[] = {
      {"/", "/", ""},
      {"/a/b", "/a/b", ""},
      {"/?", "/", ""},
      {"/a?b?c", "/a", "b?c"},
      {"/a?b/../c%2F", "/a", "b/../c%2F"},
      {"/index.html", "/index.html", ""},
      {"/a/./b", "/a/b", ""},
      {"/a/.", "/a/", ""},
      {"/.", "/", ""},
      {"/a/../b", "/b", ""},
      {"/a/..", "/", ""},
      {"/a/b/../../c", "/c", ""},
      {"/a/%2e%2E/b", "/b", ""},
      {"/a//b", "/a//b", ""},
      {"//..", "/", ""},
      {"/...", "/...", ""},
      {"/..a/.b", "/..a/.b", ""},
      {"/%41%62", "/Ab", ""},
      {"/100%2525", "/100%25", ""},
      {"/caf%C3%A9", "/caf\xc3\xa9", ""},
      {"/a+b", "/a+b", ""},
      {"/a;b=c", "/a;b=c", ""},
      {"http://a/x/../y?q", "/y", "q"},
      {"http://a", "/", ""},
      {"HTTPS://A?q", "/", "q"},
  };
  for (const PathCase& c : cases) {
    const ParsedRequest request = parse_whole(get(c.target));
    EXPECT_EQ(request.status, ParseStatus::kComplete) << c.target << " " << request.error_reason;
    EXPECT_EQ(request.path, c.path) << c.target;
    EXPECT_EQ(request.query, c.query) << c.target;
    EXPECT_EQ(request.target, c.target);
  }
}

TEST(RequestParser, TakesTheAsteriskOnlyForOptions) {
  const ParsedRequest request = parse_whole("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(request.status, ParseStatus::kComplete);
  EXPECT_EQ(request.path, "*");
  EXPECT_EQ(parse_whole(get("*")).error_status, 400);
}

TEST(RequestParser, KnowsItsMethods) {
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const std::string input = std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_EQ(parse_whole(input).method, method);
  }
  for (const char* method : {"CONNECT", "TRACE", "get", "PRI", "FOO"}) {
    const std::string input = std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_EQ(parse_whole(input).error_status, 501) << method;
  }
}

TEST(RequestParser, DecidesAboutKeepAlive) {
  EXPECT_TRUE(parse_whole(get("/")).keep_alive);
  EXPECT_FALSE(parse_whole("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n").keep_alive);
  EXPECT_FALSE(
      parse_whole("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

TEST(RequestParser, TakesHttp10WithoutHostAndWithoutUpgrade) {
  const ParsedRequest plain = parse_whole("GET /health HTTP/1.0\r\n\r\n");
  EXPECT_EQ(plain.status, ParseStatus::kComplete);
  EXPECT_EQ(plain.version_minor, 0);
  std::string old = kUpgrade;
  old.replace(old.find("HTTP/1.1"), 8, "HTTP/1.0");
  EXPECT_FALSE(parse_whole(old).is_websocket_upgrade);
  // Upgrade is ignored there, so it does not forbid a body either (RFC 9110 section 7.8).
  const ParsedRequest body = parse_whole(
      "POST / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n"
      "\r\nhi");
  EXPECT_EQ(body.status, ParseStatus::kComplete);
  EXPECT_EQ(body.body, "hi");
}

TEST(RequestParser, SeesWhoWaitsForAContinue) {
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n";
  EXPECT_TRUE(parse_whole(start + "Content-Length: 3\r\n\r\n").expects_continue);
  EXPECT_FALSE(parse_whole(start + "\r\n").expects_continue);
  EXPECT_FALSE(
      parse_whole("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
          .expects_continue);
}

TEST(RequestParser, IsNoUpgradeUnlessEverythingIsThere) {
  const auto without = [](std::string_view line) {
    std::string input = kUpgrade;
    input.erase(input.find(line), line.size());
    return parse_whole(input);
  };
  EXPECT_FALSE(without("Upgrade: websocket\r\n").is_websocket_upgrade);
  EXPECT_FALSE(without("Connection: keep-alive, Upgrade\r\n").is_websocket_upgrade);
  std::string post = kUpgrade;
  post.replace(0, 3, "POST");
  EXPECT_FALSE(parse_whole(post).is_websocket_upgrade);
}

// Limits: exactly at is fine, one beyond is not, whether the bytes come at once or one by one.

void expect_status(const std::string& input, const RequestLimits& limits, int error_status) {
  EXPECT_EQ(parse_whole(input, limits).error_status, error_status);
  EXPECT_EQ(parse_in_steps(input, 1, limits).error_status, error_status);
}

TEST(RequestParser, LimitsTheHead) {
  const RequestLimits limits;
  expect_status(head_of_size(limits.head_bytes_max), limits, 0);
  expect_status(head_of_size(limits.head_bytes_max + 1), limits, 431);
  expect_status(head_of_size(limits.head_bytes_max + 5000), limits, 431);
  EXPECT_EQ(parse_whole(head_of_size(limits.head_bytes_max)).status, ParseStatus::kComplete);
}

TEST(RequestParser, LimitsTheHeadBeforeItsEndIsSeen) {
  const RequestLimits limits{.head_bytes_max = 64};
  const std::string start = "GET / HTTP/1.1\r\nX: ";
  const std::string full = start + std::string(64 - start.size(), 'x');
  EXPECT_EQ(parse_whole(full, limits).status, ParseStatus::kNeedMore);
  EXPECT_EQ(parse_in_steps(full, 1, limits).status, ParseStatus::kNeedMore);
  expect_status(full + "x", limits, 431);
}

TEST(RequestParser, LimitsTheTarget) {
  const RequestLimits limits;
  const std::string longest = "/" + std::string(limits.target_bytes_max - 1, 'x');
  expect_status(get(longest), limits, 0);
  expect_status(get(longest + "x"), limits, 414);
  expect_status("GET " + longest + std::string(100, 'x'), limits, 414);
  expect_status(std::string(limits.head_bytes_max, 'G'), limits, 400);
}

TEST(RequestParser, LimitsTheNumberOfHeaders) {
  const RequestLimits limits;
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 1; i < limits.headers_max; ++i) head += "X: y\r\n";
  expect_status(head + "\r\n", limits, 0);
  expect_status(head + "X: y\r\n\r\n", limits, 431);
}

TEST(RequestParser, LimitsASizedBody) {
  const RequestLimits limits{.body_bytes_max = 5};
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ";
  expect_status(start + "5\r\n\r\nhello", limits, 0);
  expect_status(start + "6\r\n\r\n", limits, 413);
  for (const char* huge : {"9223372036854775808", "18446744073709551615", "18446744073709551616",
                           "18446744073709551621", "99999999999999999999999999999999"}) {
    expect_status(start + huge + "\r\n\r\n", limits, 413);
  }
}

TEST(RequestParser, LimitsAChunkedBody) {
  const RequestLimits limits{.body_bytes_max = 5};
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  expect_status(start + "5\r\nhello\r\n0\r\n\r\n", limits, 0);
  expect_status(start + "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", limits, 0);
  expect_status(start + "6\r\n", limits, 413);
  expect_status(start + "2\r\nhe\r\n4\r\n", limits, 413);
  expect_status(start + "ffffffffffffffff\r\n", limits, 413);
  expect_status(start + "00000000000000005\r\n", limits, 400);
}

TEST(RequestParser, StaysInItsLastState) {
  RequestParser parser;
  EXPECT_EQ(parser.feed(as_bytes("\n")).status, ParseStatus::kError);
  EXPECT_EQ(parser.feed(as_bytes(kUpgrade)).status, ParseStatus::kError);
  EXPECT_EQ(parser.error().status, 400);
  parser.reset();
  EXPECT_EQ(parser.feed(as_bytes(kUpgrade)).status, ParseStatus::kHead);
  EXPECT_EQ(parser.feed(as_bytes("x")).status, ParseStatus::kComplete);
  EXPECT_EQ(parser.feed(as_bytes("x")).consumed, 0U);
}

static_assert(!std::is_copy_constructible_v<RequestParser>);
static_assert(std::is_nothrow_move_constructible_v<RequestParser>);

}  // namespace
}  // namespace anywire::http
