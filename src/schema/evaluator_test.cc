// What values pass, and what is said of those that do not. Most of what the suite of the older
// drafts (suite_test.cc) and ajv (ajv_test.cc) cover is not repeated here.
#include "schema/evaluator.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "schema/testing/checking.h"
#include "schema/words.h"

namespace anywire::schema {
namespace {

using testing::check;
using testing::compiled;
using testing::holds;

TEST(SchemaEvaluator, NamesThePlaceTheRuleAndTheReason) {
  const Schema chat = compiled(R"({"type":"object","properties":{
      "text":{"type":"string","minLength":1,"maxLength":5},
      "to":{"type":"array","maxItems":1,"uniqueItems":true,"items":{"format":"email"}},
      "kind":{"enum":["a","b"]},"price":{"multipleOf":0.01,"minimum":0,"exclusiveMaximum":10},
      "version":{"const":1},"tag":{"pattern":"^[a-z]+$"},"gone":false},
      "required":["text"],"additionalProperties":false})");
  const struct {
    const char* value;
    const char* place;
    const char* rule;
    const char* words;
  } kCases[] = {
      {"[]", "", "/type", "must be an object"},
      {"{}", "", "/required", "must have the member \"text\""},
      {R"({"text":7})", "/text", "/properties/text/type", "must be a text"},
      {R"({"text":""})", "/text", "/properties/text/minLength",
       "must have at least 1 character"},
      {R"({"text":"123456"})", "/text", "/properties/text/maxLength",
       "must have at most 5 characters"},
      {R"({"text":"a","to":[1,1]})", "/to", "/properties/to/maxItems",
       "must have at most 1 item"},
      {R"({"text":"a","to":["x"]})", "/to/0", "/properties/to/items/format",
       "must be an e-mail address"},
      {R"({"text":"a","kind":"c"})", "/kind", "/properties/kind/enum",
       "must be one of \"a\", \"b\""},
      {R"({"text":"a","price":0.015})", "/price", "/properties/price/multipleOf",
       "must be a multiple of 0.01"},
      {R"({"text":"a","price":-1})", "/price", "/properties/price/minimum", "must be at least 0"},
      {R"({"text":"a","price":10})", "/price", "/properties/price/exclusiveMaximum",
       "must be less than 10"},
      {R"({"text":"a","version":2})", "/version", "/properties/version/const", "must be 1"},
      {R"({"text":"a","tag":"A"})", "/tag", "/properties/tag/pattern",
       "must match \"^[a-z]+$\""},
      {R"({"text":"a","gone":1})", "/gone", "/properties/gone", "is not allowed"},
      {R"({"text":"a","x/~y":1})", "/x~1~0y", "/additionalProperties", "is not allowed"},
  };
  for (const auto& [value, place, rule, words] : kCases) {
    const auto violation = check(chat, value);
    ASSERT_TRUE(violation) << value;
    EXPECT_EQ(violation->instance_pointer, place) << value;
    EXPECT_EQ(violation->keyword_pointer, rule) << value;
    EXPECT_EQ(violation->message, words) << value;
  }
  EXPECT_TRUE(holds(chat, R"({"text":"h\u00e9llo","to":["a@b.cd"],"price":9.99,"tag":"x"})"));
}

TEST(SchemaEvaluator, KnowsWordsForAllOtherRules) {
  const struct {
    const char* schema;
    const char* value;
    const char* words;
  } kCases[] = {
      {R"({"type":["integer","null"]})", "0.5", "must be null or a whole number"},
      {R"({"maximum":1})", "2", "must be at most 1"},
      {R"({"exclusiveMinimum":1})", "1", "must be more than 1"},
      {R"({"minItems":2})", "[1]", "must have at least 2 items"},
      {R"({"uniqueItems":true})", "[1,1.0]", "must not have the same item twice"},
      {R"({"minProperties":1})", "{}", "must have at least 1 member"},
      {R"({"maxProperties":0})", R"({"a":1})", "must have at most 0 members"},
      {R"({"contains":{"type":"null"}})", "[1]", "must have at least 1 item of a certain form"},
      {R"({"contains":{"type":"null"},"minContains":0,"maxContains":1})", "[null,null]",
       "must have at most 1 item of a certain form"},
      {R"({"contains":true,"minContains":1,"maxContains":1})", "[1,2]",
       "must have the right number of items of a certain form"},
      {R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})",
       "must have the member \"b\", as it has \"a\""},
      {R"({"anyOf":[{"type":"null"},{"type":"array"}]})", "1",
       "must have one of the forms that are allowed"},
      {R"({"oneOf":[true,{"minimum":0}]})", "1",
       "must have exactly one of the forms that are allowed"},
      {R"({"not":{"type":"null"}})", "null", "must not have this form"},
      {R"({"propertyNames":{"maxLength":1}})", R"({"ab":1})", "must have at most 1 character"},
  };
  for (const auto& [schema, value, words] : kCases) {
    const auto violation = check(compiled(schema), value);
    ASSERT_TRUE(violation) << schema;
    EXPECT_EQ(violation->message, words) << schema;
  }
}

