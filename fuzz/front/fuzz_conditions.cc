// Conditional and range fields of a request for a file: parts always lie within the file, are never
// more than it has, and dates that are read are those that are written.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "front/conditions.h"
#include "http/date.h"
#include "http/request_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anywire;
  if (size < 2) return 0;
  const std::uint64_t bytes = data[0] * std::uint64_t{data[1]};
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n" +
                           std::string(reinterpret_cast<const char*>(data) + 2, size - 2) +
                           "\r\n\r\n";
  http::RequestParser parser;
  if (parser.feed(as_bytes(text)).status != http::ParseStatus::kHead) return 0;
  const http::RequestHead& head = parser.head();
  const front::Validators validators{"W/\"1-2\"",
                                     std::chrono::sys_seconds(std::chrono::seconds(784111777))};
  const front::Ranges ranges = front::find_ranges(head, bytes, validators);
  AW_ASSERT((ranges.kind == front::Ranges::Kind::kParts) == !ranges.parts.empty());
  AW_ASSERT(ranges.parts.size() <= front::kRangesMax);
  std::uint64_t total = 0;
  for (const front::Range& range : ranges.parts) {
    AW_ASSERT(range.size > 0 && range.first < bytes && range.size <= bytes - range.first);
    total += range.size;
  }
  AW_ASSERT(total <= bytes);
  static_cast<void>(front::check_conditions(head, validators));
  static_cast<void>(front::accepts_coding(head, "br"));
  for (const http::Header& header : head.headers) {
    const auto date = front::parse_http_date(header.value);
    // The name of the day is not checked, and a leap second is the second after it.
    if (date) AW_ASSERT(http::http_date(*date).size() == header.value.size());
  }
  return 0;
}
