// What is refused as a schema, with its place and words; references; hints; limits.
#include "schema/compiler.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "schema/testing/checking.h"

namespace anywire::schema {
namespace {

using testing::check;
using testing::compiled;
using testing::holds;
using testing::refusal;

TEST(SchemaCompiler, NamesThePlaceOfWhatIsWrong) {
  const struct {
    const char* schema;
    const char* pointer;
    const char* words;
  } kCases[] = {
      {R"({"type":"strin"})", "/type", "did you mean \"string\"?"},
      {R"({"type":[]})", "/type", "must be"},
      {R"({"type":["string",7]})", "/type", "must be"},
      {R"({"properties":{"a":{"minLength":-1}}})", "/properties/a/minLength", "whole number"},
      {R"({"properties":{"a/b":{"maxItems":1.5}}})", "/properties/a~1b/maxItems", "whole number"},
      {R"({"properties":[]})", "/properties", "object"},
      {R"({"properties":{"a":7}})", "/properties/a", "a schema is"},
      {R"({"required":"a"})", "/required", "list of names"},
      {R"({"required":["a","a"]})", "/required", "twice"},
      {R"({"required":[1]})", "/required", "names"},
      {R"({"enum":7})", "/enum", "list"},
      {R"({"minimum":"1"})", "/minimum", "number"},
      {R"({"maximum":1e400})", "/maximum", "beyond"},
      {R"({"multipleOf":0})", "/multipleOf", "greater than 0"},
      {R"J({"pattern":"a(?=b)"})J", "/pattern", "look-ahead"},
      {R"({"pattern":7})", "/pattern", "regular expression"},
      {R"({"patternProperties":{"(":true}})", "/patternProperties", ""},
      {R"({"allOf":[]})", "/allOf", "empty"},
      {R"({"anyOf":{}})", "/anyOf", "list"},
      {R"({"anyOf":[true,"x"]})", "/anyOf/1", "a schema is"},
      {R"({"uniqueItems":1})", "/uniqueItems", "true or false"},
      {R"({"prefixItems":true})", "/prefixItems", "list"},
      {R"({"format":7})", "/format", "string"},
      {R"({"dependentRequired":{"a":{}}})", "/dependentRequired", "lists of names"},
      {R"({"dependentRequired":{"a":["b","b"]}})", "/dependentRequired", "twice"},
      {R"({"$ref":7})", "/$ref", "string"},
      {R"({"$ref":"#/nope"})", "/$ref", "nothing"},
      {R"({"$ref":"#nope"})", "/$ref", "$anchor"},
      {R"({"$ref":"#%zz"})", "/$ref", "percent"},
      {R"({"$ref":"https://example.com/s.json"})", "/$ref", "nothing is fetched"},
      {R"({"$schema":"http://json-schema.org/draft-04/schema#"})", "/$schema", "dialect"},
      {R"({"$schema":7})", "/$schema", "dialect"},
      {R"({"$vocabulary":{}})", "/$vocabulary", "not supported"},
      {R"({"x-anywire-lengths":"bytes"})", "/x-anywire-lengths", "utf-16"},
      {R"("string")", "", "a schema is"},
  };
  for (const auto& [schema, pointer, words] : kCases) {
    const CompileError error = refusal(schema);
    EXPECT_EQ(error.pointer, pointer) << schema;
    EXPECT_NE(error.text.find(words), std::string::npos) << schema << ": " << error.text;
  }
}

TEST(SchemaCompiler, RefusesWhatIsNotJson) {
  EXPECT_NE(refusal("{").text, "");
  EXPECT_NE(refusal(R"({"type":"string","type":"number"})").text.find("twice"), std::string::npos);
}

TEST(SchemaCompiler, TakesTheDialectsItKnows) {
  for (const char* dialect : {"https://json-schema.org/draft/2020-12/schema",
                              "https://json-schema.org/draft/2019-09/schema#",
                              "http://json-schema.org/draft-07/schema#",
                              "http://json-schema.org/draft-06/schema"}) {
    compiled(R"({"$schema":")" + std::string(dialect) + "\"}");
  }
}

TEST(SchemaCompiler, FollowsReferencesWithinTheDocument) {
  const Schema tree = compiled(R"({"$defs":{"node":{"type":"object","properties":{
      "next":{"$ref":"#/$defs/node"},"value":{"$ref":"#value"}}},
      "v":{"$anchor":"value","type":"integer"}},"$ref":"#/$defs/node"})");
  EXPECT_TRUE(holds(tree, R"({"value":1,"next":{"value":2,"next":{}}})"));
  EXPECT_EQ(check(tree, R"({"next":{"next":{"value":"x"}}})")->instance_pointer,
            "/next/next/value");
  EXPECT_EQ(check(tree, R"({"value":0.5})")->keyword_pointer, "/$defs/v/type");
  EXPECT_FALSE(holds(R"({"definitions":{"a b":{"type":"null"}},"$ref":"#/definitions/a%20b"})",
                     "1"));
  EXPECT_FALSE(holds(R"({"definitions":{"a":{"$id":"#foo","type":"null"}},"$ref":"#foo"})", "1"));
  // Beside a reference other keywords count.
  EXPECT_FALSE(holds(R"({"$defs":{"a":true},"$ref":"#/$defs/a","type":"null"})", "1"));
}

TEST(SchemaCompiler, KnowsBundledSchemasByTheirIds) {
  const char* bundle = R"({"$id":"https://example.com/root.json","$defs":{
      "item":{"$id":"item.json","type":"object","properties":{"n":{"$ref":"#/$defs/n"}},
              "$defs":{"n":{"$anchor":"n","type":"integer"}}}},
      "items":{"$ref":"item.json"},"maxItems":2,
      "contains":{"$ref":"https://example.com/item.json#n"},"minContains":0})";
  EXPECT_TRUE(holds(bundle, R"([{"n":1}])"));
  EXPECT_FALSE(holds(bundle, R"([{"n":"1"}])"));
  EXPECT_TRUE(holds(R"({"$id":"https://example.com/a/b","$ref":"/c","$defs":{
      "c":{"$id":"/c","type":"null"}}})", "null"));
}

TEST(SchemaCompiler, GoesToTheOneDynamicAnchor) {
  EXPECT_FALSE(holds(R"({"$dynamicAnchor":"node","type":"object",
      "additionalProperties":{"$dynamicRef":"#node"}})", R"({"a":{"b":1}})"));
  const CompileError error = refusal(R"({"$dynamicAnchor":"n","$defs":{
      "a":{"$dynamicAnchor":"n"}},"properties":{"x":{"$dynamicRef":"#n"}}})");
  EXPECT_EQ(error.pointer, "/properties/x/$dynamicRef");
}

TEST(SchemaCompiler, RefusesReferencesThatGoInCircles) {
  EXPECT_NE(refusal(R"({"$ref":"#"})").text.find("itself"), std::string::npos);
  EXPECT_NE(refusal(R"({"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},
      "b":{"not":{"$ref":"#/$defs/a"}}},"properties":{"x":{"$ref":"#/$defs/a"}}})").text, "");
  EXPECT_NE(refusal(R"({"if":{"$ref":"#"},"then":true})").text, "");
  EXPECT_NE(refusal(R"({"dependentSchemas":{"a":{"$ref":"#"}}})").text, "");
  // With a step into the value it ends, as every value does.
  compiled(R"({"items":{"$ref":"#"},"anyOf":[{"properties":{"a":{"$ref":"#"}}},true]})");
  compiled(R"({"$defs":{"a":{"type":"null"}},
      "allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]})");
}

TEST(SchemaCompiler, DoesNotTakeDataForSchemas) {
  compiled(R"({"const":{"$ref":"#/nope","$id":"x","$anchor":7},"enum":[{"$anchor":"a"}]})");
  compiled(R"({"properties":{"$ref":{"type":"string"},"$id":true}})");
  EXPECT_EQ(refusal(R"({"enum":[{"$anchor":"a"}],"$ref":"#a"})").pointer, "/$ref");
}

TEST(SchemaCompiler, HintsAtSlipsOfThePen) {
  const Schema schema = compiled(
      R"({"properties":{"a":{"maxlength":3},"b":{"x-internal":1,"nullable":true}},"requierd":[]})");
  ASSERT_EQ(schema.hints().size(), 2u);
  EXPECT_EQ(schema.hints()[0].pointer, "/requierd");
  EXPECT_EQ(schema.hints()[1].pointer, "/properties/a/maxlength");
  EXPECT_NE(schema.hints()[1].text.find("\"maxLength\""), std::string::npos);
}

TEST(SchemaCompiler, HasLimits) {
  const char* two = R"({"items":true})";
  compiled(two, {.schemas_max = 2});
  EXPECT_EQ(refusal(two, {.schemas_max = 1}).pointer, "/items");
  const char* patterns = R"({"pattern":"a","items":{"pattern":"b"}})";
  compiled(patterns, {.patterns_max = 2});
  EXPECT_EQ(refusal(patterns, {.patterns_max = 1}).pointer, "/items/pattern");
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += R"({"items":)";
  EXPECT_NE(refusal(deep + "true" + std::string(100, '}')).text.find("deep"), std::string::npos);
}

TEST(SchemaCompiler, FollowsALongChainOfReferencesWithoutAStack) {
  std::string chain = R"({"$ref":"#/$defs/0","$defs":{)";
  constexpr int kLength = 9'000;
  for (int i = 0; i < kLength; ++i) {
    chain += fmt::format(R"("{}":{{"$ref":"#/$defs/{}"}},)", i, i + 1);
  }
  chain += fmt::format(R"("{}":{{"type":"null"}}}}}})", kLength);
  const Schema schema = compiled(chain);
  // Run it cannot be: each reference is a call.
  EXPECT_NE(check(schema, "null")->message.find("too long"), std::string::npos);
}

}  // namespace
}  // namespace anywire::schema
