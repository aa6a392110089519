#include "protocol/validation.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace anywire::protocol {
namespace {

using broker::PayloadKind;

schema::Schema compiled(std::string_view json) {
  auto schema = schema::Schema::compile(json);
  EXPECT_TRUE(schema) << json;
  return *std::move(schema);
}

Validation::Events events(std::string_view name, std::string_view json) {
  Validation::Events all;
  all.emplace(std::string(name), compiled(json));
  return all;
}

auth::Glob glob(std::string_view text) { return *auth::Glob::parse(text); }

hub::ChannelRule rule(std::size_t index) {
  hub::ChannelRule made;
  made.index = index;
  return made;
}

const char* const kText = R"({"type":"object","properties":{"text":{"type":"string"}},
                              "required":["text"]})";

TEST(Validation, NamesThePathAndTheReason) {
  Validation::Parts parts;
  parts.rules.push_back({.message = compiled(kText)});
  const Validation validation(std::move(parts));
  EXPECT_FALSE(validation.check(rule(0), {.channel = "c", .payload = R"({"text":"hi"})"}));
  EXPECT_EQ(validation.check(rule(0), {.channel = "c", .payload = R"({"text":7})"}),
            (SchemaViolation{"/text", "what is at \"/text\" must be a text",
                             "must be a text, says /properties/text/type"}));
  EXPECT_EQ(validation.check(rule(0), {.channel = "c", .payload = "[]"}),
            (SchemaViolation{"", "the data must be an object", "must be an object, says /type"}));
}

TEST(Validation, TakesNothingButJsonWhereThereIsASchema) {
  Validation::Parts parts;
  parts.rules.push_back({.message = compiled("true")});
  const Validation validation(std::move(parts));
  for (const PayloadKind kind : {PayloadKind::kText, PayloadKind::kBinary}) {
    const auto violation =
        validation.check(rule(0), {.channel = "c", .kind = kind, .payload = "{}"});
    ASSERT_TRUE(violation);
    EXPECT_EQ(violation->path, "");
    EXPECT_FALSE(validation.check(rule(1), {.channel = "c", .kind = kind, .payload = "{}"}));
  }
  // The raw protocol hands in what it has not looked at.
  for (const char* text : {"", "{", "hello", "\xFF", "{\"a\":1,\"a\":2}"}) {
    const auto violation = validation.check(rule(0), {.channel = "c", .payload = text});
    EXPECT_EQ(violation.has_value(), *text != '\0') << text;
  }
}

TEST(Validation, LeavesOtherChannelsAlone) {
  Validation::Parts parts;
  parts.rules.resize(2);
  parts.rules[1].message = compiled("false");
  parts.channels.push_back({.pattern = glob("room:*"), .message = compiled("false")});
  parts.channels.push_back({.pattern = glob("seen:*"), .presence = compiled("false")});
  const Validation validation(std::move(parts));
  EXPECT_FALSE(validation.covers(rule(0), "free"));
  EXPECT_TRUE(validation.covers(rule(1), "free"));
  EXPECT_FALSE(validation.covers(rule(2), "free"));
  EXPECT_TRUE(validation.covers(rule(0), "room:1"));
  EXPECT_FALSE(validation.covers(rule(0), "seen:1"));
  EXPECT_FALSE(validation.check(rule(0), {.channel = "free", .payload = "1"}));
  EXPECT_TRUE(validation.check(rule(1), {.channel = "free", .payload = "1"}));
  EXPECT_TRUE(validation.check(rule(0), {.channel = "room:1", .payload = "1"}));
}

TEST(Validation, OfARuleEventsAreAListThatIsComplete) {
  Validation::Parts parts;
  parts.rules.push_back({.events = events("joined", kText)});
  parts.rules.push_back({.message = compiled(R"({"type":"object"})"),
                         .events = events("joined", kText)});
  const Validation validation(std::move(parts));
  const auto passes = [&](std::size_t index, std::string_view event, std::string_view payload) {
    return !validation.check(rule(index), {.channel = "c", .event = event, .payload = payload});
  };
  EXPECT_TRUE(passes(0, "joined", R"({"text":"a"})"));
  EXPECT_FALSE(passes(0, "joined", "{}"));
  EXPECT_FALSE(passes(0, "left", R"({"text":"a"})"));
  EXPECT_FALSE(passes(0, "", R"({"text":"a"})"));
  EXPECT_TRUE(passes(1, "", "{}"));
  EXPECT_FALSE(passes(1, "", "1"));
  EXPECT_FALSE(passes(1, "joined", "{}"));
  EXPECT_TRUE(passes(1, "joined", R"({"text":"a"})"));
  EXPECT_FALSE(passes(1, "left", R"({"text":"a"})"));
}

