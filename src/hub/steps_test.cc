#include "hub/steps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace anywire::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Reason = Gap::Reason;
using Publications = std::vector<broker::PublicationPtr>;

broker::PublicationPtr one(std::uint64_t offset, std::uint64_t epoch = 7, std::string key = {},
                           std::size_t bytes = 1) {
  auto made = std::make_shared<broker::Publication>();
  made->epoch = epoch;
  made->offset = offset;
  made->key = std::move(key);
  made->payload = Buffer::copy_of(as_bytes(std::string(bytes, 'x')));
  return made;
}

std::vector<std::size_t> sizes(const std::vector<Step>& steps) {
  std::vector<std::size_t> all;
  for (const Step& step : steps) all.push_back(step.delivery.publications().size());
  return all;
}

TEST(Steps, AreOneForWhatFollows) {
  const Publications all = {one(4), one(5), one(6)};
  const auto steps = steps_of(all, {7, 3}, Reason::kEvicted);
  EXPECT_THAT(sizes(steps), ElementsAre(3u));
  EXPECT_FALSE(steps[0].gap);
  EXPECT_EQ(steps[0].last(), (broker::Position{7, 6}));
}

TEST(Steps, BreakWhereBytesAreMany) {
  const Publications all = {one(1, 7, "", 10'000), one(2, 7, "", 10'000), one(3)};
  EXPECT_THAT(sizes(steps_of(all, {7, 0}, Reason::kEvicted)), ElementsAre(1u, 2u));
}

TEST(Steps, TellWhatIsMissingBeforeAndBetween) {
  const Publications all = {one(3), one(4), one(9)};
  const auto steps = steps_of(all, {7, 1}, Reason::kConflated);
  EXPECT_THAT(sizes(steps), ElementsAre(2u, 1u));
  EXPECT_EQ(steps[0].gap->from, 2u);
  EXPECT_EQ(steps[0].gap->to, 2u);
  EXPECT_EQ(steps[1].gap->from, 5u);
  EXPECT_EQ(steps[1].gap->to, 8u);
  EXPECT_EQ(steps[1].gap->reason, Reason::kConflated);
  EXPECT_EQ(steps[1].gap->position, (broker::Position{7, 8}));
}

TEST(Steps, TellThatAStreamBeganAnew) {
  const Publications all = {one(3), one(1, 8), one(2, 8)};
  const auto steps = steps_of(all, {7, 2}, Reason::kConflated);
  EXPECT_THAT(sizes(steps), ElementsAre(1u, 2u));
  EXPECT_EQ(steps[1].gap->reason, Reason::kNewEpoch);
  EXPECT_EQ(steps[1].gap->from, 4u);
  EXPECT_EQ(steps[1].gap->to, 0u);
  EXPECT_EQ(steps[1].gap->position, (broker::Position{8, 0}));
}

TEST(Steps, AreNoneOfNothing) {
  EXPECT_THAT(steps_of({}, {7, 2}, Reason::kEvicted), IsEmpty());
  EXPECT_FALSE(gap_between({7, 2}, {7, 2}, Reason::kEvicted));
  EXPECT_FALSE(gap_between({7, 3}, {7, 2}, Reason::kEvicted));
}

TEST(Conflate, LeavesTheNewestOfEachKey) {
  Publications all = {one(1, 7, "a"), one(2, 7, "b"), one(3), one(4, 7, "a"), one(5)};
  conflate(all);
  std::vector<std::uint64_t> offsets;
  for (const auto& left : all) offsets.push_back(left->offset);
  EXPECT_THAT(offsets, ElementsAre(2u, 3u, 4u, 5u));
}

TEST(SharedPage, IsKnownByWhatItHoldsAndWhereItBegan) {
  const Publications all = {one(2), one(3)};
  const SharedPage page(all, {7, 1}, Reason::kEvicted);
  EXPECT_TRUE(page.is(all, {7, 1}, Reason::kEvicted));
  EXPECT_FALSE(page.is(all, {7, 0}, Reason::kEvicted));
  EXPECT_FALSE(page.is(all, {7, 1}, Reason::kSlow));
  EXPECT_FALSE(page.is(Publications{one(2)}, {7, 1}, Reason::kEvicted));
  EXPECT_FALSE(page.is(Publications{one(2, 8), one(3, 8)}, {7, 1}, Reason::kEvicted));
}

}  // namespace
}  // namespace anywire::hub
