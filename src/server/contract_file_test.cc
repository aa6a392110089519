#include "server/contract_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>

namespace anywire::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ContractFileTest : public ::testing::Test {
 protected:
  auto load() {
    return load_validation(config, [this](const std::string& path) -> Result<std::string> {
      const auto found = files.find(path);
      if (found == files.end()) return fail(ErrorCode::kIo, "No such file or directory", ENOENT);
      return found->second;
    });
  }
  auto contract(std::string text) {
    config.contract.file = "c.json";
    files["c.json"] = std::move(text);
    return load();
  }
  std::vector<std::string> problems(std::string text) {
    auto loaded = contract(std::move(text));
    EXPECT_FALSE(loaded);
    return loaded ? std::vector<std::string>() : loaded.error();
  }

  Config config;
  std::map<std::string, std::string> files;
};

hub::ChannelRule rule_of(std::string schema, std::string events = "") {
  hub::ChannelRule rule;
  rule.schema = std::move(schema);
  rule.event_schemas = std::move(events);
  return rule;
}

TEST_F(ContractFileTest, ThereIsNoValidationWhereNothingIsConfigured) {
  const auto loaded = load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->validation, nullptr);
  EXPECT_THAT(loaded->hints, IsEmpty());
}

TEST_F(ContractFileTest, ReadsAllOfAContract) {
  const auto loaded = contract(R"({"version":1,"channels":[
      {"pattern":"room:*","message":{"type":"object"},"events":{"joined":{"type":"null"}},
       "presence":{"required":["name"]}},
      {"pattern":"free"}],
      "rpc":{"add":{"input":{"type":"array"},"output":{"type":"number"}},"ping":{}}})");
  ASSERT_TRUE(loaded) << loaded.error().front();
  const protocol::Validation& validation = *loaded->validation;
  const hub::ChannelRule rule;
  EXPECT_TRUE(validation.check(rule, {.channel = "room:1", .payload = "1"}));
  EXPECT_FALSE(validation.check(rule, {.channel = "room:1", .event = "joined", .payload = "null"}));
  EXPECT_TRUE(validation.check(rule, {.channel = "room:1", .event = "left", .payload = "null"}));
  EXPECT_FALSE(validation.check(rule, {.channel = "free", .payload = "1"}));
  EXPECT_EQ(validation.check_presence("room:1", "{}")->message,
            "the data must have the member \"name\"");
  EXPECT_TRUE(validation.check_rpc_input("add", "1"));
  EXPECT_TRUE(validation.check_rpc_output("add", "[]"));
}

TEST_F(ContractFileTest, SaysWhereTheJsonBreaks) {
  EXPECT_THAT(problems("{\n  \"version\": 1,\n  oops\n}"),
              ElementsAre(StartsWith("c.json:3:3: ")));
  config.contract.file = "nowhere.json";
  EXPECT_THAT(load().error(),
              ElementsAre(AllOf(HasSubstr("\"contract.file\""), HasSubstr("nowhere.json"),
                                HasSubstr("No such file"))));
}

TEST_F(ContractFileTest, SaysEverythingThatIsWrongWithItsPlace) {
  EXPECT_THAT(
      problems(R"({"version": 2,
"chanels": [],
"channels": [
  {"pattern": "a*", "message": {"type": "strin"}},
  {"pattern": "", "messge": true},
  {"message": true},
  7,
  {"pattern": "b", "events": []}],
"rpc": {"x": {"input": {"properties": {"n": {"minimum": "0"}}}, "out": true}, "y": 1}})"),
      ElementsAre(
          AllOf(StartsWith("c.json:2:12: \"/chanels\""), HasSubstr("did you mean \"channels\"?")),
          StartsWith("c.json:1:13: \"/version\" must be 1"),
          AllOf(StartsWith("c.json:4:41: \"/channels/0/message/type\""),
                HasSubstr("did you mean \"string\"?")),
          AllOf(StartsWith("c.json:5:29: \"/channels/1/messge\""),
                HasSubstr("did you mean \"message\"?")),
          StartsWith("c.json:5:15: \"/channels/1/pattern\""),
          StartsWith("c.json:6:3: \"/channels/2/pattern\""),
          StartsWith("c.json:7:3: \"/channels/3\" must be an object"),
          StartsWith("c.json:8:30: \"/channels/4/events\" must be an object"),
          StartsWith("c.json:9:72: \"/rpc/x/out\""),
          StartsWith("c.json:9:57: \"/rpc/x/input/properties/n/minimum\" must be a number"),
          StartsWith("c.json:9:84: \"/rpc/y\" must be an object")));
}

