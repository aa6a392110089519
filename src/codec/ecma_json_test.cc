#include "codec/ecma_json.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>

#include "base/random.h"

namespace anywire::codec {
namespace {

std::optional<std::string> reserialized(std::string_view text) {
  return reserialize(as_bytes(text));
}

std::string number(double value) {
  std::string out;
  append_number(out, value);
  return out;
}

// The file's percent-encoding: two hex digits after each %, a lone % for nothing at all.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
    } else if (i + 2 < text.size()) {
      int byte = 0;
      std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
      out += static_cast<char>(byte);
      i += 2;
    }
  }
  return out;
}

struct Case {
  std::string input;
  std::optional<std::string> expected;
};

std::vector<Case> cases_from_node() {
  std::ifstream file(std::string(ANYWIRE_SOURCE_DIR) + "/src/codec/testdata/ecma_json.txt");
  std::vector<Case> cases;
  std::string line;
  bool want_input = true;
  while (std::getline(file, line)) {
    if (line.empty() || line.starts_with('#')) continue;
    if (want_input) {
      cases.push_back({decoded(line), std::nullopt});
    } else if (line.starts_with("= ")) {
      cases.back().expected = decoded(std::string_view(line).substr(2));
    } else {
      EXPECT_EQ(line, "throws");
    }
    want_input = !want_input;
  }
  EXPECT_TRUE(want_input) << "the file ends in the middle of a case";
  return cases;
}

TEST(EcmaJson, AnswersWhatNodeAnswers) {
  const std::vector<Case> cases = cases_from_node();
  ASSERT_GE(cases.size(), 120u);
  for (const Case& c : cases) EXPECT_EQ(reserialized(c.input), c.expected) << c.input;
}

TEST(EcmaJson, LeavesItsOwnOutputAlone) {
  for (const Case& c : cases_from_node()) {
    if (!c.expected) continue;
    EXPECT_EQ(reserialized(*c.expected), *c.expected) << c.input;
  }
}

TEST(EcmaJson, RefusesEveryTruncationOfAnObject) {
  const std::string whole = R"({"a":[1,-2.5e+3,"x\u00e9\n",true],"0":{"b":null}})";
  ASSERT_TRUE(reserialized(whole));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(reserialized(whole.substr(0, length)), std::nullopt) << length;
  }
}

TEST(EcmaJson, RefusesTrailingContent) {
  const std::string whole = R"({"a":1})";
  for (const char extra : std::string("{}[]\",:0atn\\\x01\xff")) {
    EXPECT_EQ(reserialized(whole + extra), std::nullopt) << extra;
  }
}

TEST(EcmaJson, AcceptsWhitespaceBetweenAllTokens) {
  EXPECT_EQ(reserialized(" \n{\r\t\"a\" : [ 1 , { } , [ ] ] , \"b\"\n:\nnull } "),
            R"({"a":[1,{},[]],"b":null})");
}

std::string nested(char open, char close, int depth, std::string_view inside = "") {
  const auto count = static_cast<std::size_t>(depth);
  return std::string(count, open) + std::string(inside) + std::string(count, close);
}

TEST(EcmaJson, StopsAtTheDepthLimit) {
  const std::string deepest = nested('[', ']', kEcmaJsonDepthMax);
  EXPECT_EQ(reserialized(deepest), deepest);
  EXPECT_EQ(reserialized(nested('[', ']', kEcmaJsonDepthMax + 1)), std::nullopt);
}

TEST(EcmaJson, CountsObjectsTowardsTheDepth) {
  EXPECT_TRUE(reserialize(as_bytes(R"({"a":{"b":[1]}})"), 3));
  EXPECT_FALSE(reserialize(as_bytes(R"({"a":{"b":[1]}})"), 2));
}

TEST(EcmaJson, TakesOnlyScalarsAtDepthZero) {
  EXPECT_EQ(reserialize(as_bytes("1"), 0), "1");
  EXPECT_EQ(reserialize(as_bytes("[]"), 0), std::nullopt);
  EXPECT_EQ(reserialize(as_bytes("[]"), -1), std::nullopt);
}

