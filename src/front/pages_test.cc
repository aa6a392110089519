#include "front/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace anywire::front {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr PageOptions kDev{.upstream = "http://<b>:3000", .html = true, .explain = true};

TEST(Pages, OnlyATimeoutIs504) {
  for (const UpstreamFailure failure : {UpstreamFailure::kUnreachable, UpstreamFailure::kStale,
                                        UpstreamFailure::kBroken, UpstreamFailure::kGarbage}) {
    EXPECT_EQ(failure_page(failure, "", {}).status, 502);
    EXPECT_FALSE(describe(failure).empty());
  }
  EXPECT_EQ(failure_page(UpstreamFailure::kTimeout, "", {}).status, 504);
}

TEST(Pages, InDevelopmentSayWhatToDoAndLookAgain) {
  const http::Response page = failure_page(UpstreamFailure::kUnreachable, "", kDev);
  EXPECT_THAT(page.body, HasSubstr("http://&lt;b&gt;:3000"));
  EXPECT_THAT(page.body, HasSubstr("npx next dev"));
  EXPECT_THAT(page.body, HasSubstr("http-equiv=\"refresh\""));
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(failure_page(UpstreamFailure::kTimeout, "", kDev).body,
              HasSubstr("front.upstream_timeout"));
  EXPECT_THAT(failure_page(UpstreamFailure::kGarbage, "no <status>", kDev).body,
              HasSubstr("no &lt;status&gt;"));
  EXPECT_THAT(failure_page(UpstreamFailure::kBroken, "", kDev).body, HasSubstr("ended"));
}

TEST(Pages, OtherwiseKeepTheAddressToThemselves) {
  for (const bool html : {true, false}) {
    const http::Response page = failure_page(UpstreamFailure::kGarbage, "secret detail",
                                             {.upstream = "http://10.0.0.5:3000", .html = html});
    EXPECT_THAT(page.body, Not(HasSubstr("10.0.0.5")));
    EXPECT_THAT(page.body, Not(HasSubstr("secret")));
    EXPECT_THAT(page.body, Not(HasSubstr("refresh")));
  }
}

TEST(Pages, AreTextForPrograms) {
  const http::Response page = failure_page(UpstreamFailure::kUnreachable, "", {});
  EXPECT_EQ(page.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(page.body, "The application cannot be reached. Please try again in a moment.\n");
}

TEST(Pages, AreNotStored) {
  for (const http::Response& page :
       {failure_page(UpstreamFailure::kTimeout, "", kDev), busy_page()}) {
    bool found = false;
    for (const http::Header& header : page.headers) {
      found = found || (header.name == "Cache-Control" && header.value == "no-store");
    }
    EXPECT_TRUE(found);
  }
  EXPECT_EQ(busy_page().status, 503);
}

}  // namespace
}  // namespace anywire::front
