#include "http/date.h"

#include <gtest/gtest.h>

namespace anywire::http {
namespace {

using std::chrono::sys_seconds;
using std::chrono::seconds;

std::string at(std::int64_t since_epoch) { return http_date(sys_seconds(seconds(since_epoch))); }

TEST(HttpDate, WritesTheExampleOfTheRfc) {
  EXPECT_EQ(at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(HttpDate, PadsEveryFieldToItsWidth) {
  EXPECT_EQ(at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(at(-62135596800), "Mon, 01 Jan 0001 00:00:00 GMT");
}

TEST(HttpDate, KnowsEveryDayAndMonth) {
  const char* expected[] = {
      "Thu, 01 Jan 2026 12:00:00 GMT", "Sun, 01 Feb 2026 12:00:00 GMT",
      "Sun, 01 Mar 2026 12:00:00 GMT", "Wed, 01 Apr 2026 12:00:00 GMT",
      "Fri, 01 May 2026 12:00:00 GMT", "Mon, 01 Jun 2026 12:00:00 GMT",
      "Wed, 01 Jul 2026 12:00:00 GMT", "Sat, 01 Aug 2026 12:00:00 GMT",
      "Tue, 01 Sep 2026 12:00:00 GMT", "Thu, 01 Oct 2026 12:00:00 GMT",
      "Sun, 01 Nov 2026 12:00:00 GMT", "Tue, 01 Dec 2026 12:00:00 GMT"};
  for (unsigned month = 1; month <= 12; ++month) {
    const std::chrono::sys_days day =
        std::chrono::year(2026) / std::chrono::month(month) / std::chrono::day(1);
    EXPECT_EQ(http_date(day + std::chrono::hours(12)), expected[month - 1]);
  }
}

TEST(HttpDate, KnowsLeapYearsAndTheLastSecond) {
  EXPECT_EQ(at(951782399), "Mon, 28 Feb 2000 23:59:59 GMT");
  EXPECT_EQ(at(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(at(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(HttpDate, ShowsTheTimeItIs) {
  const auto now = [] {
    return std::chrono::floor<seconds>(std::chrono::system_clock::now());
  };
  const sys_seconds before = now();
  const std::string shown(current_http_date());
  const sys_seconds after = now();
  bool found = false;
  for (sys_seconds time = before; time <= after; time += seconds(1)) {
    found = found || shown == http_date(time);
  }
  EXPECT_TRUE(found) << shown;
  EXPECT_EQ(current_http_date().size(), shown.size());
}

}  // namespace
}  // namespace anywire::http
