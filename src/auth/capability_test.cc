#include "auth/capability.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace anywire::auth {
namespace {

constexpr Operation kEvery[] = {Operation::kSubscribe, Operation::kPublish, Operation::kPresence,
                                Operation::kHistory, Operation::kRpc};

Capability capability(std::initializer_list<std::pair<const char*, Operations>> entries) {
  Capability result;
  for (const auto& [pattern, operations] : entries) EXPECT_TRUE(result.add(pattern, operations));
  return result;
}

Glob glob(std::string_view text) { return Glob::parse(text).value(); }

TEST(Operations, HaveNamesThatAreReadBack) {
  for (const Operation operation : kEvery) {
    const auto read = parse_operation(name(operation));
    ASSERT_TRUE(read) << name(operation);
    EXPECT_EQ(*read, Operations{operation});
  }
  EXPECT_EQ(parse_operation("*"), Operations::all());
  for (const char* text : {"", "Subscribe", "subscribe ", "subsribe", "**", "all"}) {
    EXPECT_FALSE(parse_operation(text)) << text;
  }
}

TEST(Operations, AreASet) {
  const Operations both{Operation::kSubscribe, Operation::kRpc};
  EXPECT_TRUE(both.has(Operation::kSubscribe));
  EXPECT_TRUE(both.has(Operation::kRpc));
  EXPECT_FALSE(both.has(Operation::kPublish));
  EXPECT_EQ(Operations{Operation::kSubscribe} | Operations{Operation::kRpc}, both);
  EXPECT_EQ(Operations::from_bits(both.bits()), both);
  EXPECT_EQ(Operations::from_bits(0xff), Operations::all());
  EXPECT_TRUE(Operations().empty());
  for (const Operation operation : kEvery) EXPECT_TRUE(Operations::all().has(operation));
}

TEST(Capability, GrantsNothingByItself) {
  for (const Operation operation : kEvery) EXPECT_FALSE(Capability().allows(operation, "a"));
  EXPECT_TRUE(Capability().empty());
}

TEST(Capability, GrantsEverythingToWhoIsTrusted) {
  for (const Operation operation : kEvery) {
    EXPECT_TRUE(Capability::everything().allows(operation, "any:channel/at all"));
    EXPECT_TRUE(Capability::everything().allows(operation, glob("*")));
  }
}

TEST(Capability, GrantsOperationsPerPattern) {
  const Capability c =
      capability({{"chat:*", {Operation::kSubscribe, Operation::kPublish}},
                  {"news", {Operation::kSubscribe}},
                  {"none", {}}});
  EXPECT_TRUE(c.allows(Operation::kSubscribe, "chat:1"));
  EXPECT_TRUE(c.allows(Operation::kPublish, "chat:1"));
  EXPECT_FALSE(c.allows(Operation::kHistory, "chat:1"));
  EXPECT_TRUE(c.allows(Operation::kSubscribe, "news"));
  EXPECT_FALSE(c.allows(Operation::kPublish, "news"));
  EXPECT_FALSE(c.allows(Operation::kSubscribe, "news2"));
  EXPECT_FALSE(c.allows(Operation::kSubscribe, "none"));
}

TEST(Capability, AddsUpWhatSeveralPatternsGrant) {
  const Capability c = capability({{"a:*", {Operation::kSubscribe}},
                                   {"*:b", {Operation::kPublish}},
                                   {"a:*", {Operation::kHistory}}});
  for (const Operation operation :
       {Operation::kSubscribe, Operation::kPublish, Operation::kHistory}) {
    EXPECT_TRUE(c.allows(operation, "a:b"));
  }
  EXPECT_FALSE(c.allows(Operation::kRpc, "a:b"));
}

TEST(Capability, GrantsAWildcardOnlyToWhoHasAllOfIt) {
  const Capability c = capability({{"room-*", {Operation::kSubscribe}},
                                   {"log", {Operation::kSubscribe}},
                                   {"x-?", {Operation::kSubscribe}}});
  EXPECT_TRUE(c.allows(Operation::kSubscribe, glob("room-*")));
  EXPECT_TRUE(c.allows(Operation::kSubscribe, glob("room-eu-*")));
  EXPECT_FALSE(c.allows(Operation::kPublish, glob("room-*")));
  EXPECT_FALSE(c.allows(Operation::kSubscribe, glob("*")));
  EXPECT_FALSE(c.allows(Operation::kSubscribe, glob("lo*")));
  EXPECT_FALSE(c.allows(Operation::kSubscribe, glob("x-*")));
}

TEST(Capability, RefusesPatternsThatAreNoneAndStaysAsItWas) {
  Capability c = capability({{"a", {Operation::kRpc}}});
  const Capability before = c;
  EXPECT_FALSE(c.add("", Operations::all()));
  EXPECT_FALSE(c.add("\xff", Operations::all()));
  EXPECT_FALSE(c.add(std::string(kGlobBytesMax + 1, 'a'), Operations::all()));
  EXPECT_EQ(c, before);
}

TEST(Capability, HoldsPatternsOfEveryLength) {
  for (std::size_t length = 1; length <= kGlobBytesMax; ++length) {
    const std::string wide = std::string(length - 1, 'a') + '*', last(length, 'b');
    Capability c;
    ASSERT_TRUE(c.add(wide, {Operation::kSubscribe}));
    ASSERT_TRUE(c.add(last, {Operation::kPublish}));
    EXPECT_TRUE(c.allows(Operation::kSubscribe, std::string(length, 'a'))) << length;
    EXPECT_TRUE(c.allows(Operation::kPublish, last)) << length;
    EXPECT_FALSE(c.allows(Operation::kPublish, last + 'b')) << length;
  }
}

TEST(Capability, EndsAt256Patterns) {
  Capability c;
  for (std::size_t i = 0; i < kCapabilityPatternsMax; ++i) {
    ASSERT_TRUE(c.add(fmt::format("channel-{}", i), {Operation::kSubscribe}));
  }
  const auto more = c.add("more", {Operation::kSubscribe});
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, ErrorCode::kLimit);
  EXPECT_TRUE(c.allows(Operation::kSubscribe, "channel-255"));
  EXPECT_FALSE(c.allows(Operation::kSubscribe, "more"));
}

TEST(Capability, CostsAConnectionLittle) {
  EXPECT_LE(sizeof(Capability), 32u);
}

}  // namespace
}  // namespace anywire::auth
