// Presence through the hubs: members on several loops, listeners on several loops. What a set does
// is presence_test.cc's business.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "hub/testing/hub_fixture.h"

namespace anywire::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Keeps the list of members as presence_view.h says, and fails where a diff does not fit.
class Onlooker final : public Subscriber {
 public:
  void on_subscribed(const Joined&) override { in_force = true; }
  bool on_delivery(Delivery&) override {
    ++heard;
    return takes_more;
  }
  void on_presence(PresenceDelivery& delivery) override {
    EXPECT_TRUE(in_force);
    const PresenceDiff& diff = delivery.diff();
    ++diffs;
    counts = diff.counts;
    if (diff.kind == PresenceDiff::Kind::kChanges) {
      EXPECT_EQ(diff.version_from, version) << "missed one";
    } else {
      members.clear();
    }
    version = diff.version_to;
    for (const auto& leave : diff.leaves) members.erase(std::string(leave.member->client_id()));
    for (const auto& join : diff.joins) put(*join.member);
    for (const auto& update : diff.updates) put(*update);
    if (on_presence_hook) on_presence_hook();
  }
  void put(const hub::Member& member) { members[std::string(member.client_id())] = member.info(); }

  bool in_force = false;
  bool takes_more = true;
  int heard = 0;
  int diffs = 0;
  std::uint64_t version = 0;
  PresenceCounts counts;
  std::map<std::string, std::string> members;
  std::function<void()> on_presence_hook;
};

class HubPresenceTest : public HubTest {
 protected:
  HubPresenceTest() {
    rule.presence = true;
    rule.history_messages = 10;
    rule.slow_consumer = SlowConsumer::kAuto;
    start(3);
    channel = owned_by(0);
  }
  void enter(std::uint32_t loop, std::string_view client, std::string_view info = "1") {
    hub(loop).enter(channel, {.client_id = client, .user_id = client, .info = info});
  }
  void listen(std::uint32_t loop, Onlooker& one) {
    hub(loop).subscribe(channel, one, {.presence = true});
  }
  std::string channel;
};

using Members = std::map<std::string, std::string>;

TEST_F(HubPresenceTest, ShowsEverybodyToEverybody) {
  std::vector<Onlooker> onlookers(4);
  enter(1, "early");
  for (std::uint32_t i = 0; i < 4; ++i) listen(i % 3, onlookers[i]);
  settle();
  enter(0, "ada");
  enter(2, "bob", "first");
  pass(Duration{200});
  hub(2).update(channel, {.client_id = "bob", .info = "second"});
  hub(0).leave(channel, "ada");
  pass(Duration{200});
  for (const Onlooker& one : onlookers) {
    EXPECT_EQ(one.members, (Members{{"early", "1"}, {"bob", "second"}}));
    EXPECT_EQ(one.counts, (PresenceCounts{2, 2}));
  }
}

TEST_F(HubPresenceTest, TellsOnlyThoseWhoAsk) {
  Onlooker plain, asking;
  hub(1).subscribe(channel, plain);
  listen(1, asking);
  enter(0, "ada");
  pass(Duration{200});
  EXPECT_EQ(plain.diffs, 0);
  EXPECT_EQ(asking.members.size(), 1u);
}

TEST_F(HubPresenceTest, GivesANewListenerTheWholeWhileOthersGetChanges) {
  Onlooker first, second;
  listen(1, first);
  enter(0, "ada");
  pass(Duration{200});
  enter(0, "bob");  // told in the next batch
  listen(1, second);
  enter(0, "cleo");
  pass(Duration{200});
  EXPECT_EQ(first.members.size(), 3u);
  EXPECT_EQ(second.members, first.members);
  EXPECT_EQ(second.version, first.version);
}

