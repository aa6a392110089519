// AW_ASSERT: a condition only a bug of ours can break. On in every build, so keep it cheap; it
// prints where and ends the process. Never assert on what a peer or a config file says.
#pragma once

namespace anywire {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}  // namespace anywire

#define AW_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::anywire::assertion_failed(#condition, __FILE__, __LINE__))
