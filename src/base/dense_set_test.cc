#include "base/dense_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace anywire {
namespace {

struct Member : DenseSetMember {
  explicit Member(int n) : number(n) {}
  int number;
};

std::set<int> numbers(const DenseSet<Member>& set) {
  std::set<int> all;
  for (const Member* member : set.snapshot()) all.insert(member->number);
  EXPECT_EQ(all.size(), set.size()) << "nobody twice";
  return all;
}

TEST(DenseSet, IsEmptyToBeginWith) {
  const DenseSet<Member> set;
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.size(), 0u);
  EXPECT_TRUE(set.snapshot().empty());
}

TEST(DenseSet, RemovesFirstMiddleLastAndOnly) {
  Member a(1), b(2), c(3), d(4);
  DenseSet<Member> set;
  for (Member* member : {&a, &b, &c, &d}) set.add(*member);
  set.remove(b);
  EXPECT_EQ(numbers(set), (std::set{1, 3, 4}));
  set.remove(d);
  EXPECT_EQ(numbers(set), (std::set{1, 3}));
  set.remove(a);
  EXPECT_EQ(numbers(set), (std::set{3}));
  set.remove(c);
  EXPECT_TRUE(set.empty());
}

TEST(DenseSet, TakesAMemberBack) {
  Member a(1), b(2);
  DenseSet<Member> set;
  set.add(a);
  set.add(b);
  set.remove(a);
  set.add(a);
  set.remove(b);
  EXPECT_EQ(numbers(set), (std::set{1}));
}

TEST(DenseSet, MayShrinkWhileASnapshotIsWalked) {
  std::vector<std::unique_ptr<Member>> members;
  DenseSet<Member> set;
  for (int i = 0; i < 5000; ++i) set.add(*members.emplace_back(std::make_unique<Member>(i)));
  for (Member* member : set.snapshot()) set.remove(*member);
  EXPECT_TRUE(set.empty());
}

TEST(DenseSet, AgreesWithAModelOverManyChanges) {
  std::mt19937 random(11);
  std::vector<std::unique_ptr<Member>> members;
  for (int i = 0; i < 3000; ++i) members.push_back(std::make_unique<Member>(i));
  DenseSet<Member> set;
  std::set<int> model;
  for (int step = 0; step < 60'000; ++step) {
    // Waves, so that the array also shrinks.
    const bool filling = step / 10'000 % 2 == 0;
    Member& member = *members[random() % members.size()];
    if (model.contains(member.number)) {
      if (filling && random() % 4 != 0) continue;
      set.remove(member);
      model.erase(member.number);
    } else if (filling || random() % 4 == 0) {
      set.add(member);
      model.insert(member.number);
    }
    if (step % 500 == 0) {
      ASSERT_EQ(numbers(set), model);
    }
  }
  EXPECT_EQ(numbers(set), model);
}

}  // namespace
}  // namespace anywire
