// Any bytes into reserialize(): what it answers is a fixed point, is JSON by simdjson's judgement
// too (lone surrogates aside, which simdjson refuses), and whatever simdjson accepts is accepted.

#include <simdjson.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "codec/ecma_json.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

bool has_surrogate_escape(const std::string& text) {
  return text.find("\\ud") != text.npos;  // our output writes no other escape with a d
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using anywire::codec::reserialize;
  const anywire::Bytes input(data, size);
  const auto once = reserialize(input);

  static simdjson::dom::parser parser(1 << 20);
  // simdjson skips a byte order mark, which JSON.parse refuses.
  const bool has_mark = anywire::as_text(input).starts_with("\xef\xbb\xbf");
  const simdjson::padded_string padded(reinterpret_cast<const char*>(data), size);
  const bool simdjson_accepts =
      size > 0 && !has_mark && parser.parse(padded).error() == simdjson::SUCCESS;
  constexpr int kSimdjsonDepthMax = 1024;  // its default, more than ours
  if (simdjson_accepts) require(reserialize(input, kSimdjsonDepthMax).has_value());
  if (!once) return 0;

  require(once->size() <= size * 6);
  const auto twice = reserialize(anywire::as_bytes(*once));
  require(twice.has_value() && *twice == *once);
  if (!has_surrogate_escape(*once)) {
    const simdjson::padded_string again(*once);
    const auto error = parser.parse(again).error();
    // simdjson takes no whole numbers beyond 64 bits.
    require(error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR);
  }

  // Only depth makes a small limit differ.
  const auto shallow = reserialize(input, 2);
  require(!shallow || *shallow == *once);
  return 0;
}
