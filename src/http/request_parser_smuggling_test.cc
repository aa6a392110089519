// Requests that two readers could understand differently. Each must be refused, with the status
// named, and however the bytes are cut.
#include <gtest/gtest.h>

#include <cctype>
#include <string>

#include "http/parse_all_for_test.h"

namespace anywire::http {
namespace {

using std::string_literals::operator""s;

struct Case {
  const char* what;
  std::string input;
  int status;
};

void expect_refused(const Case& c) {
  const ParsedRequest whole = parse_whole(c.input);
  EXPECT_EQ(whole.status, ParseStatus::kError) << c.what;
  EXPECT_EQ(whole.error_status, c.status) << c.what << ": " << whole.error_reason;
  for (const std::size_t step : {1, 2, 5}) {
    EXPECT_EQ(parse_in_steps(c.input, step), whole) << c.what << " in steps of " << step;
  }
}

// A head with `lines` (each with its own line end) between Host and the empty line.
std::string with(const std::string& lines) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
}

std::string post(const std::string& lines, const std::string& body = "") {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n" + body;
}

std::string line(const std::string& request_line) { return request_line + "\r\nHost: a\r\n\r\n"; }

TEST(RequestSmuggling, RefusesLinesThatDoNotEndInCrLf) {
  const Case cases[] = {
      {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"bare CR after the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
      {"bare LF after a header", with("X: y\n"), 400},
      {"bare CR between headers", with("X: y\rContent-Length: 5\r\n"), 400},
      {"bare CR, the class of CVE-2023-30589", with("X: y\r\rA: b\r\n"), 400},
      {"LF CR", with("X: y\n\r"), 400},
      {"CR CR LF", with("X: y\r\r\n"), 400},
      {"bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"CR then something as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\rG", 400},
      {"LF before the request line", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"CR before the request line", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two empty lines before the request line", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"folded line", with("X: y\r\n z\r\n"), 400},
      {"folded line with a tab", with("X: y\r\n\tz\r\n"), 400},
      {"first header begins with a space", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"TLS on a plain port", "\x16\x03\x01\x02\x00\x01"s, 400},
  };
  for (const Case& c : cases) expect_refused(c);
}

TEST(RequestSmuggling, RefusesControlCharactersAnywhere) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    const std::string c(1, static_cast<char>(byte));
    const std::string in_value = with("X: a" + c + "b\r\n");
    if (is_control) {
      expect_refused({"control byte in a value", in_value, 400});
    } else {
      EXPECT_EQ(parse_whole(in_value).status, ParseStatus::kComplete) << byte;
    }
    const bool in_target = byte > 0x20 && byte < 0x7f && byte != '#';
    const std::string request = line("GET /?a" + c + "b HTTP/1.1");
    EXPECT_EQ(parse_whole(request).status,
              in_target ? ParseStatus::kComplete : ParseStatus::kError) << byte;
  }
}

TEST(RequestSmuggling, RefusesNamesThatAreNoTokens) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (c == ':') continue;  // ends the name
    const std::string marks = "!#$%&'*+-.^_`|~";
    const bool is_tchar =
        byte < 0x80 && (std::isalnum(byte) != 0 || marks.find(c) != std::string::npos);
    const std::string input = with("X"s + c + "Y: z\r\n");
    EXPECT_EQ(parse_whole(input).status, is_tchar ? ParseStatus::kComplete : ParseStatus::kError)
        << byte;
  }
  const Case cases[] = {
      {"space before the colon", with("Content-Length : 5\r\n"), 400},
      {"tab before the colon", with("Transfer-Encoding\t: chunked\r\n"), 400},
      {"no name", with(": x\r\n"), 400},
      {"no colon", with("Content-Length 5\r\n"), 400},
      {"no colon at all", with("x\r\n"), 400},
  };
  for (const Case& c : cases) expect_refused(c);
}

