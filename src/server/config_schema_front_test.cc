// The keys of [front]: what they take, and what they say otherwise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string_view>

#include "server/config_schema.h"

namespace anywire::server {
namespace {

using ::testing::HasSubstr;

std::optional<Problem> set(std::string_view name, std::string_view text, Config& config) {
  const Key* key = find_key("front", name);
  EXPECT_NE(key, nullptr) << name;
  return key == nullptr ? std::nullopt : assign(*key, Text{text}, config);
}

TEST(ConfigFront, TakesAnUpstreamNextDoor) {
  Config config;
  for (const std::string_view text : {"", "http://127.0.0.1:3000", "http://localhost:3000",
                                      "http://web:3000", "http://[::1]", "unix:/run/next.sock"}) {
    EXPECT_FALSE(set("upstream", text, config)) << text;
    EXPECT_EQ(config.front.upstream, text);
  }
}

TEST(ConfigFront, SaysWhatAnUpstreamIs) {
  Config config;
  for (const std::string_view text :
       {"127.0.0.1:3000", "https://example.com", "http://a/path", "http://"}) {
    const auto problem = set("upstream", text, config);
    ASSERT_TRUE(problem) << text;
    EXPECT_THAT(problem->text, HasSubstr("http://127.0.0.1:3000"));
    EXPECT_EQ(config.front.upstream, "");
  }
}

TEST(ConfigFront, LimitsHaveRanges) {
  Config config;
  EXPECT_FALSE(set("upstream_timeout", "0", config));
  EXPECT_FALSE(set("connections_max", "1", config));
  EXPECT_FALSE(set("body_bytes_max", "10GiB", config));
  EXPECT_FALSE(set("body_timeout", "10s", config));
  EXPECT_FALSE(set("send_timeout", "0", config));
  EXPECT_TRUE(set("send_timeout", "61m", config));
  EXPECT_FALSE(set("files", "./out", config));
  EXPECT_TRUE(set("connections_max", "0", config));
  EXPECT_TRUE(set("connect_timeout", "0", config));
  EXPECT_TRUE(set("upstream_timeout", "2h", config));
  EXPECT_EQ(config.front.body_bytes_max, std::size_t{10} << 30);
}

}  // namespace
}  // namespace anywire::server
