#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

namespace anywire::log {
namespace {

using namespace std::chrono_literals;

// 2026-03-04T05:06:07.089Z
constexpr std::chrono::milliseconds kSomeTime{1'772'600'767'089};

std::string line(Format format, Level level, std::string_view text, Fields fields = {},
                 bool colours = false) {
  return format_line(format, colours, kSomeTime, level, text,
                     std::span<const Field>(fields.begin(), fields.size()));
}

std::string json(std::string_view text, Fields fields = {}) {
  return line(Format::kJson, Level::kInfo, text, fields);
}

// The part of a JSON line that holds the fields.
std::string json_fields(Fields fields) {
  const std::string whole = json("m", fields);
  const std::size_t begin = whole.find("\"msg\":\"m\"") + 9;
  return whole.substr(begin, whole.size() - begin - 2);
}

TEST(LogJson, PutsTimeLevelAndTextFirst) {
  EXPECT_EQ(json("listening"),
            "{\"time\":\"2026-03-04T05:06:07.089Z\",\"level\":\"info\",\"msg\":\"listening\"}\n");
}

TEST(LogJson, NamesEveryLevel) {
  EXPECT_NE(line(Format::kJson, Level::kDebug, "").find(R"("level":"debug")"), std::string::npos);
  EXPECT_NE(line(Format::kJson, Level::kWarn, "").find(R"("level":"warn")"), std::string::npos);
  EXPECT_NE(line(Format::kJson, Level::kError, "").find(R"("level":"error")"), std::string::npos);
}

TEST(LogJson, KeepsEachFieldsType) {
  const std::string text = "owned";
  EXPECT_EQ(json_fields({{"b", true}, {"i", -1}, {"u", UINT64_MAX}, {"d", 1.5}, {"t", text},
                         {"c", "literal"}, {"ms", Duration(250)}}),
            R"(,"b":true,"i":-1,"u":18446744073709551615,"d":1.5,"t":"owned",)"
            R"("c":"literal","ms":250)");
}

TEST(LogJson, WritesNumbersJsonHasNoWordForAsText) {
  EXPECT_EQ(json_fields({{"a", std::nan("")},
                         {"b", std::numeric_limits<double>::infinity()},
                         {"c", -std::numeric_limits<double>::infinity()}}),
            R"(,"a":"NaN","b":"Infinity","c":"-Infinity")");
}

TEST(LogJson, EscapesWhatWouldEndTheStringOrTheLine) {
  EXPECT_EQ(json_fields({{"v", "a\"b\\c\nd\re\tf"}}), R"(,"v":"a\"b\\c\nd\re\tf")");
  EXPECT_EQ(json_fields({{"v", std::string_view("\0\x1b[31m\x7f", 7)}}),
            R"(,"v":"\u0000\u001b[31m\u007f")");
}

TEST(LogJson, EscapesControlsHiddenInUtf8) {
  EXPECT_EQ(json_fields({{"v", "\xc2\x9b"}}), R"(,"v":"\u009b")");  // CSI in one character
}

TEST(LogJson, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(json_fields({{"v", "a\xff" "b\xe2\x82"}}), ",\"v\":\"a\xef\xbf\xbd" "b\xef\xbf\xbd\"");
}

TEST(LogJson, KeepsOtherLanguages) { EXPECT_EQ(json_fields({{"v", "é€😀"}}), ",\"v\":\"é€😀\""); }

TEST(LogJson, EscapesTextAndKeysToo) {
  EXPECT_NE(json("a\nb").find(R"("msg":"a\nb")"), std::string::npos);
  EXPECT_EQ(json_fields({{"k\"", 1}}), R"(,"k\"":1)");
}

TEST(LogJson, CutsLongValuesBetweenCharacters) {
  const std::string exact(kFieldBytesMax, 'x');
  EXPECT_EQ(json_fields({{"v", exact}}), ",\"v\":\"" + exact + "\"");
  EXPECT_EQ(json_fields({{"v", exact + "y"}}), ",\"v\":\"" + exact + "…\"");
  const std::string before(kFieldBytesMax - 1, 'x');
  EXPECT_EQ(json_fields({{"v", before + "é"}}), ",\"v\":\"" + before + "…\"");
}

TEST(LogJson, FormatsTimesBeforeTheEpoch) {
  EXPECT_NE(format_line(Format::kJson, false, -1ms, Level::kInfo, "", {})
                .find("1969-12-31T23:59:59.999Z"),
            std::string::npos);
}

class LogHuman : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);  // a person reads local time
    ::tzset();
  }
  void TearDown() override {
    ::unsetenv("TZ");
    ::tzset();
  }
};

