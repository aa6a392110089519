// Conditional requests, codings and ranges.
#include "front/conditions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "http/request_parser.h"

namespace anywire::front {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";

const Validators& validators() {
  static const Validators ours{"W/\"a-b\"",
                               std::chrono::sys_seconds(std::chrono::seconds(784111777))};
  return ours;
}

class Request {
 public:
  explicit Request(std::string fields, std::string_view method = "GET")
      : text_(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n" + std::move(fields) + "\r\n") {
    EXPECT_EQ(parser_.feed(as_bytes(text_)).status, http::ParseStatus::kHead) << text_;
  }
  const http::RequestHead& head() const { return parser_.head(); }

 private:
  std::string text_;
  http::RequestParser parser_;
};

Verdict verdict(std::string fields) {
  return check_conditions(Request(std::move(fields)).head(), validators());
}

std::string field(std::string_view name, std::string_view value) {
  return std::string(name) + ": " + std::string(value) + "\r\n";
}

TEST(HttpDate, ReadsTheOneFormThatIsWrittenToday) {
  ASSERT_TRUE(parse_http_date(kDate));
  EXPECT_EQ(parse_http_date(kDate)->time_since_epoch().count(), 784111777);
  EXPECT_EQ(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT")->time_since_epoch().count(), 0);
  EXPECT_TRUE(parse_http_date("Sat, 29 Feb 2020 23:59:60 GMT"));
}

TEST(HttpDate, RefusesEverythingElse) {
  for (const char* text :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT", "Sun, 06-Nov 1994 08:49:37 GMT"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

TEST(Conditions, WithoutAnyTheFileIsSent) { EXPECT_EQ(verdict(""), Verdict::kSend); }

TEST(Conditions, IfNoneMatchComparesWeakly) {
  for (const char* tags : {"W/\"a-b\"", "\"a-b\"", "\"x\", W/\"a-b\"", "*", " \"a-b\" ,"}) {
    EXPECT_EQ(verdict(field("If-None-Match", tags)), Verdict::kNotModified) << tags;
  }
  for (const char* tags : {"W/\"a-c\"", "a-b", "\"A-B\"", "", "\"a\", \"b\""}) {
    EXPECT_EQ(verdict(field("If-None-Match", tags)), Verdict::kSend) << tags;
  }
  EXPECT_EQ(verdict(field("If-None-Match", "\"x\"") + field("If-None-Match", "\"a-b\"")),
            Verdict::kNotModified);
}

TEST(Conditions, IfModifiedSinceComparesSeconds) {
  EXPECT_EQ(verdict(field("If-Modified-Since", kDate)), Verdict::kNotModified);
  EXPECT_EQ(verdict(field("If-Modified-Since", kAfter)), Verdict::kNotModified);
  EXPECT_EQ(verdict(field("If-Modified-Since", kBefore)), Verdict::kSend);
  EXPECT_EQ(verdict(field("If-Modified-Since", "yesterday")), Verdict::kSend);
}

TEST(Conditions, IfNoneMatchOverrulesIfModifiedSince) {
  EXPECT_EQ(verdict(field("If-None-Match", "\"x\"") + field("If-Modified-Since", kDate)),
            Verdict::kSend);
}

TEST(Conditions, NoWeakTagSatisfiesIfMatch) {
  EXPECT_EQ(verdict(field("If-Match", "W/\"a-b\"")), Verdict::kPreconditionFailed);
  EXPECT_EQ(verdict(field("If-Match", "*")), Verdict::kSend);
}

TEST(Conditions, IfUnmodifiedSinceStopsWhatHasChanged) {
  EXPECT_EQ(verdict(field("If-Unmodified-Since", kBefore)), Verdict::kPreconditionFailed);
  EXPECT_EQ(verdict(field("If-Unmodified-Since", kDate)), Verdict::kSend);
  EXPECT_EQ(verdict(field("If-Unmodified-Since", "x")), Verdict::kSend);
  EXPECT_EQ(verdict(field("If-Match", "*") + field("If-Unmodified-Since", kBefore)),
            Verdict::kSend);
}

TEST(AcceptsCoding, ReadsTheListAndItsWeights) {
  const auto takes = [](std::string_view list) {
    return accepts_coding(Request(field("Accept-Encoding", list)).head(), "br");
  };
  for (const char* list :
       {"br", "gzip, deflate, br, zstd", "BR", "br;q=0.1", "gzip;q=1, br ; q=1.0"}) {
    EXPECT_TRUE(takes(list)) << list;
  }
  for (const char* list : {"", "gzip", "br;q=0", "br;q=0.000", "brx", "*", "identity"}) {
    EXPECT_FALSE(takes(list)) << list;
  }
  EXPECT_FALSE(accepts_coding(Request("").head(), "br"));
}

Ranges ranges(std::string_view list, std::uint64_t bytes = 100, std::string more = {}) {
  return find_ranges(Request(field("Range", list) + std::move(more)).head(), bytes, validators());
}

TEST(FindRanges, ReadsFirstLastAndSuffix) {
  EXPECT_THAT(ranges("bytes=0-0").parts, ElementsAre(Range{0, 1}));
  EXPECT_THAT(ranges("bytes=10-19").parts, ElementsAre(Range{10, 10}));
  EXPECT_THAT(ranges("Bytes=90-").parts, ElementsAre(Range{90, 10}));
  EXPECT_THAT(ranges("bytes=-5").parts, ElementsAre(Range{95, 5}));
  EXPECT_THAT(ranges("bytes=-500").parts, ElementsAre(Range{0, 100}));
  EXPECT_THAT(ranges("bytes=99-1000").parts, ElementsAre(Range{99, 1}));
  EXPECT_THAT(ranges("bytes=0-9, 20-29 ,-1").parts,
              ElementsAre(Range{0, 10}, Range{20, 10}, Range{99, 1}));
}

TEST(FindRanges, BehindTheEndIsUnsatisfiable) {
  for (const char* list : {"bytes=100-", "bytes=100-200", "bytes=-0", "bytes=100-,200-"}) {
    EXPECT_EQ(ranges(list).kind, Ranges::Kind::kUnsatisfiable) << list;
  }
  EXPECT_EQ(ranges("bytes=0-", 0).kind, Ranges::Kind::kUnsatisfiable);
  EXPECT_THAT(ranges("bytes=200-, 5-5").parts, ElementsAre(Range{5, 1}));
}

TEST(FindRanges, WhatIsMalformedIsNoRange) {
  for (const char* list : {"bytes=", "bytes=-", "bytes=5", "bytes=a-b", "bytes=9-1", "bytes=1-2-3",
                           "bytes=0x1-2", "bytes=1 -2", "bytes=0-1,,2-3", "lines=1-2", "0-1",
                           "bytes=99999999999999999999-", "bytes=+1-2"}) {
    EXPECT_EQ(ranges(list).kind, Ranges::Kind::kWhole) << list;
  }
}

TEST(FindRanges, MoreThanTheFileIsNotSentInParts) {
  EXPECT_EQ(ranges("bytes=0-99,0-0").kind, Ranges::Kind::kWhole);
  EXPECT_EQ(ranges("bytes=0-49,50-99").kind, Ranges::Kind::kParts);
  std::string many = "bytes=0-0";
  for (std::size_t i = 1; i < kRangesMax; ++i) {
    many += "," + std::to_string(i) + "-" + std::to_string(i);
  }
  EXPECT_EQ(ranges(many).parts.size(), kRangesMax);
  EXPECT_EQ(ranges(many + ",50-50").kind, Ranges::Kind::kWhole);
}

TEST(FindRanges, IfRangeTakesTheDateAndNoWeakTag) {
  EXPECT_EQ(ranges("bytes=0-1", 100, field("If-Range", kDate)).kind, Ranges::Kind::kParts);
  for (const std::string_view value :
       {kBefore, kAfter, std::string_view("W/\"a-b\""), std::string_view("")}) {
    EXPECT_EQ(ranges("bytes=0-1", 100, field("If-Range", value)).kind, Ranges::Kind::kWhole)
        << value;
  }
}

TEST(FindRanges, OnlyForGet) {
  const Request head(field("Range", "bytes=0-1"), "HEAD");
  EXPECT_EQ(find_ranges(head.head(), 100, validators()).kind, Ranges::Kind::kWhole);
}

}  // namespace
}  // namespace anywire::front
