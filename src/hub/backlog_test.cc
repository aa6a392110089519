#include "hub/backlog.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/clock.h"

namespace anywire::hub {
namespace {

class BacklogTest : public ::testing::Test {
 protected:
  std::unique_ptr<CountedPublication> publication(std::size_t payload_bytes) {
    auto made = std::make_unique<CountedPublication>();
    made->payload = Buffer::copy_of(as_bytes(std::string(payload_bytes, 'x')));
    made->count_in(backlog);
    return made;
  }
  void turn() { loop->turn(Duration::zero()); }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  int rooms = 0;
  std::shared_ptr<Backlog> backlog = std::make_shared<Backlog>(*loop, [this] { ++rooms; });
};

TEST_F(BacklogTest, IsFullAboveItsLimit) {
  const auto most = publication(Backlog::kBacklogBytesMax - Backlog::kOverheadBytes);
  EXPECT_FALSE(backlog->full());
  const auto more = publication(0);
  EXPECT_TRUE(backlog->full()) << "an empty message costs something, too";
}

TEST_F(BacklogTest, ReportsRoomOnceAtTheLowMark) {
  auto little = publication(Backlog::kBacklogBytesResume - Backlog::kOverheadBytes);
  auto one = publication(1), much = publication(Backlog::kBacklogBytesMax);
  EXPECT_TRUE(backlog->full());
  much.reset();
  turn();
  EXPECT_EQ(rooms, 0);
  one.reset();
  EXPECT_EQ(rooms, 0) << "the loop is told, and not called";
  turn();
  EXPECT_EQ(rooms, 1);
  little.reset();
  turn();
  EXPECT_EQ(rooms, 1);
}

TEST_F(BacklogTest, CallsNobodyAfterItsEnd) {
  auto before = publication(Backlog::kBacklogBytesMax);
  before.reset();  // its report is under way
  auto after = publication(Backlog::kBacklogBytesMax);
  backlog->stop();
  after.reset();
  turn();
  EXPECT_EQ(rooms, 0);
}

}  // namespace
}  // namespace anywire::hub
