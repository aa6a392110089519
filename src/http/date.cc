#include "http/date.h"

#include <fmt/format.h>

#include "base/assert.h"

namespace anywire::http {

std::string http_date(std::chrono::sys_seconds time) {
  static constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  const int year = static_cast<int>(day.year());
  AW_ASSERT(year >= 0 && year <= 9999);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[std::chrono::weekday(midnight).c_encoding()],
                     static_cast<unsigned>(day.day()),
                     kMonths[static_cast<unsigned>(day.month()) - 1], year, clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::string_view current_http_date() {
  thread_local std::chrono::sys_seconds shown;
  thread_local std::string text;
  const auto now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (text.empty() || now != shown) {
    shown = now;
    text = http_date(now);
  }
  return text;
}

}  // namespace anywire::http
