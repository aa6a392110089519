// Percent-encoding: encoding comes back, and decoding in place is decoding.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "codec/percent.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto back = anywire::codec::percent_decode(anywire::codec::percent_encode(text));
  AW_ASSERT(back && *back == text);
  const auto decoded = anywire::codec::percent_decode(text);
  std::string in_place(text);
  const std::optional<std::size_t> written =
      anywire::codec::percent_decode_into(in_place, in_place.data());
  AW_ASSERT(written.has_value() == decoded.has_value());
  AW_ASSERT(!decoded || in_place.substr(0, *written) == *decoded);
  return 0;
}
