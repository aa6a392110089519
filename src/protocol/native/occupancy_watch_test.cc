#include "protocol/native/occupancy_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "hub/testing/memory_hubs.h"
#include "protocol/native/session.h"
#include "protocol/native/testing/native_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class Listener final : public hub::Subscriber {
  void on_subscribed(const hub::Joined&) override {}
  bool on_delivery(hub::Delivery&) override { return true; }
};

class OccupancyWatchTest : public ::testing::Test {
 protected:
  OccupancyWatchTest() { settle(); }
  ~OccupancyWatchTest() override { settle(); }

  void settle() {
    for (int i = 0; i < 4; ++i) {
      for (auto& loop : loops) loop->turn(Duration::zero());
    }
  }
  void pass(Duration time) {
    clock.advance(time);
    settle();
  }
  // Slot and number of all that was told since the last time.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> told() { return std::exchange(told_, {}); }
  static SessionRef session(std::uint32_t slot) { return {slot, 1}; }

  ManualClock clock;
  std::vector<std::unique_ptr<reactor::Loop>> loops = [this] {
    std::vector<std::unique_ptr<reactor::Loop>> made;
    for (std::uint32_t i = 0; i < 2; ++i) {
      made.push_back(*reactor::Loop::create({.index = i, .receive_buffer_bytes = 64}, clock));
    }
    return made;
  }();
  hub::MemoryHubs hubs{{loops[0].get(), loops[1].get()}};
  std::vector<std::pair<std::uint32_t, std::uint64_t>> told_;
  std::size_t channels_told = 0;
  OccupancyWatch watch{*loops[0], hubs.hub(0), [this](SessionRef to, OccupancyNews& news) {
                         told_.emplace_back(to.slot, news.occupancy().subscribers);
                         ++channels_told;
                       }};
};

TEST_F(OccupancyWatchTest, TellsSoonAndThenEveryChange) {
  Listener here, there;
  hubs.hub(0).subscribe("c", here);
  watch.add("c", session(1));
  settle();
  EXPECT_THAT(told(), ElementsAre(std::pair(1u, 1u)));
  pass(OccupancyWatch::kInterval);
  EXPECT_THAT(told(), IsEmpty()) << "nothing new";
  hubs.hub(1).subscribe("c", there);
  settle();
  EXPECT_THAT(told(), IsEmpty()) << "not before its time";
  pass(OccupancyWatch::kInterval);
  EXPECT_THAT(told(), ElementsAre(std::pair(1u, 2u)));
  hubs.hub(1).unsubscribe(there);
  pass(OccupancyWatch::kInterval);
  EXPECT_THAT(told(), ElementsAre(std::pair(1u, 1u)));
}

TEST_F(OccupancyWatchTest, TellsNewcomersWhatIsKnown) {
  watch.add("c", session(1));
  watch.add("c", session(2));
  settle();
  EXPECT_THAT(told(), UnorderedElementsAre(std::pair(1u, 0u), std::pair(2u, 0u)));
  watch.add("c", session(3));
  settle();
  EXPECT_THAT(told(), ElementsAre(std::pair(3u, 0u)));
}

TEST_F(OccupancyWatchTest, EndsWithTheLastWatcher) {
  watch.add("c", session(1));
  watch.add("c", session(2));
  watch.remove("c", session(1));
  watch.remove("c", session(1));
  watch.remove("d", session(1));
  settle();
  EXPECT_THAT(told(), ElementsAre(std::pair(2u, 0u)));
  watch.remove("c", session(2));
  EXPECT_EQ(watch.channels(), 0u);
  Listener here;
  hubs.hub(0).subscribe("c", here);
  pass(OccupancyWatch::kInterval);
  pass(OccupancyWatch::kInterval);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(OccupancyWatchTest, AsksAboutSoManyAtATime) {
  constexpr std::size_t kChannels = OccupancyWatch::kAsksMax + 500;
  std::vector<std::unique_ptr<Listener>> listeners;
  for (std::size_t i = 0; i < kChannels; ++i) watch.add(std::to_string(i), session(1));
  settle();
  EXPECT_THAT(told(), SizeIs(kChannels));
  for (std::size_t i = 0; i < kChannels; ++i) {
    listeners.push_back(std::make_unique<Listener>());
    hubs.hub(1).subscribe(std::to_string(i), *listeners.back());
  }
  settle();
  pass(OccupancyWatch::kInterval);
  EXPECT_THAT(told(), SizeIs(OccupancyWatch::kAsksMax));
  pass(OccupancyWatch::kInterval);
  EXPECT_THAT(told(), SizeIs(500)) << "the others had their turn before";
}

// ---- As clients see it ----

class NativeOccupancyTest : public NativeTest {};

TEST_F(NativeOccupancyTest, SaysHowManyListenWhereTheRuleLetsIt) {
  auto client = connect();
  client->say(R"([{"type":"occupancy","id":3,"channel":"c"},
                  {"type":"subscribe","id":4,"channel":"c","occupancy":true}])");
  settle();
  EXPECT_THAT(client->heard(),
              ElementsAre(HasSubstr(R"("id":3,"channel":"c","code":"no_occupancy")"),
                          HasSubstr(R"("id":4,"channel":"c","code":"no_occupancy")")));
}

TEST_F(NativeOccupancyTest, TellsHowManyListen) {
  rule.occupancy = true;
  auto a = connect();
  auto b = connect({}, Format::kMsgpack, 1);
  a->say(R"({"type":"subscribe","id":2,"channel":"c","occupancy":true})");
  settle();
  EXPECT_THAT(a->heard(),
              ElementsAre(HasSubstr("subscribed"),
                          R"({"type":"occupancy","channel":"c","subscribers":1,)"
                          R"("count":0,"users":0})"));
  b->say(R"({"type":"subscribe","id":2,"channel":"c"})");
  b->say(R"([{"type":"enter","id":3,"channel":"c"},{"type":"occupancy","id":4,"channel":"c"}])");
  pass(Duration(1'000));
  EXPECT_THAT(b->heard(), testing::Contains(AllOf(HasSubstr(R"("type":"occupancy","id":4)"),
                                                  HasSubstr(R"("subscribers":2)"))));
  EXPECT_THAT(a->heard(),
              ElementsAre(AllOf(HasSubstr(R"("subscribers":2)"), HasSubstr(R"("count":1)"))));
  a->say(R"({"type":"unsubscribe","id":5,"channel":"c"})");
  pass(Duration(1'000));
  EXPECT_THAT(a->heard(), ElementsAre(HasSubstr("ok")));
  EXPECT_EQ(adapter().occupancy().channels(), 0u);
}

}  // namespace
}  // namespace anywire::protocol::native
