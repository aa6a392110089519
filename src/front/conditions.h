// Whether a client has a file already, in which coding it takes it, and which parts of it: the
// conditional, range and negotiation fields of a request, as far as files need them (RFC 9110
// sections 12 to 14).
//
// Thread: pure functions. Lifetime: nothing is kept. Limits: kRangesMax.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/request.h"

namespace anywire::front {

// Two versions of a file are alike when size and time of change are.
struct Validators {
  std::string etag;  // weak, with its quotes: W/"..."
  std::chrono::sys_seconds modified;
};

// An IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT"; the two older forms are not read, which is
// allowed (RFC 9110 section 13.1.3) and only costs a transfer.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

enum class Verdict : std::uint8_t { kSend, kNotModified, kPreconditionFailed };

// If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since of a GET or HEAD, in the order
// of RFC 9110 section 13.2.2. A weak ETag satisfies no If-Match but "*".
Verdict check_conditions(const http::RequestHead& head, const Validators& validators);

// Whether Accept-Encoding lists the coding, and not with a weight of 0. "*" counts for none: what
// sends it is no browser.
bool accepts_coding(const http::RequestHead& head, std::string_view coding);

struct Range {
  std::uint64_t first;
  std::uint64_t size;  // at least 1

  bool operator==(const Range&) const = default;
};

inline constexpr std::size_t kRangesMax = 16;

struct Ranges {
  // kWhole: there is no Range to follow, or none that is worth it: malformed, of another unit, of a
  // version that is gone (If-Range), more parts than kRangesMax, or more bytes than the file has.
  enum class Kind : std::uint8_t { kWhole, kParts, kUnsatisfiable } kind = Kind::kWhole;
  std::vector<Range> parts;  // in the order asked for
};

Ranges find_ranges(const http::RequestHead& head, std::uint64_t file_bytes,
                   const Validators& validators);

}  // namespace anywire::front
