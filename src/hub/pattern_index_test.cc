#include "hub/pattern_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"

namespace anywire::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct One {
  const auth::Glob glob;
  std::uint64_t number = 0;
};

class PatternIndexTest : public ::testing::Test {
 protected:
  One& add(std::string_view pattern) {
    all_.push_back(std::make_unique<One>(One{.glob = *auth::Glob::parse(pattern)}));
    index_.add(*all_.back());
    return *all_.back();
  }
  void remove(One& one) {
    index_.remove(one);
    std::erase_if(all_, [&](const auto& owned) { return owned.get() == &one; });
  }
  // So many others that the index does not just ask all.
  void crowd(int count = 100) {
    for (int i = 0; i < count; ++i) add("user:" + std::to_string(i) + ":*");
  }
  std::vector<std::string> candidates(std::string_view name, std::uint64_t since = 0) const {
    std::vector<std::string> found;
    index_.candidates(name, since, [&](const One& one) {
      found.push_back(one.glob.pattern());
      return true;
    });
    return found;
  }

  PatternIndex<One> index_;
  std::vector<std::unique_ptr<One>> all_;
};

TEST_F(PatternIndexTest, AsksOnlyPatternsWhosePrefixFits) {
  crowd(10'000);
  EXPECT_THAT(candidates("user:4711:mail"), ElementsAre("user:4711:*"));
  EXPECT_THAT(candidates("user:"), IsEmpty());
  EXPECT_THAT(candidates("room:1"), IsEmpty());
  add("*");
  add("*:mail");
  add("user:?*");
  add("user:4711:mail");
  EXPECT_THAT(candidates("user:4711:mail"),
              UnorderedElementsAre("user:4711:*", "*", "*:mail", "user:?*", "user:4711:mail"));
}

TEST_F(PatternIndexTest, AsksOnlyWhatCameSince) {
  crowd();
  const std::uint64_t seen = index_.last();
  EXPECT_THAT(candidates("user:7:x", seen), IsEmpty());
  add("user:7*");
  EXPECT_THAT(candidates("user:7:x", seen), ElementsAre("user:7*"));
  for (int i = 0; i < 20; ++i) add("room-" + std::to_string(i) + "*");
  EXPECT_THAT(candidates("user:7:x", seen), ElementsAre("user:7*"));
  EXPECT_THAT(candidates("user:7:x", index_.last()), IsEmpty());
}

TEST_F(PatternIndexTest, ForgetsWhatIsRemoved) {
  crowd();
  const std::uint64_t seen = index_.last();
  One& first = add("user:7*");
  const std::uint64_t number = first.number;
  EXPECT_TRUE(index_.has(number));
  remove(first);
  EXPECT_FALSE(index_.has(number));
  EXPECT_THAT(candidates("user:7:x", seen), IsEmpty());
  EXPECT_THAT(candidates("user:7:x"), ElementsAre("user:7:*"));
  EXPECT_GT(add("user:7*").number, number) << "a number is not given again";
  EXPECT_EQ(index_.size(), 101u);
}

TEST_F(PatternIndexTest, KnowsPrefixesOfAllLengths) {
  for (std::size_t length = 0; length < auth::kGlobBytesMax; ++length) {
    add(std::string(length, 'a') + "*");
  }
  add(std::string(auth::kGlobBytesMax, 'a'));
  for (const std::size_t length : {0u, 1u, 63u, 64u, 65u, 127u, 128u, 254u}) {
    EXPECT_EQ(candidates(std::string(length, 'a')).size(), length + 1);
  }
  EXPECT_EQ(candidates(std::string(255, 'a')).size(), 256u);
  EXPECT_EQ(candidates(std::string(1000, 'a')).size(), 256u);
  EXPECT_EQ(candidates("b").size(), 1u);
}

TEST_F(PatternIndexTest, StopsWhenToldTo) {
  for (int i = 0; i < 100; ++i) add("a*" + std::to_string(i));
  add("*");
  for (const std::uint64_t since : {std::uint64_t{0}, index_.last() - 4}) {
    int asked = 0;
    index_.candidates("a", since, [&](const One&) { return ++asked < 2; });
    EXPECT_EQ(asked, 2);
  }
}

TEST_F(PatternIndexTest, FindsAllThatMatch) {
  Random choice(3);
  std::size_t matches = 0;
  for (int step = 0; step < 20'000; ++step) {
    std::string text;
    for (std::size_t i = 1 + choice.below(5); i > 0; --i) text += "ab*?"[choice.below(4)];
    if (all_.size() < 60) {
      add(text);
    } else {
      remove(*all_[choice.below(all_.size())]);
    }
    std::string name;
    for (std::size_t i = choice.below(6); i > 0; --i) name += "ab"[choice.below(2)];
    const std::uint64_t since = choice.below(2) == 0 ? 0 : choice.below(index_.last() + 1);
    std::vector<std::uint64_t> expected, found;
    for (const auto& one : all_) {
      if (one->number > since && one->glob.matches(name)) expected.push_back(one->number);
    }
    index_.candidates(name, since, [&](const One& one) {
      if (one.glob.matches(name)) found.push_back(one.number);
      return true;
    });
    std::ranges::sort(expected);
    std::ranges::sort(found);
    ASSERT_EQ(found, expected) << name;
    matches += found.size();
  }
  EXPECT_GT(matches, 10'000u);
}

}  // namespace
}  // namespace anywire::hub
