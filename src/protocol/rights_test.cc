#include "protocol/rights.h"

#include <gtest/gtest.h>

#include <string>

namespace anywire::protocol {
namespace {

using auth::Operation;

auth::Capability granting(std::string_view pattern, auth::Operations operations) {
  auth::Capability capability;
  EXPECT_TRUE(capability.add(pattern, operations));
  return capability;
}

TEST(Rights, GoByTheRuleOfTheChannel) {
  const Rights nobody({}, true);
  const Rights somebody({}, false);
  const Rights granted(granting("room:*", {Operation::kSubscribe}), true);
  hub::ChannelRule rule;
  rule.subscribe = hub::Access::kAnyone;
  rule.publish = hub::Access::kUsers;
  rule.history_access = hub::Access::kCapability;
  EXPECT_TRUE(nobody.permit(rule, Operation::kSubscribe, "c", "native", "ann"));
  EXPECT_FALSE(nobody.permit(rule, Operation::kPublish, "c", "native", "ann"));
  EXPECT_TRUE(somebody.permit(rule, Operation::kPublish, "c", "native", "ann"));
  EXPECT_FALSE(somebody.permit(rule, Operation::kHistory, "c", "native", "ann"));
  rule.subscribe = hub::Access::kCapability;
  EXPECT_TRUE(granted.permit(rule, Operation::kSubscribe, "room:1", "native", "ann"));
  EXPECT_FALSE(granted.permit(rule, Operation::kSubscribe, "c", "native", "ann"));
  EXPECT_FALSE(granted.permit(rule, Operation::kHistory, "room:1", "native", "ann"));
  EXPECT_TRUE(granted.permit(rule, Operation::kSubscribe, *auth::Glob::parse("room:a*"), "native"));
  EXPECT_FALSE(granted.permit(rule, Operation::kSubscribe, *auth::Glob::parse("*"), "native"));
}

TEST(Rights, KeepAUsersChannelToItself) {
  const Rights all(auth::Capability::everything(), false);
  const Rights none({}, false);
  hub::ChannelRule rule;
  rule.subscribe = rule.publish = rule.history_access = rule.presence_access =
      hub::Access::kAnyone;
  for (const auto operation : {Operation::kSubscribe, Operation::kHistory, Operation::kPresence}) {
    EXPECT_TRUE(none.permit(rule, operation, "$user:ann", "native", "ann"));
    for (const char* channel : {"$user:bob", "$user:ann2", "$user:an", "$user:", "$ann", "$"}) {
      EXPECT_FALSE(all.permit(rule, operation, channel, "native", "ann")) << channel;
    }
    EXPECT_FALSE(all.permit(rule, operation, "$user:", "native", "")) << "nobody has none";
    EXPECT_TRUE(none.permit(rule, operation, "user:bob", "native", "ann"));
  }
  EXPECT_TRUE(all.permit(rule, Operation::kPublish, "$user:bob", "native", "ann"));
  EXPECT_FALSE(none.permit(rule, Operation::kPublish, "$user:bob", "native", "ann"));
  EXPECT_FALSE(none.permit(rule, Operation::kPublish, "$user:ann", "native", "ann"));
  EXPECT_FALSE(all.permit(rule, Operation::kPublish, "$else", "native", "ann"));
  rule.protocols = {"raw"};
  EXPECT_FALSE(all.permit(rule, Operation::kSubscribe, "$user:ann", "native", "ann"));
}

TEST(Rights, EndWhereTheRuleDoesNotKnowTheProtocol) {
  const Rights all(auth::Capability::everything(), false);
  hub::ChannelRule rule;
  rule.protocols = {"raw"};
  EXPECT_TRUE(all.permit(rule, Operation::kSubscribe, "c", "raw", "ann"));
  EXPECT_FALSE(all.permit(rule, Operation::kSubscribe, "c", "native", "ann"));
  EXPECT_FALSE(all.permit(rule, Operation::kSubscribe, auth::Glob(), "native"));
}

TEST(Rights, OfWhatIsNoChannelAreTheCapabilitys) {
  const Rights rights(granting("sum*", {Operation::kRpc}), false);
  EXPECT_TRUE(rights.grant(Operation::kRpc, "sum"));
  EXPECT_FALSE(rights.grant(Operation::kRpc, "product"));
}

TEST(RightsPool, SharesWhatIsTheSame) {
  RightsPool pool;
  const auto one = pool.share(granting("a", {Operation::kRpc}), false);
  EXPECT_EQ(pool.share(granting("a", {Operation::kRpc}), false), one);
  EXPECT_NE(pool.share(granting("a", {Operation::kRpc}), true), one);
  EXPECT_NE(pool.share(granting("a", {Operation::kPublish}), false), one);
  EXPECT_EQ(pool.share(granting("a", {Operation::kRpc}), false), one);
}

TEST(RightsPool, ForgetsTheLeastUsed) {
  RightsPool pool;
  const auto first = pool.share(granting("first", {Operation::kRpc}), false);
  const auto second = pool.share(granting("second", {Operation::kRpc}), false);
  for (std::size_t i = 2; i < RightsPool::kKept; ++i) {
    pool.share(granting(std::to_string(i), {Operation::kRpc}), false);
  }
  EXPECT_EQ(pool.share(granting("first", {Operation::kRpc}), false), first);
  pool.share(granting("one more", {Operation::kRpc}), false);
  EXPECT_EQ(pool.share(granting("first", {Operation::kRpc}), false), first);
  EXPECT_NE(pool.share(granting("second", {Operation::kRpc}), false), second);
}

}  // namespace
}  // namespace anywire::protocol