TEST(SchemaEvaluator, QuotesLittleOfTheSchemaAndNothingOfTheValue) {
  const std::string secret(1000, 's');
  const Schema schema = compiled(R"({"enum":[")" + std::string(500, 'x') + R"(","y"]})");
  const auto violation = check(schema, "\"" + secret + "\"");
  ASSERT_TRUE(violation);
  EXPECT_LT(violation->message.size(), 250u);
  EXPECT_EQ(violation->message.find("ss"), std::string::npos);
  EXPECT_EQ(quoted("\xC3\xA9"), "\"\xC3\xA9\"");
}

TEST(SchemaEvaluator, EndsPointersThatGrowTooLong) {
  const Schema schema = compiled(R"({"properties":{"a":{"additionalProperties":false}}})");
  const auto violation =
      check(schema, R"({"a":{")" + std::string(kPointerBytesMax, 'x') + R"(":1}})");
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->instance_pointer, "/a");
}

TEST(SchemaEvaluator, TellsOfTheBranchThatWasMeant) {
  const Schema schema = compiled(R"({"oneOf":[
      {"type":"object","properties":{"kind":{"const":"text"},"body":{"type":"string"}},
       "required":["kind","body"]},
      {"type":"array","items":{"type":"object","properties":{"n":{"type":"integer"}}}}]})");
  EXPECT_EQ(check(schema, R"([{"n":"x"}])")->instance_pointer, "/0/n");
  EXPECT_EQ(check(schema, R"({"kind":"text","body":1})")->instance_pointer, "/body");
  EXPECT_EQ(check(schema, R"("x")")->keyword_pointer, "/oneOf");
  // Two that got equally far are no better than each other.
  const Schema twins = compiled(R"({"anyOf":[{"properties":{"a":{"type":"null"}}},
      {"properties":{"a":{"type":"array"}}}]})");
  EXPECT_EQ(check(twins, R"({"a":1})")->keyword_pointer, "/anyOf");
}

TEST(SchemaEvaluator, LooksAtItemsByPlace) {
  const Schema tuple = compiled(R"({"prefixItems":[{"type":"integer"},{"type":"string"}],
      "items":{"type":"boolean"}})");
  EXPECT_TRUE(holds(tuple, R"([1,"a",true,false])"));
  EXPECT_TRUE(holds(tuple, "[1]"));
  EXPECT_EQ(check(tuple, R"([1,2])")->instance_pointer, "/1");
  EXPECT_EQ(check(tuple, R"([1,"a",1])")->instance_pointer, "/2");
  const Schema old = compiled(R"({"items":[{"type":"integer"}],"additionalItems":false})");
  EXPECT_TRUE(holds(old, "[1]"));
  EXPECT_FALSE(holds(old, "[1,2]"));
}

TEST(SchemaEvaluator, CountsWhatIsContained) {
  const Schema schema =
      compiled(R"({"contains":{"type":"string"},"minContains":2,"maxContains":3})");
  EXPECT_FALSE(holds(schema, R"(["a"])"));
  EXPECT_TRUE(holds(schema, R"(["a",1,"b"])"));
  EXPECT_FALSE(holds(schema, R"(["a","b","c","d"])"));
  EXPECT_TRUE(holds(R"({"contains":{"type":"string"},"minContains":0})", "[]"));
  EXPECT_TRUE(holds(R"({"minContains":2,"maxContains":0})", "[1]"));
}

TEST(SchemaEvaluator, AppliesDependencies) {
  const Schema schema = compiled(R"({"dependentRequired":{"card":["address"]},
      "dependentSchemas":{"age":{"properties":{"consent":{"const":true}}}}})");
  EXPECT_TRUE(holds(schema, R"({"card":1,"address":2})"));
  EXPECT_FALSE(holds(schema, R"({"card":1})"));
  EXPECT_FALSE(holds(schema, R"({"age":1,"consent":false})"));
  EXPECT_TRUE(holds(schema, R"({"consent":false})"));
  EXPECT_FALSE(holds(R"({"dependencies":{"a":["b"]}})", R"({"a":1})"));
  EXPECT_FALSE(holds(R"({"dependencies":{"a":{"required":["b"]}}})", R"({"a":1})"));
  EXPECT_FALSE(holds(R"({"dependencies":{"a":false}})", R"({"a":1})"));
}

