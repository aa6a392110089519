#include "protocol/slot_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "base/random.h"

namespace anywire::protocol {
namespace {

std::set<std::uint32_t> found(const SlotIndex& index, const std::string& name) {
  std::set<std::uint32_t> slots;
  index.for_each(name, [&](std::uint32_t slot) { slots.insert(slot); });
  return slots;
}

TEST(SlotIndex, FindsAllSlotsOfAName) {
  SlotIndex index;
  EXPECT_TRUE(found(index, "ann").empty());
  index.add("ann", 1);
  index.add("ann", 2);
  index.add("bob", 3);
  EXPECT_EQ(found(index, "ann"), (std::set<std::uint32_t>{1, 2}));
  index.remove("ann", 1);
  EXPECT_EQ(found(index, "ann"), (std::set<std::uint32_t>{2}));
  EXPECT_EQ(found(index, "bob"), (std::set<std::uint32_t>{3}));
}

TEST(SlotIndex, DoesWhatAMapDoes) {
  Random random(7);
  SlotIndex index;
  std::multimap<std::string, std::uint32_t> model;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t number = random.below(50);
    const std::string name = std::to_string(number);
    // A slot has one name.
    const auto slot = static_cast<std::uint32_t>(number * 500 + random.below(500));
    const auto [from, to] = model.equal_range(name);
    const auto there =
        std::find_if(from, to, [&](const auto& pair) { return pair.second == slot; });
    if (there == to && random.below(3) != 0) {
      index.add(name, slot);
      model.emplace(name, slot);
    } else if (there != to) {
      index.remove(name, slot);
      model.erase(there);
    }
    ASSERT_EQ(index.size(), model.size());
    std::set<std::uint32_t> expected;
    const auto range = model.equal_range(name);
    for (auto it = range.first; it != range.second; ++it) expected.insert(it->second);
    ASSERT_EQ(found(index, name), expected);
  }
}

TEST(SlotIndex, GivesBackWhatItDoesNotNeed) {
  SlotIndex index;
  for (std::uint32_t i = 0; i < 1000; ++i) index.add(std::to_string(i), i);
  EXPECT_LE(index.capacity(), 2048u);
  for (std::uint32_t i = 0; i < 1000; ++i) index.remove(std::to_string(i), i);
  EXPECT_LE(index.capacity(), 8u);
}

}  // namespace
}  // namespace anywire::protocol
