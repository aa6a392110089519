// What tests of schemas say: compile, check a text, read the verdict.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "codec/json_reader.h"
#include "schema/schema.h"

namespace anywire::schema::testing {

inline Schema compiled(std::string_view json, const CompileOptions& options = {}) {
  auto schema = Schema::compile(json, options);
  EXPECT_TRUE(schema) << json << ": " << (schema ? "" : schema.error().pointer) << " "
                      << (schema ? "" : schema.error().text);
  if (!schema) return *Schema::compile("true");
  return *std::move(schema);
}

inline CompileError refusal(std::string_view json, const CompileOptions& options = {}) {
  auto schema = Schema::compile(json, options);
  EXPECT_FALSE(schema) << json;
  return schema ? CompileError{} : schema.error();
}

inline std::optional<Violation> check(const Schema& schema, std::string_view value) {
  codec::JsonReader reader;
  const auto read = reader.read(as_bytes(value));
  EXPECT_TRUE(read) << value;
  return schema.check(*read);
}

inline bool holds(const Schema& schema, std::string_view value) {
  return !check(schema, value).has_value();
}

inline bool holds(std::string_view schema, std::string_view value) {
  return holds(compiled(schema), value);
}

}  // namespace anywire::schema::testing
