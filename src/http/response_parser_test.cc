// Responses: what is accepted, what is refused, where each one ends, however the bytes are cut; and
// llhttp as a second opinion.
#include "http/response_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/parse_response_for_test.h"

namespace anywire::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

ParsedResponse parse(std::string_view input, bool to_head = false) {
  return parse_response_whole(input, {.to_head = to_head});
}
// With the end of the connection behind it.
ParsedResponse parse_to_end(std::string_view input, bool to_head = false) {
  return parse_response_whole(input, {.to_head = to_head, .ended = true});
}
std::string with(std::string_view headers, std::string_view body = {}) {
  return "HTTP/1.1 200 OK\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

TEST(ResponseParser, ReadsStatusHeadersAndASizedBody) {
  const ParsedResponse response =
      parse("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nX-A:  one \r\nx-a: two\r\n\r\n"
            "helloHTTP");
  EXPECT_EQ(response.status, ParseStatus::kComplete);
  EXPECT_EQ(response.code, 404);
  EXPECT_EQ(response.body, "hello");
  EXPECT_THAT(response.headers,
              ElementsAre(Pair("Content-Length", "5"), Pair("X-A", "one"), Pair("x-a", "two")));
  EXPECT_TRUE(response.keep_alive);
  EXPECT_EQ(response.left, 4u) << "bytes behind the response are not touched";
}

TEST(ResponseParser, ReadsAChunkedBodyAndDropsItsTrailers) {
  const ParsedResponse response = parse(with(
      "Transfer-Encoding: chunked\r\n", "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"));
  EXPECT_EQ(response.status, ParseStatus::kComplete);
  EXPECT_EQ(response.body, "hello world");
  EXPECT_TRUE(response.chunked);
  EXPECT_THAT(response.headers, ElementsAre(Pair("Transfer-Encoding", "chunked")));
}

TEST(ResponseParser, WithoutAFrameTheBodyLastsAsLongAsTheConnection) {
  const std::string input = with("", "as long as it takes");
  EXPECT_EQ(parse(input).status, ParseStatus::kNeedMore);
  const ParsedResponse response = parse_to_end(input);
  EXPECT_EQ(response.status, ParseStatus::kComplete);
  EXPECT_EQ(response.body, "as long as it takes");
  EXPECT_TRUE(response.until_close);
  EXPECT_FALSE(response.keep_alive);
  EXPECT_EQ(parse_to_end(with("")).status, ParseStatus::kComplete) << "and may be empty";
}

TEST(ResponseParser, TheAnswerToHeadHasALengthAndNoBody) {
  const ParsedResponse sized = parse(with("Content-Length: 1000\r\n", "HTTP/1.1"), true);
  EXPECT_EQ(sized.status, ParseStatus::kComplete);
  EXPECT_EQ(sized.content_length, 1000u);
  EXPECT_EQ(sized.left, 8u);
  EXPECT_TRUE(sized.keep_alive);
  EXPECT_EQ(parse(with("Transfer-Encoding: chunked\r\n"), true).status, ParseStatus::kComplete);
  EXPECT_EQ(parse(with(""), true).status, ParseStatus::kComplete);
}

TEST(ResponseParser, SomeStatusesHaveNoBodyWhateverTheirFieldsSay) {
  for (const char* code : {"204", "304"}) {
    const std::string line = std::string("HTTP/1.1 ") + code + " x\r\n";
    EXPECT_EQ(parse(line + "\r\n").status, ParseStatus::kComplete) << code;
    const ParsedResponse response = parse(line + "Content-Length: 7\r\n\r\n");
    EXPECT_EQ(response.status, ParseStatus::kComplete) << code;
    EXPECT_EQ(response.content_length, 7u) << code;
  }
}

TEST(ResponseParser, InformationalResponsesComeBeforeTheAnswer) {
  ResponseParser parser;
  parser.reset(false);
  const std::string input =
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n"
      "Content-Length: 0\r\n\r\n";
  Bytes rest = as_bytes(input);
  ParseResult result = parser.feed(rest);
  EXPECT_EQ(result.status, ParseStatus::kHead);
  EXPECT_EQ(parser.head().status, 103);
  EXPECT_EQ(parser.head().header("LINK"), "</a.css>");
  EXPECT_EQ(parser.head().header("absent"), "");
  EXPECT_TRUE(parser.head().is_informational());
  rest = rest.subspan(result.consumed);
  EXPECT_EQ(parser.feed(rest).status, ParseStatus::kComplete);
  parser.reset(false);
  EXPECT_TRUE(parser.is_idle());
  EXPECT_EQ(parser.feed(rest).status, ParseStatus::kHead);
  EXPECT_FALSE(parser.is_idle());
  EXPECT_EQ(parser.head().status, 200);
  EXPECT_THAT(parser.head().headers, ::testing::SizeIs(1)) << "nothing is left of the first";
}

TEST(ResponseParser, SwitchingProtocolsEndsBeforeTheOtherProtocol) {
  const ParsedResponse response =
      parse("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
            "\x81\x02hi");
  EXPECT_EQ(response.status, ParseStatus::kComplete);
  EXPECT_EQ(response.left, 4u);
}

TEST(ResponseParser, KnowsWhetherTheConnectionGoesOn) {
  const auto goes_on = [](std::string_view version, std::string_view connection) {
    return parse("HTTP/" + std::string(version) + " 200 OK\r\nContent-Length: 0\r\n" +
                 std::string(connection) + "\r\n")
        .keep_alive;
  };
  EXPECT_TRUE(goes_on("1.1", ""));
  EXPECT_TRUE(goes_on("1.1", "Connection: keep-alive\r\n"));
  EXPECT_FALSE(goes_on("1.1", "Connection: Close\r\n"));
  EXPECT_FALSE(goes_on("1.1", "Connection: x, close\r\n"));
  EXPECT_FALSE(goes_on("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_FALSE(goes_on("1.0", ""));
  EXPECT_TRUE(goes_on("1.0", "Connection: Keep-Alive\r\n"));
}

TEST(ResponseParser, TheReasonMayBeMissingOrBeAnything) {
  for (const char* line : {"HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 200  \t odd \xc3\xa4!"}) {
    EXPECT_EQ(parse(std::string(line) + "\r\nContent-Length: 0\r\n\r\n").code, 200) << line;
  }
}

TEST(ResponseParser, RefusesWhatCouldBeReadInTwoWays) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "control character"},
      {"HTTP/1.1 200 OK\rX: 1\r\n\r\n", "does not end in CRLF"},
      {with("X: a\r\rb\r\n"), "does not end in CRLF"},
      {with(std::string("X: a\0b\r\n", 8)), "control character"},
      {with("X: a\x7f\r\n"), "control character"},
      {with("X: a\r\n folded\r\n"), "no valid name"},
      {with(" X: a\r\n"), "no valid name"},
      {with("X : a\r\n"), "no valid name"},
      {with(": a\r\n"), "no valid name"},
      {with("no colon\r\n"), "no valid name"},
      {with("Content-Length: 1\r\nContent-Length: 1\r\n"), "repeated"},
      {with("Content-Length: 1, 1\r\n"), "not a number"},
      {with("Content-Length: +1\r\n"), "not a number"},
      {with("Content-Length: 0x1\r\n"), "not a number"},
      {with("Content-Length:\r\n"), "not a number"},
      {with("Content-Length: 99999999999999999999\r\n"), "not a number"},
      {with("Content-Length: 18446744073709551615\r\n"), "too large"},
      {with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "exclude"},
      {with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), "exclude"},
      {with("Transfer-Encoding: gzip, chunked\r\n"), "only transfer coding"},
      {with("Transfer-Encoding: identity\r\n"), "only transfer coding"},
      {with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "repeated"},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0"},
      {with("Transfer-Encoding: chunked\r\n", "1\nx"), "chunk"},
      {with("Transfer-Encoding: chunked\r\n", "zz\r\n"), "chunk size"},
      {with("Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 1\r\n\r\n"), "trailer"},
  };
  for (const auto& [input, reason] : cases) {
    const ParsedResponse response = parse(input);
    EXPECT_EQ(response.status, ParseStatus::kError) << input;
    EXPECT_THAT(response.error, HasSubstr(reason)) << input;
  }
}

