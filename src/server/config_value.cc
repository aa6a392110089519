#include "server/config_value.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

#include "net/address.h"
#include "net/cidr.h"

namespace anywire::server {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::array kDurationUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                    Unit{"s", 1'000}, Unit{"ms", 1}};
constexpr std::array kRateUnits{Unit{"s", 1'000}, Unit{"m", 60'000}, Unit{"h", 3'600'000}};
constexpr std::array kSizeUnits{Unit{"GiB", 1 << 30}, Unit{"MiB", 1 << 20}, Unit{"KiB", 1 << 10},
                                Unit{"B", 1}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A whole number directly followed by one of the units. A bare number is read with the factor
// `bare`; nothing when that is 0, unless the number is 0 itself.
std::optional<std::int64_t> parse_quantity(std::string_view text, std::span<const Unit> units,
                                           std::int64_t bare) {
  std::int64_t number = 0;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  std::int64_t factor = 0;
  if (unit.empty()) {
    if (bare == 0 && number != 0) return std::nullopt;
    factor = std::max<std::int64_t>(bare, 1);
  }
  for (const Unit& candidate : units) {
    if (candidate.name == unit) factor = candidate.factor;
  }
  if (factor == 0 || number > std::numeric_limits<std::int64_t>::max() / factor) {
    return std::nullopt;
  }
  return number * factor;
}

// The largest unit that divides the amount without a remainder.
std::string format_quantity(std::int64_t amount, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (amount % unit.factor == 0 && amount >= unit.factor) {
      return fmt::format("{}{}", amount / unit.factor, unit.name);
    }
  }
  return fmt::format("0{}", units.back().name);
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  const auto milliseconds = parse_quantity(text, kDurationUnits, 0);
  if (!milliseconds) return std::nullopt;
  return Duration(*milliseconds);
}

std::string format_duration(Duration duration) {
  if (duration.count() == 0) return "0s";
  return format_quantity(duration.count(), kDurationUnits);
}

std::optional<std::size_t> parse_size(std::string_view text) {
  const auto bytes = parse_quantity(text, kSizeUnits, 1);
  if (!bytes) return std::nullopt;
  return static_cast<std::size_t>(*bytes);
}

std::string format_size(std::size_t bytes) {
  return format_quantity(static_cast<std::int64_t>(bytes), kSizeUnits);
}

std::optional<Rate> parse_rate(std::string_view text, bool bytes) {
  constexpr std::string_view kBurst = " burst ";
  Rate rate;
  if (text.empty()) return rate;
  const auto amount = [&](std::string_view part) -> std::optional<std::uint64_t> {
    const std::span<const Unit> units(kSizeUnits.data(), bytes ? kSizeUnits.size() : 0);
    const auto number = parse_quantity(part, units, 1);
    if (!number || *number < 1 || static_cast<std::uint64_t>(*number) > Rate::kRateMax) {
      return std::nullopt;
    }
    return static_cast<std::uint64_t>(*number);
  };
  if (const std::size_t at = text.find(kBurst); at != text.npos) {
    const auto burst = amount(text.substr(at + kBurst.size()));
    if (!burst) return std::nullopt;
    rate.burst = *burst;
    text = text.substr(0, at);
  }
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto unit = std::ranges::find(kRateUnits, text.substr(slash + 1), &Unit::name);
  const auto number = amount(text.substr(0, slash));
  if (unit == kRateUnits.end() || !number) return std::nullopt;
  rate.amount = *number;
  rate.per = Duration(unit->factor);
  if (rate.burst == rate.amount) rate.burst = 0;  // said twice
  const double fill_ms = static_cast<double>(rate.at_once()) / static_cast<double>(rate.amount) *
                         static_cast<double>(rate.per.count());
  if (fill_ms > static_cast<double>(Rate::kFillMax.count())) return std::nullopt;
  return rate;
}

std::string format_rate(const Rate& rate, bool bytes) {
  if (!rate.limited()) return {};
  const auto amount = [&](std::uint64_t number) {
    return bytes ? format_size(number) : std::to_string(number);
  };
  const auto unit = std::ranges::find(kRateUnits, rate.per.count(), &Unit::factor);
  const std::string_view per = unit == kRateUnits.end() ? "s" : unit->name;
  const std::string text = fmt::format("{}/{}", amount(rate.amount), per);
  return rate.burst == 0 ? text : fmt::format("{} burst {}", text, amount(rate.burst));
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  return std::nullopt;
}

std::optional<RawRoot> parse_root(std::string_view text) {
  constexpr std::string_view kChannelPrefix = "channel:";
  if (text == "off") return RawRoot{RawRoot::Kind::kOff, {}};
  if (text == "echo") return RawRoot{RawRoot::Kind::kEcho, {}};
  if (!text.starts_with(kChannelPrefix)) return std::nullopt;
  const std::string_view channel = text.substr(kChannelPrefix.size());
  if (channel.empty() || !is_plain_text(channel)) return std::nullopt;
  return RawRoot{RawRoot::Kind::kChannel, std::string(channel)};
}

std::string format_root(const RawRoot& root) {
  switch (root.kind) {
    case RawRoot::Kind::kOff: return "off";
    case RawRoot::Kind::kEcho: return "echo";
    case RawRoot::Kind::kChannel: break;
  }
  return "channel:" + root.channel;
}

bool is_plain_text(std::string_view text) {
  return !has_control_character(text) && simdjson::validate_utf8(text.data(), text.size());
}

bool is_listen_address(std::string_view text) {
  return is_plain_text(text) && net::Address::parse(text).has_value();
}

std::vector<std::string> expand_listen_address(const std::string& text) {
  constexpr std::string_view kLocalhost = "localhost:";
  if (!text.starts_with(kLocalhost)) return {text};
  const std::string port = text.substr(kLocalhost.size());
  return {"127.0.0.1:" + port, "[::1]:" + port};
}

bool is_cidr(std::string_view text) { return net::Cidr::parse(text).has_value(); }

bool is_url_path(std::string_view text) {
  constexpr std::string_view kOther = "-._~!$&'()*+,;=:@";  // RFC 3986 3.3, pchar
  const auto is_path_character = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
           kOther.find(c) != kOther.npos;
  };
  if (text.empty() || text.size() > 1024) return false;
  while (!text.empty()) {
    if (text.front() != '/') return false;
    text.remove_prefix(1);
    const std::string_view segment = text.substr(0, text.find('/'));
    if (segment.empty() || segment == "." || segment == "..") return false;
    if (!std::all_of(segment.begin(), segment.end(), is_path_character)) return false;
    text.remove_prefix(segment.size());
  }
  return true;
}

bool is_channel_protocol(std::string_view text) { return text == "native" || text == "raw"; }

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string in_quotes_short(std::string_view text) {
  constexpr std::size_t kShownBytesMax = 60;
  const auto is_continuation = [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
  };
  if (!simdjson::validate_utf8(text.data(), text.size())) return "text that is not UTF-8";
  if (text.size() <= kShownBytesMax) return in_quotes(text);
  std::size_t cut = kShownBytesMax;
  while (cut > 0 && is_continuation(text[cut])) --cut;
  return in_quotes(std::string(text.substr(0, cut)) + "...");
}

}  // namespace anywire::server
