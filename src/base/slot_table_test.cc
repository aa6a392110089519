#include "base/slot_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "base/random.h"

namespace anywire {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(SlotTable, FindsWhatItHolds) {
  SlotTable<int> table;
  int a = 1, b = 2;
  const SlotId first = table.add(a);
  const SlotId second = table.add(b);
  EXPECT_EQ(table.find(first), &a);
  EXPECT_EQ(table.find(second), &b);
  EXPECT_EQ(table.size(), 2u);
  EXPECT_THAT(table.snapshot(), UnorderedElementsAre(&a, &b));
}

TEST(SlotTable, KnowsNothingOfNumbersItNeverGave) {
  SlotTable<int> table;
  EXPECT_EQ(table.find({0, 0}), nullptr);
  EXPECT_EQ(table.find({0, 1}), nullptr);
  int a = 1;
  const SlotId id = table.add(a);
  EXPECT_EQ(table.find({id.slot, 0}), nullptr);
  EXPECT_EQ(table.find({id.slot, id.generation + 1}), nullptr);
  EXPECT_EQ(table.find({id.slot + 1, id.generation}), nullptr);
  EXPECT_EQ(table.find({UINT32_MAX, id.generation}), nullptr);
}

TEST(SlotTable, UsesASlotAgainUnderAnotherNumber) {
  SlotTable<int> table;
  int a = 1, b = 2;
  const SlotId old = table.add(a);
  table.remove(old);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_THAT(table.snapshot(), IsEmpty());
  const SlotId now = table.add(b);
  EXPECT_EQ(now.slot, old.slot);
  EXPECT_NE(now.generation, old.generation);
  EXPECT_EQ(table.find(old), nullptr);
  table.remove(old);
  EXPECT_EQ(table.find(now), &b) << "an old number removes nothing";
}

TEST(SlotTable, AgreesWithAMapOverManyComingsAndGoings) {
  Random random(7);
  SlotTable<int> table;
  std::vector<std::unique_ptr<int>> owned;
  std::vector<std::pair<SlotId, int*>> live, dead;
  for (int i = 0; i < 5000; ++i) {
    if (live.empty() || random.below(5) < 3) {
      owned.push_back(std::make_unique<int>(i));
      live.emplace_back(table.add(*owned.back()), owned.back().get());
    } else {
      const std::size_t at = random.below(live.size());
      table.remove(live[at].first);
      dead.push_back(live[at]);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
  ASSERT_EQ(table.size(), live.size());
  for (const auto& [id, object] : live) ASSERT_EQ(table.find(id), object);
  for (const auto& [id, object] : dead) ASSERT_EQ(table.find(id), nullptr);
}

}  // namespace
}  // namespace anywire
