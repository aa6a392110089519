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
  EXPECT_EQ(Operations::from_bits(0xff), Operations::all() | Operations{Operation::kManage});
  EXPECT_EQ(both & Operations{Operation::kRpc}, Operations{Operation::kRpc});
  EXPECT_FALSE(Operations::all().has(Operation::kManage)) << "it has to be written";
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

TEST(Capability, GrantsManageOnlyWhereItIsWritten) {
  EXPECT_FALSE(Capability::everything().allows(Operation::kManage, "a"));
  EXPECT_TRUE(Capability::unbounded().allows(Operation::kManage, "a"));
  EXPECT_TRUE(Capability::unbounded().allows(Operation::kPublish, "a"));
  EXPECT_FALSE(Capability::parse(R"({"*":["*"]})")->allows(Operation::kManage, "a"));
  EXPECT_TRUE(Capability::parse(R"({"*":["*","manage"]})")->allows(Operation::kManage, "a"));
}

TEST(Capability, IsReadFromJson) {
  const auto c = Capability::parse(R"( {"room:*": ["subscribe", "publish"], "news": []} )");
  ASSERT_TRUE(c);
  EXPECT_TRUE(c->allows(Operation::kPublish, "room:1"));
  EXPECT_FALSE(c->allows(Operation::kSubscribe, "news"));
  EXPECT_TRUE(Capability::parse("{}")->empty());
  for (const std::string text :
       {"", "[]", "7", "{\"a\":\"*\"}", "{\"a\":[\"read\"]}", "{\"a\":[1]}", "{\"\":[\"*\"]}",
        "{\"a\":[],\"a\":[]}", "{\"a\":[\"*\"]", "{\"a\":[\"*\"]}x"}) {
    EXPECT_FALSE(Capability::parse(text)) << text;
  }
}

TEST(Capability, IsCutDownToABound) {
  const Capability bound = capability({{"room:*", {Operation::kSubscribe, Operation::kPublish}},
                                       {"room:eu:*", {Operation::kHistory}},
                                       {"news", Operations::all()}});
  const Capability cut = capability({{"*", Operations::all()},
                                     {"room:eu:1", Operations::all()},
                                     {"room:?", {Operation::kPublish, Operation::kRpc}},
                                     {"news", {Operation::kSubscribe}},
                                     {"secret", Operations::all()}})
                             .within(bound);
  EXPECT_TRUE(cut.allows(Operation::kHistory, "room:eu:1"));
  EXPECT_TRUE(cut.allows(Operation::kPublish, "room:eu:1"));
  EXPECT_FALSE(cut.allows(Operation::kRpc, "room:eu:1"));
  EXPECT_TRUE(cut.allows(Operation::kPublish, "room:7"));
  EXPECT_TRUE(cut.allows(Operation::kSubscribe, "news"));
  EXPECT_FALSE(cut.allows(Operation::kSubscribe, "secret"));
  EXPECT_TRUE(cut.allows(Operation::kSubscribe, "room:7")) << "a part of *";
  EXPECT_TRUE(cut.allows(Operation::kHistory, "room:eu:2"));
  EXPECT_FALSE(cut.allows(Operation::kHistory, "room:7"));
  EXPECT_FALSE(cut.allows(Operation::kSubscribe, "other"));
  EXPECT_EQ(bound.within(Capability::unbounded()), bound);
  EXPECT_TRUE(bound.within({}).empty());
}

