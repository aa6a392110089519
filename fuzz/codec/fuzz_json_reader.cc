// Any bytes into JsonReader: it accepts what simdjson's DOM accepts, with the same values, but for
// the differences its header names; what it hands out as raw text is JSON by itself.
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>

#include "base/assert.h"
#include "codec/ecma_json.h"
#include "codec/json_reader.h"

namespace {

using namespace anywire;
using codec::JsonKind;
using codec::JsonValue;
namespace dom = simdjson::dom;

bool repeats_a_key(dom::element element) {
  if (dom::array array; element.get(array) == simdjson::SUCCESS) {
    for (const dom::element child : array) {
      if (repeats_a_key(child)) return true;
    }
  }
  if (dom::object object; element.get(object) == simdjson::SUCCESS) {
    std::set<std::string_view> names;
    for (const auto [name, child] : object) {
      if (!names.insert(name).second || repeats_a_key(child)) return true;
    }
  }
  return false;
}

void compare_number(JsonValue ours, dom::element theirs) {
  double number = 0;
  AW_ASSERT(theirs.get(number) == simdjson::SUCCESS);
  // simdjson reads numbers that are too small as zero.
  AW_ASSERT(ours.number() == number || (!ours.number() && number == 0));
  // Their integer getters take what fits, whichever of the two types the number has.
  std::int64_t with_sign = 0;
  std::uint64_t without = 0;
  const bool is_minus_zero = number == 0 && ours.raw().front() == '-';
  const bool is_whole = theirs.type() != dom::element_type::DOUBLE && !is_minus_zero;
  AW_ASSERT(ours.i64().has_value() ==
            (is_whole && theirs.get(with_sign) == simdjson::SUCCESS));
  AW_ASSERT(ours.u64().has_value() == (is_whole && theirs.get(without) == simdjson::SUCCESS));
  AW_ASSERT(ours.i64().value_or(with_sign) == with_sign);
  AW_ASSERT(ours.u64().value_or(without) == without);
}

void compare(JsonValue ours, dom::element theirs) {
  switch (theirs.type()) {
    case dom::element_type::NULL_VALUE: AW_ASSERT(ours.is_null()); return;
    case dom::element_type::BOOL: AW_ASSERT(ours.boolean() == theirs.get_bool().value()); return;
    case dom::element_type::STRING:
      AW_ASSERT(ours.string() == theirs.get_string().value());
      return;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE: compare_number(ours, theirs); return;
    case dom::element_type::ARRAY: {
      const dom::array array = theirs.get_array().value();
      auto element = ours.elements().begin();
      for (const dom::element child : array) {
        compare(*element, child);
        ++element;
      }
      AW_ASSERT(element == ours.elements().end());
      AW_ASSERT(ours.size() == array.size());
      return;
    }
    case dom::element_type::OBJECT: {
      const dom::object object = theirs.get_object().value();
      auto member = ours.members().begin();
      for (const auto [name, child] : object) {
        AW_ASSERT((*member).name == name);
        compare((*member).value, child);
        ++member;
      }
      AW_ASSERT(member == ours.members().end());
      return;
    }
  }
  AW_ASSERT(false);
}

// Each value's raw text lies within its container's and is one JSON value by itself.
void check_raw(JsonValue value) {
  static codec::JsonReader again;
  const auto read = again.read(as_bytes(value.raw()));
  AW_ASSERT(read && read->raw() == value.raw() && read->kind() == value.kind());
  AW_ASSERT(read->size() == value.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  static codec::JsonReader reader;
  const auto ours = reader.read(input);

  static dom::parser parser(1 << 20);
  static const auto allocated = parser.allocate(1 << 20, codec::kJsonDepthMax);
  AW_ASSERT(allocated == simdjson::SUCCESS);
  dom::element theirs;
  const simdjson::padded_string padded(reinterpret_cast<const char*>(data), size);
  const auto error = size == 0 ? simdjson::EMPTY : parser.parse(padded).get(theirs);

  if (ours && error == simdjson::SUCCESS) compare(*ours, theirs);
  // simdjson takes no whole numbers beyond 64 bits and no numbers beyond doubles.
  if (ours && error != simdjson::SUCCESS) AW_ASSERT(error == simdjson::NUMBER_ERROR);
  if (!ours && error == simdjson::SUCCESS) {
    const bool has_mark = as_text(input).starts_with("\xef\xbb\xbf");
    AW_ASSERT(has_mark || repeats_a_key(theirs));
  }
  if (!ours) return 0;

  // JSON.parse, the most lenient of all, takes it too.
  AW_ASSERT(codec::reserialize(input, codec::kJsonDepthMax));
  check_raw(*ours);
  for (const JsonValue element : ours->elements()) check_raw(element);
  for (const auto [name, value] : ours->members()) check_raw(value);
  return 0;
}
