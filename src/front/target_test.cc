#include "front/target.h"

#include <gtest/gtest.h>

#include <string>

namespace anywire::front {
namespace {

TEST(Target, ReadsAddressesWithAndWithoutPorts) {
  const Target v4 = *Target::parse("http://127.0.0.1:3000");
  EXPECT_EQ(v4.authority, "127.0.0.1:3000");
  ASSERT_EQ(v4.addresses.size(), 1u);
  EXPECT_EQ(v4.addresses[0].to_string(), "127.0.0.1:3000");
  EXPECT_TRUE(v4.name.empty());
  EXPECT_EQ(Target::parse("http://10.0.0.1/")->addresses[0].to_string(), "10.0.0.1:80");
  EXPECT_EQ(Target::parse("HTTP://[::1]:8080")->addresses[0].to_string(), "[::1]:8080");
  EXPECT_EQ(Target::parse("http://[::1]")->addresses[0].port(), 80);
}

TEST(Target, LocalhostIsBothLoopbackAddresses) {
  const Target target = *Target::parse("http://localhost:3000");
  ASSERT_EQ(target.addresses.size(), 2u);
  EXPECT_EQ(target.addresses[0].to_string(), "127.0.0.1:3000");
  EXPECT_EQ(target.addresses[1].to_string(), "[::1]:3000");
}

TEST(Target, ANameIsLeftToTheResolver) {
  const Target target = *Target::parse("http://web:3000");
  EXPECT_TRUE(target.addresses.empty());
  EXPECT_EQ(target.name, "web");
  EXPECT_EQ(target.port, 3000);
  EXPECT_EQ(target.authority, "web:3000");
}

TEST(Target, TakesUnixSockets) {
  const Target target = *Target::parse("unix:/run/next.sock");
  EXPECT_EQ(target.addresses.at(0).path(), "/run/next.sock");
  EXPECT_EQ(target.authority, "localhost");
}

TEST(Target, RefusesWhatIsNotNextDoor) {
  for (const char* text : {"", "127.0.0.1:3000", "https://127.0.0.1", "http://", "http:///",
                           "http://a/path", "http://a?x", "http://user@a", "http://a:0",
                           "http://a:99999", "http://a:", "http://[::1", "ftp://a", "unix:",
                           "http://a b"}) {
    EXPECT_FALSE(Target::parse(text).has_value()) << text;
    EXPECT_EQ(is_upstream(text), std::string(text).empty()) << text;
  }
  EXPECT_TRUE(is_upstream("http://web:3000"));
}

}  // namespace
}  // namespace anywire::front
