#include "hub/channel_observer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "hub/testing/hub_fixture.h"
#include "hub/testing/memory_hubs.h"

namespace anywire::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Notes final : public ChannelObserver {
 public:
  void on_occupied(std::string_view channel) override { add("occupied", channel); }
  void on_vacated(std::string_view channel) override { add("vacated", channel); }
  void on_joined(std::string_view channel, std::string_view client,
                 std::string_view user) override {
    add("join", channel, client, user);
  }
  void on_left(std::string_view channel, std::string_view client, std::string_view user) override {
    add("leave", channel, client, user);
  }
  std::vector<std::string> take() { return std::exchange(notes_, {}); }

 private:
  void add(std::string note, std::string_view channel, std::string_view client = {},
           std::string_view user = {}) {
    for (const std::string_view part : {channel, client, user}) {
      if (!part.empty()) note.append(" ").append(part);
    }
    notes_.push_back(std::move(note));
  }
  std::vector<std::string> notes_;
};

class ChannelObserverTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kLoops = 2;

  ChannelObserverTest() {
    // One pair of eyes for both loops: an event that is told twice would show.
    for (std::uint32_t i = 0; i < kLoops; ++i) hubs->hub(i).observe(&notes);
  }
  void pass(Duration time) {
    clock.advance(time);
    for (int i = 0; i < 8; ++i) {
      for (auto& loop : loops) loop->turn(Duration::zero());
    }
  }
  static std::vector<std::unique_ptr<reactor::Loop>> make_loops(Clock& clock) {
    std::vector<std::unique_ptr<reactor::Loop>> made;
    for (std::uint32_t i = 0; i < kLoops; ++i) {
      made.push_back(*reactor::Loop::create({.index = i}, clock));
    }
    return made;
  }
  static Rules rules() {
    ChannelRule rule;
    rule.presence = true;
    rule.presence_grace = Duration{1000};
    return Rules({}, rule);
  }

  ManualClock clock;
  Notes notes;
  std::vector<std::unique_ptr<reactor::Loop>> loops = make_loops(clock);
  std::vector<reactor::Loop*> pointers{loops[0].get(), loops[1].get()};
  std::unique_ptr<MemoryHubs> hubs = std::make_unique<MemoryHubs>(pointers, rules());
};

TEST_F(ChannelObserverTest, HearsOfTheFirstAndTheLastSubscriberOfAllLoops) {
  Listener one, two, three;
  hubs->hub(0).subscribe("a", one);
  hubs->hub(1).subscribe("a", two);
  hubs->hub(1).subscribe("a", three);
  pass(Duration{1});
  EXPECT_THAT(notes.take(), ElementsAre("occupied a"));
  hubs->hub(0).unsubscribe(one);
  hubs->hub(1).unsubscribe(two);
  pass(Duration{1});
  EXPECT_THAT(notes.take(), IsEmpty());
  hubs->hub(1).unsubscribe(three);
  pass(Duration{1});
  EXPECT_THAT(notes.take(), ElementsAre("vacated a"));
}

TEST_F(ChannelObserverTest, HearsOfNothingWhereOnlySomethingIsPublished) {
  hubs->hub(0).publish("a", draft_of("x"));
  pass(Duration{1});
  EXPECT_THAT(notes.take(), IsEmpty());
}

TEST_F(ChannelObserverTest, HearsOfMembersAsOtherMembersDo) {
  hubs->hub(0).enter("a", {.client_id = "c1", .user_id = "ann", .info = {}, .loop = 0});
  hubs->hub(1).enter("a", {.client_id = "c2", .user_id = {}, .info = {}, .loop = 1});
  pass(Duration{200});
  EXPECT_THAT(notes.take(), UnorderedElementsAre("join a c1 ann", "join a c2"));
  hubs->hub(0).enter("a", {.client_id = "c1", .user_id = "ann", .info = "1", .loop = 0});
  hubs->hub(1).vanish("a", "c2");
  pass(Duration{500});
  EXPECT_THAT(notes.take(), IsEmpty()) << "an update and a lost connection are no news";
  hubs->hub(0).leave("a", "c1");
  pass(Duration{2000});
  pass(Duration{200});
  EXPECT_THAT(notes.take(), UnorderedElementsAre("leave a c1 ann", "leave a c2"));
}

TEST_F(ChannelObserverTest, HearsOfMembersThatAreTooManyToBeListed) {
  for (int i = 0; i < 1500; ++i) {
    hubs->hub(0).enter("a", {.client_id = std::to_string(i), .loop = 0});
  }
  pass(Duration{200});
  pass(Duration{200});
  EXPECT_EQ(notes.take().size(), 1500u);
}

TEST_F(ChannelObserverTest, HearsNoMoreWhenItIsTakenAway) {
  for (std::uint32_t i = 0; i < kLoops; ++i) hubs->hub(i).observe(nullptr);
  Listener one;
  hubs->hub(0).subscribe("a", one);
  pass(Duration{1});
  hubs->hub(0).unsubscribe(one);
  EXPECT_THAT(notes.take(), IsEmpty());
}

}  // namespace
}  // namespace anywire::hub
