#include "base/fd_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

namespace anywire {
namespace {

rlimit current() {
  rlimit limit{};
  EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  return limit;
}

// Puts the process' limit back however the test ends.
class FdLimit : public testing::Test {
 protected:
  void TearDown() override { ::setrlimit(RLIMIT_NOFILE, &before_); }
  const rlimit before_ = current();
};

TEST_F(FdLimit, RaisesTheSoftLimitToTheHardOne) {
  rlimit lowered = before_;
  lowered.rlim_cur = 64;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  const auto limit = raise_fd_limit();
  ASSERT_TRUE(limit);
  EXPECT_EQ(*limit, std::min<std::uint64_t>(before_.rlim_max, INT32_MAX));
  EXPECT_EQ(current().rlim_cur, before_.rlim_max);
}

TEST_F(FdLimit, LeavesTheHardLimitAlone) {
  ASSERT_TRUE(raise_fd_limit());
  EXPECT_EQ(current().rlim_max, before_.rlim_max);
}

TEST_F(FdLimit, AnswersTheSameTheSecondTime) {
  const auto first = raise_fd_limit();
  ASSERT_TRUE(first);
  EXPECT_EQ(raise_fd_limit().value(), *first);
}

}  // namespace
}  // namespace anywire
