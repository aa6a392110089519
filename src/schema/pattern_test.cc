#include "schema/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace anywire::schema {
namespace {

bool match(const char* pattern, std::string_view text) {
  const auto compiled = Pattern::compile(pattern);
  EXPECT_TRUE(compiled) << pattern << ": " << (compiled ? "" : compiled.error());
  return compiled && compiled->matches(text);
}

std::string refusal(const std::string& pattern) {
  const auto compiled = Pattern::compile(pattern);
  EXPECT_FALSE(compiled) << pattern;
  return compiled ? "" : compiled.error();
}

TEST(SchemaPattern, IsFoundAnywhereUnlessItSaysOtherwise) {
  EXPECT_TRUE(match("b", "abc"));
  EXPECT_FALSE(match("^b", "abc"));
  EXPECT_FALSE(match("b$", "abc"));
  EXPECT_TRUE(match("^abc$", "abc"));
  EXPECT_FALSE(match("^abc$", "abc\n"));
  EXPECT_TRUE(match("", "anything"));
  EXPECT_TRUE(match("a|^z", "za"));
}

TEST(SchemaPattern, CountsCodePoints) {
  EXPECT_TRUE(match("^.$", "\xF0\x9F\x98\x80"));
  EXPECT_TRUE(match("^[\xC3\xA4\xC3\xB6]$", "\xC3\xB6"));
  EXPECT_TRUE(match(R"(^\u{1F600}$)", "\xF0\x9F\x98\x80"));
  EXPECT_TRUE(match(R"(^\ud83d\ude00$)", "\xF0\x9F\x98\x80"));
  EXPECT_TRUE(match(R"(^\u00e9\xe9$)", "\xC3\xA9\xC3\xA9"));
}

TEST(SchemaPattern, KnowsEcmaScriptsClasses) {
  EXPECT_TRUE(match(R"(^\s$)", "\xC2\xA0"));
  EXPECT_TRUE(match(R"(^[\s]$)", "\xE2\x80\xA8"));
  EXPECT_TRUE(match(R"(^\s$)", "\v"));
  EXPECT_FALSE(match(R"(^\S$)", "\xEF\xBB\xBF"));
  EXPECT_TRUE(match(R"(^[\S]$)", "x"));
  EXPECT_FALSE(match(R"(^[\Sx]$)", " "));
  EXPECT_FALSE(match(R"(^\d$)", "\xD9\xA0"));
  EXPECT_FALSE(match(R"(^\w$)", "\xC3\xA9"));
  EXPECT_FALSE(match("^.$", "\r"));
  EXPECT_FALSE(match("^.$", "\xE2\x80\xA9"));
  EXPECT_TRUE(match("^[^]$", "\n"));
  EXPECT_FALSE(match("[]", "x"));
  EXPECT_TRUE(match("^[[:a]+$", "[:a"));
  EXPECT_TRUE(match(R"(^[\b]$)", "\b"));
  EXPECT_TRUE(match(R"(\bcat\b)", "a cat."));
  EXPECT_TRUE(match(R"(^\cJ\0$)", std::string_view("\n\0", 2)));
  EXPECT_TRUE(match(R"(^\/\-\.$)", "/-."));
}

TEST(SchemaPattern, KnowsUnicodesProperties) {
  EXPECT_TRUE(match(R"(^\p{L}+$)", "gr\xC3\xBC\xC3\x9F"));
  EXPECT_TRUE(match(R"(^\p{Letter}$)", "x"));
  EXPECT_TRUE(match(R"(^\p{Script=Greek}$)", "\xCE\xB1"));
  EXPECT_TRUE(match(R"(^[\p{Lu}\d]$)", "7"));
  EXPECT_FALSE(match(R"(^\P{L}$)", "x"));
  EXPECT_NE(refusal(R"(\p{Nonsense})"), "");
  EXPECT_NE(refusal(R"(\p{Script_Extensions=Greek})"), "");
  EXPECT_NE(refusal(R"(\pL)"), "");
}

TEST(SchemaPattern, TakesGroupsOfAllKinds) {
  EXPECT_TRUE(match("^(?<year>[0-9]{4})-(?:a|b)$", "2026-b"));
  EXPECT_TRUE(match("^(a(b(c)))$", "abc"));
  EXPECT_TRUE(match("^(?i:gr\xC3\xBC)x$", "GR\xC3\x9Cx"));
  EXPECT_FALSE(match("^(?i:a)x$", "AX"));
}

TEST(SchemaPattern, RunsLookAheadAtTheBeginning) {
  const char* password = R"(^(?=.*[0-9])(?=.*[a-z])(?!.*\s).{8,}$)";
  EXPECT_TRUE(match(password, "correct7horse"));
  EXPECT_FALSE(match(password, "correcthorse"));
  EXPECT_FALSE(match(password, "12345678"));
  EXPECT_FALSE(match(password, "correct 7 horse"));
  EXPECT_FALSE(match(password, "a7"));
  // What zod writes for an e-mail address.
  const char* email =
      R"(^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-])"
      R"(@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$)";
  EXPECT_TRUE(match(email, "ann@example.com"));
  EXPECT_FALSE(match(email, ".ann@example.com"));
  EXPECT_FALSE(match(email, "a..b@example.com"));
  EXPECT_TRUE(match("^(?!a|b)", "c"));
  EXPECT_FALSE(match("^(?!a|b)", "b"));
  EXPECT_TRUE(match("^(?=a$)(?:a|b)", "a"));
}

TEST(SchemaPattern, RefusesWhatLinearTimeCannotDo) {
  EXPECT_NE(refusal("a(?=b)").find("look-ahead"), std::string::npos);
  EXPECT_NE(refusal("(?=b)").find("look-ahead"), std::string::npos);
  EXPECT_NE(refusal("^(?=a)b|c").find("\"|\""), std::string::npos);
  EXPECT_NE(refusal("(?<=a)b").find("look-behind"), std::string::npos);
  EXPECT_NE(refusal("(?<!a)b").find("look-behind"), std::string::npos);
  EXPECT_NE(refusal(R"((a)\1)").find("back-reference"), std::string::npos);
  EXPECT_NE(refusal(R"((?<x>a)\k<x>)").find("back-reference"), std::string::npos);
}

TEST(SchemaPattern, RefusesWhatIsNoPattern) {
  for (const char* pattern : {"(", ")", "[", "a**", "\\", R"(\u12)", R"(\u{110000})", R"(\ud800)",
                              R"(\ud83d\u0041)", R"(\Z)", R"([\B])", R"(\x1)", "(?P<n>a)", "(?<n",
                              "(?m:a)", "^(?=a", "[b-a]", R"(\u{})"}) {
    EXPECT_NE(refusal(pattern), "") << pattern;
  }
}

TEST(SchemaPattern, HasLimits) {
  EXPECT_TRUE(Pattern::compile(std::string(kPatternBytesMax, 'a')));
  EXPECT_NE(refusal(std::string(kPatternBytesMax + 1, 'a')).find("4096"), std::string::npos);
  std::string many = "^";
  for (std::size_t i = 0; i < kConditionsMax; ++i) many += "(?=a)";
  EXPECT_TRUE(Pattern::compile(many));
  EXPECT_NE(refusal(many + "(?=a)"), "");
  EXPECT_NE(refusal("(((a{1000}){1000}){1000})"), "");
  EXPECT_NE(refusal(std::string(60, '(') + std::string(60, ')')).find("deep"), std::string::npos);
}

TEST(SchemaPattern, TakesLinearTimeForThePatternsThatOthersDieOf) {
  const std::string text(100'000, 'a');
  EXPECT_FALSE(match("^(a+)+$", text + "b"));
  EXPECT_FALSE(match("(a|aa)+$x", text));
}

}  // namespace
}  // namespace anywire::schema
