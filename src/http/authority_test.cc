#include "http/authority.h"

#include <gtest/gtest.h>

namespace anywire::http {
namespace {

TEST(Authority, TakesHostAndPortApart) {
  const auto plain = parse_authority("app.example");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "app.example");
  EXPECT_EQ(plain->port, "");
  const auto port = parse_authority("app.example:8443");
  ASSERT_TRUE(port);
  EXPECT_EQ(port->host, "app.example");
  EXPECT_EQ(port->port, "8443");
  const auto ipv6 = parse_authority("[::1]:3001");
  ASSERT_TRUE(ipv6);
  EXPECT_EQ(ipv6->host, "[::1]");
  EXPECT_EQ(ipv6->port, "3001");
  EXPECT_TRUE(parse_authority("[::]"));
  EXPECT_TRUE(parse_authority("a:0"));
  EXPECT_TRUE(parse_authority("a:65535"));
}

TEST(Authority, RefusesWhatIsNone) {
  for (const char* text :
       {"", ":80", "a:", "a:b", "a:65536", "a:123456", "a:-1", "a:+1", "a: 1", "a b", "a/b", "a#b",
        "a?b", "a@b", "user@a", "a\\b", "a,b", "[]", "[:]x", "[::1", "::1", "[::1]x", "[::1]:",
        "[::1%25eth0]", "[a.example]", "a%2eb", "\xc3\xa4.example", "a\tb", "*.a", "a:*"}) {
    EXPECT_FALSE(parse_authority(text)) << text;
  }
}

TEST(Authority, KnowsAddressesFromNames) {
  for (const char* host : {"127.0.0.1", "0.0.0.0", "255.255.255.255", "[::1]", "[2001:db8::]"}) {
    EXPECT_TRUE(is_ip_literal(host)) << host;
  }
  for (const char* host : {"", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4567",
                           "1..2.3", ".1.2.3", "1.2.3.", "1.2.3.x", "127.0.0.1.example", "[::1"}) {
    EXPECT_FALSE(is_ip_literal(host)) << host;
  }
}

TEST(Authority, FindsNamesBelowAnother) {
  EXPECT_TRUE(is_below("a.app.example", "app.example"));
  EXPECT_TRUE(is_below("b.a.App.Example", "app.example"));
  for (const char* host : {"app.example", ".app.example", "aapp.example", "a.app.example.evil.com",
                           "a..app.example", "..app.example", "app.example.", "", "e"}) {
    EXPECT_FALSE(is_below(host, "app.example")) << host;
  }
}

}  // namespace
}  // namespace anywire::http
