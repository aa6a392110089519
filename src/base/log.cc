#include "base/log.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "base/utf8_lossy.h"

namespace anywire::log {
namespace {

// Read by every event, written by configure(); relaxed, because an event written under the old
// settings while they change is as good as one under the new.
std::atomic<Level> g_level{Level::kInfo};
std::atomic<int> g_fd{2};
std::atomic<bool> g_json{true};
std::atomic<bool> g_colours{false};

constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 4> kLevelLabels{"DEBUG", "INFO ", "WARN ", "ERROR"};
constexpr std::array<std::string_view, 4> kLevelColours{"\x1b[2m", "\x1b[32m", "\x1b[33m",
                                                        "\x1b[31m"};
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kReset = "\x1b[0m";

// C0 and C1 controls and DEL: a terminal may act on them.
bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

// What is between the quotes of a JSON string; cut at kFieldBytesMax.
void append_escaped(std::string& out, std::string_view text) {
  std::size_t taken = 0;
  while (!text.empty()) {
    const LossyCharacter character = decode_lossy(text);
    if (taken + character.length > kFieldBytesMax) {
      out += "…";
      return;
    }
    taken += character.length;
    switch (character.code_point) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (is_control(character.code_point)) {
          out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(character.code_point));
        } else {
          append_utf8(out, character.code_point);
        }
    }
    text.remove_prefix(character.length);
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

// Text that reads unambiguously as key=value without quotes.
bool is_bare(std::string_view text) {
  if (text.empty() || text.size() > kFieldBytesMax) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '\\' || c == '=') return false;
  }
  return true;
}

void append_value(std::string& out, const Field::Value& value, Format format) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    if (format == Format::kHuman && is_bare(*text)) {
      out += *text;
    } else {
      append_quoted(out, *text);
    }
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* number = std::get_if<double>(&value)) {
    // JSON has no words for these.
    if (std::isfinite(*number)) fmt::format_to(std::back_inserter(out), "{}", *number);
    else append_quoted(out, std::isnan(*number) ? "NaN" : *number > 0 ? "Infinity" : "-Infinity");
  } else if (const auto* signed_number = std::get_if<std::int64_t>(&value)) {
    fmt::format_to(std::back_inserter(out), "{}", *signed_number);
  } else {
    fmt::format_to(std::back_inserter(out), "{}", std::get<std::uint64_t>(value));
  }
}

struct BrokenDownTime {
  tm fields{};
  int milliseconds = 0;
};

BrokenDownTime break_down(std::chrono::milliseconds since_epoch,
                          tm* (*convert)(const time_t*, tm*)) {
  BrokenDownTime result;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const time_t time = seconds.count();
  convert(&time, &result.fields);
  result.milliseconds = static_cast<int>((since_epoch - seconds).count());
  return result;
}

std::string format_json(std::chrono::milliseconds since_epoch, Level level, std::string_view text,
                        std::span<const Field> fields) {
  const BrokenDownTime time = break_down(since_epoch, gmtime_r);
  const tm& t = time.fields;
  std::string out =
      fmt::format(R"({{"time":"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z","level":"{}","msg":)",
                  t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                  time.milliseconds, kLevelNames[static_cast<std::size_t>(level)]);
  append_quoted(out, text);
  for (const Field& field : fields) {
    out += ',';
    append_quoted(out, field.key());
    out += ':';
    append_value(out, field.value(), Format::kJson);
  }
  out += "}\n";
  return out;
}

std::string format_human(bool colours, std::chrono::milliseconds since_epoch, Level level,
                         std::string_view text, std::span<const Field> fields) {
  const BrokenDownTime time = break_down(since_epoch, localtime_r);
  const auto index = static_cast<std::size_t>(level);
  const auto paint = [&](std::string_view colour) { return colours ? colour : std::string_view(); };
  std::string out = fmt::format(
      "{}{:02}:{:02}:{:02}.{:03}{} {}{}{} ", paint(kDim), time.fields.tm_hour, time.fields.tm_min,
      time.fields.tm_sec, time.milliseconds, paint(kReset), paint(kLevelColours[index]),
      kLevelLabels[index], paint(kReset));
  append_escaped(out, text);
  for (const Field& field : fields) {
    out += ' ';
    out += paint(kDim);
    append_escaped(out, field.key());
    out += '=';
    out += paint(kReset);
    append_value(out, field.value(), Format::kHuman);
  }
  out += '\n';
  return out;
}

// One write unless the descriptor takes only a part. A pipe in non-blocking mode that is full loses
// the line: a server must not stop because nobody reads its log.
void write_all(int fd, std::string_view line) {
  while (!line.empty()) {
    const ssize_t count = ::write(fd, line.data(), line.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    line.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

void configure(const Options& options) {
  const bool terminal = ::isatty(options.fd) == 1;
  const bool json = options.format == Format::kAuto ? !terminal : options.format == Format::kJson;
  // https://no-color.org: set and not empty.
  const char* no_color = std::getenv("NO_COLOR");
  const bool colours = terminal && (no_color == nullptr || *no_color == '\0');
  g_level.store(options.level, std::memory_order_relaxed);
  g_fd.store(options.fd, std::memory_order_relaxed);
  g_json.store(json, std::memory_order_relaxed);
  g_colours.store(colours, std::memory_order_relaxed);
}

bool enabled(Level level) { return level >= g_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view text, std::span<const Field> fields) {
  if (!enabled(level)) return;
  const int saved_errno = errno;  // callers log between a failed call and reading its errno
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const Format format =
      g_json.load(std::memory_order_relaxed) ? Format::kJson : Format::kHuman;
  write_all(g_fd.load(std::memory_order_relaxed),
            format_line(format, g_colours.load(std::memory_order_relaxed), now, level, text,
                        fields));
  errno = saved_errno;
}

Limiter::Verdict Limiter::admit(TimePoint now) {
  const std::int64_t second =
      std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  std::int64_t current = second_.load(std::memory_order_relaxed);
  if (current != second &&
      second_.compare_exchange_strong(current, second, std::memory_order_relaxed)) {
    used_.store(0, std::memory_order_relaxed);
  }
  if (used_.fetch_add(1, std::memory_order_relaxed) < lines_per_second_max_) {
    return {true, suppressed_.exchange(0, std::memory_order_relaxed)};
  }
  // Keeps the counter away from its end however long a second is made to last.
  used_.store(lines_per_second_max_, std::memory_order_relaxed);
  suppressed_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

void limited(Limiter& limiter, TimePoint now, Level level, std::string_view text, Fields fields) {
  if (!enabled(level)) return;
  const Limiter::Verdict verdict = limiter.admit(now);
  if (!verdict.allowed) return;
  if (verdict.suppressed == 0) {
    write(level, text, fields);
    return;
  }
  std::vector<Field> more(fields);
  more.emplace_back("suppressed", verdict.suppressed);
  write(level, text, std::span<const Field>(more));
}

TimePoint coarse_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return TimePoint(Duration(now.tv_sec * 1000 + now.tv_nsec / 1'000'000));
}

std::string format_line(Format format, bool colours, std::chrono::milliseconds since_epoch,
                        Level level, std::string_view text, std::span<const Field> fields) {
  return format == Format::kHuman ? format_human(colours, since_epoch, level, text, fields)
                                  : format_json(since_epoch, level, text, fields);
}

}  // namespace anywire::log
