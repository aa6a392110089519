// open_beneath: opens a file below a folder, and nothing else: neither ".." nor an absolute path
// nor a symbolic link leads out of it, whoever changes the folder meanwhile, because the kernel
// keeps watch (openat2(2), RESOLVE_BENEATH). Where the kernel or a container forbids that call, the
// path is walked segment by segment and no symbolic link is followed at all.
//
// Thread: any. Lifetime: nothing is kept.
#pragma once

#include <string_view>

namespace anywire::front {

// `path` is relative and not empty. Answers a descriptor for reading, or a negative errno. Never
// waits for the other end of a FIFO; whether it is a regular file is for the caller to see.
int open_beneath(int folder_fd, std::string_view path);

// The second way by itself.
int open_by_walking(int folder_fd, std::string_view path);

}  // namespace anywire::front
