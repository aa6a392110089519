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

// glibc's functions below would work on glibc's own heaps, though nothing is taken from them: where
// a sanitizer has the place of malloc, a thread that has called malloc_trim() may end the process
// when it ends ("malloc assertion failure in __malloc_arena_thread_freeres", glibc 2.36, clang 19).
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsGlibcs = false;
#elif defined(__has_feature)
constexpr bool kIsGlibcs = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
constexpr bool kIsGlibcs = true;
#endif

// The threshold is the process's.
std::mutex threshold_mutex;

}  // namespace

void keep_freed_memory() {
  if constexpr (!kIsGlibcs) return;
  ::mallopt(M_TRIM_THRESHOLD, kKeptEnd);
  ::mallopt(M_MMAP_THRESHOLD, kOwnMapping);
}

std::size_t freed_bytes() {
  if constexpr (!kIsGlibcs) return 0;
  return ::mallinfo2().fordblks;
}

void give_back_holes() {
  if constexpr (!kIsGlibcs) return;
  ::malloc_trim(0);
}

void give_back_end() {
  if constexpr (!kIsGlibcs) return;
  const std::scoped_lock lock(threshold_mutex);
  ::mallopt(M_TRIM_THRESHOLD, kSmallEnd);
  // Volatile, because a compiler may leave out a pair of these.
  void* volatile block = std::malloc(kLookAt);
  std::free(block);
  ::mallopt(M_TRIM_THRESHOLD, kKeptEnd);
}

}  // namespace anywire::heap