TEST_F(LogHuman, ReadsAsTimeLevelTextAndFields) {
  EXPECT_EQ(line(Format::kHuman, Level::kInfo, "listening",
                 {{"address", "[::1]:3001"}, {"loops", 2}}),
            "05:06:07.089 INFO  listening address=[::1]:3001 loops=2\n");
  EXPECT_EQ(line(Format::kHuman, Level::kError, "x"), "05:06:07.089 ERROR x\n");
}

TEST_F(LogHuman, QuotesValuesThatWouldBeAmbiguous) {
  EXPECT_EQ(line(Format::kHuman, Level::kWarn, "x",
                 {{"a", ""}, {"b", "two words"}, {"c", "k=v"}, {"d", "\""}, {"e", "é"}}),
            "05:06:07.089 WARN  x a=\"\" b=\"two words\" c=\"k=v\" d=\"\\\"\" e=\"é\"\n");
}

TEST_F(LogHuman, LetsNoPeerSteerTheTerminal) {
  const std::string text = line(Format::kHuman, Level::kWarn, "x", {{"channel", "\x1b[2J\nfake"}});
  EXPECT_EQ(text, "05:06:07.089 WARN  x channel=\"\\u001b[2J\\nfake\"\n");
}

TEST_F(LogHuman, ColoursOnlyWhenAsked) {
  EXPECT_EQ(line(Format::kHuman, Level::kWarn, "x", {{"a", 1}}, true),
            "\x1b[2m05:06:07.089\x1b[0m \x1b[33mWARN \x1b[0m x \x1b[2ma=\x1b[0m1\n");
}

