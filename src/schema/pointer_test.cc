#include "schema/pointer.h"

#include <gtest/gtest.h>

namespace anywire::schema {
namespace {

TEST(JsonPointer, EscapesItsTwoSigns) {
  EXPECT_EQ(pointer_step("a"), "/a");
  EXPECT_EQ(pointer_step("a/b~c"), "/a~1b~0c");
  EXPECT_EQ(pointer_step(""), "/");
}

// The examples of RFC 6901 section 5.
TEST(JsonPointer, FindsWhatTheRfcShows) {
  codec::JsonReader reader;
  const std::string_view text =
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"m~n":8," ":7})";
  const auto document = reader.read(as_bytes(text));
  ASSERT_TRUE(document);
  const auto at = [&](std::string_view pointer) -> std::string {
    const auto value = find_at(*document, pointer);
    return value ? std::string(value->raw()) : "nothing";
  };
  EXPECT_EQ(at(""), text);
  EXPECT_EQ(at("/foo"), R"(["bar","baz"])");
  EXPECT_EQ(at("/foo/0"), R"("bar")");
  EXPECT_EQ(at("/"), "0");
  EXPECT_EQ(at("/a~1b"), "1");
  EXPECT_EQ(at("/c%d"), "2");
  EXPECT_EQ(at("/m~0n"), "8");
  EXPECT_EQ(at("/ "), "7");
  for (const char* pointer : {"foo", "/foo/2", "/foo/-", "/foo/00", "/foo/x", "/foo/0/x", "/nope",
                              "/m~n", "/m~2n", "/foo/99999999999999999999"}) {
    EXPECT_EQ(at(pointer), "nothing") << pointer;
  }
}

}  // namespace
}  // namespace anywire::schema
