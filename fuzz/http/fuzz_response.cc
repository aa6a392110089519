// Responses: the verdict may not depend on how the bytes were cut, and whatever is complete llhttp
// takes as well, with the same status, fields and body. The first byte says what was asked.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "http/parse_response_for_test.h"

using anywire::http::ParsedResponse;
using anywire::http::ParseStatus;
using anywire::http::ResponseDrive;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ResponseDrive drive{
      .to_head = (data[0] & 1) != 0,
      .ended = (data[0] & 2) != 0,
      .limits = {.head_bytes_max = 512, .headers_max = 12, .body_bytes_max = 256}};
  const ParsedResponse whole = anywire::http::parse_response_whole(input, drive);
  AW_ASSERT(anywire::http::parse_response_in_steps(input, 1, drive) == whole);
  if (input.size() > 1) {
    const std::size_t cut = 1 + data[size - 1] % (input.size() - 1);
    AW_ASSERT(anywire::http::parse_response_pieces({input.substr(0, cut), input.substr(cut)},
                                                   drive) == whole);
  }
  AW_ASSERT(whole.body.size() <= drive.limits.body_bytes_max);
  AW_ASSERT(!(whole.chunked && whole.content_length) || whole.status == ParseStatus::kError);
  if (whole.status != ParseStatus::kComplete) return 0;
  AW_ASSERT(anywire::http::difference_to_llhttp(input, whole, drive.to_head).empty());
  return 0;
}
