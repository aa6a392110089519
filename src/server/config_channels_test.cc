#include "server/config_channels.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "server/config_loader.h"

namespace anywire::server {
namespace {

using namespace std::chrono_literals;
using hub::Access;
using hub::SlowConsumer;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using Problems = std::vector<std::string>;

LoadInputs file(const std::string& text) {
  LoadInputs inputs;
  inputs.config_path = "anywire.toml";
  inputs.read_file = [text](const std::string&) -> Result<std::string> { return text; };
  return inputs;
}

Config loaded(const LoadInputs& inputs) {
  auto config = load(inputs);
  EXPECT_TRUE(config) << testing::PrintToString(config.error());
  return config.value_or(Config{});
}

Problems problems_in(const std::string& text) {
  auto config = load(file(text));
  return config ? Problems{} : config.error();
}

std::vector<std::string> patterns(const Config& config) {
  std::vector<std::string> all;
  for (const hub::ChannelRule& rule : config.channels) all.push_back(rule.pattern.pattern());
  return all;
}

// The rules of a variable or a flag, or its problems.
Config from_text(std::string_view text) {
  Config config;
  EXPECT_THAT(read_list_text(channel_list(), text, {}, config), IsEmpty()) << text;
  return config;
}
Problems problems_of(std::string_view text) {
  Config config;
  return read_list_text(channel_list(), text, {}, config);
}

TEST(ConfigChannels, ReadsEveryKeyOfARule) {
  const Config config = loaded(file(R"(
    [history]
    path = "/var/lib/anywire/history.db"
    [[channels]]
    pattern = "chat:*"
    history_messages = 100
    history_bytes_max = "64KiB"
    history_ttl = "10m"
    durable = true
    presence = true
    presence_grace = "3s"
    occupancy = true
    members_max = 50
    subscribe = "anyone"
    publish = "users"
    history_access = "users"
    presence_access = "anyone"
    slow_consumer = "latest"
    flush_window = "2ms"
    conflate = true
    delta = true
    message_bytes_max = "4KiB"
    protocols = ["native", "raw"]
  )"));
  ASSERT_EQ(config.channels.size(), 1u);
  const hub::ChannelRule& rule = config.channels[0];
  EXPECT_EQ(rule.pattern.pattern(), "chat:*");
  EXPECT_EQ(rule.history_messages, 100);
  EXPECT_EQ(rule.history_bytes_max, 65'536u);
  EXPECT_EQ(rule.history_ttl, 10min);
  EXPECT_EQ(rule.presence_grace, 3s);
  EXPECT_TRUE(rule.durable && rule.presence && rule.occupancy && rule.conflate && rule.delta);
  EXPECT_EQ(rule.members_max, 50);
  EXPECT_EQ(rule.subscribe, Access::kAnyone);
  EXPECT_EQ(rule.publish, Access::kUsers);
  EXPECT_EQ(rule.history_access, Access::kUsers);
  EXPECT_EQ(rule.presence_access, Access::kAnyone);
  EXPECT_EQ(rule.slow_consumer, SlowConsumer::kLatest);
  EXPECT_EQ(rule.flush_window, 2ms);
  EXPECT_EQ(rule.message_bytes_max, 4'096u);
  EXPECT_THAT(rule.protocols, ElementsAre("native", "raw"));
}

TEST(ConfigChannels, KeepsTheOrderOfTheFile) {
  const Config config = loaded(file("[[channels]]\npattern = \"z\"\n[server]\nloops = 1\n"
                                    "[[channels]]\npattern = \"b*\"\n"
                                    "[[channels]]\npattern = \"a\"\nhistory_messages = 3\n"));
  EXPECT_THAT(patterns(config), ElementsAre("z", "b*", "a"));
  const hub::Rules rules(config.channels, config.channel_defaults);
  EXPECT_EQ(rules.find("a").history_messages, 3);
  EXPECT_EQ(rules.find("a").slow_consumer, SlowConsumer::kRecover);
  EXPECT_EQ(rules.find("other").slow_consumer, SlowConsumer::kDisconnect);
}

TEST(ConfigChannels, StartsEachRuleFromTheDefaultsAndNotFromTheRuleBefore) {
  LoadInputs inputs = file("[[channels]]\npattern = \"a\"\npresence = true\npublish = \"users\"\n"
                           "[[channels]]\npattern = \"b\"\n");
  EXPECT_FALSE(loaded(inputs).channels[1].presence);
  EXPECT_EQ(loaded(inputs).channels[1].publish, Access::kCapability);
  inputs.defaults = dev_config();
  EXPECT_EQ(loaded(inputs).channels[0].subscribe, Access::kAnyone);
  EXPECT_EQ(loaded(inputs).channels[0].publish, Access::kUsers);
  EXPECT_EQ(loaded(inputs).channels[1].publish, Access::kAnyone);
}

TEST(ConfigChannels, TakesInlineTablesAndAnEmptyList) {
  EXPECT_THAT(patterns(loaded(file("channels = [{ pattern = \"a\" }, { pattern = \"b\" }]\n"))),
              ElementsAre("a", "b"));
  EXPECT_THAT(patterns(loaded(file("channels = []\n"))), IsEmpty());
}

TEST(ConfigChannels, SaysWhereEachProblemIs) {
  EXPECT_THAT(problems_in("[[channels]]\n"
                          "pattern = \"chat:*\"\n"
                          "histroy_messages = 5\n"
                          "flush_window = \"6ms\"\n"
                          "protocols = [\n  \"native\",\n  \"rwa\",\n]\n"
                          "[[channels]]\n"
                          "subscribe = \"user\"\n"),
              ElementsAre("anywire.toml:3:1: unknown key \"channels.histroy_messages\"; did you "
                          "mean \"history_messages\"?",
                          StartsWith("anywire.toml:4:16: \"channels.flush_window\" must be a "
                                     "duration from 0s to 5ms"),
                          "anywire.toml:7:3: \"channels.protocols\" must be a list of protocols, "
                          "\"native\" or \"raw\", got \"rwa\"",
                          "anywire.toml:9:1: a channel rule needs a \"pattern\"",
                          "anywire.toml:10:13: \"channels.subscribe\" must be \"anyone\", "
                          "\"users\" or \"capability\", got \"user\"; did you mean \"users\"?"));
}

TEST(ConfigChannels, RefusesWhatIsNoListOfTables) {
  for (const char* text : {"[channels]\npattern = \"a\"\n", "channels = 1\n", "channels = [1]\n",
                           "channels = [\"a\"]\n", "channels = [[]]\n", "channels = {}\n"}) {
    EXPECT_THAT(problems_in(text), ElementsAre(HasSubstr("write [[channels]]"))) << text;
  }
}

TEST(ConfigChannels, SaysWhichTableARulesKeyBelongsTo) {
  EXPECT_THAT(problems_in("[server]\nhistory_messages = 5\n"),
              ElementsAre(EndsWith("did you mean it in a table [[channels]]?")));
  EXPECT_THAT(problems_in("presence_grace = \"5s\"\n"),
              ElementsAre(EndsWith("did you mean it in a table [[channels]]?")));
  EXPECT_THAT(problems_in("[[channel]]\npattern = \"a\"\n"), ElementsAre(HasSubstr("unknown key")));
  EXPECT_THAT(problems_in("\"\" = 1\n"), ElementsAre("anywire.toml:1:1: unknown key \"\""));
}

TEST(ConfigChannels, RefusesPatternsThatAreNone) {
  for (const std::string& value :
       {std::string("\"\""), std::string("1"), std::string("[\"a\"]"), std::string("\"a\\nb\""),
        '"' + std::string(256, 'a') + '"'}) {
    EXPECT_THAT(problems_in("[[channels]]\npattern = " + value + "\n"),
                ElementsAre(StartsWith("anywire.toml:2:11: \"channels.pattern\" must be a pattern "
                                       "of 1 to 255 bytes")))
        << value;
  }
}

TEST(ConfigChannels, HoldsNumbersToTheirRange) {
  const auto outcome = [](const std::string& line) {
    return problems_in("[[channels]]\npattern = \"a\"\n" + line + "\n").size();
  };
  for (const char* line :
       {"history_messages = 1000000", "history_messages = 0", "history_bytes_max = \"1GiB\"",
        "history_ttl = 0", "history_ttl = \"8760h\"", "presence_grace = \"10m\"",
        "members_max = 1000000", "flush_window = \"5ms\"", "message_bytes_max = 0"}) {
    EXPECT_EQ(outcome(line), 0u) << line;
  }
  for (const char* line :
       {"history_messages = 1000001", "history_messages = -1", "history_bytes_max = 1023",
        "history_bytes_max = \"2GiB\"", "history_ttl = \"8761h\"", "presence_grace = \"11m\"",
        "members_max = 0", "flush_window = \"6ms\"", "flush_window = 1", "durable = 1",
        "message_bytes_max = \"2GiB\"", "slow_consumer = \"\"", "protocols = \"raw\""}) {
    EXPECT_EQ(outcome(line), 1u) << line;
  }
}

TEST(ConfigChannels, EndAt256) {
  std::string text;
  for (std::size_t i = 0; i < hub::kRulesMax; ++i) {
    text += fmt::format("[[channels]]\npattern = \"c{}\"\n", i);
  }
  EXPECT_EQ(loaded(file(text)).channels.size(), hub::kRulesMax);
  EXPECT_THAT(problems_in(text + "[[channels]]\npattern = \"more\"\n"),
              ElementsAre("anywire.toml:513:1: there are 257 channel rules; 256 is the limit"));
}

TEST(ConfigChannelsText, ReadsJsonAndToml) {
  for (const char* text :
       {R"([{"pattern":"a*","history_messages":7},{"pattern":"b","presence":true}])",
        R"([{pattern = "a*", history_messages = 7}, {pattern = "b", presence = true}])",
        "[\n  {pattern = 'a*', history_messages = 7},\n  {pattern = 'b', presence = true},\n]\n",
        " [ { \"pattern\" : \"\\u0061*\" , \"history_messages\" : 7 } , { \"pattern\": \"b\","
        "\"presence\":true}]\n"}) {
    const Config config = from_text(text);
    EXPECT_THAT(patterns(config), ElementsAre("a*", "b")) << text;
    EXPECT_EQ(config.channels.at(0).history_messages, 7);
    EXPECT_TRUE(config.channels.at(1).presence);
  }
}

TEST(ConfigChannelsText, TakesAnEmptyListAsNone) {
  for (const char* text : {"", "[]", " [ ] "}) {
    EXPECT_THAT(from_text(text).channels, IsEmpty()) << text;
  }
}

TEST(ConfigChannelsText, ReplacesTheListOfTheFile) {
  LoadInputs inputs = file("[[channels]]\npattern = \"file\"\n");
  EXPECT_THAT(patterns(loaded(inputs)), ElementsAre("file"));
  inputs.environment = {{"ANYWIRE_CHANNELS", R"([{"pattern":"variable"}])"}};
  EXPECT_THAT(patterns(loaded(inputs)), ElementsAre("variable"));
  inputs.flags = {{"channels", R"([{"pattern":"flag"}])", "--channels"}};
  EXPECT_THAT(patterns(loaded(inputs)), ElementsAre("flag"));
  inputs.flags = {{"channels", "[]", "--channels"}};
  EXPECT_THAT(patterns(loaded(inputs)), IsEmpty());
}

TEST(ConfigChannelsText, ReportsEveryProblemWithTheNumberOfItsRule) {
  LoadInputs inputs;
  inputs.environment = {
      {"ANYWIRE_CHANNELS", R"([{"pattern":"a*","history_messages":"x","prsence":true},{}])"}};
  const auto config = load(inputs);
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error(),
              ElementsAre("ANYWIRE_CHANNELS: rule 1: \"channels.history_messages\" must be a whole "
                          "number from 0 to 1000000, got \"x\"",
                          "ANYWIRE_CHANNELS: rule 1: unknown key \"channels.prsence\"; did you "
                          "mean \"presence\"?",
                          "ANYWIRE_CHANNELS: rule 2: a channel rule needs a \"pattern\""));
}

TEST(ConfigChannelsText, RefusesWhatIsNoListOfRules) {
  for (const char* text :
       {"a", "{}", "1", "[1]", "[[]]", "[\"a\"]", R"({"pattern":"a"})", "[{pattern=a}]", "[{]", "[",
        "[]\nx = 1", "[]\n[server]\nloops = 1", R"([{"pattern":"a"},])" "x", "\xff", "null"}) {
    const Problems problems = problems_of(text);
    ASSERT_EQ(problems.size(), 1u) << text;
    EXPECT_THAT(problems[0], StartsWith("\"channels\" must be a list of rules in JSON or TOML"));
  }
}

TEST(ConfigChannelsText, RefusesJsonOfOtherShapes) {
  EXPECT_THAT(problems_of(R"([{"pattern":"a","pattern":"b"}])"),
              ElementsAre("rule 1: \"channels.pattern\" is there twice"));
  EXPECT_THAT(problems_of(R"([{"pattern":null}])"), ElementsAre(EndsWith("got null")));
  EXPECT_THAT(problems_of(R"([{"pattern":{}}])"), ElementsAre(EndsWith("got an object")));
  EXPECT_THAT(problems_of(R"([{"pattern":"a","history_messages":1.5}])"),
              ElementsAre(EndsWith("got 1.5")));
  EXPECT_THAT(problems_of(R"([{"pattern":"a","history_messages":18446744073709551615}])"),
              ElementsAre(HasSubstr("must be a whole number")));
  EXPECT_THAT(problems_of(R"([{"pattern":"a","protocols":["raw",1]}])"),
              ElementsAre(EndsWith("got a list with something other than text in it")));
}

TEST(ConfigChannelsText, LeavesTheRulesAloneOnAProblem) {
  Config config = from_text(R"([{"pattern":"old"}])");
  EXPECT_FALSE(read_list_text(channel_list(), R"([{"pattern":"new"},{}])", {}, config).empty());
  EXPECT_THAT(patterns(config), ElementsAre("old"));
}

TEST(ConfigChannelsText, KeepsEveryProblemOnOneLine) {
  for (const std::string& text :
       {std::string(R"([{"a\nb":1}])"), std::string("[{\"a\\u001b[2J\" = 1}]"),
        std::string("[\x1b]"), '[' + std::string(5'000, '['), 
        R"([{"pattern":")" + std::string(5'000, 'x') + "\"}]"}) {
    const Problems problems = problems_of(text);
    EXPECT_FALSE(problems.empty());
    for (const std::string& problem : problems) {
      EXPECT_LT(problem.size(), 400u);
      for (const char c : problem) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << problem;
    }
  }
}

TEST(ConfigChannelsText, ReadsBackWhatItWrites) {
  const Config config = from_text(
      R"([{"pattern":"a \"b\" \\*","history_messages":7,"protocols":["raw","native"]},
          {"pattern":"c**?","slow_consumer":"drop","flush_window":"3ms","publish":"users"}])");
  const std::string text = format_list(channel_list(), config);
  EXPECT_EQ(text.find('\n'), text.npos);
  const Config again = from_text(text);
  EXPECT_EQ(format_list(channel_list(), again), text);
  EXPECT_THAT(patterns(again), ElementsAre("a \"b\" \\*", "c?*"));
  EXPECT_EQ(again.channels.at(1).slow_consumer, SlowConsumer::kDrop);
  EXPECT_EQ(format_list(channel_list(), Config{}), "[]");
}

// What each list of rules contradicts itself about.
Problems contradictions(std::string_view rules, const std::string& history_path = {}) {
  Config config = from_text(rules);
  config.history.path = history_path;
  return validate(config);
}

TEST(ConfigChannelsCheck, FindsRulesThatNeverApply) {
  EXPECT_THAT(contradictions(R"([{"pattern":"chat:*"},{"pattern":"chat:eu:*"}])"),
              ElementsAre("channel rule 2 (\"chat:eu:*\") never applies, because channel rule 1 "
                          "(\"chat:*\") takes all its channels; the first match wins"));
  EXPECT_EQ(contradictions(R"([{"pattern":"*"},{"pattern":"a"},{"pattern":"b"}])").size(), 2u);
  EXPECT_EQ(contradictions(R"([{"pattern":"a"},{"pattern":"a"}])").size(), 1u);
  EXPECT_THAT(contradictions(R"([{"pattern":"chat:eu:*"},{"pattern":"chat:*"},{"pattern":"*"}])"),
              IsEmpty());
}

TEST(ConfigChannelsCheck, NeedsHistoryAndAFileForDurableChannels) {
  const char* rules = R"([{"pattern":"a","durable":true,"history_messages":1}])";
  EXPECT_THAT(contradictions(rules), ElementsAre(HasSubstr("\"history.path\" names no file")));
  EXPECT_THAT(contradictions(rules, "history.db"), IsEmpty());
  EXPECT_THAT(contradictions(R"([{"pattern":"a","durable":true}])", "history.db"),
              ElementsAre(HasSubstr("keeps no history")));
}

TEST(ConfigChannelsCheck, SaysWhereTheContradictionIsAndWhatToDo) {
  const std::string rule = "[[channels]]\npattern = \"a\"\nhistory_messages = 5\n";
  const char* problem = "channel rule 1 (\"a\") is durable, but \"history.path\" names no file for "
                        "it: set one, such as path = \"/var/lib/anywire/history.db\" in [history]";
  EXPECT_THAT(problems_in(rule + "  durable = true\n"),
              ElementsAre(std::string("anywire.toml:4:3: ") + problem));
  EXPECT_THAT(problems_in("[history]\npath = \"\"\n" + rule + "durable = true\n"),
              ElementsAre(StartsWith("anywire.toml:6:1: ")));
  EXPECT_THAT(problems_in("[history]\npath = \"x.db\"\n" + rule + "durable = true\n"), IsEmpty());
  EXPECT_THAT(problems_in("[[channels]]\npattern = \"*\"\n[[channels]]\npattern = \"a\"\n"),
              ElementsAre(StartsWith("anywire.toml:4:1: channel rule 2 (\"a\") never applies")));
  // Given elsewhere the place is the variable's or the flag's name, also over a file's rules.
  LoadInputs inputs = file(rule);
  inputs.environment = {
      {"ANYWIRE_CHANNELS", R"([{"pattern":"a","history_messages":5,"durable":true}])"}};
  EXPECT_THAT(load(inputs).error(), ElementsAre(std::string("ANYWIRE_CHANNELS: ") + problem));
  inputs.flags = {{"history.path", "x.db", "--history.path"}};
  EXPECT_TRUE(load(inputs).has_value());
}

TEST(ConfigChannelsCheck, NeedsHistoryToRecoverFrom) {
  EXPECT_THAT(contradictions(R"([{"pattern":"a","slow_consumer":"recover"}])"),
              ElementsAre(StartsWith("channel rule 1 (\"a\") lets slow consumers recover")));
  EXPECT_THAT(
      contradictions(R"([{"pattern":"a","slow_consumer":"recover","history_messages":1}])"),
      IsEmpty());
}

TEST(ConfigChannelsCheck, KeepsRulesWithinTheLimitsOfTheWhole) {
  EXPECT_THAT(contradictions(R"([{"pattern":"a","message_bytes_max":"2MiB"}])"),
              ElementsAre(HasSubstr("above \"websocket.message_bytes_max\" (1MiB)")));
  EXPECT_THAT(
      contradictions(R"([{"pattern":"a","history_bytes_max":"512MiB","history_messages":1}])"),
      ElementsAre(HasSubstr("above \"history.memory_max\" (256MiB)")));
}

}  // namespace
}  // namespace anywire::server
