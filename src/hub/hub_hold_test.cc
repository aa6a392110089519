// Publishers that outrun another loop have to wait.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "hub/inbox.h"
#include "hub/testing/hub_fixture.h"

namespace anywire::hub {
namespace {

class HoldTest : public HubTest {
 protected:
  HoldTest() { start(2); }

  // The owner does not turn; a publisher sends until it is told to wait.
  std::size_t flood(Listener& from, std::size_t payload_bytes) {
    std::size_t count = 0;
    while (!from.held && count < 1'000'000) {
      hub(0).publish(from, draft_of(std::string(payload_bytes, 'x')));
      ++count;
    }
    return count;
  }
};

TEST_F(HoldTest, HoldsAPublisherWhoseOwnerIsBehind) {
  Listener a;
  hub(0).subscribe(owned_by(1), a);
  settle();
  for (const std::size_t bytes : {0u, 100u, 100'000u, 2'000'000u}) {
    a.heard.clear();
    const std::size_t count = flood(a, bytes);
    EXPECT_EQ(count, Inbox::kInboxBytesMax / (bytes + Inbox::kOverheadBytes) + 1) << bytes;
    turn(0);
    EXPECT_TRUE(a.held);
    settle();
    EXPECT_FALSE(a.held);
    EXPECT_EQ(a.heard.size(), count);
  }
}

TEST_F(HoldTest, HoldsAPublisherWhileAnotherLoopHasNotDelivered) {
  const std::string name = owned_by(0);
  Listener a, b;
  hub(0).subscribe(name, a);
  hub(1).subscribe(name, b);
  settle();
  const std::size_t count = flood(a, 1000);
  for (int i = 0; i < 5; ++i) turn(0);
  EXPECT_EQ(a.heard.size(), count);
  EXPECT_TRUE(a.held) << "b has heard nothing yet";
  settle();
  EXPECT_FALSE(a.held);
  EXPECT_EQ(b.heard.size(), count);
}

TEST_F(HoldTest, HoldsOnlyThoseWhoPublish) {
  const std::string name = owned_by(1);
  Listener a, b, quiet;
  for (Listener* one : {&a, &b, &quiet}) hub(0).subscribe(name, *one);
  settle();
  flood(a, 1000);
  EXPECT_EQ(flood(b, 1000), 1u) << "what it sends is taken, and it waits, too";
  EXPECT_FALSE(quiet.held);
  settle();
  EXPECT_FALSE(a.held || b.held);
}

TEST_F(HoldTest, ReleasesTheOthersLaterWhenTheFirstFillsTheRoomAgain) {
  const std::string name = owned_by(1);
  Listener a, b;
  hub(0).subscribe(name, a);
  hub(0).subscribe(name, b);
  settle();
  flood(a, 1000);
  flood(b, 1000);
  bool again = true;
  a.on_release_hook = [&] {
    if (!std::exchange(again, false)) return;
    flood(a, 1000);
    EXPECT_TRUE(b.held);
  };
  settle();
  settle();
  EXPECT_FALSE(again);
  EXPECT_FALSE(a.held || b.held);
}

TEST_F(HoldTest, AllowsLeavingWhileHeldAndInsideARelease) {
  const std::string name = owned_by(1);
  Listener a, c;
  auto b = std::make_unique<Listener>();
  for (Listener* one : {&a, b.get(), &c}) hub(0).subscribe(name, *one);
  settle();
  for (Listener* one : {&a, b.get(), &c}) flood(*one, 1000);
  hub(0).unsubscribe(c);
  a.on_release_hook = [&] { b.reset(); };
  settle();
  EXPECT_EQ(b, nullptr);
  EXPECT_TRUE(c.held) << "nobody calls who has left";
}

TEST_F(HoldTest, TellsThoseWithoutASubscriptionWhenThereIsRoom) {
  const std::string name = owned_by(1);
  Listener a;
  hub(0).subscribe(name, a);
  settle();
  EXPECT_FALSE(hub(0).crowded());
  while (!hub(0).crowded()) post(0, name, std::string(10'000, 'x'));
  EXPECT_FALSE(a.held) << "it has not published";
  int told = 0;
  hub(0).when_roomy([&] { ++told; });
  turn(0);
  EXPECT_EQ(told, 0);
  settle();
  settle();
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(hub(0).crowded());
}

}  // namespace
}  // namespace anywire::hub
