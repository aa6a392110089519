// What a process of this machine costs: CPU time and memory, from /proc.
//
// Thread: any. Limits: Linux; CPU time of threads that have ended is lost, so a sample is only good
// for servers whose threads live on. Reading another user's process needs the right to do so.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace anywire::bench {

struct CpuSample {
  std::uint64_t ns = 0;            // exact run time of all threads
  std::uint64_t user_ticks = 0;    // 10 ms ticks: good for the share only
  std::uint64_t kernel_ticks = 0;
};

struct MemorySample {
  std::uint64_t anonymous = 0;  // bytes; heap, stacks and other memory that no file backs
  std::uint64_t private_dirty = 0;
  std::uint64_t pss = 0;
  std::uint64_t rss = 0;
};

Result<CpuSample> sample_cpu(int pid);
Result<MemorySample> sample_memory(int pid);

}  // namespace anywire::bench
