#include "front/content_type.h"

#include <gtest/gtest.h>

namespace anywire::front {
namespace {

TEST(ContentType, KnowsWhatASiteConsistsOf) {
  EXPECT_EQ(content_type("index.html").type, "text/html; charset=utf-8");
  EXPECT_EQ(content_type("a/b.c/app.JS").type, "text/javascript; charset=utf-8");
  EXPECT_EQ(content_type("_next/static/css/x.css").type, "text/css; charset=utf-8");
  EXPECT_EQ(content_type("about.txt").type, "text/plain; charset=utf-8");
  EXPECT_EQ(content_type("x.woff2").type, "font/woff2");
  EXPECT_EQ(content_type("x.wasm").type, "application/wasm");
}

TEST(ContentType, EverythingElseIsBytes) {
  for (const char* name : {"LICENSE", "a.unknown", "folder.html/file", "dot.", ""}) {
    EXPECT_EQ(content_type(name).type, "application/octet-stream") << name;
    EXPECT_FALSE(content_type(name).compressible) << name;
  }
}

TEST(ContentType, TellsWhatIsWorthCompressing) {
  EXPECT_TRUE(content_type("a.js").compressible);
  EXPECT_TRUE(content_type("a.svg").compressible);
  EXPECT_FALSE(content_type("a.png").compressible);
  EXPECT_FALSE(content_type("a.woff2").compressible);
}

}  // namespace
}  // namespace anywire::front
