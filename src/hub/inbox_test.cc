#include "hub/inbox.h"

#include <gtest/gtest.h>

#include <thread>

namespace anywire::hub {
namespace {

class InboxTest : public ::testing::Test {
 protected:
  CrowdedInboxes crowded{0};
  Inbox inbox{crowded};
};

TEST_F(InboxTest, IsCrowdedAboveItsLimit) {
  inbox.add(Inbox::kInboxBytesMax);
  EXPECT_EQ(crowded, 0u);
  inbox.add(1);
  EXPECT_EQ(crowded, 1u);
  inbox.add(1);
  EXPECT_EQ(crowded, 1u) << "once";
}

TEST_F(InboxTest, ReportsRoomOnceAtTheLowMark) {
  inbox.add(Inbox::kInboxBytesMax + 1);
  EXPECT_FALSE(inbox.take(Inbox::kInboxBytesMax - Inbox::kInboxBytesResume));
  EXPECT_TRUE(inbox.take(1));
  EXPECT_EQ(crowded, 0u);
  EXPECT_FALSE(inbox.take(Inbox::kInboxBytesResume));
  EXPECT_EQ(inbox.bytes(), 0u);
}

TEST_F(InboxTest, ReportsNothingWhereItWasNeverFull) {
  inbox.add(1000);
  EXPECT_FALSE(inbox.take(1000));
}

TEST_F(InboxTest, ReportsRoomOnlyWhenNoOtherIsFull) {
  Inbox other{crowded};
  inbox.add(Inbox::kInboxBytesMax + 1);
  other.add(Inbox::kInboxBytesMax + 1);
  EXPECT_FALSE(inbox.take(Inbox::kInboxBytesMax + 1));
  EXPECT_TRUE(other.take(Inbox::kInboxBytesMax + 1));
}

TEST_F(InboxTest, CostsSomethingForEmptyMessages) {
  EXPECT_EQ(Inbox::cost_of({}), Inbox::kOverheadBytes);
  broker::Draft draft;
  draft.payload = Buffer::allocate(0);
  EXPECT_EQ(Inbox::cost_of(draft), Inbox::kOverheadBytes);
}

TEST_F(InboxTest, EndsEmptyAndUncrowdedUnderAnyMixOfThreads) {
  constexpr std::size_t kBytes = 50'000;
  constexpr int kRounds = 20'000;
  std::atomic<int> posted{0};
  std::thread giver([&] {
    for (int i = 0; i < kRounds; ++i) {
      inbox.add(kBytes);
      posted.fetch_add(1, std::memory_order_release);
    }
  });
  for (int taken = 0; taken < kRounds;) {
    if (posted.load(std::memory_order_acquire) <= taken) continue;
    (void)inbox.take(kBytes);
    ++taken;
  }
  giver.join();
  EXPECT_EQ(inbox.bytes(), 0u);
  EXPECT_EQ(crowded, 0u);
}

}  // namespace
}  // namespace anywire::hub
