#include "base/heap.h"

#include <malloc.h>

#include <cstdlib>
#include <mutex>

namespace anywire::heap {
namespace {

constexpr int kKeptEnd = 64 * 1024 * 1024;
constexpr int kOwnMapping = 32 * 1024 * 1024;
constexpr int kSmallEnd = 64 * 1024;
// glibc looks at the end of a heap when it frees a block of at least 64 KiB, its free neighbours
// included.
constexpr std::size_t kLookAt = 128 * 1024;

// The threshold is the process's.
std::mutex threshold_mutex;

}  // namespace

void keep_freed_memory() {
  ::mallopt(M_TRIM_THRESHOLD, kKeptEnd);
  ::mallopt(M_MMAP_THRESHOLD, kOwnMapping);
}

std::size_t freed_bytes() { return ::mallinfo2().fordblks; }

void give_back_holes() { ::malloc_trim(0); }

void give_back_end() {
  const std::scoped_lock lock(threshold_mutex);
  ::mallopt(M_TRIM_THRESHOLD, kSmallEnd);
  // Volatile, because a compiler may leave out a pair of these.
  void* volatile block = std::malloc(kLookAt);
  std::free(block);
  ::mallopt(M_TRIM_THRESHOLD, kKeptEnd);
}

}  // namespace anywire::heap
