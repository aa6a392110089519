#include "front/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace anywire::front {
namespace {

constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

}  // namespace

int open_beneath(int folder_fd, std::string_view path) {
  const std::string name(path);
  open_how how{};
  how.flags = kFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, folder_fd, name.c_str(), &how, sizeof how);
  if (fd >= 0) return static_cast<int>(fd);
  // EPERM is what seccomp profiles say that are older than the call.
  if (errno == ENOSYS || errno == EPERM) return open_by_walking(folder_fd, path);
  return -errno;
}

int open_by_walking(int folder_fd, std::string_view path) {
  int at = folder_fd;
  int result = -ENOENT;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string segment(path.substr(0, slash));
    const bool last = slash == std::string_view::npos;
    path = last ? std::string_view() : path.substr(slash + 1);
    if (segment.empty() || segment == "." || segment == "..") {
      result = -EXDEV;
      break;
    }
    const int next = ::openat(at, segment.c_str(), kFlags | O_NOFOLLOW | (last ? 0 : O_DIRECTORY));
    const int reason = errno;
    if (at != folder_fd) ::close(at);
    at = folder_fd;
    if (next < 0) return -reason;
    if (last || path.empty()) return next;
    at = next;
  }
  if (at != folder_fd) ::close(at);
  return result;
}

}  // namespace anywire::front