// As @anywire/client checks it: packages/client/src/contract.ts.
TEST(Validation, OfAContractMessagesAreThoseWithoutEvent) {
  Validation::Parts parts;
  parts.channels.push_back({.pattern = glob("both"), .message = compiled(R"({"type":"null"})"),
                            .events = events("joined", kText)});
  parts.channels.push_back({.pattern = glob("all"), .message = compiled(R"({"type":"null"})")});
  parts.channels.push_back({.pattern = glob("events"), .events = events("joined", kText)});
  const Validation validation(std::move(parts));
  const auto passes = [&](std::string_view channel, std::string_view event,
                          std::string_view payload) {
    return !validation.check(rule(0), {.channel = channel, .event = event, .payload = payload});
  };
  EXPECT_TRUE(passes("both", "", "null"));
  EXPECT_FALSE(passes("both", "", R"({"text":"a"})"));
  EXPECT_TRUE(passes("both", "joined", R"({"text":"a"})"));
  EXPECT_FALSE(passes("both", "joined", "null"));
  EXPECT_FALSE(passes("both", "other", "null"));
  EXPECT_TRUE(passes("all", "whatever", "null"));
  EXPECT_FALSE(passes("all", "whatever", "1"));
  EXPECT_TRUE(passes("events", "", "1"));
}

TEST(Validation, TheFirstPatternOfTheContractDecidesAndTheRuleCountsBesides) {
  Validation::Parts parts;
  parts.rules.push_back({.message = compiled(R"({"minimum":0})")});
  parts.channels.push_back({.pattern = glob("room:vip"), .message = compiled(R"({"maximum":9})")});
  parts.channels.push_back({.pattern = glob("room:*"), .message = compiled(R"({"maximum":5})")});
  const Validation validation(std::move(parts));
  const auto passes = [&](std::string_view channel, std::string_view payload) {
    return !validation.check(rule(0), {.channel = channel, .payload = payload});
  };
  EXPECT_TRUE(passes("room:vip", "7"));
  EXPECT_FALSE(passes("room:a", "7"));
  EXPECT_FALSE(passes("room:vip", "-1"));
}

TEST(Validation, ChecksPresenceInfoWhereThereIsAny) {
  Validation::Parts parts;
  parts.channels.push_back({.pattern = glob("room:*"), .presence = compiled(kText)});
  const Validation validation(std::move(parts));
  EXPECT_FALSE(validation.check_presence("room:1", ""));
  EXPECT_FALSE(validation.check_presence("room:1", R"({"text":"a"})"));
  EXPECT_EQ(validation.check_presence("room:1", R"({"text":1})")->path, "/text");
  EXPECT_FALSE(validation.check_presence("other", "1"));
}

TEST(Validation, ChecksWhatMethodsTakeAndGive) {
  Validation::Parts parts;
  parts.methods.emplace("add", Validation::Method{.input = compiled(R"({"type":"array"})"),
                                                  .output = compiled(R"({"type":"number"})")});
  parts.methods.emplace("now", Validation::Method{});
  const Validation validation(std::move(parts));
  EXPECT_FALSE(validation.check_rpc_input("add", "[1,2]"));
  EXPECT_TRUE(validation.check_rpc_input("add", "{}"));
  // Leaving the argument out is no way round the schema.
  EXPECT_TRUE(validation.check_rpc_input("add", ""));
  EXPECT_FALSE(validation.check_rpc_output("add", "3"));
  EXPECT_TRUE(validation.check_rpc_output("add", "\"3\""));
  EXPECT_FALSE(validation.check_rpc_input("now", ""));
  EXPECT_FALSE(validation.check_rpc_input("unknown", "1"));
  EXPECT_FALSE(validation.check_rpc_output("unknown", "1"));
}

}  // namespace
}  // namespace anywire::protocol
