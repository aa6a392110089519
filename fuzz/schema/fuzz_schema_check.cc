// A schema and a value with a line feed between them: a value that passes passes allOf of the
// schema with itself, and not its negation; whatever is found wrong is at a place that is there.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "codec/json_reader.h"
#include "schema/pointer.h"
#include "schema/schema.h"

namespace {

using namespace anywire;

// No verdict could be had: then negation has none either.
bool gave_up(const std::optional<schema::Violation>& violation) {
  return violation && violation->message.find("too long") != std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  static codec::JsonReader reader;
  const std::string_view input = as_text(Bytes{data, size});
  const std::size_t line = input.find('\n');
  if (line == input.npos) return 0;
  const std::string document(input.substr(0, line));
  const auto schema = schema::Schema::compile(document);
  const auto value = reader.read(as_bytes(input.substr(line + 1)));
  if (!schema || !value) return 0;
  const auto violation = schema->check(*value);
  if (gave_up(violation)) return 0;
  if (violation) {
    AW_ASSERT(schema::find_at(*value, violation->instance_pointer).has_value());
  }
  // References, and what counts at the root only, would mean something else one level further down.
  for (const char* sign : {"#", "$", "x-anywire"}) {
    if (document.find(sign) != document.npos) return 0;
  }
  const auto twice = schema::Schema::compile("{\"allOf\":[" + document + "," + document + "]}");
  const auto negation = schema::Schema::compile("{\"not\":" + document + "}");
  if (!twice || !negation) return 0;  // one level deeper than JSON may be
  const auto again = twice->check(*value);
  AW_ASSERT(gave_up(again) || again.has_value() == violation.has_value());
  const auto other = negation->check(*value);
  AW_ASSERT(gave_up(other) || other.has_value() != violation.has_value());
  return 0;
}
