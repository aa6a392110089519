// The forms and paths as a whole are tested through the parser (request_parser_test.cc and
// request_parser_smuggling_test.cc); here what the parser does not let through to them.
#include "http/request_target.h"

#include <gtest/gtest.h>

#include <string>

namespace anywire::http {
namespace {

TEST(RequestTarget, RefusesAnEmptyTarget) {
  TargetParts parts;
  EXPECT_FALSE(split_target("", Method::kGet, parts));
}

TEST(RequestTarget, RefusesControlCharactersByItself) {
  TargetParts parts;
  for (const char* target : {"/a\tb", "/a b", "/a\r\nb", "/\x7f", "/\xff", "/a#"}) {
    EXPECT_FALSE(split_target(target, Method::kGet, parts)) << target;
  }
}

TEST(RequestTarget, SplitsAnAbsoluteTarget) {
  TargetParts parts;
  ASSERT_TRUE(split_target("https://[::1]:80/a?b", Method::kGet, parts));
  EXPECT_EQ(parts.host, "[::1]:80");
  EXPECT_EQ(parts.raw_path, "/a");
  EXPECT_EQ(parts.query, "b");
}

TEST(RequestTarget, LeavesAPlainPathWhereItIs) {
  std::vector<char> scratch;
  const std::string_view raw = "/raw/lobby";
  EXPECT_EQ(normalize_path(raw, scratch).data(), raw.data());
  EXPECT_TRUE(scratch.empty());
}

TEST(RequestTarget, UsesTheScratchWhenSomethingChanges) {
  std::vector<char> scratch;
  const std::string_view path = normalize_path("/raw/%6cobby", scratch);
  EXPECT_EQ(path, "/raw/lobby");
  EXPECT_EQ(path.data(), scratch.data());
}

TEST(RequestTarget, PathsMustBeginWithASlash) {
  std::vector<char> scratch;
  EXPECT_EQ(normalize_path("", scratch).data(), nullptr);
  EXPECT_EQ(normalize_path("a", scratch).data(), nullptr);
  EXPECT_EQ(normalize_path("%2fa", scratch).data(), nullptr);
}

TEST(RequestTarget, NeverClimbsAboveTheRootHoweverDeepThePath) {
  std::vector<char> scratch;
  std::string path;
  for (int depth = 0; depth < 1000; ++depth) path += "/d";
  for (int depth = 0; depth < 1000; ++depth) path += "/..";
  EXPECT_EQ(normalize_path(path, scratch), "/");
  EXPECT_EQ(normalize_path(path + "/..", scratch).data(), nullptr);
}

TEST(RequestTarget, HostsAreNamesOrAddressesWithAPort) {
  EXPECT_TRUE(is_host("example.com"));
  EXPECT_TRUE(is_host("[2001:db8::1]:443"));
  EXPECT_FALSE(is_host(""));
  EXPECT_FALSE(is_host("["));
  EXPECT_FALSE(is_host("[]:1"));
  EXPECT_FALSE(is_host("a:99999"));
  EXPECT_FALSE(is_host(std::string_view("[::1\0]", 6)));
}

}  // namespace
}  // namespace anywire::http
