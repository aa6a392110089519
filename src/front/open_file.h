// OpenFile: a regular file below a folder, open for reading, with the facts an answer needs.
//
// Thread: one. Lifetime: owns its descriptor. Limits: files of at most 2^63 - 1 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "front/conditions.h"

namespace anywire::front {

class OpenFile {
 public:
  // Nothing when there is no regular file of that name below the folder.
  static std::optional<OpenFile> open(int folder_fd, std::string_view name);
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile();

  std::uint64_t size() const { return size_; }
  const Validators& validators() const { return validators_; }

  enum class Status : std::uint8_t {
    kData,
    kLater,  // not in memory; the kernel has been asked for it
    kFailed,  // the file has shrunk, or the disk is broken
  };
  struct Read {
    Status status;
    std::size_t bytes = 0;
  };
  // Up to `into.size()` bytes from `at`, where there must be some. With `wait` the disk is waited
  // for and the answer is not kLater.
  Read read(std::uint64_t at, MutableBytes into, bool wait) const;

 private:
  OpenFile(int fd, std::uint64_t size, Validators validators);

  int fd_;
  std::uint64_t size_;
  Validators validators_;
};

}  // namespace anywire::front
