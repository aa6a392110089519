#include "hooks/fault_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "codec/json_reader.h"

namespace anywire::hooks {
namespace {

using protocol::AppFault;
using What = protocol::AppFault::What;
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr std::string_view kApp = "https://app.example";

// What is logged goes to a file in memory.
class FaultLogTest : public ::testing::Test {
 protected:
  FaultLogTest() {
    EXPECT_GE(fd_, 0);
    log::configure({.format = log::Format::kJson, .fd = fd_});
  }
  ~FaultLogTest() override {
    log::configure({});
    close(fd_);
  }

  void tell(What what, std::string_view name, std::string_view rule, Duration after = {}) {
    faults.tell({.what = what, .name = name, .rule = rule}, kApp, begin + after);
  }
  std::vector<std::string> lines() const {
    std::string all;
    std::array<char, 4096> part;
    for (off_t at = 0;;) {
      const ssize_t got = pread(fd_, part.data(), part.size(), at);
      if (got <= 0) break;
      all.append(part.data(), static_cast<std::size_t>(got));
      at += got;
    }
    std::vector<std::string> split;
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t end = all.find('\n', at);
      split.push_back(all.substr(at, end - at));
      at = end + 1;
    }
    return split;
  }
  // The members of each line, but for the time.
  std::vector<std::string> told() const {
    std::vector<std::string> all;
    codec::JsonReader reader;
    for (const std::string& line : lines()) {
      const auto value = reader.read(as_bytes(line));
      EXPECT_TRUE(value) << line;
      std::string text;
      for (const auto [name, member] : value->members()) {
        if (name == "time" || name == "msg") continue;
        text.append(text.empty() ? "" : " ").append(name).append("=");
        text += member.string() ? *member.string() : member.raw();
      }
      all.push_back(std::move(text));
    }
    return all;
  }

  const int fd_ = memfd_create("log", MFD_CLOEXEC);
  const TimePoint begin{Duration{5'000'000}};
  FaultLog faults;
};

TEST_F(FaultLogTest, SaysWhatOfWhichApplicationBreaksWhichRule) {
  tell(What::kRewrite, "room:1", "must be a text, says /type");
  tell(What::kPublication, "room:2", "messages of this channel have at most 20 bytes");
  tell(What::kResult, "sum", "must be a whole number, says /type");
  EXPECT_THAT(told(),
              ElementsAre("level=warn app=https://app.example what=what it made of a message "
                          "channel=room:1 rule=must be a text, says /type suppressed=0",
                          "level=warn app=https://app.example what=a publication among its actions "
                          "channel=room:2 rule=messages of this channel have at most 20 bytes "
                          "suppressed=0",
                          "level=warn app=https://app.example what=the result of a call "
                          "method=sum rule=must be a whole number, says /type suppressed=0"));
}

TEST_F(FaultLogTest, SaysOnceWhatIsWrongWithEveryMessage) {
  for (int i = 0; i < 1000; ++i) tell(What::kRewrite, "room:1", "must be a text");
  EXPECT_THAT(told(), SizeIs(1));
}

// There may be as many channels as users.
TEST_F(FaultLogTest, ChannelsAreNoKindsOfTheirOwn) {
  for (int i = 0; i < 1000; ++i) {
    tell(What::kPublication, "user:" + std::to_string(i), "must be a text");
  }
  EXPECT_THAT(told(), SizeIs(1));
}

TEST_F(FaultLogTest, MethodsRulesAndWhatWasSaidAreKindsOfTheirOwn) {
  tell(What::kResult, "sum", "must be a text");
  tell(What::kResult, "product", "must be a text");
  tell(What::kResult, "sum", "must be an object");
  tell(What::kRewrite, "sum", "must be a text");
  tell(What::kPublication, "sum", "must be a text");
  EXPECT_THAT(told(), SizeIs(5));
}

TEST_F(FaultLogTest, SaysAgainAfterAnHourAndHowOftenItCameMeanwhile) {
  const Duration hour = FaultLog::kInterval;
  tell(What::kRewrite, "a", "must be a text");
  tell(What::kRewrite, "b", "must be a text", Duration{1});
  tell(What::kRewrite, "c", "must be a text", hour - Duration{1});
  ASSERT_THAT(told(), SizeIs(1));
  tell(What::kRewrite, "d", "must be a text", hour);
  tell(What::kRewrite, "e", "must be a text", hour + hour - Duration{1});
  tell(What::kRewrite, "f", "must be a text", hour + hour);
  tell(What::kRewrite, "g", "must be a text", 3 * hour);
  const auto all = told();
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_THAT(all[1], ::testing::EndsWith("channel=d rule=must be a text suppressed=2"));
  EXPECT_THAT(all[2], ::testing::EndsWith("channel=f rule=must be a text suppressed=1"));
  EXPECT_THAT(all[3], ::testing::EndsWith("channel=g rule=must be a text suppressed=0"));
}

TEST_F(FaultLogTest, RemembersSoManyKindsAndTheOthersAsOne) {
  const auto tell_of = [&](std::size_t kind, Duration after = {}) {
    tell(What::kResult, "method-" + std::to_string(kind), "must be a text", after);
  };
  for (std::size_t i = 0; i < FaultLog::kKindsMax; ++i) tell_of(i);
  EXPECT_THAT(told(), SizeIs(FaultLog::kKindsMax));
  for (std::size_t i = 0; i < 50; ++i) tell_of(FaultLog::kKindsMax + i);
  EXPECT_THAT(told(), SizeIs(FaultLog::kKindsMax + 1));
  EXPECT_THAT(told().back(), ::testing::HasSubstr("method=method-100 "));
  tell_of(7);
  EXPECT_THAT(told(), SizeIs(FaultLog::kKindsMax + 1)) << "the first ones are still known";
  tell_of(500, FaultLog::kInterval);
  EXPECT_THAT(told().back(), ::testing::EndsWith("suppressed=49"));
}

TEST_F(FaultLogTest, ANameCannotBeTakenForALine) {
  tell(What::kRewrite, "room\n{\"level\":\"error\"}", "must be a text");
  EXPECT_THAT(lines(), SizeIs(1));
  EXPECT_THAT(told(), ElementsAre("level=warn app=https://app.example what=what it made of a "
                                  "message channel=room\n{\"level\":\"error\"} "
                                  "rule=must be a text suppressed=0"));
}

TEST_F(FaultLogTest, AllLoopsShareOne) {
  std::vector<std::thread> loops;
  for (int loop = 0; loop < 4; ++loop) {
    loops.emplace_back([this] {
      for (int i = 0; i < 200; ++i) tell(What::kRewrite, "room", "must be a text");
    });
  }
  for (std::thread& one : loops) one.join();
  EXPECT_THAT(told(), SizeIs(1));
  tell(What::kRewrite, "room", "must be a text", FaultLog::kInterval);
  EXPECT_THAT(told().back(), ::testing::EndsWith("suppressed=799"));
}

}  // namespace
}  // namespace anywire::hooks