TEST_F(HubPresenceTest, LetsAListenerLeaveAndReturnAtAnyTime) {
  Onlooker a, b;
  enter(0, "ada");
  listen(1, a);
  listen(1, b);
  a.on_presence_hook = [&] { hub(1).unsubscribe(a); };
  settle();
  EXPECT_EQ(a.diffs, 1);
  hub(1).unsubscribe(b);
  listen(1, b);
  enter(0, "bob");
  hub(1).unsubscribe(b);
  listen(1, b);
  pass(Duration{300});
  EXPECT_EQ(b.members.size(), 2u);
  hub(1).unsubscribe(b);
  hub(0).leave(channel, "ada");
  hub(0).leave(channel, "bob");
  pass(Duration{300});
  EXPECT_EQ(hub(0).present_channels(), 0u);
}

TEST_F(HubPresenceTest, KeepsALostMemberForTheGrace) {
  Onlooker a;
  listen(2, a);
  enter(1, "ada");
  pass(Duration{200});
  hub(1).vanish(channel, "ada");
  settle();
  pass(Duration{9'000});
  EXPECT_EQ(a.members.size(), 1u);
  pass(Duration{1'100});
  pass(Duration{200});
  EXPECT_THAT(a.members, IsEmpty());
}

TEST_F(HubPresenceTest, LetsAMemberReturnOnAnotherLoop) {
  Onlooker a;
  listen(2, a);
  enter(1, "ada");
  pass(Duration{200});
  const int before = a.diffs;
  hub(1).vanish(channel, "ada");
  enter(2, "ada");
  settle();
  hub(1).leave(channel, "ada");  // of a connection that was taken over
  pass(Duration{20'000});
  EXPECT_EQ(a.members.size(), 1u);
  EXPECT_EQ(a.diffs, before) << "nothing was to be seen";
}

// It stays as it was, but its new loop has it, so that somebody can end it.
TEST_F(HubPresenceTest, LeavesAMemberToTheLoopWhoseEnterItRefuses) {
  const std::string big(5000, '1');
  for (const std::uint32_t loop : {0u, 1u}) {
    const std::uint32_t other = 1 - loop;
    Onlooker a;
    listen(2, a);
    enter(loop, "ada");
    pass(Duration{200});
    const int before = a.diffs;
    std::vector<HubError> errors;
    hub(other).enter(channel, {.client_id = "ada", .user_id = "ada", .info = big},
                     [&](auto result) { errors.push_back(result.error()); });
    hub(other).enter(channel, {.client_id = "bob", .info = big},
                     [&](auto result) { errors.push_back(result.error()); });
    settle();
    EXPECT_THAT(errors, ElementsAre(HubError::kTooLarge, HubError::kTooLarge));
    hub(loop).vanish(channel, "ada");
    settle();
    pass(Duration{20'000});
    EXPECT_EQ(a.members, (Members{{"ada", "1"}}));
    EXPECT_EQ(a.diffs, before) << "nothing was to be seen";
    hub(other).vanish(channel, "ada");
    settle();
    pass(Duration{20'000});
    pass(Duration{200});
    EXPECT_THAT(a.members, IsEmpty());
  }
}

TEST_F(HubPresenceTest, TellsReadersThatAreBehind) {
  Onlooker slow;
  listen(1, slow);
  settle();
  slow.takes_more = false;
  publish_range(channel, 1, 2);
  EXPECT_EQ(hub(1).readers(), 1u);
  enter(0, "ada");
  pass(Duration{200});
  EXPECT_EQ(slow.heard, 1);
  EXPECT_EQ(slow.members.size(), 1u);
}

TEST_F(HubPresenceTest, AnswersWhoEnters) {
  std::vector<std::uint64_t> versions;
  std::vector<HubError> errors;
  const auto done = [&](auto result) {
    if (result) {
      versions.push_back(*result);
    } else {
      errors.push_back(result.error());
    }
  };
  for (const std::uint32_t loop : {0u, 1u}) {
    hub(loop).enter(channel, {.client_id = "c" + std::to_string(loop)}, done);
    hub(loop).update(channel, {.client_id = "nobody"}, done);
  }
  settle();
  EXPECT_EQ(versions.size(), 2u);
  EXPECT_THAT(errors, ElementsAre(HubError::kNoPresence, HubError::kNoPresence));
}

TEST_F(HubPresenceTest, PagesThroughTheMembers) {
  for (const char* name : {"a", "b", "c", "d"}) enter(0, name);
  pass(Duration{200});
  pass(Duration{200});
  std::vector<std::string> ids;
  bool more = false;
  const auto done = [&](auto page) {
    ASSERT_TRUE(page);
    more = page->more;
    for (const auto& one : page->members) ids.emplace_back(one->client_id());
  };
  hub(2).members(channel, "", 3, done);
  settle();
  EXPECT_THAT(ids, ElementsAre("a", "b", "c"));
  EXPECT_TRUE(more);
  hub(2).members(channel, "c", 3, done);
  settle();
  EXPECT_THAT(ids, ElementsAre("a", "b", "c", "d"));
  EXPECT_FALSE(more);
}

TEST_F(HubPresenceTest, CountsSubscribersAndMembersOfAllLoops) {
  std::vector<Onlooker> onlookers(5);
  for (std::uint32_t i = 0; i < 5; ++i) hub(i % 3).subscribe(channel, onlookers[i]);
  enter(1, "ada");
  pass(Duration{200});
  std::vector<Occupancy> answers;
  hub(2).occupancy(channel, [&](const Occupancy& one) { answers.push_back(one); });
  settle();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].subscribers, 5u);
  EXPECT_EQ(answers[0].present, (PresenceCounts{1, 1}));
}

TEST(HubWithoutPresence, SaysSo) {
  struct Fixture : HubTest {
    using HubTest::hub;
    using HubTest::start;
    void TestBody() override {}
  } fixture;
  fixture.start(1);
  std::vector<HubError> errors;
  fixture.hub(0).enter("x", {.client_id = "a"}, [&](auto r) { errors.push_back(r.error()); });
  fixture.hub(0).members("x", "", 10, [&](auto r) { errors.push_back(r.error()); });
  EXPECT_THAT(errors, ElementsAre(HubError::kNoPresence, HubError::kNoPresence));
  Onlooker a;
  fixture.hub(0).subscribe("x", a, {.presence = true});
  fixture.hub(0).enter("x", {.client_id = "a"});
  EXPECT_EQ(a.diffs, 0);
}

TEST_F(HubPresenceTest, ConvergesWhateverHappens) {
  std::mt19937 engine(7);
  const auto dice = [&](std::uint32_t sides) {
    return static_cast<std::uint32_t>(engine() % sides);
  };
  std::vector<Onlooker> onlookers(6);
  for (int i = 0; i < 3000; ++i) {
    const std::uint32_t loop = dice(3);
    const std::string client = "c" + std::to_string(dice(12));
    switch (dice(6)) {
      case 0: enter(loop, client, std::to_string(i)); break;
      case 1: hub(loop).leave(channel, client); break;
      case 2: hub(loop).vanish(channel, client); break;
      case 3: clock.advance(Duration{static_cast<int>(dice(900))}); break;
      case 4: {
        const std::uint32_t who = dice(6);
        if (onlookers[who].subscribed()) {
          hub(who % 3).unsubscribe(onlookers[who]);
          onlookers[who].in_force = false;
        } else {
          listen(who % 3, onlookers[who]);
        }
        break;
      }
      default: turn(loop);
    }
  }
  for (std::uint32_t i = 0; i < 6; ++i) {
    if (!onlookers[i].subscribed()) listen(i % 3, onlookers[i]);
  }
  pass(Duration{20'000});
  pass(Duration{1'000});
  for (const Onlooker& one : onlookers) {
    EXPECT_EQ(one.members, onlookers[0].members);
    EXPECT_EQ(one.counts.members, one.members.size());
    EXPECT_EQ(one.version, onlookers[0].version);
  }
}

}  // namespace
}  // namespace anywire::hub