TEST(Capability, OfAWidePatternKeepsThePartsItsBoundHas) {
  const Capability bound = capability({{"news:*", {Operation::kSubscribe}},
                                       {"*:eu", {Operation::kSubscribe, Operation::kPublish}}});
  const Capability all = capability({{"*", {Operation::kSubscribe, Operation::kHistory}}});
  EXPECT_EQ(all.within(bound), capability({{"news:*", {Operation::kSubscribe}},
                                           {"*:eu", {Operation::kSubscribe}}}));
  const Capability overlapping = capability({{"chat:*", Operations::all()}});
  EXPECT_TRUE(overlapping.within(bound).empty()) << "chat:*:eu would be more than it can say";
  // As many entries as there may be, each of which takes as many of the bound's.
  Capability wide;
  Capability narrow;
  for (std::size_t i = 0; i < kCapabilityPatternsMax; ++i) {
    ASSERT_TRUE(wide.add("a*" + std::string(i / 2, '?') + (i % 2 ? "" : "?b*"), Operations::all()));
    ASSERT_TRUE(narrow.add("a" + std::string(200, 'b') + std::to_string(i), Operations::all()));
  }
  EXPECT_LE(wide.within(narrow).bytes(), kCapabilityPatternsMax * 256);
}

// Whatever is asked for, it is never more than either of the two has.
TEST(Capability, NeverGrantsMoreThanItsBound) {
  const std::string patterns[] = {"*", "a*", "*a", "a?", "?", "a", "ab", "*b*", "{sub}", "a*b"};
  const std::string names[] = {"a", "b", "ab", "aa", "ba", "aab", "abb", "bab", "{sub}"};
  unsigned bits = 1;
  for (const std::string& wanted : patterns) {
    for (const std::string& bounding : patterns) {
      bits = bits * 5 % 63 + 1;
      const Capability c = capability({{wanted.c_str(), Operations::from_bits(bits)}});
      const Capability bound =
          capability({{bounding.c_str(), Operations::from_bits(bits * 7 % 63 + 1)}});
      const Capability cut = c.within(bound);
      for (const std::string& name : names) {
        for (const Operation operation : kEvery) {
          if (!cut.allows(operation, name)) continue;
          EXPECT_TRUE(c.allows(operation, name) && bound.allows(operation, name))
              << wanted << ' ' << bounding << ' ' << name;
        }
      }
    }
  }
}

TEST(Capability, PutsTheUserIntoItsPatterns) {
  const Capability c = capability({{"user:{sub}:*", Operations::all()},
                                   {"{sub}-{sub}", {Operation::kRpc}},
                                   {"room", {Operation::kSubscribe}}});
  const Capability ann = c.for_user("ann");
  EXPECT_TRUE(ann.allows(Operation::kPublish, "user:ann:inbox"));
  EXPECT_FALSE(ann.allows(Operation::kPublish, "user:bob:inbox"));
  EXPECT_TRUE(ann.allows(Operation::kRpc, "ann-ann"));
  EXPECT_TRUE(ann.allows(Operation::kSubscribe, "room"));
  const std::string users[] = {"", "*", "?", "a*b", std::string(300, 'u')};
  for (const std::string& user : users) {
    const Capability none = c.for_user(user);
    EXPECT_FALSE(none.allows(Operation::kPublish, "user:ann:inbox")) << user;
    EXPECT_FALSE(none.allows(Operation::kPublish, "user:" + user + ":inbox")) << user;
    EXPECT_TRUE(none.allows(Operation::kSubscribe, "room")) << user;
  }
  EXPECT_TRUE(c.for_user("{sub}").allows(Operation::kPublish, "user:{sub}:x")) << "put in once";
}

TEST(Capability, AddsUpWithAnotherOneAsFarAsThereIsRoom) {
  Capability c = capability({{"a", {Operation::kSubscribe}}});
  c.add(capability({{"b", {Operation::kPublish}}}));
  EXPECT_TRUE(c.allows(Operation::kSubscribe, "a"));
  EXPECT_TRUE(c.allows(Operation::kPublish, "b"));
  for (int i = 0; i < 20; ++i) c.add(c);
  EXPECT_LE(c.bytes(), kCapabilityPatternsMax * 3);
  c.add(capability({{"c", {Operation::kPublish}}}));
  EXPECT_FALSE(c.allows(Operation::kPublish, "c")) << "it is full";
}

TEST(Capability, CostsAConnectionLittle) {
  EXPECT_LE(sizeof(Capability), 32u);
}

}  // namespace
}  // namespace anywire::auth