// Events into a pipe, through the process-wide settings.
class LogPipe : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    read_end_ = ends[0];
    write_end_ = ends[1];
    configure(Level::kInfo);
  }
  void TearDown() override {
    log::configure({});
    ::close(read_end_);
    if (write_end_ >= 0) ::close(write_end_);
  }
  void configure(Level level, Format format = Format::kJson) {
    log::configure({.level = level, .format = format, .fd = write_end_});
  }
  std::string written() {
    std::string text;
    std::array<char, 4096> buffer;
    ssize_t count = 0;
    while ((count = ::read(read_end_, buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }
  std::size_t lines_written() {
    const std::string text = written();
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  int read_end_ = -1;
  int write_end_ = -1;
};

TEST_F(LogPipe, WritesEventsAtOrAboveTheLevel) {
  configure(Level::kWarn);
  log::debug("a");
  log::info("b");
  log::warn("c");
  log::error("d");
  const std::string text = written();
  EXPECT_EQ(text.find("\"a\""), text.npos);
  EXPECT_EQ(text.find("\"b\""), text.npos);
  EXPECT_NE(text.find("\"c\""), text.npos);
  EXPECT_NE(text.find("\"d\""), text.npos);
  EXPECT_FALSE(enabled(Level::kInfo));
  EXPECT_TRUE(enabled(Level::kWarn));
}

TEST_F(LogPipe, ChoosesJsonWhereThereIsNoTerminal) {
  configure(Level::kInfo, Format::kAuto);
  log::info("x");
  EXPECT_TRUE(written().starts_with("{\"time\":\""));
}

TEST_F(LogPipe, WritesForAPersonWhenTold) {
  configure(Level::kInfo, Format::kHuman);
  log::info("x", {{"a", 1}});
  EXPECT_TRUE(written().ends_with(" INFO  x a=1\n"));
}

TEST_F(LogPipe, KeepsLinesOfSeveralThreadsApart) {
  constexpr int kThreads = 4, kLines = 50;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < kLines; ++i) log::info("from a thread", {{"thread", t}, {"line", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::string text = written();
  int lines = 0;
  for (std::size_t begin = 0; begin < text.size(); ++lines) {
    const std::size_t end = text.find('\n', begin);
    ASSERT_NE(end, text.npos);
    EXPECT_TRUE(text.substr(begin, end - begin).starts_with("{\"time\""));
    EXPECT_EQ(text[end - 1], '}');
    begin = end + 1;
  }
  EXPECT_EQ(lines, kThreads * kLines);
}

TEST_F(LogPipe, LeavesErrnoAlone) {
  ::close(write_end_);
  write_end_ = -1;  // writing fails now, with another errno
  errno = ENOENT;
  log::info("x");
  EXPECT_EQ(errno, ENOENT);
}

TEST_F(LogPipe, LosesLinesRatherThanWaitForAFullPipe) {
  for (int i = 0; i < 2000; ++i) log::info(std::string(900, 'x'));
  EXPECT_GT(lines_written(), 10u);
}

TEST_F(LogPipe, LimitsEventsPerSecond) {
  Limiter limiter(3);
  const TimePoint start{Duration(5'000)};
  for (int i = 0; i < 10; ++i) limited(limiter, start + Duration(i), Level::kWarn, "refused");
  EXPECT_EQ(lines_written(), 3u);
}

TEST_F(LogPipe, CountsWhatItSuppressed) {
  Limiter limiter(3);
  const TimePoint start{Duration(5'000)};
  for (int i = 0; i < 10; ++i) limited(limiter, start, Level::kWarn, "refused");
  EXPECT_EQ(written().find("suppressed"), std::string::npos);
  limited(limiter, start + 1s, Level::kWarn, "refused", {{"status", 400}});
  EXPECT_NE(written().find(R"("status":400,"suppressed":7})"), std::string::npos);
  limited(limiter, start + 1s, Level::kWarn, "refused");
  EXPECT_EQ(written().find("suppressed"), std::string::npos);
}

TEST_F(LogPipe, SpendsNothingOnLevelsTurnedOff) {
  Limiter limiter(1);
  const TimePoint now{Duration(1'000)};
  limited(limiter, now, Level::kDebug, "unseen");
  limited(limiter, now, Level::kInfo, "seen");
  EXPECT_EQ(lines_written(), 1u);
}

TEST(LogLimiter, StartsAfreshEachSecond) {
  Limiter limiter(1);
  for (int second = 0; second < 5; ++second) {
    const TimePoint now{Duration(second * 1'000 + 500)};
    EXPECT_TRUE(limiter.admit(now).allowed);
    EXPECT_FALSE(limiter.admit(now).allowed);
  }
}

TEST(LogLimiter, AdmitsNothingWithAZeroBudget) {
  Limiter limiter(0);
  EXPECT_FALSE(limiter.admit(TimePoint(Duration(1))).allowed);
}

TEST(LogLimiter, SurvivesManyThreads) {
  Limiter limiter(10);
  const TimePoint now{Duration(1'000)};
  std::atomic<int> allowed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) allowed += limiter.admit(now).allowed ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(allowed.load(), 10);
}

TEST(LogClock, FollowsTheSteadyClock) {
  const auto steady = std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  const auto difference = coarse_now() - steady;
  EXPECT_LT(std::chrono::abs(difference), 1s);
}

}  // namespace
}  // namespace anywire::log
