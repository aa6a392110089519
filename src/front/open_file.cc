#include "front/open_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "front/beneath.h"

namespace anywire::front {
namespace {

// What an HTTP date can say: up to the end of the year 9999.
constexpr std::int64_t kSecondsMax = 253'402'300'799;

Validators validators_of(const struct stat& status) {
  Validators validators;
  validators.etag = fmt::format("W/\"{:x}-{:x}.{:x}\"", status.st_size, status.st_mtim.tv_sec,
                                status.st_mtim.tv_nsec);
  validators.modified = std::chrono::sys_seconds(
      std::chrono::seconds(std::clamp<std::int64_t>(status.st_mtim.tv_sec, 0, kSecondsMax)));
  return validators;
}

}  // namespace

std::optional<OpenFile> OpenFile::open(int folder_fd, std::string_view name) {
  const int fd = open_beneath(folder_fd, name);
  if (fd < 0) return std::nullopt;
  struct stat status{};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    return std::nullopt;
  }
  return OpenFile(fd, static_cast<std::uint64_t>(status.st_size), validators_of(status));
}

OpenFile::OpenFile(int fd, std::uint64_t size, Validators validators)
    : fd_(fd), size_(size), validators_(std::move(validators)) {}

OpenFile::OpenFile(OpenFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      validators_(std::move(other.validators_)) {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(validators_, other.validators_);
  return *this;
}

OpenFile::~OpenFile() {
  if (fd_ >= 0) ::close(fd_);
}

OpenFile::Read OpenFile::read(std::uint64_t at, MutableBytes into, bool wait) const {
  iovec part{into.data(), into.size()};
  const auto offset = static_cast<off_t>(at);
  ssize_t n = -1;
  if (!wait) {
    n = ::preadv2(fd_, &part, 1, offset, RWF_NOWAIT);
    if (n < 0 && errno == EAGAIN) {
      ::posix_fadvise(fd_, offset, static_cast<off_t>(into.size()), POSIX_FADV_WILLNEED);
      return {Status::kLater};
    }
    // Some file systems cannot say.
    wait = n < 0 && errno == EOPNOTSUPP;
  }
  if (wait) n = ::preadv2(fd_, &part, 1, offset, 0);
  if (n <= 0) return {Status::kFailed};
  return {Status::kData, static_cast<std::size_t>(n)};
}

}  // namespace anywire::front
