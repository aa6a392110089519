// Log: structured events for operators: `log::info("listening", {{"address", a}, {"loops", 2}})`.
//
// An event is a constant text plus key=value fields. It becomes one line on standard error: for a
// person when that is a terminal (time, level, text, key=value), otherwise one JSON object
// (RFC 3339 UTC time with milliseconds, level, msg, then the fields in the order given). A line is
// one write(2), so lines of several threads never mix. Events are for what happens rarely; whatever
// happens per message is a metric. What a peer can cause at will goes through `log::limited`.
//
// Never log a secret: no key, token, cookie, query string or payload. Peer-supplied text (a channel
// name, an origin) may be logged; it is escaped, and cut at kFieldBytesMax.
//
// Thread: any. configure() is meant for start-up; it may be called again at any time.
// Lifetime: views in fields are read during the call only.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/time.h"

namespace anywire::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError };

enum class Format : std::uint8_t {
  kAuto,   // kHuman on a terminal, kJson otherwise
  kHuman,  // for a person; coloured on a terminal unless NO_COLOR is set
  kJson,   // one JSON object per line
};

// A longer text value is cut there (at a character boundary) and marked with an ellipsis.
inline constexpr std::size_t kFieldBytesMax = 1024;

class Field {
 public:
  using Value = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view>;

  template <typename T>
    requires std::is_arithmetic_v<T>
  Field(std::string_view key, T value) : key_(key), value_(widened(value)) {}
  Field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  Field(std::string_view key, const char* value) : Field(key, std::string_view(value)) {}
  Field(std::string_view key, const std::string& value) : Field(key, std::string_view(value)) {}
  // Durations are logged in milliseconds; let the key say so ("waited_ms").
  Field(std::string_view key, Duration value) : Field(key, value.count()) {}

  std::string_view key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  template <typename T>
  static Value widened(T value) {
    if constexpr (std::is_same_v<T, bool>) return value;
    else if constexpr (std::is_floating_point_v<T>) return static_cast<double>(value);
    else if constexpr (std::is_signed_v<T>) return static_cast<std::int64_t>(value);
    else return static_cast<std::uint64_t>(value);
  }

  std::string_view key_;
  Value value_;
};

using Fields = std::initializer_list<Field>;

struct Options {
  Level level = Level::kInfo;    // events below it cost one relaxed load
  Format format = Format::kAuto;
  int fd = 2;                    // written to, never closed
};

void configure(const Options& options);

bool enabled(Level level);
void write(Level level, std::string_view text, std::span<const Field> fields);

inline void write(Level level, std::string_view text, Fields fields) {
  write(level, text, std::span<const Field>(fields.begin(), fields.size()));
}
inline void debug(std::string_view text, Fields fields = {}) {
  if (enabled(Level::kDebug)) write(Level::kDebug, text, fields);
}
inline void info(std::string_view text, Fields fields = {}) { write(Level::kInfo, text, fields); }
inline void warn(std::string_view text, Fields fields = {}) { write(Level::kWarn, text, fields); }
inline void error(std::string_view text, Fields fields = {}) {
  write(Level::kError, text, fields);
}

// A budget of lines per second for one place in the code. Make it static at the call site (or a
// member, in a test); any thread may use it. The limit is a ceiling against floods, not an exact
// count: two threads at the border of a second may both begin the new one.
class Limiter {
 public:
  explicit constexpr Limiter(std::uint32_t lines_per_second_max = 10)
      : lines_per_second_max_(lines_per_second_max) {}

  struct Verdict {
    bool allowed = false;
    std::uint64_t suppressed = 0;  // lines swallowed since the last allowed one
  };
  Verdict admit(TimePoint now);

 private:
  const std::uint32_t lines_per_second_max_;
  std::atomic<std::int64_t> second_{INT64_MIN};
  std::atomic<std::uint32_t> used_{0};
  std::atomic<std::uint64_t> suppressed_{0};
};

// For events a peer can cause as often as it likes. Adds `suppressed=N` to the first line after
// some were swallowed. `now` is the loop's time (Loop::now), or log::coarse_now() where there is
// none:
//   static log::Limiter limiter;
//   log::limited(limiter, loop.now(), log::Level::kWarn, "handshake refused", {{"status", 400}});
void limited(Limiter& limiter, TimePoint now, Level level, std::string_view text,
             Fields fields = {});

// The steady clock at the kernel's tick (a few milliseconds), without a system call.
TimePoint coarse_now();

// The line write() would produce, newline included; pure, for tests and for other sinks.
// `format` must not be kAuto. `since_epoch` is the wall clock.
std::string format_line(Format format, bool colours, std::chrono::milliseconds since_epoch,
                        Level level, std::string_view text, std::span<const Field> fields);

}  // namespace anywire::log