TEST(SchemaEvaluator, ChoosesBetweenThenAndElse) {
  const Schema schema = compiled(R"({"if":{"type":"integer"},"then":{"minimum":1},
      "else":{"type":"string"}})");
  EXPECT_TRUE(holds(schema, "1"));
  EXPECT_EQ(check(schema, "0")->keyword_pointer, "/then/minimum");
  EXPECT_EQ(check(schema, "0.5")->keyword_pointer, "/else/type");
  EXPECT_TRUE(holds(R"({"then":false,"else":false})", "1"));
  EXPECT_TRUE(holds(R"({"if":false})", "1"));
}

TEST(SchemaEvaluator, KnowsWhatNobodyHasLookedAt) {
  const Schema schema = compiled(R"({"allOf":[{"properties":{"a":true}}],
      "anyOf":[{"properties":{"b":{"type":"string"}},"required":["b"]},
               {"patternProperties":{"^c":true},"required":["c1"]}],
      "if":{"properties":{"d":{"const":1}},"required":["d"]},"then":{"properties":{"e":true}},
      "not":{"not":{"properties":{"f":true}}},
      "unevaluatedProperties":false})");
  EXPECT_TRUE(holds(schema, R"({"a":1,"b":"x"})"));
  EXPECT_TRUE(holds(schema, R"({"b":"x","c1":1,"c2":2})"));
  EXPECT_EQ(check(schema, R"({"b":"x","c2":1})")->instance_pointer, "/c2");
  EXPECT_TRUE(holds(schema, R"({"b":"x","d":1,"e":2})"));
  EXPECT_FALSE(holds(schema, R"({"b":"x","d":2})"));
  EXPECT_EQ(check(schema, R"({"b":"x","e":2})")->instance_pointer, "/e");
  // What is under `not` has not been looked at.
  EXPECT_EQ(check(schema, R"({"b":"x","f":2})")->instance_pointer, "/f");
}

TEST(SchemaEvaluator, KnowsWhichItemsNobodyHasLookedAt) {
  EXPECT_TRUE(holds(R"({"prefixItems":[true],"unevaluatedItems":false})", "[1]"));
  EXPECT_EQ(check(compiled(R"({"prefixItems":[true],"unevaluatedItems":false})"), "[1,2]")
                ->instance_pointer,
            "/1");
  EXPECT_TRUE(holds(R"({"allOf":[{"items":true}],"unevaluatedItems":false})", "[1,2]"));
  EXPECT_TRUE(holds(R"({"contains":{"type":"null"},"unevaluatedItems":{"type":"integer"}})",
                    "[null,1]"));
  EXPECT_FALSE(holds(R"({"contains":{"type":"null"},"unevaluatedItems":{"type":"integer"}})",
                     R"([null,"x"])"));
  EXPECT_TRUE(holds(R"({"oneOf":[{"prefixItems":[{"const":1}]},{"prefixItems":[{"const":2}]}],
      "unevaluatedItems":false})", "[2]"));
  // One within another: what the inner one has looked at counts for the outer one.
  EXPECT_TRUE(holds(R"({"allOf":[{"unevaluatedItems":true}],"unevaluatedItems":false})", "[1]"));
  EXPECT_TRUE(holds(R"({"$ref":"#/$defs/a","$defs":{"a":{"properties":{"x":true}}},
      "unevaluatedProperties":false})", R"({"x":1})"));
  EXPECT_TRUE(holds(R"({"dependentSchemas":{"x":{"properties":{"x":true}}},
      "unevaluatedProperties":false})", R"({"x":1})"));
  // A cousin sees nothing of what its cousin has looked at.
  EXPECT_FALSE(holds(R"({"allOf":[{"properties":{"x":true}},{"unevaluatedProperties":false}]})",
                     R"({"x":1})"));
}

