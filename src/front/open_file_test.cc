#include "front/open_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <utility>

#include "front/testing/site.h"

namespace anywire::front {
namespace {

class OpenFileTest : public ::testing::Test {
 protected:
  OpenFileTest() { fd = ::open(site.folder().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); }
  ~OpenFileTest() override { ::close(fd); }
  Site site;
  int fd;
};

TEST_F(OpenFileTest, KnowsSizeAndVersion) {
  site.put("a", "12345");
  auto file = OpenFile::open(fd, "a");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size(), 5u);
  EXPECT_TRUE(file->validators().etag.starts_with("W/\"5-")) << file->validators().etag;
  const std::string before = file->validators().etag;
  std::filesystem::last_write_time(
      site.folder() / "a",
      std::filesystem::file_time_type::clock::now() + std::chrono::seconds(2));
  EXPECT_NE(OpenFile::open(fd, "a")->validators().etag, before);
}

TEST_F(OpenFileTest, OnlyRegularFiles) {
  std::filesystem::create_directory(site.folder() / "folder");
  EXPECT_FALSE(OpenFile::open(fd, "folder"));
  EXPECT_FALSE(OpenFile::open(fd, "none"));
}

TEST_F(OpenFileTest, ADateBeyondWhatHttpCanSayIsTheLastOne) {
  site.put("a", "x");
  const timespec times[2] = {{400'000'000'000, 0}, {400'000'000'000, 0}};
  if (::utimensat(AT_FDCWD, (site.folder() / "a").c_str(), times, 0) != 0) GTEST_SKIP();
  EXPECT_LE(OpenFile::open(fd, "a")->validators().modified.time_since_epoch().count(),
            253'402'300'799);
}

TEST_F(OpenFileTest, ReadsFromAnywhere) {
  site.put("a", "hello world");
  const auto file = OpenFile::open(fd, "a");
  std::array<std::uint8_t, 5> part{};
  const OpenFile::Read read = file->read(6, part, true);
  EXPECT_EQ(read.status, OpenFile::Status::kData);
  EXPECT_EQ(read.bytes, 5u);
  EXPECT_EQ(as_text(part), "world");
}

TEST_F(OpenFileTest, WhatIsInMemoryNeedsNoWaiting) {
  site.put("a", "hello");
  const auto file = OpenFile::open(fd, "a");
  std::array<std::uint8_t, 5> part{};
  EXPECT_EQ(file->read(0, part, false).status, OpenFile::Status::kData);
}

TEST_F(OpenFileTest, AFileThatShrankFails) {
  site.put("a", "hello");
  const auto file = OpenFile::open(fd, "a");
  std::filesystem::resize_file(site.folder() / "a", 2);
  std::array<std::uint8_t, 5> part{};
  EXPECT_EQ(file->read(3, part, true).status, OpenFile::Status::kFailed);
}

TEST_F(OpenFileTest, MovesItsDescriptor) {
  site.put("a", "one");
  site.put("b", "three");
  OpenFile a = *OpenFile::open(fd, "a");
  OpenFile b = *OpenFile::open(fd, "b");
  a = std::move(b);
  EXPECT_EQ(a.size(), 5u);
  std::array<std::uint8_t, 5> part{};
  EXPECT_EQ(a.read(0, part, true).bytes, 5u);
}

}  // namespace
}  // namespace anywire::front
