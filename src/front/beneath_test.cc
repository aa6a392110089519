#include "front/beneath.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "front/testing/site.h"

namespace anywire::front {
namespace {

using OpenFunction = int (*)(int, std::string_view);

class Beneath : public ::testing::TestWithParam<OpenFunction> {
 protected:
  Beneath() {
    site.put("a/b.txt", "inside");
    site.put("../secret", "outside");
    fd = ::open(site.folder().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  }
  ~Beneath() override { ::close(fd); }
  std::string read(std::string_view path) {
    const int file = GetParam()(fd, path);
    if (file < 0) return "error";
    char text[16] = {};
    const ssize_t n = ::read(file, text, sizeof text);
    ::close(file);
    return n < 0 ? "unreadable" : std::string(text, static_cast<std::size_t>(n));
  }

  Site site;
  int fd = -1;
};

TEST_P(Beneath, OpensWhatIsInside) { EXPECT_EQ(read("a/b.txt"), "inside"); }

TEST_P(Beneath, NothingLeadsOutside) {
  site.link("link", site.outside() / "secret");
  site.link("folder", site.outside());
  site.link("relative", "../secret");
  for (const char* path : {"../secret", "a/../../secret", "/etc/passwd", "link", "folder/secret",
                           "relative", "..", ""}) {
    EXPECT_EQ(read(path), "error") << path;
  }
  EXPECT_EQ(read(site.outside().string() + "/secret"), "error");
}

TEST_P(Beneath, SaysWhatIsNotThere) {
  EXPECT_EQ(GetParam()(fd, "none"), -ENOENT);
  EXPECT_EQ(GetParam()(fd, "a/none"), -ENOENT);
  EXPECT_EQ(GetParam()(fd, "a/b.txt/c"), -ENOTDIR);
}

TEST_P(Beneath, DoesNotWaitForTheOtherEndOfAFifo) {
  ASSERT_EQ(::mkfifo((site.folder() / "pipe").c_str(), 0600), 0);
  const int file = GetParam()(fd, "pipe");
  EXPECT_GE(file, 0);
  ::close(file);
}

INSTANTIATE_TEST_SUITE_P(Ways, Beneath, ::testing::Values(&open_beneath, &open_by_walking));

TEST(OpenBeneath, FollowsLinksThatStayInside) {
  Site site;
  site.put("real.txt", "x");
  site.link("alias.txt", "real.txt");
  const int fd = ::open(site.folder().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  const int file = open_beneath(fd, "alias.txt");
  EXPECT_TRUE(file >= 0 || file == -ELOOP) << "where the kernel's call is forbidden";
  if (file >= 0) ::close(file);
  ::close(fd);
}

}  // namespace
}  // namespace anywire::front
