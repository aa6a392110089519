// Any bytes as a schema: it is refused with a reason and a place that fits, or it compiles; then it
// gives the same verdict twice, whatever the value, and every violation has its words.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "codec/json_reader.h"
#include "schema/schema.h"

namespace {

using namespace anywire;

constexpr std::string_view kValues[] = {
    "null",
    "true",
    "-1.50e1",
    "9007199254740993",
    R"("text with \u00e9 and \ud83d\ude00")",
    R"("2026-01-31T12:00:00Z")",
    "[]",
    R"([1,1.0,"a",[null],{"a":1},{"a":1}])",
    R"({"a":{"b":[{"c":"d"}]},"text":"hello","n":1,"":null})",
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  static codec::JsonReader reader;
  const Bytes bytes{data, size};
  const auto schema = schema::Schema::compile(as_text(bytes));
  if (!schema) {
    AW_ASSERT(!schema.error().text.empty());
    AW_ASSERT(schema.error().pointer.empty() || schema.error().pointer.front() == '/');
    return 0;
  }
  for (const std::string_view text : kValues) {
    const auto value = reader.read(as_bytes(text));
    const auto violation = schema->check(*value);
    AW_ASSERT(violation.has_value() == schema->check(*value).has_value());
    if (!violation) continue;
    AW_ASSERT(!violation->message.empty());
    AW_ASSERT(violation->instance_pointer.size() <= schema::kPointerBytesMax);
  }
  return 0;
}
