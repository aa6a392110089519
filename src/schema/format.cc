#include "schema/format.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

namespace anywire::schema {
namespace {

using std::string_view;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// So many digits from the front, or -1.
int take_number(string_view& text, std::size_t digits) {
  if (text.size() < digits || !std::all_of(text.begin(), text.begin() + digits, is_digit)) {
    return -1;
  }
  int number = 0;
  for (const char c : text.substr(0, digits)) number = number * 10 + (c - '0');
  text.remove_prefix(digits);
  return number;
}

bool take(string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

int days_in(int year, int month) {
  constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

bool take_date(string_view& text) {
  const int year = take_number(text, 4);
  if (year < 0 || !take(text, '-')) return false;
  const int month = take_number(text, 2);
  if (month < 1 || month > 12 || !take(text, '-')) return false;
  const int day = take_number(text, 2);
  return day >= 1 && day <= days_in(year, month);
}

// Z or +hh:mm; the offset in minutes.
std::optional<int> take_offset(string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return 0;
  const bool minus = text.starts_with('-');
  if (!minus && !text.starts_with('+')) return std::nullopt;
  text.remove_prefix(1);
  const int hours = take_number(text, 2);
  if (hours < 0 || hours > 23 || !take(text, ':')) return std::nullopt;
  const int minutes = take_number(text, 2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  return minus ? -(hours * 60 + minutes) : hours * 60 + minutes;
}

bool is_time(string_view text) {
  const int hour = take_number(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ':')) return false;
  const int minute = take_number(text, 2);
  if (minute < 0 || minute > 59 || !take(text, ':')) return false;
  const int second = take_number(text, 2);
  if (second < 0 || second > 60) return false;
  if (take(text, '.')) {
    if (text.empty() || !is_digit(text.front())) return false;
    text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
  }
  const std::optional<int> offset = take_offset(text);
  if (!offset || !text.empty()) return false;
  constexpr int kDay = 24 * 60;
  return second < 60 || ((hour * 60 + minute - *offset) % kDay + kDay) % kDay == kDay - 1;
}

bool is_date(string_view text) { return take_date(text) && text.empty(); }

bool is_date_time(string_view text) {
  if (!take_date(text)) return false;
  return (take(text, 'T') || take(text, 't') || take(text, ' ')) && is_time(text);
}

// Dots between parts that are not empty, each of which passes.
template <typename Part>
bool each_part(string_view text, Part part) {
  while (true) {
    const std::size_t dot = text.find('.');
    if (!part(text.substr(0, dot))) return false;
    if (dot == text.npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_domain_label(string_view label) {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '-'; };
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, fits);
}

bool is_email(string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == text.npos) return false;
  const string_view domain = text.substr(at + 1);
  const auto is_atom = [](string_view part) {
    return !part.empty() && std::ranges::all_of(part, [](char c) {
      return is_letter(c) || is_digit(c) || string_view("!#$%&'*+/=?^_`{|}~-").contains(c);
    });
  };
  return each_part(text.substr(0, at), is_atom) && domain.contains('.') &&
         each_part(domain, is_domain_label);
}

bool is_uuid(string_view text) {
  if (text.starts_with("urn:uuid:")) text.remove_prefix(9);
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_ip(int family, string_view text) {
  std::array<unsigned char, 16> address;
  constexpr std::size_t kBytesMax = 45;
  if (text.size() > kBytesMax || text.contains('\0')) return false;
  return ::inet_pton(family, std::string(text).c_str(), address.data()) == 1;
}

// What may stand anywhere behind the scheme, RFC 3986 appendix A.
bool are_uri_characters(string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!is_letter(c) && !is_digit(c) && !string_view("-._~:/?@!$&'()*+,;=").contains(c)) {
      return false;
    }
  }
  return true;
}

bool is_authority(string_view text) {
  if (const std::size_t at = text.find('@'); at != text.npos) {
    if (!are_uri_characters(text.substr(0, at))) return false;
    text.remove_prefix(at + 1);
  }
  if (!text.starts_with('[')) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const string_view port = text.substr(colon + (colon < text.size() ? 1 : 0));
    return are_uri_characters(text.substr(0, colon)) && std::ranges::all_of(port, is_digit);
  }
  const std::size_t end = text.find(']');
  if (end == text.npos || !is_ip(AF_INET6, text.substr(1, end - 1))) return false;
  const string_view port = text.substr(end + 1);
  return port.empty() || (port[0] == ':' && std::ranges::all_of(port.substr(1), is_digit));
}

bool is_uri(string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos || colon == 0 || !is_letter(text[0])) return false;
  const auto in_scheme = [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  };
  if (!std::ranges::all_of(text.substr(0, colon), in_scheme)) return false;
  text.remove_prefix(colon + 1);
  if (const std::size_t hash = text.find('#'); hash != text.npos) {
    if (!are_uri_characters(text.substr(hash + 1))) return false;
    text = text.substr(0, hash);
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    if (!is_authority(text.substr(0, end))) return false;
    text.remove_prefix(end);
  }
  return are_uri_characters(text);
}

struct Known {
  string_view name;
  Format format;
  string_view words;
};

// In the order of Format.
constexpr std::array<Known, 8> kFormats = {{
    {"date-time", Format::kDateTime, "a date and time such as \"2026-01-31T12:00:00Z\""},
    {"date", Format::kDate, "a date such as \"2026-01-31\""},
    {"time", Format::kTime, "a time with its offset such as \"12:00:00Z\""},
    {"email", Format::kEmail, "an e-mail address"},
    {"uuid", Format::kUuid, "a UUID"},
    {"uri", Format::kUri, "a URI"},
    {"ipv4", Format::kIpv4, "an IPv4 address"},
    {"ipv6", Format::kIpv6, "an IPv6 address"},
}};

}  // namespace

std::optional<Format> find_format(string_view name) {
  const auto found = std::ranges::find(kFormats, name, &Known::name);
  if (found == kFormats.end()) return std::nullopt;
  return found->format;
}

bool matches(Format format, string_view text) {
  switch (format) {
    case Format::kDateTime: return is_date_time(text);
    case Format::kDate: return is_date(text);
    case Format::kTime: return is_time(text);
    case Format::kEmail: return is_email(text);
    case Format::kUuid: return is_uuid(text);
    case Format::kUri: return is_uri(text);
    case Format::kIpv4: return is_ip(AF_INET, text);
    case Format::kIpv6: return is_ip(AF_INET6, text);
  }
  return true;
}

string_view words_for(Format format) { return kFormats[static_cast<std::size_t>(format)].words; }

}  // namespace anywire::schema
