// Requests: the verdict may not depend on how the bytes were cut, and whatever is accepted llhttp
// accepts as well, with the same fields and body.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "http/llhttp_oracle_for_test.h"
#include "http/parse_all_for_test.h"

using anywire::http::LlhttpOracle;
using anywire::http::ParsedRequest;
using anywire::http::ParseStatus;
using anywire::http::RequestLimits;

namespace {

void check_path(const ParsedRequest& request) {
  AW_ASSERT(!request.path.empty());
  AW_ASSERT(request.path.front() == '/' || request.path == "*");
  const std::string slashed = request.path + "/";
  AW_ASSERT(slashed.find("/../") == std::string::npos);
  AW_ASSERT(slashed.find("/./") == std::string::npos);
  for (const char c : request.path) AW_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != '\\');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const RequestLimits limits{
      .head_bytes_max = 512, .target_bytes_max = 128, .headers_max = 12, .body_bytes_max = 256};
  const ParsedRequest whole = anywire::http::parse_whole(input, limits);
  AW_ASSERT(anywire::http::parse_in_steps(input, 1, limits) == whole);
  if (size > 1) {
    const std::size_t cut = 1 + data[size - 1] % (size - 1);
    anywire::http::RequestParser parser(limits);
    AW_ASSERT(parse_pieces(parser, {input.substr(0, cut), input.substr(cut)}) == whole);
  }
  if (whole.has_head) check_path(whole);
  if (whole.status == ParseStatus::kError || !whole.has_head) return 0;

  const LlhttpOracle theirs(input);
  AW_ASSERT(theirs.is_accepted && theirs.has_head);
  AW_ASSERT(whole.method == theirs.method && whole.target == theirs.target);
  AW_ASSERT(whole.version_minor == theirs.version_minor);
  AW_ASSERT(whole.headers == theirs.headers);
  AW_ASSERT(whole.body == theirs.body);
  AW_ASSERT((whole.status == ParseStatus::kComplete) == theirs.is_complete);
  AW_ASSERT(theirs.is_upgrade || !whole.is_websocket_upgrade);
  return 0;
}
