// Whatever decodes must encode to the same text again, and whatever is encoded must decode.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "codec/base64.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anywire;
  const Bytes input(data, size);
  if (const auto decoded = codec::base64_decode(as_text(input))) {
    if (codec::base64_encode(as_bytes(*decoded)) != as_text(input)) std::abort();
  }
  if (codec::base64_decode(codec::base64_encode(input)) != as_text(input)) std::abort();
  return 0;
}
