// Which channels there are: Hub::list_channels and what is below it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hub/testing/memory_hubs.h"

namespace anywire::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using Table = ByName<ChannelCounts>;

Table table_of(int count) {
  Table table;
  for (int i = 0; i < count; ++i) {
    table.emplace("c" + std::to_string(i), std::make_unique<ChannelCounts>(ChannelCounts{1, 0}));
  }
  return table;
}

ChannelCounts plain(const ChannelCounts& counts) { return counts; }

TEST(ChannelScan, KeepsTheFirstNamesAndOneMore) {
  ChannelScan scan({.limit = 3});
  while (!scan.step(table_of(100), plain)) {
  }
  EXPECT_THAT(scan.take(), ElementsAre(Pair("c0", ChannelCounts{1, 0}),
                                       Pair("c1", ChannelCounts{1, 0}),
                                       Pair("c10", ChannelCounts{1, 0}),
                                       Pair("c11", ChannelCounts{1, 0})));
}

TEST(ChannelScan, GoesOnBehindAName) {
  ChannelScan scan({.pattern = *auth::Glob::parse("c?"), .after = "c7", .limit = 10});
  const Table table = table_of(100);
  while (!scan.step(table, plain)) {
  }
  EXPECT_THAT(scan.take(), ElementsAre(Pair("c8", ChannelCounts{1, 0}),
                                       Pair("c9", ChannelCounts{1, 0})));
}

TEST(ChannelScan, LooksAtASliceInEachTurn) {
  const Table table = table_of(20'000);
  ChannelScan scan({.limit = 100'000});
  int steps = 1;
  while (!scan.step(table, plain)) ++steps;
  EXPECT_EQ(static_cast<std::size_t>(steps),
            (table.bucket_count() + ChannelScan::kSliceBuckets - 1) / ChannelScan::kSliceBuckets);
  EXPECT_EQ(scan.take().size(), 20'000U);
}

TEST(ChannelScan, BeginsAnewWhenTheTableIsRebuilt) {
  Table table = table_of(10'000);
  ChannelScan scan({.limit = 100'000});
  ASSERT_FALSE(scan.step(table, plain));
  const std::size_t buckets = table.bucket_count();
  for (int i = 0; table.bucket_count() == buckets; ++i) {
    table.emplace("d" + std::to_string(i), std::make_unique<ChannelCounts>(ChannelCounts{1, 0}));
  }
  while (!scan.step(table, plain)) {
  }
  EXPECT_EQ(scan.take().size(), table.size());
}

TEST(ChannelScan, LeavesOutWhereNobodyIs) {
  Table table;
  table.emplace("empty", std::make_unique<ChannelCounts>());
  ChannelScan scan({.limit = 10});
  ASSERT_TRUE(scan.step(table, plain));
  EXPECT_THAT(scan.take(), IsEmpty());
}

class ChannelListTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kLoops = 3;

  ChannelListTest() {
    std::vector<reactor::Loop*> all;
    for (std::uint32_t i = 0; i < kLoops; ++i) {
      loops.push_back(*reactor::Loop::create({.index = i}, clock));
      all.push_back(loops.back().get());
    }
    ChannelRule rule;
    rule.presence = true;
    hubs = std::make_unique<MemoryHubs>(all, Rules({}, rule));
  }
  void settle() {
    for (int i = 0; i < 20; ++i) {
      for (auto& loop : loops) loop->turn(Duration::zero());
    }
  }
  // Names and counts, as "name:subscribers:members", and "..." if there are more.
  std::vector<std::string> list(const ChannelQuery& query, std::uint32_t loop = 0) {
    std::vector<std::string> got;
    hubs->hub(loop).list_channels(query, [&](const auto& answer) {
      ASSERT_TRUE(answer);
      for (const auto& [name, counts] : answer->channels) {
        got.push_back(name + ":" + std::to_string(counts.subscribers) + ":" +
                      std::to_string(counts.members));
      }
      if (answer->more) got.push_back("...");
    });
    settle();
    return got;
  }

  ManualClock clock;
  std::vector<std::unique_ptr<reactor::Loop>> loops;
  std::unique_ptr<MemoryHubs> hubs;
};

TEST_F(ChannelListTest, AddsUpWhatAllLoopsHave) {
  for (int i = 0; i < 6; ++i) {
    hubs->hub(static_cast<std::uint32_t>(i) % kLoops)
        .enter("room", {.client_id = "c" + std::to_string(i)});
  }
  hubs->hub(1).enter("hall", {.client_id = "c"});
  settle();
  clock.advance(Duration{200});
  settle();
  for (std::uint32_t loop = 0; loop < kLoops; ++loop) {
    EXPECT_THAT(list({}, loop), ElementsAre("hall:0:1", "room:0:6"));
  }
}

TEST_F(ChannelListTest, PagesByName) {
  std::set<std::string> wanted;
  for (int i = 0; i < 50; ++i) {
    const std::string name = "c" + std::to_string(i);
    hubs->hub(static_cast<std::uint32_t>(i) % kLoops).enter(name, {.client_id = "c"});
    wanted.insert(name);
  }
  settle();
  std::vector<std::string> got;
  std::string after;
  for (bool more = true; more;) {
    auto page = list({.after = after, .limit = 7});
    more = page.back() == "...";
    if (more) page.pop_back();
    after = page.back().substr(0, page.back().find(':'));
    for (const std::string& one : page) got.push_back(one.substr(0, one.find(':')));
  }
  EXPECT_THAT(got, ::testing::ElementsAreArray(wanted));
}

TEST_F(ChannelListTest, RefusesTooManyQuestions) {
  int answers = 0;
  int refusals = 0;
  for (std::size_t i = 0; i < 2 * ChannelLister::kWaitingMax; ++i) {
    hubs->hub(0).list_channels({}, [&](const auto& answer) {
      ++answers;
      if (!answer) ++refusals;
    });
  }
  for (int i = 0; i < 20; ++i) settle();
  EXPECT_EQ(answers, static_cast<int>(2 * ChannelLister::kWaitingMax));
  EXPECT_GT(refusals, 0);
  EXPECT_THAT(list({}), IsEmpty());
}

}  // namespace
}  // namespace anywire::hub
