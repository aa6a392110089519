#include "front/conditions.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace anywire::front {
namespace {

using std::chrono::sys_seconds;

// Digits only.
bool parse_number(std::string_view text, std::uint64_t& number) {
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, number);
  return !text.empty() && error == std::errc() && last == end;
}

// Weak comparison (RFC 9110 section 8.8.3.2) with each member of the lists of that name. Entity
// tags may hold commas, but ours do not, and a part of another one never equals ours.
bool any_matches(const http::RequestHead& head, std::string_view name, std::string_view etag) {
  const auto opaque = [](std::string_view tag) {
    return tag.starts_with("W/") ? tag.substr(2) : tag;
  };
  for (const http::Header& header : head.headers) {
    if (!http::equals_ignore_case(header.name, name)) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::string_view member = http::next_list_member(rest);
      if (member == "*" || opaque(member) == opaque(etag)) return true;
    }
  }
  return false;
}

bool modified_after(const http::RequestHead& head, std::string_view name, sys_seconds modified,
                    bool& is_date) {
  const auto date = parse_http_date(head.header(name));
  is_date = date.has_value();
  return is_date && modified > *date;
}

// "0-499", "500-" or "-500". False when it is malformed; nothing in `range` when it lies behind the
// end of the file.
bool parse_range(std::string_view text, std::uint64_t file_bytes, std::optional<Range>& range) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return false;
  const std::string_view from = text.substr(0, dash);
  const std::string_view to = text.substr(dash + 1);
  std::uint64_t first = 0;
  std::uint64_t last = file_bytes;
  range.reset();
  if (from.empty()) {
    if (!parse_number(to, last)) return false;
    const std::uint64_t size = std::min(last, file_bytes);
    if (size > 0) range = Range{file_bytes - size, size};
    return true;
  }
  if (!parse_number(from, first)) return false;
  if (!to.empty() && (!parse_number(to, last) || last < first)) return false;
  if (first >= file_bytes) return true;
  range = Range{first, std::min(last, file_bytes - 1) - first + 1};
  return true;
}

}  // namespace

std::optional<sys_seconds> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  //       "Sun, 06 Nov 1994 08:49:37 GMT"
  const bool is_shaped = text.size() == 29 && text.substr(3, 2) == ", " && text[7] == ' ' &&
                         text[11] == ' ' && text[16] == ' ' && text[19] == ':' && text[22] == ':' &&
                         text.substr(25) == " GMT";
  if (!is_shaped) return std::nullopt;
  std::uint64_t day, year, hour, minute, second;
  if (!parse_number(text.substr(5, 2), day) || !parse_number(text.substr(12, 4), year) ||
      !parse_number(text.substr(17, 2), hour) || !parse_number(text.substr(20, 2), minute) ||
      !parse_number(text.substr(23, 2), second)) {
    return std::nullopt;
  }
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const std::chrono::year_month_day date(
      std::chrono::year(static_cast<int>(year)),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(day)));
  if (month == kMonths.end() || !date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

Verdict check_conditions(const http::RequestHead& head, const Validators& validators) {
  bool is_date = false;
  if (head.find("if-match") != nullptr) {
    // Strong comparison: a weak tag equals nothing, not even itself.
    if (!head.has_token("if-match", "*")) return Verdict::kPreconditionFailed;
  } else if (modified_after(head, "if-unmodified-since", validators.modified, is_date)) {
    return Verdict::kPreconditionFailed;
  }
  if (head.find("if-none-match") != nullptr) {
    return any_matches(head, "if-none-match", validators.etag) ? Verdict::kNotModified
                                                               : Verdict::kSend;
  }
  const bool newer = modified_after(head, "if-modified-since", validators.modified, is_date);
  return is_date && !newer ? Verdict::kNotModified : Verdict::kSend;
}

bool accepts_coding(const http::RequestHead& head, std::string_view coding) {
  for (const http::Header& header : head.headers) {
    if (!http::equals_ignore_case(header.name, "accept-encoding")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::string_view member = http::next_list_member(rest);
      const std::size_t semicolon = member.find(';');
      if (!http::equals_ignore_case(http::trim_whitespace(member.substr(0, semicolon)), coding)) {
        continue;
      }
      if (semicolon == std::string_view::npos) return true;
      // "q=0", "q=0.", "q=0.000" say no; every other weight has a digit that says yes.
      const std::string_view weight = http::trim_whitespace(member.substr(semicolon + 1));
      return weight.find_first_of("123456789") != std::string_view::npos;
    }
  }
  return false;
}

Ranges find_ranges(const http::RequestHead& head, std::uint64_t file_bytes,
                   const Validators& validators) {
  constexpr std::string_view kUnit = "bytes=";
  std::string_view rest = head.header("range");
  if (head.method != http::Method::kGet || rest.empty()) return {};
  if (!http::equals_ignore_case(rest.substr(0, kUnit.size()), kUnit)) return {};
  if (const http::Header* only_if = head.find("if-range"); only_if != nullptr) {
    // A weak tag cannot promise that the bytes are the same; the time of change must be exactly it.
    const auto date = parse_http_date(only_if->value);
    if (!date || *date != validators.modified) return {};
  }
  rest.remove_prefix(kUnit.size());
  Ranges ranges;
  std::uint64_t total = 0;
  std::size_t asked = 0;
  while (!rest.empty()) {
    std::optional<Range> range;
    if (!parse_range(http::next_list_member(rest), file_bytes, range)) return {};
    if (++asked > kRangesMax) return {};
    if (!range) continue;
    total += range->size;
    ranges.parts.push_back(*range);
  }
  if (asked == 0) return {};
  if (ranges.parts.empty()) {
    ranges.kind = Ranges::Kind::kUnsatisfiable;
  } else if (total <= file_bytes) {
    ranges.kind = Ranges::Kind::kParts;
  } else {
    // Parts that overlap would make us send more than there is.
    return {};
  }
  return ranges;
}

}  // namespace anywire::front
