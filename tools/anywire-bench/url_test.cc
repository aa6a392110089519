#include "url.h"

#include <gtest/gtest.h>

namespace anywire::bench {
namespace {

TEST(ParseUrl, TakesHostPortPathAndQuery) {
  const auto url = parse_url("ws://127.0.0.1:3001/raw/bench?since=1");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->address.to_string(), "127.0.0.1:3001");
  EXPECT_EQ(url->host, "127.0.0.1:3001");
  EXPECT_EQ(url->target, "/raw/bench?since=1");
}

TEST(ParseUrl, FillsInWhatMayBeMissing) {
  EXPECT_EQ(parse_url("ws://127.0.0.1:1")->target, "/");
  EXPECT_EQ(parse_url("ws://127.0.0.1")->address.port(), 80);
  EXPECT_EQ(parse_url("ws://127.0.0.1:1?a=b")->target, "/?a=b");
}

TEST(ParseUrl, TakesIpv6AndLocalhost) {
  EXPECT_EQ(parse_url("ws://[::1]:9/x")->address.to_string(), "[::1]:9");
  EXPECT_EQ(parse_url("ws://[::1]/x")->address.to_string(), "[::1]:80");
  EXPECT_EQ(parse_url("ws://localhost:9/")->address.to_string(), "127.0.0.1:9");
}

TEST(ParseUrl, RefusesWhatItCannotReach) {
  for (const char* text : {"", "http://127.0.0.1/", "wss://127.0.0.1/", "127.0.0.1:80",
                           "ws://example.test/", "ws://127.0.0.1:99999/", "ws:///x"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

}  // namespace
}  // namespace anywire::bench