TEST(SchemaEvaluator, FindsEqualItemsAmongManyQuickly) {
  std::string many = "[";
  for (int i = 0; i < 50'000; ++i) many += "[" + std::to_string(i) + "],";
  const Schema schema = compiled(R"({"uniqueItems":true})");
  EXPECT_TRUE(holds(schema, many + "null]"));
  EXPECT_FALSE(holds(schema, many + "[7.0]]"));
  EXPECT_FALSE(holds(schema, R"([{"a":1,"b":2},3,{"b":2,"a":1}])"));
  EXPECT_TRUE(holds(schema, R"([1,true,"1",[1],{"1":1},null,false,0])"));
  EXPECT_TRUE(holds(R"({"uniqueItems":false})", "[1,1]"));
}

TEST(SchemaEvaluator, TakesNoNumberThatNobodyCouldHold) {
  EXPECT_FALSE(holds(R"({"type":"number"})", "1e400"));
  EXPECT_FALSE(holds(R"({"type":"integer"})", "1e400"));
  EXPECT_TRUE(holds(R"({"type":"integer"})", "1e300"));
  EXPECT_TRUE(holds(R"({"type":"integer"})", "123456789012345678901234567890"));
  EXPECT_FALSE(holds(R"({"maximum":1e308})", "1e400"));
}

TEST(SchemaEvaluator, MeasuresTextsAsItIsTold) {
  const char* schema = R"({"minLength":2,"maxLength":3})";
  EXPECT_FALSE(holds(schema, R"("\ud83d\ude00")"));
  EXPECT_TRUE(holds(schema, R"("\ud83d\ude00\ud83d\ude00")"));
  const Schema units =
      compiled(R"({"x-anywire-lengths":"utf-16","minLength":2,"maxLength":3})");
  EXPECT_TRUE(holds(units, R"("\ud83d\ude00")"));
  EXPECT_FALSE(holds(units, R"("\ud83d\ude00\ud83d\ude00")"));
}

TEST(SchemaEvaluator, FormatsMayBeAnnotations) {
  const char* schema = R"({"format":"email"})";
  EXPECT_FALSE(holds(schema, R"("x")"));
  EXPECT_TRUE(holds(compiled(schema, {.formats = false}), R"("x")"));
  EXPECT_TRUE(holds(R"({"format":"something-else"})", R"("x")"));
}

// Twenty choices between two equal branches are a million ways, each of which fails at the end.
TEST(SchemaEvaluator, GivesUpOnSchemasThatExplode) {
  std::string schema = R"({"$defs":{"20":{"const":1},)";
  for (int i = 0; i < 20; ++i) {
    schema += fmt::format(
        R"("{0}":{{"anyOf":[{{"$ref":"#/$defs/{1}"}},{{"$ref":"#/$defs/{1}"}}]}},)", i, i + 1);
  }
  schema += R"("x":true},"$ref":"#/$defs/0"})";
  const auto violation = check(compiled(schema), "2");
  ASSERT_TRUE(violation);
  EXPECT_NE(violation->message.find("too long"), std::string::npos);
  EXPECT_TRUE(holds(schema, "1"));
}

// An answer that cannot be had is a no, under `not`, too.
TEST(SchemaEvaluator, DoesNotTakeGivingUpForAVerdict) {
  std::string schema = R"({"not":{"$ref":"#/$defs/0"},"$defs":{"300":true,)";
  for (int i = 0; i < 300; ++i) {
    schema += fmt::format(R"("{}":{{"$ref":"#/$defs/{}"}},)", i, i + 1);
  }
  schema += R"("x":true}})";
  EXPECT_FALSE(holds(schema, "1"));
}

TEST(SchemaEvaluator, ChecksLargeValuesWithinItsSteps) {
  std::string list = "[";
  for (int i = 0; i < 200'000; ++i) list += "1,";
  EXPECT_TRUE(holds(R"({"items":{"type":"integer"}})", list + "1]"));
}

TEST(SchemaEvaluator, GoesAsDeepAsValuesDo) {
  std::string value;
  for (int i = 0; i < codec::kJsonDepthMax; ++i) value += "[";
  value += std::string(static_cast<std::size_t>(codec::kJsonDepthMax), ']');
  EXPECT_TRUE(holds(R"({"$defs":{"a":{"allOf":[{"items":{"$ref":"#/$defs/a"}}]}},
      "$ref":"#/$defs/a"})", value));
}

TEST(SchemaEvaluator, ServesSeveralThreadsAtOnce) {
  const Schema schema = compiled(R"({"items":{"enum":["a",1,{"b":2}],"pattern":"^a"}})");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n) {
        EXPECT_TRUE(holds(schema, R"(["a",1.0,{"b":2}])"));
        EXPECT_FALSE(holds(schema, R"(["x"])"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace anywire::schema
