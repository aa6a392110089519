#include "broker/key_table.h"

#include <gtest/gtest.h>

#include "broker/testing/contract.h"

namespace anywire::broker {
namespace {

KeyTable::Entry at(std::uint64_t offset) { return {{}, {1, offset}}; }

TEST(KeyTable, FindsWhatWasAddedToThatChain) {
  KeyTable table(10);
  KeyTable::Chain a, b;
  table.add(a, "key", at(7), 100);
  ASSERT_NE(table.find(a, "key", 0), nullptr);
  EXPECT_EQ(table.find(a, "key", 0)->position.offset, 7u);
  EXPECT_EQ(table.find(b, "key", 0), nullptr);
  EXPECT_EQ(table.find(a, "other", 0), nullptr);
  table.clear(a);
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(table.size(), 0u);
}

TEST(KeyTable, AKeyEndsWhenItsTimeIsReached) {
  KeyTable table(10);
  KeyTable::Chain chain;
  table.add(chain, "key", at(1), 100);
  EXPECT_NE(table.find(chain, "key", 99), nullptr);
  EXPECT_EQ(table.find(chain, "key", 100), nullptr);
  table.expire(chain, 99);
  EXPECT_EQ(table.size(), 1u);
  table.expire(chain, 100);
  EXPECT_EQ(table.size(), 0u);
}

TEST(KeyTable, ExpiryStopsAtTheFirstThatIsNotDue) {
  KeyTable table(10);
  KeyTable::Chain chain;
  table.add(chain, "long", at(1), 1000);
  table.add(chain, "short", at(2), 100);
  table.expire(chain, 500);
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.find(chain, "short", 500), nullptr) << "outlived all the same";
  EXPECT_EQ(chain.first_until_ms(), 1000u);
  table.expire(chain, 1000);
  EXPECT_TRUE(chain.empty());
}

TEST(KeyTable, AnOutlivedKeyMayBeUsedAgainWhereItStands) {
  KeyTable table(10);
  KeyTable::Chain chain;
  table.add(chain, "long", at(1), 1000);
  table.add(chain, "short", at(2), 100);
  table.add(chain, "short", at(3), 1100);
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.find(chain, "short", 500)->position.offset, 3u);
  table.expire(chain, 1050);
  EXPECT_EQ(table.find(chain, "short", 1050)->position.offset, 3u);
  table.expire(chain, 1100);
  EXPECT_EQ(table.size(), 0u);
}

TEST(KeyTable, TheOldestOfAllChainsGoesWhenItIsFull) {
  KeyTable table(3);
  KeyTable::Chain a, b;
  table.add(a, "1", at(1), 1000);
  table.add(b, "2", at(2), 10);
  table.add(a, "3", at(3), 1000);
  table.add(b, "4", at(4), 1000);
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table.find(a, "1", 0), nullptr);
  EXPECT_NE(table.find(a, "3", 0), nullptr);
  table.clear(b);
  EXPECT_EQ(table.size(), 1u);
  table.clear(a);
}

TEST(KeyTable, WithNoRoomNothingIsKept) {
  KeyTable table(0);
  KeyTable::Chain chain;
  table.add(chain, "key", at(1), 1000);
  EXPECT_TRUE(chain.empty());
}

TEST(KeyTable, ManyChainsComeAndGo) {
  KeyTable table(500);
  std::vector<std::unique_ptr<KeyTable::Chain>> chains(50);
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    auto& chain = chains[i * 7 % chains.size()];
    if (!chain) chain = std::make_unique<KeyTable::Chain>();
    table.add(*chain, std::to_string(i), at(i), i + 300);
    table.expire(*chain, i);
    if (i % 13 == 0) {
      table.clear(*chain);
      chain.reset();
    }
    ASSERT_LE(table.size(), 500u);
  }
  for (auto& chain : chains) {
    if (chain) table.clear(*chain);
  }
  EXPECT_EQ(table.size(), 0u);
}

}  // namespace
}  // namespace anywire::broker
