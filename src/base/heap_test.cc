#include "base/heap.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace anywire {
namespace {

// That pages do go back is to be seen only with glibc's allocator, which this may not run with: the
// server's own test is in tests/hostile/limits.test.mjs.
TEST(HeapTest, LeavesWhatIsInUseAlone) {
  heap::keep_freed_memory();
  std::vector<std::unique_ptr<char[]>> kept;
  for (int i = 0; i < 200; ++i) {
    auto freed = std::make_unique<char[]>(30'000);
    std::memset(freed.get(), 1, 30'000);
    kept.push_back(std::make_unique<char[]>(5'000));
    std::memset(kept.back().get(), i, 5'000);
  }
  heap::give_back_holes();
  heap::give_back_end();
  for (int i = 0; i < 200; ++i) {
    for (std::size_t at = 0; at < 5'000; ++at) {
      ASSERT_EQ(kept[static_cast<std::size_t>(i)][at], static_cast<char>(i)) << i << ":" << at;
    }
  }
}

TEST(HeapTest, ThreadsMayGiveBackAtTheSameTime) {
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&done] {
      for (int i = 0; i < 50; ++i) {
        auto block = std::make_unique<char[]>(200'000);
        std::memset(block.get(), i, 200'000);
        heap::give_back_end();
        heap::give_back_holes();
        EXPECT_EQ(block[199'999], static_cast<char>(i));
      }
      ++done;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 4);
}

TEST(HeapTest, CountsWhatIsFree) {
  // Zero with an allocator that does not say; never more than there is.
  EXPECT_LT(heap::freed_bytes(), std::size_t{1} << 40);
}

}  // namespace
}  // namespace anywire
