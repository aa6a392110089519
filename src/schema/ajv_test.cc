// Held against ajv: testdata/ajv.json, or a file that ANYWIRE_AJV_CASES names, has generated
// schemas and values with ajv's verdicts. testdata/make_ajv.mjs makes it from a seed, and says
// which of ajv's ways are left out.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "schema/testing/checking.h"

namespace anywire::schema {
namespace {

std::string cases_text() {
  const char* path = std::getenv("ANYWIRE_AJV_CASES");
  std::ifstream file(path != nullptr ? path
                                     : ANYWIRE_SOURCE_DIR "/src/schema/testdata/ajv.json");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(SchemaAjv, AgreesOnEverythingThatWasGenerated) {
  const std::string text = cases_text();
  codec::JsonReader reader;
  const auto cases = reader.read(as_bytes(text));
  ASSERT_TRUE(cases);
  std::size_t verdicts = 0;
  std::size_t valid = 0;
  // Each case is [schema, [value, verdict, value, verdict, ...]].
  for (const codec::JsonValue each : cases->elements()) {
    auto part = each.elements().begin();
    const codec::JsonValue document = *part;
    const codec::JsonValue values = *++part;
    const auto schema = Schema::compile(document);
    ASSERT_TRUE(schema) << document.raw() << " " << schema.error().pointer << " "
                        << schema.error().text;
    for (auto at = values.elements().begin(); at != values.elements().end(); ++at) {
      const codec::JsonValue value = *at;
      const bool verdict = *(*++at).boolean();
      const auto violation = schema->check(value);
      EXPECT_EQ(!violation, verdict) << document.raw() << "\n  " << value.raw() << "\n  "
                                     << (violation ? violation->message : "");
      ++verdicts;
      valid += verdict ? 1 : 0;
    }
  }
  std::cout << cases->size() << " schemas, " << verdicts << " verdicts, " << valid << " valid\n";
  EXPECT_GT(verdicts, 500u);
  EXPECT_GT(valid, verdicts / 10);
  EXPECT_LT(valid, verdicts - verdicts / 10);
}

}  // namespace
}  // namespace anywire::schema