TEST(ResponseParser, RefusesWhatIsNoResponse) {
  for (const char* line :
       {"HTTP/2 200 OK", "HTTP/1.2 200 OK", "http/1.1 200 OK", "HTTP/1.1  200 OK", "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK", "HTTP/1.1 2x0 OK", "HTTP/1.1 099 OK", "HTTP/1.1 600 OK", "HTTP/1.1 ",
        "SSH-2.0-OpenSSH_9.2", "GET / HTTP/1.1", "", " HTTP/1.1 200 OK"}) {
    EXPECT_EQ(parse(std::string(line) + "\r\n\r\n").status, ParseStatus::kError) << line;
  }
}

TEST(ResponseParser, AnEndInTheMiddleIsAnError) {
  for (const std::string& input :
       {std::string(), std::string("HTTP/1.1 200"), with("Content-Length: 5\r\n", "hell"),
        with("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"), with("Content-Length: 5\r\n")}) {
    const ParsedResponse response = parse_to_end(input);
    EXPECT_EQ(response.status, ParseStatus::kError) << input;
    EXPECT_THAT(response.error, HasSubstr("in the middle")) << input;
  }
  EXPECT_EQ(parse_to_end(with("Content-Length: 2\r\n", "ok")).status, ParseStatus::kComplete);
}

