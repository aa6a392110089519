// The formats that are checked (2020-12 validation, 7.3): those that schemas in the field use.
// Others are taken for annotations, as the specification has it.
//
//   date-time, date, time   RFC 3339 5.6; a time has its offset; a leap second only at 23:59 UTC
//   email                   RFC 5322's dot-atom at a domain with a dot in it, without comments
//   uuid                    RFC 4122 in either case, "urn:uuid:" in front allowed
//   uri                     RFC 3986, with a scheme
//   ipv4, ipv6              RFC 2673 3.2, RFC 4291 2.2; without zones
//
// Thread: any; pure functions. Limits: none needed; time is linear.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace anywire::schema {

enum class Format : std::uint8_t {
  kDateTime,
  kDate,
  kTime,
  kEmail,
  kUuid,
  kUri,
  kIpv4,
  kIpv6,
};

// Nothing for a format that is not checked.
[[nodiscard]] std::optional<Format> find_format(std::string_view name);

[[nodiscard]] bool matches(Format format, std::string_view text);

// Completes "must be ...": "an e-mail address".
[[nodiscard]] std::string_view words_for(Format format);

}  // namespace anywire::schema
