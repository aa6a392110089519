#include "http/status.h"

#include <gtest/gtest.h>

namespace anywire::http {
namespace {

TEST(Status, HasAPhraseForWhatTheParserReports) {
  for (const int status : {400, 413, 414, 431, 501, 505}) {
    EXPECT_NE(reason_phrase(status), "Unknown") << status;
  }
  EXPECT_EQ(reason_phrase(101), "Switching Protocols");
  EXPECT_EQ(reason_phrase(426), "Upgrade Required");
  EXPECT_EQ(reason_phrase(299), "Unknown");
}

TEST(Status, KnowsWhichOnesForbidABody) {
  for (const int status : {100, 101, 199, 204, 304}) EXPECT_TRUE(forbids_body(status)) << status;
  for (const int status : {200, 205, 301, 400, 500}) EXPECT_FALSE(forbids_body(status)) << status;
}

}  // namespace
}  // namespace anywire::http