TEST(EcmaJson, NeedsNoStackForDepth) {
  constexpr int kDepth = 300'000;
  const std::string deep = nested('[', ']', kDepth, "0");
  EXPECT_EQ(reserialize(as_bytes(deep), kDepth), deep);
}

// Every level has a repeated key and an index after a name, so every level is put in order anew.
TEST(EcmaJson, ReordersDeeplyNestedObjects) {
  constexpr int kDepth = 400;
  std::string input = "0", expected = "0";
  for (int i = 0; i < kDepth; ++i) {
    input = R"({"a":1,"b":)" + input + R"(,"7":2,"a":3})";
    expected = R"({"7":2,"a":3,"b":)" + expected + "}";
  }
  EXPECT_EQ(reserialized(input), expected);
}

TEST(EcmaJson, KeepsDiscardedMembersOutOfTheResult) {
  EXPECT_EQ(reserialized(R"({"a":{"z":1,"0":2},"a":[{"y":1,"1":2}],"0":{"b":1,"b":2}})"),
            R"({"0":{"b":2},"a":[{"1":2,"y":1}]})");
}

// 512 levels around half a megabyte: moving the text at each level would copy 256 MiB.
TEST(EcmaJson, StaysLinearWhenEveryLevelIsDisordered) {
  std::string input = "\"" + std::string(512 * 1024, 'x') + "\"";
  std::string head, tail;
  for (int i = 0; i < kEcmaJsonDepthMax; ++i) {
    head += R"({"b":)";
    tail += R"(,"0":1})";
  }
  const auto result = reserialized(head + input + tail);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->size(), head.size() + input.size() + tail.size());
  EXPECT_TRUE(result->starts_with(R"({"0":1,"b":{"0":1,"b":)"));
}

TEST(EcmaJson, OrdersManyIndexesNumerically) {
  std::string input = "{\"name\":0", expected = "{";
  for (int i = 2000; i-- > 0;) input += ",\"" + std::to_string(i) + "\":" + std::to_string(i);
  for (int i = 0; i < 2000; ++i) {
    expected += "\"" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  }
  EXPECT_EQ(reserialized(input + "}"), expected + "\"name\":0}");
}

TEST(EcmaJson, ReplacesBrokenUtf8InKeysBeforeComparingThem) {
  EXPECT_EQ(reserialized("{\"\xff\":1,\"\xfe\":2}"), "{\"\xef\xbf\xbd\":2}");
}

TEST(EcmaJson, AcceptsZeroBytesOfInputOnlyAsAnError) {
  EXPECT_EQ(reserialize({}), std::nullopt);
  EXPECT_EQ(reserialized(std::string(1, '\0')), std::nullopt);
}

TEST(EcmaNumber, PrintsTheFourForms) {
  EXPECT_EQ(number(123), "123");
  EXPECT_EQ(number(12300000000.0), "12300000000");
  EXPECT_EQ(number(1e20), "100000000000000000000");
  EXPECT_EQ(number(1.25), "1.25");
  EXPECT_EQ(number(123456.789), "123456.789");
  EXPECT_EQ(number(0.5), "0.5");
  EXPECT_EQ(number(0.000001), "0.000001");
  EXPECT_EQ(number(1e21), "1e+21");
  EXPECT_EQ(number(1.5e-7), "1.5e-7");
}

TEST(EcmaNumber, PrintsSignsAndZeros) {
  EXPECT_EQ(number(0.0), "0");
  EXPECT_EQ(number(-0.0), "0");
  EXPECT_EQ(number(-1.5), "-1.5");
  EXPECT_EQ(number(-1e21), "-1e+21");
}

TEST(EcmaNumber, PrintsTheExtremes) {
  EXPECT_EQ(number(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(number(std::numeric_limits<double>::denorm_min()), "5e-324");
  EXPECT_EQ(number(std::numeric_limits<double>::min()), "2.2250738585072014e-308");
}

TEST(EcmaNumber, RoundTripsRandomDoubles) {
  Random random(1);
  for (int i = 0; i < 100'000; ++i) {
    const double value = std::bit_cast<double>(random.next());
    if (!std::isfinite(value)) continue;
    const std::string text = number(value);
    EXPECT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    ASSERT_EQ(reserialized(text), text);
  }
}

}  // namespace
}  // namespace anywire::codec
