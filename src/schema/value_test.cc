#include "schema/value.h"

#include <gtest/gtest.h>

#include <string>

namespace anywire::schema {
namespace {

bool same(const std::string& a, const std::string& b) {
  codec::JsonReader first, second;
  const auto x = first.read(as_bytes(a));
  const auto y = second.read(as_bytes(b));
  EXPECT_TRUE(x && y) << a << " " << b;
  const bool is_same = equal(*x, *y);
  EXPECT_EQ(equal(*y, *x), is_same);
  if (is_same) {
    EXPECT_EQ(hash_of(*x), hash_of(*y)) << a << " " << b;
  }
  return is_same;
}

TEST(SchemaValue, ComparesNumbersByValue) {
  EXPECT_TRUE(same("1", "1.0"));
  EXPECT_TRUE(same("1e2", "100"));
  EXPECT_TRUE(same("-0", "0"));
  EXPECT_TRUE(same("0.1", "0.10"));
  EXPECT_FALSE(same("9007199254740993", "9007199254740992"));
  EXPECT_FALSE(same("1", "\"1\""));
  EXPECT_FALSE(same("0", "false"));
  EXPECT_FALSE(same("1", "true"));
}

TEST(SchemaValue, ComparesTextsByWhatTheySay) {
  EXPECT_TRUE(same(R"("\u0041")", R"("A")"));
  EXPECT_FALSE(same(R"("a")", R"("A")"));
}

TEST(SchemaValue, TakesMembersInAnyOrder) {
  EXPECT_TRUE(same(R"({"a":1,"b":[2]})", R"({"b":[2.0],"a":1})"));
  EXPECT_FALSE(same(R"({"a":1})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(same(R"({"a":1,"c":2})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(same("[1,2]", "[2,1]"));
  EXPECT_FALSE(same("[]", "{}"));
}

TEST(SchemaValue, ComparesLargeObjectsBySorting) {
  std::string forward = "{", backward = "{";
  for (int i = 0; i < 2000; ++i) {
    forward += "\"m" + std::to_string(i) + "\":" + std::to_string(i) + (i < 1999 ? "," : "}");
    const int j = 1999 - i;
    backward += "\"m" + std::to_string(j) + "\":" + std::to_string(j) + (i < 1999 ? "," : "}");
  }
  EXPECT_TRUE(same(forward, backward));
  backward.replace(backward.find(":7,"), 3, ":8,");
  EXPECT_FALSE(same(forward, backward));
}

TEST(SchemaValue, CountsCodePoints) {
  EXPECT_EQ(length_of(""), 0u);
  EXPECT_EQ(length_of("abc"), 3u);
  EXPECT_EQ(length_of("gr\xC3\xBC\xC3\x9F"), 4u);
  EXPECT_EQ(length_of("\xF0\x9F\x98\x80"), 1u);
}

TEST(SchemaValue, CountsWhatJavaScriptCounts) {
  EXPECT_EQ(length_of("gr\xC3\xBC\xC3\x9F", Lengths::kUtf16), 4u);
  EXPECT_EQ(length_of("a\xF0\x9F\x98\x80\xE2\x82\xAC", Lengths::kUtf16), 4u);
}

}  // namespace
}  // namespace anywire::schema
