#include "http/response_writer.h"

#include <gtest/gtest.h>

#include <string>

namespace anywire::http {
namespace {

TEST(ResponseWriter, WritesAWholeResponse) {
  std::string out;
  const Header extra[] = {{"Cache-Control", "no-store"}};
  write_response(out,
                 {.status = 200,
                  .content_type = "text/plain",
                  .date = "Thu, 01 Jan 2026 00:00:00 GMT",
                  .headers = extra},
                 "hello");
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\n"
            "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
            "Content-Type: text/plain\r\n"
            "Cache-Control: no-store\r\n"
            "Content-Length: 5\r\n"
            "Connection: keep-alive\r\n"
            "\r\nhello");
}

TEST(ResponseWriter, AppendsToWhatIsThere) {
  std::string out = "before";
  write_response(out, {.status = 404, .keep_alive = false}, "");
  EXPECT_EQ(out,
            "beforeHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(ResponseWriter, SaysTheLengthButLeavesOutTheBodyForHead) {
  std::string out;
  write_response(out, {.head_only = true}, "hello");
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n");
}

TEST(ResponseWriter, WritesNoBodyWhereTheStatusForbidsOne) {
  for (const int status : {204, 304}) {
    std::string out;
    write_response(out, {.status = status}, "hello");
    EXPECT_EQ(out.find("Content-Length"), std::string::npos);
    EXPECT_TRUE(out.ends_with("\r\n\r\n"));
  }
}

TEST(ResponseWriter, WritesErrorsThatCloseTheConnection) {
  const Header headers[] = {{"Sec-WebSocket-Version", "13"}};
  std::string out;
  write_error(out, {426, "only version 13 of the WebSocket protocol is spoken here"}, headers);
  EXPECT_TRUE(out.starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
  EXPECT_NE(out.find("\r\nSec-WebSocket-Version: 13\r\n"), std::string::npos);
  EXPECT_NE(out.find("\r\nConnection: upgrade, close\r\n"), std::string::npos);
  EXPECT_NE(out.find("\r\nX-Content-Type-Options: nosniff\r\n"), std::string::npos);
  EXPECT_TRUE(out.ends_with("\r\n\r\nonly version 13 of the WebSocket protocol is spoken here\n"));
  EXPECT_EQ(error_response({400, "abc"}),
            "HTTP/1.1 400 Bad Request\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Content-Length: 4\r\n"
            "Connection: close\r\n"
            "\r\nabc\n");
  EXPECT_EQ(error_response({400, "abc"}, "Thu, 01 Jan 2026 00:00:00 GMT"),
            "HTTP/1.1 400 Bad Request\r\n"
            "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Content-Length: 4\r\n"
            "Connection: close\r\n"
            "\r\nabc\n");
}

TEST(ResponseWriter, WritesContinue) {
  std::string out;
  write_continue(out);
  EXPECT_EQ(out, "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST(ResponseWriter, RefusesForeignHeadersThatWouldSplitTheResponse) {
  std::string out;
  ResponseHead head(out, 200);
  const std::string before = out;
  const Header bad[] = {
      {"X", "a\r\nSet-Cookie: b"}, {"X", "a\nb"},   {"X", "a\rb"},  {"X", std::string_view("\0",
       1)},
      {"X", "\x7f"},               {"X\r\nY", "a"}, {"X Y", "a"},   {"X:", "a"},
      {"", "a"},                   {"\xc3\xa9", "a"}, {"Content-Length", "5"},
      {"TRANSFER-ENCODING", "chunked"}, {"connection", "close"},
  };
  for (const Header& header : bad) {
    EXPECT_FALSE(head.try_header(header.name, header.value)) << header.name;
    EXPECT_EQ(out, before);
  }
  EXPECT_TRUE(head.try_header("X", "a\tb \xff"));
  EXPECT_EQ(out, before + "X: a\tb \xff\r\n");
}

TEST(ResponseWriterDeathTest, EndsTheProcessWhenOurOwnHeaderWouldSplitTheResponse) {
  std::string out;
  EXPECT_DEATH(ResponseHead(out, 200).header("X", "a\r\nb"), "is_field_value");
  EXPECT_DEATH(ResponseHead(out, 200).header("X Y", "a"), "is_token");
  EXPECT_DEATH(ResponseHead(out, 99), "status");
}

const SwitchingProtocols kPlain{.accept_key = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="};

TEST(SwitchingProtocols, WritesTheSmallestAnswer) {
  std::string out;
  ASSERT_TRUE(write_switching_protocols(out, kPlain));
  EXPECT_EQ(out,
            "HTTP/1.1 101 Switching Protocols\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
            "\r\n");
}

TEST(SwitchingProtocols, WritesWhatWasAgreedOn) {
  std::string out;
  const Header headers[] = {{"Set-Cookie", "a=b"}};
  SwitchingProtocols response = kPlain;
  response.subprotocol = "chat.v1";
  response.extensions = "permessage-deflate; server_max_window_bits=12";
  response.headers = headers;
  ASSERT_TRUE(write_switching_protocols(out, response));
  EXPECT_NE(out.find("\r\nSec-WebSocket-Protocol: chat.v1\r\n"), std::string::npos);
  EXPECT_NE(out.find("\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12"
                     "\r\n"),
            std::string::npos);
  EXPECT_TRUE(out.ends_with("\r\nSet-Cookie: a=b\r\n\r\n"));
}

TEST(SwitchingProtocols, WritesNothingWhenAPartIsUnsafe) {
  const Header bad_header[] = {{"X", "a\r\nb"}};
  const Header framing_header[] = {{"Content-Length", "5"}};
  SwitchingProtocols cases[7] = {kPlain, kPlain, kPlain, kPlain, kPlain, kPlain, kPlain};
  cases[0].subprotocol = "a\r\nSet-Cookie: b";
  cases[1].subprotocol = "a b";
  cases[2].extensions = "a\r\nb";
  cases[3].headers = bad_header;
  cases[4].headers = framing_header;
  cases[5].accept_key = "short";
  cases[6].accept_key = "s3pPLMBiTxaQ9kYGzzhZRbK+x\r\n=";
  for (const SwitchingProtocols& response : cases) {
    std::string out = "kept";
    EXPECT_FALSE(write_switching_protocols(out, response));
    EXPECT_EQ(out, "kept");
  }
}

TEST(SwitchingProtocols, AllocatesNothingWhenTheStringHasRoom) {
  std::string out;
  out.reserve(512);
  const char* before = out.data();
  ASSERT_TRUE(write_switching_protocols(out, kPlain));
  EXPECT_EQ(out.data(), before);
}

}  // namespace
}  // namespace anywire::http
