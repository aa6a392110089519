// [[keys]]: how they are written in files, variables and flags, and what is refused.
#include "server/config_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config_loader.h"

namespace anywire::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kSecret = "a secret of thirty-two bytes, ok";

LoadInputs file(const std::string& text) {
  LoadInputs inputs;
  inputs.config_path = "anywire.toml";
  inputs.read_file = [text](const std::string&) -> Result<std::string> { return text; };
  return inputs;
}

std::vector<std::string> problems(const std::string& text) {
  const auto config = load(file(text));
  return config ? std::vector<std::string>() : config.error();
}

TEST(ConfigKeys, AreAListOfTables) {
  const auto config = load(file("[[keys]]\nname = \"web\"\nsecret = \"" + kSecret +
                                "\"\n\n[[keys]]\nname = \"idp\"\nalgorithm = \"EdDSA\"\n"
                                "public_key_file = \"idp.pem\"\n"
                                "capability = '{\"room:*\": [\"*\"]}'\n"));
  ASSERT_TRUE(config) << testing::PrintToString(config.error());
  ASSERT_EQ(config->keys.size(), 2u);
  EXPECT_EQ(config->keys[0].name, "web");
  EXPECT_EQ(config->keys[0].algorithm, auth::Algorithm::kHs256);
  EXPECT_EQ(config->keys[1].algorithm, auth::Algorithm::kEdDsa);
  EXPECT_EQ(config->keys[1].capability, R"({"room:*": ["*"]})");
  EXPECT_TRUE(has_keys(*config));
  EXPECT_FALSE(has_keys(Config()));
}

TEST(ConfigKeys, ComeFromAVariableAndReplaceTheFiles) {
  LoadInputs inputs = file("[[keys]]\nname = \"old\"\nsecret_file = \"x\"\n");
  inputs.environment["ANYWIRE_KEYS"] = R"([{"name":"new","secret":")" + kSecret + "\"}]";
  const auto config = load(inputs);
  ASSERT_TRUE(config) << testing::PrintToString(config.error());
  ASSERT_EQ(config->keys.size(), 1u);
  EXPECT_EQ(config->keys[0].name, "new");
  inputs.flags.push_back({"keys", "", "--keys"});
  EXPECT_THAT(load(inputs)->keys, IsEmpty());
}

TEST(ConfigKeys, HaveWhatTheirAlgorithmNeeds) {
  EXPECT_THAT(problems("[[keys]]\nname = \"a\"\n"),
              ElementsAre(HasSubstr("anywire.toml:1:1: key 1 (\"a\") needs a \"secret\"")));
  EXPECT_THAT(problems("[[keys]]\nname = \"a\"\nsecret = \"" + kSecret +
                       "\"\nsecret_file = \"x\"\n"),
              ElementsAre(HasSubstr("one of them is it")));
  EXPECT_THAT(problems("[[keys]]\nname = \"a\"\nalgorithm = \"RS256\"\n"),
              ElementsAre(HasSubstr("needs a \"public_key_file\"")));
  EXPECT_THAT(problems("[[keys]]\nname = \"a\"\nalgorithm = \"RS256\"\nsecret_file = \"x\"\n"
                       "public_key_file = \"y\"\n"),
              ElementsAre(HasSubstr("has a secret")));
  EXPECT_THAT(problems("[[keys]]\nname = \"a\"\nsecret_file = \"x\"\npublic_key_file = \"y\"\n"),
              ElementsAre(HasSubstr("needs a secret")));
}

TEST(ConfigKeys, AreNamedOnceAndPlainly) {
  const std::string one = "[[keys]]\nname = \"a\"\nsecret_file = \"x\"\n";
  EXPECT_THAT(problems(one + one), ElementsAre(HasSubstr("has the name of another one")));
  EXPECT_THAT(problems("[[keys]]\nsecret_file = \"x\"\n"),
              ElementsAre(HasSubstr("a key needs a \"name\"")));
  for (const char* name : {"", "a:b", "a\\\"b", "a\\\\b"}) {
    EXPECT_THAT(problems("[[keys]]\nname = \"" + std::string(name) + "\"\nsecret_file = \"x\"\n"),
                ElementsAre(HasSubstr("\"keys.name\" must be")))
        << name;
  }
}

