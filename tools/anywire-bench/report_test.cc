#include "report.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

namespace anywire::bench {
namespace {

TEST(Report, IsOneLineForPeople) {
  Report report("ours echo");
  report.add("rate", 1234.56, "messages/s");
  report.add("cpu_us", 5.5, "us/message", 2);
  EXPECT_EQ(report.to_line(), "ours echo:  rate 1235 messages/s  cpu_us 5.50 us/message");
}

TEST(Report, IsOneJsonObjectForScripts) {
  Report report("a \"b\" \\");
  report.add("rate", 0.5, "messages/s");
  EXPECT_EQ(report.to_json(), R"({"title":"a \"b\" \\","rate":0.5000})");
}

TEST(Report, DividesCpuTimeByUnits) {
  Report report("x");
  report.add_cpu({.ns = 1'000'000, .user_ticks = 1, .kernel_ticks = 1},
                 {.ns = 3'000'000, .user_ticks = 2, .kernel_ticks = 4}, 1000, 0.004, "us");
  EXPECT_EQ(report.to_line(), "x:  cpu_us 2.000 us  server_busy 50 %  user_share 25 %");
}

TEST(Report, LeavesOutLatencyWhenThereIsNone) {
  Report report("x");
  report.add_latency(Histogram());
  EXPECT_EQ(report.to_line(), "x:");
}

TEST(ProcessStats, OwnCpuTimeGrowsWithWork) {
  const auto before = sample_cpu(::getpid());
  ASSERT_TRUE(before);
  volatile std::uint64_t x = 1;
  auto after = sample_cpu(::getpid());
  for (int i = 0; i < 1000 && after->ns < before->ns + 5'000'000; ++i) {
    for (int k = 0; k < 1'000'000; ++k) x = x * 3 + 1;
    after = sample_cpu(::getpid());
  }
  EXPECT_GE(after->ns, before->ns + 5'000'000);
}

TEST(ProcessStats, OwnMemoryGrowsWithUse) {
  const auto before = sample_memory(::getpid());
  ASSERT_TRUE(before);
  EXPECT_GT(before->rss, 0u);
  const std::vector<char> block(8 << 20, 'x');
  const auto after = sample_memory(::getpid());
  EXPECT_GE(after->anonymous, before->anonymous + (7 << 20));
  EXPECT_GE(after->private_dirty, before->private_dirty + (7 << 20));
  EXPECT_EQ(block.back(), 'x');
}

TEST(ProcessStats, SaysWhenThereIsNoSuchProcess) {
  EXPECT_FALSE(sample_cpu(-1));
  EXPECT_FALSE(sample_memory(-1));
}

}  // namespace
}  // namespace anywire::bench
