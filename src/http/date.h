// http_date: a second of the wall clock as HTTP writes it, "Sun, 06 Nov 1994 08:49:37 GMT"
// (IMF-fixdate, RFC 9110 section 5.6.7), whatever the locale.
//
// Thread: any; current_http_date keeps its text per thread. Lifetime: its view is valid until the
// next call on the same thread. Limits: years 0 to 9999, which is what the form can hold.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace anywire::http {

std::string http_date(std::chrono::sys_seconds time);

// The Date of an answer that is written now (RFC 9110 section 6.6.1). The one place above the
// reactor that reads a clock: nothing is decided by it, it is only shown.
std::string_view current_http_date();

}  // namespace anywire::http
