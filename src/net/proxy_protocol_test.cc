#include "net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace anywire::net {
namespace {

using std::string_literals::operator""s;
using Status = ProxyHeaderParser::Status;

struct Parsed {
  Status status = Status::kNeedMore;
  std::size_t consumed = 0;  // 0 after an error
  std::string source = "-";
  std::string destination = "-";
  bool operator==(const Parsed&) const = default;
};

Parsed parse(std::string_view input, std::size_t step, const ProxyHeaderLimits& limits = {}) {
  ProxyHeaderParser parser(limits);
  Parsed parsed;
  while (!input.empty() && parsed.status == Status::kNeedMore) {
    // A buffer of exactly this size, so that a sanitizer sees a read beyond it.
    const std::vector<char> piece(input.begin(),
                                  input.begin() + static_cast<std::ptrdiff_t>(
                                                      std::min(step, input.size())));
    input.remove_prefix(piece.size());
    const auto out = parser.feed(as_bytes({piece.data(), piece.size()}));
    parsed.status = out.status;
    parsed.consumed += out.consumed;
  }
  if (parsed.status == Status::kError) {
    parsed.consumed = 0;
    EXPECT_NE(parser.error(), ""s);
  }
  if (parser.source()) parsed.source = parser.source()->to_string();
  if (parser.destination()) parsed.destination = parser.destination()->to_string();
  return parsed;
}

// The verdict for the whole input, after checking that no cut changes it.
Parsed parse_every_way(const std::string& input, const ProxyHeaderLimits& limits = {}) {
  const Parsed whole = parse(input, input.size(), limits);
  for (const std::size_t step : {1, 2, 3, 5, 15, 16, 17}) {
    EXPECT_EQ(parse(input, step, limits), whole) << input << " in steps of " << step;
  }
  return whole;
}

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

// A version 2 header: version and command, family and transport, then addresses and TLVs.
std::string v2(char command, char family, const std::string& body) {
  return kSignature + command + family + static_cast<char>(body.size() >> 8) +
         static_cast<char>(body.size() & 0xff) + body;
}

const std::string kIpv4Body = "\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb"s;

std::string unix_field(std::string path) {
  path.resize(108, '\0');
  return path;
}

TEST(ProxyProtocolV1, ReadsTcp) {
  const std::string line = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";
  EXPECT_EQ(parse_every_way(line + "GET / HTTP/1.1\r\n"),
            (Parsed{Status::kDone, line.size(), "192.0.2.1:56324", "198.51.100.2:443"}));
  const std::string line6 = "PROXY TCP6 2001:db8::1 ::1 0 65535\r\n";
  EXPECT_EQ(parse_every_way(line6),
            (Parsed{Status::kDone, line6.size(), "[2001:db8::1]:0", "[::1]:65535"}));
}

TEST(ProxyProtocolV1, IgnoresWhatFollowsUnknown) {
  for (const char* line : {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN a b c\r\n", "PROXY UNKNOWN \r\n"}) {
    EXPECT_EQ(parse_every_way(line), (Parsed{Status::kDone, std::string(line).size()})) << line;
  }
}

TEST(ProxyProtocolV1, RefusesEverythingElse) {
  for (const char* line : {
           "PROXY\r\n", "PROXY \r\n", "proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
           "PROXY TCP5 a b 1 2\r\n",
           "PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n",
           "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
           "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2\r\n",
           "PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
           "PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n",
           "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\r\n",
           "PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4 1.1.1.01 2.2.2.2 1 2\r\n",
           "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
           "PROXY TCP6 [::1] ::1 1 2\r\n", "PROXY TCP6 fe80::1%1 ::1 1 2\r\n",
           "PROXY TCP4\t1.1.1.1 2.2.2.2 1 2\r\n", "PROXY UNKNOWNX\r\n", "PROXY unknown\r\n",
           "GET / HTTP/1.1\r\n", "PROXX", "\n"}) {
    EXPECT_EQ(parse_every_way(line).status, Status::kError) << line;
    EXPECT_EQ(parse_every_way(line).source, "-") << line;
  }
}

TEST(ProxyProtocolV1, EndsAfter107Bytes) {
  const auto line = [](std::size_t size) {
    std::string text = "PROXY UNKNOWN ";
    text.append(size - text.size() - 2, 'x');
    return text + "\r\n";
  };
  EXPECT_EQ(parse_every_way(line(107)).status, Status::kDone);
  EXPECT_EQ(parse_every_way(line(108)).status, Status::kError);
  EXPECT_EQ(parse_every_way(line(109).substr(0, 106)).status, Status::kNeedMore);
  EXPECT_EQ(parse_every_way(line(109).substr(0, 107)).status, Status::kError);
}

TEST(ProxyProtocolV2, ReadsIpAddresses) {
  const std::string header = v2('\x21', '\x11', kIpv4Body);
  EXPECT_EQ(parse_every_way(header + "GET"),
            (Parsed{Status::kDone, header.size(), "192.0.2.1:56324", "198.51.100.2:443"}));
  const std::string body6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01" +
                            std::string(15, '\0') + "\x01" + "\x00\x50\x01\xbb"s;
  const std::string header6 = v2('\x21', '\x21', body6);
  EXPECT_EQ(parse_every_way(header6 + "GET"),
            (Parsed{Status::kDone, header6.size(), "[2001:db8::1]:80", "[::1]:443"}));
}

TEST(ProxyProtocolV2, ReadsUnixPaths) {
  const std::string header =
      v2('\x21', '\x31', unix_field("/run/a") + unix_field("\0name"s));
  EXPECT_EQ(parse_every_way(header),
            (Parsed{Status::kDone, header.size(), "unix:/run/a", "unix:@name"}));
  const std::string unnamed = v2('\x21', '\x31', unix_field("") + unix_field("/b"));
  EXPECT_EQ(parse_every_way(unnamed).source, "unix:");
  // 108 bytes without a terminator are more than a path may have.
  const std::string full = v2('\x21', '\x31', std::string(108, 'x') + unix_field("/b"));
  EXPECT_EQ(parse_every_way(full), (Parsed{Status::kError}));
}

TEST(ProxyProtocolV2, NamesNobodyForLocalAndUnspecified) {
  for (const std::string& header :
       {v2('\x20', '\x00', ""), v2('\x20', '\x11', kIpv4Body), v2('\x20', '\x7f', "abc"),
        v2('\x21', '\x00', ""), v2('\x21', '\x00', "junk")}) {
    EXPECT_EQ(parse_every_way(header + "GET"), (Parsed{Status::kDone, header.size()}));
  }
}

TEST(ProxyProtocolV2, SkipsTlvsThatAreWellFormed) {
  const std::string tlvs = "\x04\x00\x00"s + "\x01\x00\x02h2"s;
  EXPECT_EQ(parse_every_way(v2('\x21', '\x11', kIpv4Body + tlvs)).source, "192.0.2.1:56324");
  for (const std::string& bad : {"\x04"s, "\x04\x00"s, "\x04\x00\x01"s, "\x04\xff\xff"s + "abc"}) {
    EXPECT_EQ(parse_every_way(v2('\x21', '\x11', kIpv4Body + bad)), (Parsed{Status::kError}));
  }
}

TEST(ProxyProtocolV2, RefusesEverythingElse) {
  const std::string headers[] = {
      v2('\x11', '\x11', kIpv4Body),                // version 1 in the binary form
      v2('\x31', '\x11', kIpv4Body),                // version 3
      v2('\x22', '\x11', kIpv4Body),                // unknown command
      v2('\x21', '\x12', kIpv4Body),                // datagrams
      v2('\x21', '\x10', kIpv4Body),                // no transport
      v2('\x21', '\x41', kIpv4Body),                // unknown family
      v2('\x21', '\x11', kIpv4Body.substr(0, 11)),  // too short for its family
      v2('\x21', '\x21', kIpv4Body),
      v2('\x21', '\x31', unix_field("/a")),
      "\r\n\r\n\0\r\nQUIT\r"s,
      "\r\nGET / HTTP/1.1",
  };
  for (const std::string& header : headers) {
    EXPECT_EQ(parse_every_way(header), (Parsed{Status::kError})) << testing::PrintToString(header);
  }
}

TEST(ProxyProtocolV2, LimitsTheHeader) {
  const auto header = [](std::size_t size) { return v2('\x20', '\0', std::string(size - 16,
      'x')); };
  EXPECT_EQ(parse_every_way(header(1024)).status, Status::kDone);
  EXPECT_EQ(parse_every_way(header(1025)).status, Status::kError);
  // Refused as soon as the length is there, not when that many bytes have come.
  EXPECT_EQ(parse_every_way(header(65535).substr(0, 16)).status, Status::kError);
  EXPECT_EQ(parse_every_way(header(16), {.header_bytes_max = 16}).status, Status::kDone);
  EXPECT_EQ(parse_every_way(header(17), {.header_bytes_max = 16}).status, Status::kError);
}

TEST(ProxyProtocol, NeedsMoreForEveryBeginning) {
  for (const std::string& header : {v2('\x21', '\x11', kIpv4Body), "PROXY UNKNOWN\r\n"s}) {
    for (std::size_t size = 0; size < header.size(); ++size) {
      EXPECT_EQ(parse_every_way(header.substr(0, size)), (Parsed{Status::kNeedMore, size}));
    }
  }
}

}  // namespace
}  // namespace anywire::net