TEST(ConfigKeys, SayWhatIsMisspelt) {
  EXPECT_THAT(problems("[[keys]]\nname = \"a\"\nsecret_fil = \"x\"\n"),
              ElementsAre(HasSubstr("did you mean \"secret_file\"?")));
  EXPECT_THAT(problems("[[keys]]\nname = \"a\"\nsecret_file = \"x\"\nalgorithm = \"ES265\"\n"),
              ElementsAre(HasSubstr("did you mean \"ES256\"?")));
  EXPECT_THAT(problems("[keys]\nname = \"a\"\n"), ElementsAre(HasSubstr("write [[keys]]")));
  EXPECT_THAT(problems("[[keys]]\nname = \"a\"\nsecret_file = \"x\"\ngrants = \"[]\"\n"),
              ElementsAre(HasSubstr("a JSON object of patterns")));
}

TEST(ConfigKeys, NeverShowASecret) {
  const auto short_one = problems("[[keys]]\nname = \"a\"\nsecret = \"hunter2\"\n");
  ASSERT_EQ(short_one.size(), 1u);
  EXPECT_THAT(short_one[0], Not(HasSubstr("hunter2")));
  LoadInputs inputs;
  inputs.environment["ANYWIRE_KEYS"] = R"([{"name":"a","secret":"hunter2"}])";
  const auto refused = load(inputs);
  ASSERT_FALSE(refused);
  for (const std::string& problem : refused.error()) {
    EXPECT_THAT(problem, Not(HasSubstr("hunter2")));
  }
  Config config;
  config.keys.push_back({.name = "a", .secret = kSecret});
  EXPECT_THAT(format_list(key_list(), config), Not(HasSubstr(kSecret)));
}

TEST(ConfigKeys, EndAtTheirNumber) {
  std::string text;
  for (std::size_t i = 0; i < kConfiguredKeysMax; ++i) {
    text += "[[keys]]\nname = \"k" + std::to_string(i) + "\"\nsecret_file = \"x\"\n";
  }
  EXPECT_THAT(problems(text), IsEmpty());
  EXPECT_THAT(problems(text + "[[keys]]\nname = \"more\"\n"),
              ElementsAre(HasSubstr("16 is the limit")));
}

TEST(ConfigAuth, TakesACookieOnlyWithNamedOrigins) {
  EXPECT_THAT(problems("[auth]\ncookie = \"session\"\n"),
              ElementsAre(HasSubstr("\"http.allowed_origins\"")));
  EXPECT_THAT(problems("[auth]\ncookie = \"session\"\n[http]\n"
                       "allowed_origins = [\"null\", \"*\"]\n"),
              ElementsAre(HasSubstr("\"null\"")));
  EXPECT_THAT(problems("[auth]\ncookie = \"session\"\n[http]\n"
                       "allowed_origins = [\"https://app.example\"]\n"),
              IsEmpty());
  EXPECT_THAT(problems("[auth]\ncookie = \"a b\"\n"), ElementsAre(HasSubstr("name of a cookie")));
}

TEST(ConfigAuth, TakesUrlsThatCanBeFetched) {
  EXPECT_THAT(problems("[auth]\njwks_url = \"https://idp.example/jwks.json\"\n"), IsEmpty());
  for (const char* url : {"idp.example", "file:///etc/passwd", "https://user:pw@idp.example/"}) {
    EXPECT_THAT(problems("[auth]\njwks_url = \"" + std::string(url) + "\"\n"),
                ElementsAre(HasSubstr("a URL such as")))
        << url;
  }
}

}  // namespace
}  // namespace anywire::server