TEST_F(ContractFileTest, RefusesWhatIsNoContract) {
  EXPECT_THAT(problems("[]"), ElementsAre("c.json:1:1: \"/\" must be an object"));
  EXPECT_THAT(problems("{}"), ElementsAre("c.json:1:1: \"/version\" must be 1"));
  std::string many = R"({"version":1,"channels":[)";
  for (std::size_t i = 0; i < kContractChannelsMax; ++i) many += R"({"pattern":"a"},)";
  EXPECT_TRUE(contract(many.substr(0, many.size() - 1) + "]}"));
  EXPECT_THAT(problems(many + R"({"pattern":"a"}]})"), ElementsAre(HasSubstr("256")));
}

TEST_F(ContractFileTest, HintsAtSlipsOfThePen) {
  const auto loaded = contract(R"({"version":1,"channels":[{"pattern":"a",
 "message":{"properties":{"a":{"maxlength":3}}}}]})");
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->hints,
              ElementsAre("c.json:2:44: \"/channels/0/message/properties/a/maxlength\" there is no "
                          "keyword \"maxlength\"; did you mean \"maxLength\"?"));
}

TEST_F(ContractFileTest, ReadsTheSchemasOfRules) {
  config.channels = {rule_of(""), rule_of("text.json"), rule_of("", "events.json")};
  config.channel_defaults = rule_of("text.json");
  files["text.json"] = R"({"type":"string"})";
  files["events.json"] = R"({"a":true,"b":false})";
  const auto loaded = load();
  ASSERT_TRUE(loaded) << loaded.error().front();
  const hub::Rules rules(config.channels, config.channel_defaults);
  const auto passes = [&](std::size_t index, std::string_view event, std::string_view payload) {
    hub::ChannelRule rule;
    rule.index = index;
    return !loaded->validation->check(rule, {.channel = "c", .event = event, .payload = payload});
  };
  EXPECT_TRUE(passes(0, "", "1"));
  EXPECT_FALSE(passes(1, "", "1"));
  EXPECT_TRUE(passes(1, "", "\"a\""));
  EXPECT_TRUE(passes(2, "a", "1"));
  EXPECT_FALSE(passes(2, "b", "1"));
  EXPECT_FALSE(passes(2, "c", "1"));
  EXPECT_FALSE(passes(3, "", "1"));
  EXPECT_EQ(rules.find("c").index, 0u);
}

TEST_F(ContractFileTest, SaysWhichRuleNamesAFileThatIsWrong) {
  config.channels = {rule_of("none.json"), rule_of("bad.json", "list.json")};
  files["bad.json"] = "{\"type\":\n\"strin\"}";
  files["list.json"] = "[]";
  EXPECT_THAT(load().error(),
              ElementsAre(HasSubstr("\"channels.schema\" of rule 1"),
                          StartsWith("bad.json:2:1: \"/type\""),
                          StartsWith("list.json:1:1: \"/\" must be an object")));
}

TEST_F(ContractFileTest, TheExampleIsAContract) {
  std::ostringstream text;
  text << std::ifstream(ANYWIRE_SOURCE_DIR "/examples/config/anywire.contract.json").rdbuf();
  const auto loaded = contract(text.str());
  ASSERT_TRUE(loaded) << loaded.error().front();
  EXPECT_THAT(loaded->hints, IsEmpty());
  EXPECT_FALSE(loaded->validation->check(
      {}, {.channel = "room:42", .payload = R"({"text":"hello"})"}));
  EXPECT_TRUE(loaded->validation->check({}, {.channel = "room:42", .payload = R"({"text":""})"}));
}

}  // namespace
}  // namespace anywire::server