TEST(RequestSmuggling, RefusesAmbiguousLengths) {
  const char* wrong[] = {"",    "+5",  "-5",   "5,5",  "5, 5", "5 5", "0x5", "5.0", "5;", "five",
                         "\"5\"", "1e1", "5\t5", " ,5", "٥"};
  for (const char* value : wrong) {
    expect_refused({value, post("Content-Length: "s + value + "\r\n", "hello"), 400});
  }
  const Case cases[] = {
      {"tab before it", post("Content-Length:\t5\r\n", "hello"), 400},
      {"tab behind it", post("Content-Length: 5\t\r\n", "hello"), 400},
      {"twice and equal", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400},
      {"twice and different", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), 400},
      {"twice in another case", post("Content-Length: 5\r\ncontent-length: 5\r\n", "hello"), 400},
      {"with chunked", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
       400},
      {"chunked first", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
       400},
      {"zero with chunked", post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
       "0\r\n\r\n"),
       400},
  };
  for (const Case& c : cases) expect_refused(c);
  EXPECT_EQ(parse_whole(post("Content-Length:  005 \r\n", "hello")).body, "hello");
}

TEST(RequestSmuggling, RefusesEveryTransferCodingButChunked) {
  for (const char* value : {"gzip, chunked", "chunked, chunked", "gzip,Chunked", ",chunked"}) {
    expect_refused({value, post("Transfer-Encoding: "s + value + "\r\n", "0\r\n\r\n"), 501});
  }
  // RFC 9112 6.3: without chunked at the end the body has none that could be known.
  for (const char* value : {"identity", "gzip", "chunked, gzip", "xchunked", "chunked;q=1",
                            "\"chunked\"", "chunked,", "", "chunke", "chunked\xa0",
                            "chunked chunked", "gzip chunked", "chunked, chunked;q=1"}) {
    expect_refused({value, post("Transfer-Encoding: "s + value + "\r\n", "0\r\n\r\n"), 400});
  }
  const Case cases[] = {
      {"tab before it", post("Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n"), 400},
      {"tab behind it", post("Transfer-Encoding: chunked \t\r\n", "0\r\n\r\n"), 400},
      {"vertical tab before it", post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"), 400},
      {"twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
       400},
      {"on HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
  };
  for (const Case& c : cases) expect_refused(c);
  EXPECT_EQ(parse_whole(post("transfer-ENCODING:  Chunked \r\n", "0\r\n\r\n")).status,
            ParseStatus::kComplete);
}

TEST(RequestSmuggling, RefusesBadChunks) {
  const auto chunks = [](const std::string& body) {
    return post("Transfer-Encoding: chunked\r\n", body);
  };
  const Case cases[] = {
      {"no size", chunks("\r\n"), 400},
      {"only an extension", chunks(";a\r\n"), 400},
      {"sign", chunks("+5\r\nhello\r\n"), 400},
      {"minus", chunks("-5\r\nhello\r\n"), 400},
      {"prefix", chunks("0x5\r\nhello\r\n"), 400},
      {"space before the size", chunks(" 5\r\nhello\r\n"), 400},
      {"space behind the size", chunks("5 \r\nhello\r\n"), 400},
      {"space before the extension", chunks("5 ;a\r\nhello\r\n"), 400},
      {"underscore", chunks("1_0\r\n"), 400},
      {"bare LF behind the size", chunks("5\nhello\r\n"), 400},
      {"bare CR behind the size", chunks("5\rhello\r\n"), 400},
      {"bare LF in the extension", chunks("5;a\nhello\r\n"), 400},
      {"bare CR in the extension", chunks("5;a\rhello\r\n"), 400},
      {"NUL in the extension", chunks("5;a\0b\r\nhello\r\n"s), 400},
      {"empty extension", chunks("5;\r\nhello\r\n"), 400},
      {"two extensions, which llhttp refuses", chunks("1;a=b;5\r\nx\r\n"),
       400},
      {"two extensions without values", chunks("1;a;b\r\nx\r\n"), 400},
      {"escape in an extension", chunks("1;a=\"\\\"\"\r\nx\r\n"), 400},
      {"extension with a space", chunks("5; a=b\r\nhello\r\n"), 400},
      {"extension without its value", chunks("5;a=\r\nhello\r\n"), 400},
      {"extension without its name", chunks("5;=b\r\nhello\r\n"), 400},
      {"extension with an open quote", chunks("5;a=\"b\r\nhello\r\n"), 400},
      {"extension with text after a quote", chunks("5;a=\"b\"c\r\nhello\r\n"), 400},
      {"data ends in LF", chunks("5\r\nhello\n0\r\n\r\n"), 400},
      {"data ends in CR", chunks("5\r\nhello\r0\r\n\r\n"), 400},
      {"data is longer than it says", chunks("5\r\nhelloX\r\n0\r\n\r\n"), 400},
      {"data is shorter than it says", chunks("5\r\nhell\r\n0\r\n\r\n"), 400},
      {"two bytes in place of CRLF", chunks("5\r\nhelloXX0\r\n\r\n"), 400},
      {"bare LF behind the last chunk", chunks("0\n\r\n"), 400},
      {"bare LF at the end", chunks("0\r\n\n"), 400},
      {"junk at the end", chunks("0\r\n\rX"), 400},
      {"trailer without a name", chunks("0\r\n: x\r\n\r\n"), 400},
      {"trailer without a colon", chunks("0\r\nabc\r\n\r\n"), 400},
      {"folded trailer", chunks("0\r\nA: b\r\n c\r\n\r\n"), 400},
      {"trailer with a space in its name", chunks("0\r\nA : b\r\n\r\n"), 400},
      {"trailer ends in LF", chunks("0\r\nA: b\n\r\n"), 400},
      {"trailer ends in CR", chunks("0\r\nA: b\rX"), 400},
      {"Content-Length as a trailer", chunks("0\r\nContent-Length: 5\r\n\r\n"), 400},
      {"Transfer-Encoding as a trailer", chunks("0\r\ntransfer-encoding: chunked\r\n\r\n"), 400},
      {"Host as a trailer", chunks("0\r\nHOST: b\r\n\r\n"), 400},
  };
  for (const Case& c : cases) expect_refused(c);
}

TEST(RequestSmuggling, RefusesBodiesOnWebSocketUpgrades) {
  const std::string upgrade =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const Case cases[] = {
      {"sized", with(upgrade + "Content-Length: 5\r\n") + "hello", 400},
      {"chunked", with(upgrade + "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400},
      {"without Connection", with("Upgrade: h2c, WebSocket\r\nContent-Length: 5\r\n") + "hello",
       400},
      {"key twice", with(upgrade + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), 400},
      {"version twice", with(upgrade + "sec-websocket-version: 13\r\n"), 400},
      {"origin twice", with(upgrade + "Origin: a\r\nOrigin: b\r\n"), 400},
  };
  for (const Case& c : cases) expect_refused(c);
  EXPECT_EQ(parse_whole(with(upgrade + "Content-Length: 0\r\n")).status, ParseStatus::kComplete);
}

TEST(RequestSmuggling, RefusesMissingRepeatedOrMalformedHosts) {
  const auto host = [](const std::string& value) {
    return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n";
  };
  for (const char* value : {"", "a b", "a,b", "a/b", "a@b", "a?b", "a#b", "a\\b", "a:", "a:b",
                            "a:80x",
                            "a:65536", "a:000080", "a:-1", ":80", "[::1", "::1", "[::1]80", "[]",
                            "[1.2.3.4]", "[::1]:", "[fe80::1%25eth0]", "a%2e", "http://a",
                            "\xc3\xa9.example", "a\tb",
                            "[::ffff:1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7]"}) {
    expect_refused({value, host(value), 400});
  }
  for (const char* value : {"a", "example.com", "example.com:80", "127.0.0.1:65535", "[::1]",
                            "[::1]:3001", "xn--caf-dma.example", "under_score", "a:0", "A-B.c."}) {
    const ParsedRequest request = parse_whole(host(value));
    EXPECT_EQ(request.status, ParseStatus::kComplete) << value;
    EXPECT_EQ(request.host, value);
  }
  const Case cases[] = {
      {"missing", "GET / HTTP/1.1\r\n\r\n", 400},
      {"twice", with("Host: a\r\n"), 400},
      {"twice and different", with("host: b\r\n"), 400},
      {"twice on HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"differs from the target", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"differs in its port", "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"missing beside an absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", 400},
  };
  for (const Case& c : cases) expect_refused(c);
  EXPECT_EQ(parse_whole("GET http://A/ HTTP/1.1\r\nHost: a\r\n\r\n").host, "A");
}

TEST(RequestSmuggling, RefusesMalformedRequestLines) {
  const Case cases[] = {
      {"HTTP/0.9", line("GET /"), 400},
      {"only a method", line("GET"), 400},
      {"two spaces", line("GET  / HTTP/1.1"), 400},
      {"two spaces before the version", line("GET /  HTTP/1.1"), 400},
      {"space in the target", line("GET /a b HTTP/1.1"), 400},
      {"space at the end", line("GET / HTTP/1.1 "), 400},
      {"space at the start", line(" GET / HTTP/1.1"), 400},
      {"tab", line("GET\t/ HTTP/1.1"), 400},
      {"tab beside a space", line("GET /\tx HTTP/1.1"), 400},
      {"method is no token", line("G(T / HTTP/1.1"), 400},
      {"lower-case version", line("GET / http/1.1"), 400},
      {"no minor version", line("GET / HTTP/1"), 400},
      {"long minor version", line("GET / HTTP/1.10"), 400},
      {"long major version", line("GET / HTTP/11.1"), 400},
      {"letter in the version", line("GET / HTTP/1.x"), 400},
      {"other protocol", line("GET / ICE/1.1"), 400},
      {"HTTP/0.9 with a version", line("GET / HTTP/0.9"), 505},
      {"HTTP/1.2", line("GET / HTTP/1.2"), 505},
      {"HTTP/2.0", line("GET / HTTP/2.0"), 505},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/9.9", line("GET / HTTP/9.9"), 505},
      {"CONNECT", line("CONNECT a:80 HTTP/1.1"), 501},
      {"authority form", line("GET a:80 HTTP/1.1"), 400},
      {"relative target", line("GET a HTTP/1.1"), 400},
      {"other scheme", line("GET ftp://a/ HTTP/1.1"), 400},
      {"user in the target", line("GET http://u@a/ HTTP/1.1"), 400},
      {"no host in the target", line("GET http:/// HTTP/1.1"), 400},
      {"fragment", line("GET /a#b HTTP/1.1"), 400},
      {"asterisk and more", line("OPTIONS *a HTTP/1.1"), 400},
      {"query without a path", line("GET ?a HTTP/1.1"), 400},
  };
  for (const Case& c : cases) expect_refused(c);
}

TEST(RequestSmuggling, RefusesPathsThatOthersMayReadDifferently) {
  for (const char* path : {"/..", "/../", "/a/../..", "/%2e%2e", "/%2E.", "/a/../../b", "/../a",
                           "/./..",
                           "/%00", "/a%00b", "/a%0d%0ab", "/%1f", "/%7f", "/%09", "/a%2fb",
                           "/a%2F..",
                           "/..%2f", "/a%5cb", "/a\\b", "/..\\a", "/%", "/%4", "/%zz", "/%u0041",
                           "/%%34%31", "/a%2"}) {
    expect_refused({path, line("GET "s + path + " HTTP/1.1"), 400});
  }
}

}  // namespace
}  // namespace anywire::http
