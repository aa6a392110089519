// Any text as a change of any other: whoever applies it has the text again.
//
// The first two bytes say how many of the rest are the base.

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "codec/delta.h"
#include "codec/testing/delta.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anywire;
  if (size < 2) return 0;
  const Bytes rest(data + 2, size - 2);
  const std::size_t split = std::min<std::size_t>(data[0] | data[1] << 8, rest.size());
  const Bytes base = rest.first(split);
  const Bytes target = rest.subspan(split);
  const std::string delta = codec::delta_of(base, target);
  if (codec::apply_delta(as_text(base), delta) != as_text(target)) std::abort();
  if (delta.size() > target.size() + 32) std::abort();
  return 0;
}
