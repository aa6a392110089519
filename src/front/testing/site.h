// Site: a folder for a test, gone with it. Only tests include it.
//
// Thread: one.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace anywire::front {

class Site {
 public:
  Site() {
    std::string name = (std::filesystem::temp_directory_path() / "anywire-site-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    std::filesystem::create_directory(folder());
  }
  ~Site() { std::filesystem::remove_all(root_); }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  // What is served; its parent is the test's as well.
  std::filesystem::path folder() const { return root_ / "out"; }
  std::filesystem::path outside() const { return root_; }

  void put(std::string_view name, std::string_view content) const {
    const std::filesystem::path path = folder() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }
  void link(std::string_view name, const std::filesystem::path& to) const {
    std::filesystem::create_symlink(to, folder() / name);
  }

 private:
  std::filesystem::path root_;
};

}  // namespace anywire::front
