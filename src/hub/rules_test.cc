#include "hub/rules.h"

#include <gtest/gtest.h>

namespace anywire::hub {
namespace {

using auth::Operation;

auth::Glob glob(std::string_view text) { return auth::Glob::parse(text).value(); }

ChannelRule rule(std::string_view pattern, int history_messages) {
  ChannelRule r;
  r.pattern = glob(pattern);
  r.history_messages = history_messages;
  return r;
}

auth::Identity user(std::string id, auth::Capability capability = {}) {
  auth::Identity identity;
  identity.user_id = std::move(id);
  identity.capability = std::move(capability);
  return identity;
}

auth::Capability granting(std::string_view pattern, auth::Operations operations) {
  auth::Capability capability;
  EXPECT_TRUE(capability.add(pattern, operations));
  return capability;
}

TEST(Rules, TakeTheFirstPatternThatMatches) {
  const Rules rules({rule("chat:vip:*", 1), rule("chat:*", 2), rule("*:log", 3), rule("news", 4)},
                    rule("*", 5));
  EXPECT_EQ(rules.find("chat:vip:7").history_messages, 1);
  EXPECT_EQ(rules.find("chat:eu").history_messages, 2);
  EXPECT_EQ(rules.find("chat:log").history_messages, 2);
  EXPECT_EQ(rules.find("app:log").history_messages, 3);
  EXPECT_EQ(rules.find("news").history_messages, 4);
  EXPECT_EQ(rules.find("newspaper").history_messages, 5);
  EXPECT_EQ(rules.find("").history_messages, 5);
  EXPECT_EQ(rules.size(), 5u);
}

TEST(Rules, HaveOneForEverythingEvenWhenEmpty) {
  const Rules rules;
  EXPECT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules.find("anything").subscribe, Access::kCapability);
}

TEST(Rules, UseTheFallbackWhateverItsPattern) {
  const Rules rules({}, rule("only-this", 7));
  EXPECT_EQ(rules.find("something else").history_messages, 7);
  EXPECT_TRUE(rules.find("something else").pattern.matches_all());
}

TEST(Rules, GiveTheSameReferenceEachTime) {
  const Rules rules({rule("a*", 1)}, rule("*", 2));
  EXPECT_EQ(&rules.find("a1"), &rules.find("a2"));
  EXPECT_NE(&rules.find("a1"), &rules.find("b"));
}

TEST(Rules, DecideWhatAutoMeans) {
  ChannelRule latest = rule("latest", 5);
  latest.slow_consumer = SlowConsumer::kLatest;
  const Rules rules({rule("history", 1), latest}, rule("*", 0));
  EXPECT_EQ(rules.find("history").slow_consumer, SlowConsumer::kRecover);
  EXPECT_EQ(rules.find("latest").slow_consumer, SlowConsumer::kLatest);
  EXPECT_EQ(rules.find("other").slow_consumer, SlowConsumer::kDisconnect);
}

TEST(Rules, MayBe256) {
  const Rules rules(std::vector<ChannelRule>(kRulesMax, rule("x", 1)), rule("*", 2));
  EXPECT_EQ(rules.find("y").history_messages, 2);
  EXPECT_DEATH(Rules(std::vector<ChannelRule>(kRulesMax + 1)), "kRulesMax");
}

TEST(ChannelRule, LetsEveryProtocolInUnlessItNamesSome) {
  ChannelRule r;
  EXPECT_TRUE(r.allows_protocol("raw"));
  r.protocols = {"native"};
  EXPECT_TRUE(r.allows_protocol("native"));
  EXPECT_FALSE(r.allows_protocol("raw"));
  EXPECT_FALSE(r.allows_protocol(""));
}

TEST(Permits, AsksEachOperationsOwnAccess) {
  ChannelRule r;
  r.subscribe = Access::kAnyone;
  r.publish = Access::kUsers;
  r.history_access = Access::kAnyone;
  r.presence_access = Access::kCapability;
  const auth::Identity nobody, alice = user("alice");
  EXPECT_TRUE(permits(r, Operation::kSubscribe, nobody, "c"));
  EXPECT_TRUE(permits(r, Operation::kHistory, nobody, "c"));
  EXPECT_FALSE(permits(r, Operation::kPublish, nobody, "c"));
  EXPECT_FALSE(permits(r, Operation::kRpc, nobody, "c"));
  EXPECT_FALSE(permits(r, Operation::kPresence, nobody, "c"));
  EXPECT_TRUE(permits(r, Operation::kPublish, alice, "c"));
  EXPECT_TRUE(permits(r, Operation::kRpc, alice, "c"));
  EXPECT_FALSE(permits(r, Operation::kPresence, alice, "c"));
}

TEST(Permits, AsksTheCapabilityForTheOperationItself) {
  const ChannelRule r;
  const auth::Identity alice =
      user("alice", granting("chat:*", {Operation::kSubscribe, Operation::kRpc}));
  EXPECT_TRUE(permits(r, Operation::kSubscribe, alice, "chat:1"));
  EXPECT_TRUE(permits(r, Operation::kRpc, alice, "chat:1"));
  EXPECT_FALSE(permits(r, Operation::kPublish, alice, "chat:1"));
  EXPECT_FALSE(permits(r, Operation::kSubscribe, alice, "other"));
}

TEST(Permits, NeedsNoUserIdForACapability) {
  const ChannelRule r;
  EXPECT_TRUE(permits(r, Operation::kSubscribe, user("", auth::Capability::everything()), "c"));
}

TEST(Permits, LetsAWildcardThroughOnlyWhole) {
  ChannelRule r;
  const auth::Identity alice = user("alice", granting("chat:*", {Operation::kSubscribe}));
  EXPECT_TRUE(permits(r, Operation::kSubscribe, alice, glob("chat:eu:*")));
  EXPECT_FALSE(permits(r, Operation::kSubscribe, alice, glob("*")));
  r.subscribe = Access::kUsers;
  EXPECT_TRUE(permits(r, Operation::kSubscribe, alice, glob("*")));
  EXPECT_FALSE(permits(r, Operation::kSubscribe, user(""), glob("*")));
}

}  // namespace
}  // namespace anywire::hub
