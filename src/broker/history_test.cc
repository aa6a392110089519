#include "broker/history.h"

#include <gtest/gtest.h>

#include "broker/testing/contract.h"

namespace anywire::broker {
namespace {

PublicationPtr publication(std::uint64_t offset, std::size_t bytes = 0, std::uint64_t time_ms = 0) {
  return std::make_shared<Publication>(draft_of(std::string(bytes, 'x')), "", 1u, offset, time_ms);
}

StreamOptions keeping(std::size_t messages) {
  StreamOptions options;
  options.history_messages = messages;
  return options;
}

TEST(CostOf, CountsEverythingAPublisherCanMakeLong) {
  Publication p;
  EXPECT_EQ(cost_of(p), kPublicationCost);
  for (std::string* text : {&p.event, &p.id, &p.client_id, &p.user_id, &p.key, &p.extras,
                            &p.channel}) {
    const std::size_t before = cost_of(p);
    *text = std::string(1000, 'x');
    EXPECT_EQ(cost_of(p), before + 1000);
  }
  std::size_t before = cost_of(p);
  p.tags = {{std::string(10, 'n'), std::string(20, 'v')}, {}};
  EXPECT_EQ(cost_of(p), before + 30 + 2 * sizeof(Tag));
  before = cost_of(p);
  p.payload = Buffer::copy_of(as_bytes("12345"));
  EXPECT_EQ(cost_of(p), before + 5);
}

TEST(CostOf, CoversTheObjectItself) { EXPECT_GE(kPublicationCost, sizeof(Publication) + 16); }

TEST(History, KeepsItsOrderAsTheRingTurns) {
  HistoryPool pool(1 << 20);
  History history(pool, nullptr);
  for (std::uint64_t offset = 1; offset <= 1000; ++offset) {
    history.push(publication(offset));
    history.trim(keeping(7), 0);
    EXPECT_EQ(history.first_offset(), offset < 7 ? 1 : offset - 6);
    HistoryPage page;
    history.fill({}, page);
    for (std::size_t i = 0; i < page.publications.size(); ++i) {
      EXPECT_EQ(page.publications[i]->offset, history.first_offset() + i);
    }
    EXPECT_EQ(page.publications.size(), std::min<std::uint64_t>(offset, 7));
  }
}

TEST(History, GrowsAndShrinksWithItsContent) {
  HistoryPool pool(1 << 30);
  History history(pool, nullptr);
  std::uint64_t next = 1;
  for (const std::size_t size : {1000u, 3u, 500u, 0u, 1u, 64u, 2u}) {
    while (history.size() < size) history.push(publication(next++));
    history.trim(keeping(size), 0);
    ASSERT_EQ(history.size(), size);
    if (size > 0) {
      EXPECT_EQ(history.first_offset(), next - size);
    }
  }
}

TEST(History, MayBeginAnywhereAfterBeingEmptied) {
  HistoryPool pool(1 << 20);
  History history(pool, nullptr);
  history.push(publication(5));
  history.clear();
  EXPECT_TRUE(history.empty());
  history.push(publication(100));
  EXPECT_EQ(history.first_offset(), 100u);
  EXPECT_EQ(history.size(), 1u);
}

TEST(History, GivesItsBytesBackToThePool) {
  HistoryPool pool(1 << 20);
  {
    History history(pool, nullptr);
    history.push(publication(1, 100));
    history.push(publication(2, 50));
    EXPECT_EQ(history.bytes(), 2 * kPublicationCost + 150);
    EXPECT_EQ(pool.bytes(), history.bytes());
    history.drop_front();
    EXPECT_EQ(pool.bytes(), kPublicationCost + 50);
  }
  EXPECT_EQ(pool.bytes(), 0u);
}

TEST(HistoryPool, TellsTheOwnerOfWhatItEmptied) {
  struct Owner final : History::Owner {
    void on_history_evicted() override { ++evicted; }
    int evicted = 0;
  } old_owner, new_owner;
  HistoryPool pool(4 * kPublicationCost);
  History old_one(pool, &old_owner), new_one(pool, &new_owner);
  old_one.push(publication(1));
  old_one.push(publication(2));
  for (std::uint64_t offset = 1; offset <= 3; ++offset) new_one.push(publication(offset));
  EXPECT_EQ(old_one.size(), 1u);
  EXPECT_EQ(old_owner.evicted, 0);
  new_one.push(publication(4));
  EXPECT_TRUE(old_one.empty());
  EXPECT_EQ(old_owner.evicted, 1);
  new_one.push(publication(5));
  EXPECT_EQ(new_one.first_offset(), 2u) << "then it eats its own head";
  EXPECT_EQ(new_owner.evicted, 0);
}

TEST(HistoryPool, TouchingMakesOthersGoFirst) {
  HistoryPool pool(2 * kPublicationCost);
  History a(pool, nullptr), b(pool, nullptr), c(pool, nullptr);
  a.push(publication(1));
  b.push(publication(1));
  a.touch();
  c.touch();  // has nothing to lose
  c.push(publication(1));
  EXPECT_FALSE(a.empty());
  EXPECT_TRUE(b.empty());
}

}  // namespace
}  // namespace anywire::broker
