#include "protocol/app_fault.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace anywire::protocol {
namespace {

broker::Draft draft(broker::PayloadKind kind, std::string_view bytes, std::string_view event = {}) {
  broker::Draft draft;
  draft.kind = kind;
  draft.payload = Buffer::copy_of(as_bytes(bytes));
  draft.event = event;
  return draft;
}

broker::Draft json(std::string_view bytes, std::string_view event = {}) {
  return draft(broker::PayloadKind::kJson, bytes, event);
}

Validation rooms() {
  auto schema = schema::Schema::compile(R"({"properties":{"text":{"type":"string"}}})");
  EXPECT_TRUE(schema);
  Validation::Parts parts;
  parts.channels.push_back({.pattern = *auth::Glob::parse("room:*"),
                            .message = *std::move(schema),
                            .events = Validation::Events(),
                            .presence = {}});
  return Validation(std::move(parts));
}

TEST(BrokenRule, IsThatOfTheChannelsSchema) {
  const Validation validation = rooms();
  const auto check = [&](std::string_view channel, const broker::Draft& message) {
    return broken_rule({}, &validation, channel, message);
  };
  EXPECT_EQ(check("room:1", json(R"({"text":"hi"})")), std::nullopt);
  EXPECT_EQ(check("room:1", json(R"({"text":7})")),
            "must be a text, says /properties/text/type");
  EXPECT_EQ(check("room:1", json("{}", "left")), "the channel has no such event");
  EXPECT_EQ(check("room:1", draft(broker::PayloadKind::kText, "{}")),
            "messages of this channel are JSON, neither text nor binary");
  EXPECT_EQ(check("other", json(R"({"text":7})")), std::nullopt);
}

TEST(BrokenRule, IsTheChannelsSizeWithAndWithoutSchemas) {
  hub::ChannelRule rule;
  rule.message_bytes_max = 4;
  EXPECT_EQ(broken_rule(rule, nullptr, "a", json("1234")), std::nullopt);
  EXPECT_EQ(broken_rule(rule, nullptr, "a", json("12345")),
            "messages of this channel have at most 4 bytes");
  const Validation validation = rooms();
  EXPECT_EQ(broken_rule(rule, &validation, "room:1", json(R"({"text":7})")),
            "messages of this channel have at most 4 bytes");
  EXPECT_EQ(broken_rule({}, nullptr, "a", json("12345")), std::nullopt);
}

// The log is no place for what users wrote, names of members included.
TEST(BrokenRule, HasNothingOfTheData) {
  auto schema = schema::Schema::compile(R"({"additionalProperties":{"type":"string"}})");
  ASSERT_TRUE(schema);
  Validation::Parts parts;
  parts.rules.push_back({.message = *std::move(schema), .events = {}});
  const Validation validation(std::move(parts));
  EXPECT_EQ(broken_rule({}, &validation, "a", json(R"({"ann@example.com":4711})")),
            "must be a text, says /additionalProperties/type");
}

}  // namespace
}  // namespace anywire::protocol