TEST(ResponseParser, AnErrorStays) {
  ResponseParser parser;
  parser.reset(false);
  EXPECT_EQ(parser.feed(as_bytes("nonsense\r\n")).status, ParseStatus::kError);
  EXPECT_EQ(parser.feed(as_bytes("HTTP/1.1 200 OK\r\n")).status, ParseStatus::kError);
  EXPECT_EQ(parser.end_of_input().status, ParseStatus::kError);
  EXPECT_EQ(parser.error().status, 502);
}

TEST(ResponseParser, LimitsHeadHeadersAndBody) {
  const ResponseLimits limits{.head_bytes_max = 60, .headers_max = 2, .body_bytes_max = 5};
  const auto verdict = [&](std::string_view input) {
    return parse_response_whole(input, {.ended = true, .limits = limits});
  };
  const std::string head = with("X: " + std::string(60 - 17 - 7, 'x') + "\r\n");
  ASSERT_EQ(head.size(), 60u);
  EXPECT_EQ(verdict(head).status, ParseStatus::kComplete);
  EXPECT_THAT(verdict(with("X: " + std::string(60 - 17 - 6, 'x') + "\r\n")).error,
              HasSubstr("head is too large"));
  EXPECT_EQ(verdict(with("A: 1\r\nB: 2\r\n")).status, ParseStatus::kComplete);
  EXPECT_THAT(verdict(with("A: 1\r\nB: 2\r\nC: 3\r\n")).error, HasSubstr("too many header"));
  EXPECT_EQ(verdict(with("Content-Length: 5\r\n", "12345")).status, ParseStatus::kComplete);
  EXPECT_THAT(verdict(with("Content-Length: 6\r\n")).error, HasSubstr("body is too large"));
  EXPECT_EQ(verdict(with("", "12345")).body, "12345");
  EXPECT_THAT(verdict(with("", "123456")).error, HasSubstr("body is too large"));
  EXPECT_EQ(verdict(with("Transfer-Encoding: chunked\r\n", "6\r\n")).status, ParseStatus::kError);
}

TEST(ResponseParser, TheVerdictDoesNotDependOnTheCuts) {
  const std::vector<std::string> inputs = {
      with("Content-Length: 5\r\nX-A: b\r\n", "hello"),
      with("Transfer-Encoding: chunked\r\n", "5;x=\"y\"\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n"),
      with("Connection: close\r\n", "until the end"),
      "HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n",
      with("X: a\rb\r\n"),
      with("Content-Length: 5\r\nContent-Length: 5\r\n"),
      with("Transfer-Encoding: chunked\r\n", "5\r\nhelloX"),
      with("X: " + std::string(200, 'x') + "\r\n"),
  };
  for (const bool to_head : {false, true}) {
    const ResponseDrive drive{
        .to_head = to_head, .ended = true, .limits = {.head_bytes_max = 150, .headers_max = 3}};
    for (const std::string& input : inputs) {
      const ParsedResponse whole = parse_response_whole(input, drive);
      EXPECT_EQ(parse_response_in_steps(input, 1, drive), whole) << input;
      for (std::size_t cut = 0; cut <= input.size(); ++cut) {
        const std::string_view text(input);
        EXPECT_EQ(parse_response_pieces({text.substr(0, cut), text.substr(cut)}, drive), whole)
            << input << " cut at " << cut;
      }
    }
  }
}

TEST(ResponseParser, LlhttpSeesTheSame) {
  const std::vector<std::string> inputs = {
      with("Content-Length: 5\r\nX-A: b\r\n", "hello"),
      with("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
      with("Connection: close\r\n", "until the end"),
      "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
      "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
      "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  };
  for (const std::string& input : inputs) {
    const ParsedResponse ours = parse_to_end(input);
    ASSERT_EQ(ours.status, ParseStatus::kComplete) << input;
    EXPECT_EQ(difference_to_llhttp(input, ours, false), "") << input;
  }
}

}  // namespace
}  // namespace anywire::http
