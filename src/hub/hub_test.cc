#include "hub/hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace anywire::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

BufferRef text(std::string_view bytes) { return Buffer::copy_of(as_bytes(bytes)); }

class Member final : public Subscriber {
 public:
  void on_subscribed() override {
    ++subscribed_calls;
    if (on_subscribed_hook) on_subscribed_hook();
  }
  void on_delivery(Delivery& delivery) override {
    for (const broker::PublicationPtr& publication : delivery.publications()) {
      if (!subscribed()) return;  // left over the one before
      if (subscribed_calls == 0) ++early;
      heard.emplace_back(as_text(publication->payload->bytes()));
      offsets.push_back(publication->offset);
      if (on_publication_hook) on_publication_hook();
    }
  }

  void on_hold() override { held = true; }
  void on_release() override {
    held = false;
    if (on_release_hook) on_release_hook();
  }

  bool held = false;
  std::function<void()> on_release_hook;
  int subscribed_calls = 0;
  int early = 0;  // publications before on_subscribed
  std::vector<std::string> heard;
  std::vector<std::uint64_t> offsets;
  std::function<void()> on_subscribed_hook;
  std::function<void()> on_publication_hook;
};

// Some loops in one thread, turned by hand.
class HubTest : public ::testing::Test {
 protected:
  void start(std::uint32_t count) {
    std::vector<reactor::Loop*> all;
    for (std::uint32_t i = 0; i < count; ++i) {
      loops.push_back(*reactor::Loop::create({.index = i, .receive_buffer_bytes = 64}, clock));
      all.push_back(loops.back().get());
    }
    group = std::make_unique<HubGroup>(all);
  }
  void turn(std::uint32_t loop) { loops[loop]->turn(Duration::zero()); }
  void settle() {
    for (int i = 0; i < 6; ++i) {
      for (std::uint32_t loop = 0; loop < loops.size(); ++loop) turn(loop);
    }
  }
  // A channel that `loop` owns.
  std::string owned_by(std::uint32_t loop) const {
    for (int i = 0;; ++i) {
      std::string name = "channel-" + std::to_string(i);
      if (&group->owner_of(name) == &group->hub(loop)) return name;
    }
  }
  void post(std::uint32_t loop, std::string_view channel, std::string_view payload) {
    group->hub(loop).publish(channel, broker::PayloadKind::kText, text(payload));
  }
  // And lets the turn end, which is when deliveries are made.
  void publish(std::uint32_t loop, std::string_view channel, std::string_view payload) {
    post(loop, channel, payload);
    turn(loop);
  }

  ManualClock clock;
  std::vector<std::unique_ptr<reactor::Loop>> loops;
  std::unique_ptr<HubGroup> group;
};

class OneLoopHubTest : public HubTest {
 protected:
  OneLoopHubTest() { start(1); }
  Hub& hub() { return group->hub(0); }
};

TEST_F(OneLoopHubTest, SubscribesAtOnce) {
  Member a;
  EXPECT_FALSE(a.subscribed());
  hub().subscribe("x", a);
  EXPECT_TRUE(a.subscribed());
  EXPECT_EQ(a.subscribed_calls, 1);
  EXPECT_EQ(hub().channels(), 1u);
}

TEST_F(OneLoopHubTest, DeliversToEverybodyThePublisherIncluded) {
  Member a, b, stranger;
  hub().subscribe("x", a);
  hub().subscribe("x", b);
  hub().subscribe("y", stranger);
  hub().publish(a, broker::PayloadKind::kText, text("one"));
  publish(0, "x", "two");
  turn(0);
  for (const Member* member : {&a, &b}) {
    EXPECT_THAT(member->heard, ElementsAre("one", "two"));
    EXPECT_THAT(member->offsets, ElementsAre(1, 2));
  }
  EXPECT_THAT(stranger.heard, IsEmpty());
}

TEST_F(OneLoopHubTest, PublishesIntoAnEmptyChannelWithoutATrace) {
  publish(0, "nobody", "a");
  EXPECT_EQ(hub().channels(), 0u);
}

TEST_F(OneLoopHubTest, StopsAtUnsubscribe) {
  Member a;
  hub().subscribe("x", a);
  hub().unsubscribe(a);
  hub().unsubscribe(a);
  EXPECT_FALSE(a.subscribed());
  publish(0, "x", "late");
  EXPECT_THAT(a.heard, IsEmpty());
  EXPECT_EQ(hub().channels(), 0u) << "the last one takes the channel along";
}

TEST_F(OneLoopHubTest, UnsubscribesADyingSubscriber) {
  {
    Member a;
    hub().subscribe("x", a);
  }
  EXPECT_EQ(hub().channels(), 0u);
  publish(0, "x", "into the void");
}

TEST_F(OneLoopHubTest, LetsASubscriberMoveOn) {
  Member a;
  hub().subscribe("x", a);
  hub().unsubscribe(a);
  hub().subscribe("y", a);
  publish(0, "x", "old");
  publish(0, "y", "new");
  EXPECT_THAT(a.heard, ElementsAre("new"));
}

TEST_F(OneLoopHubTest, AllowsLeavingInsideADelivery) {
  std::vector<std::unique_ptr<Member>> members;
  for (int i = 0; i < 10; ++i) {
    hub().subscribe("x", *members.emplace_back(std::make_unique<Member>()));
  }
  // The third takes itself, its neighbours and the last one out.
  members[3]->on_publication_hook = [&] {
    for (const int i : {3, 2, 4, 9}) hub().unsubscribe(*members[static_cast<std::size_t>(i)]);
  };
  publish(0, "x", "1");
  publish(0, "x", "2");
  const std::vector<std::size_t> heard = {2, 2, 1, 1, 0, 2, 2, 2, 2, 0};
  for (std::size_t i = 0; i < members.size(); ++i) {
    EXPECT_EQ(members[i]->heard.size(), heard[i]) << i;
  }
  hub().unsubscribe(*members[8]);
  hub().unsubscribe(*members[0]);
  publish(0, "x", "3");
  EXPECT_EQ(members[5]->heard.size(), 3u);
  EXPECT_EQ(members[8]->heard.size(), 2u);
}

TEST_F(OneLoopHubTest, AllowsEverybodyToLeaveInsideADelivery) {
  Member a, b;
  hub().subscribe("x", a);
  hub().subscribe("x", b);
  a.on_publication_hook = [&] {
    hub().unsubscribe(a);
    hub().unsubscribe(b);
  };
  publish(0, "x", "1");
  EXPECT_EQ(hub().channels(), 0u);
  publish(0, "x", "2");
  EXPECT_THAT(a.heard, ElementsAre("1"));
  EXPECT_THAT(b.heard, IsEmpty());
}

TEST_F(OneLoopHubTest, ShowsANewcomerInsideADeliveryOnlyWhatComesNext) {
  Member a, late;
  hub().subscribe("x", a);
  a.on_publication_hook = [&] {
    if (!late.subscribed()) hub().subscribe("x", late);
  };
  publish(0, "x", "1");
  publish(0, "x", "2");
  EXPECT_EQ(late.subscribed_calls, 1);
  EXPECT_THAT(late.heard, ElementsAre("2"));
}

TEST_F(OneLoopHubTest, LetsASubscriberComeBackInsideADelivery) {
  Member a, b;
  hub().subscribe("x", a);
  hub().subscribe("x", b);
  a.on_publication_hook = [&] {
    hub().unsubscribe(b);
    hub().subscribe("x", b);
    hub().unsubscribe(a);
  };
  publish(0, "x", "1");
  publish(0, "x", "2");
  EXPECT_THAT(a.heard, ElementsAre("1"));
  EXPECT_THAT(b.heard, ElementsAre("2"));
}

TEST_F(OneLoopHubTest, SurvivesACrowdThatComesAndGoes) {
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<Member>> crowd;
    for (int i = 0; i < 3000; ++i) {
      hub().subscribe("x", *crowd.emplace_back(std::make_unique<Member>()));
    }
    std::shuffle(crowd.begin(), crowd.end(), std::mt19937(static_cast<unsigned>(round)));
    while (crowd.size() > 10) crowd.pop_back();
    publish(0, "x", "to the rest");
    for (const auto& member : crowd) EXPECT_EQ(member->heard.size(), 1u);
  }
  EXPECT_EQ(hub().channels(), 0u);
}

TEST_F(OneLoopHubTest, AllowsLeavingInsideALongBurst) {
  Member a, b;
  hub().subscribe("x", a);
  hub().subscribe("x", b);
  a.on_publication_hook = [&] {
    hub().unsubscribe(a);
    hub().unsubscribe(b);
  };
  for (int i = 0; i < 500; ++i) post(0, "x", std::to_string(i));
  turn(0);
  EXPECT_THAT(a.heard, ElementsAre("0"));
  EXPECT_THAT(b.heard, IsEmpty());
  EXPECT_EQ(hub().channels(), 0u);
}

TEST_F(OneLoopHubTest, DeliversABurstWholeAndInOrder) {
  Member a, b, late;
  hub().subscribe("x", a);
  hub().subscribe("x", b);
  for (int i = 0; i < 500; ++i) {
    if (i == 250) hub().subscribe("x", late);
    post(0, "x", std::to_string(i));
  }
  turn(0);
  ASSERT_EQ(a.heard.size(), 500u);
  EXPECT_EQ(a.heard[499], "499");
  EXPECT_EQ(a.heard, b.heard);
  ASSERT_EQ(late.heard.size(), 250u);
  EXPECT_EQ(late.heard[0], "250");
}

TEST_F(OneLoopHubTest, EncodesOncePerVariant) {
  struct Encoder final : Subscriber {
    explicit Encoder(std::size_t v) : variant(v) {}
    void on_subscribed() override {}
    void on_delivery(Delivery& delivery) override {
      frame = delivery.frame(variant, [&](const broker::Publication& publication) {
        ++*encodings;
        return publication.payload;
      });
    }
    std::size_t variant;
    BufferRef frame;
    int* encodings = nullptr;
  };
  int encodings = 0;
  std::vector<std::unique_ptr<Encoder>> members;
  for (std::size_t i = 0; i < 30; ++i) {
    members.push_back(std::make_unique<Encoder>(i % 2));
    members.back()->encodings = &encodings;
    hub().subscribe("x", *members.back());
  }
  publish(0, "x", "a");
  EXPECT_EQ(encodings, 2);
  EXPECT_EQ(members[0]->frame->data(), members[28]->frame->data());
}

// What one receiver got, as the joined frames of each delivery.
struct Collector final : Subscriber {
  void on_subscribed() override {}
  void on_delivery(Delivery& delivery) override {
    runs.push_back(delivery.publications().size());
    largest.push_back(delivery.payload_bytes_max());
    const BufferRef& frame = delivery.frame(
        0, [](const broker::Publication& one) { return Buffer::copy_of(one.payload->bytes()); });
    frames.emplace_back(as_text(frame->bytes()));
  }
  std::vector<std::size_t> runs;
  std::vector<std::size_t> largest;
  std::vector<std::string> frames;
};

TEST_F(OneLoopHubTest, JoinsTheFramesOfABurst) {
  Collector a, b;
  hub().subscribe("x", a);
  hub().subscribe("x", b);
  for (const char* message : {"one ", "two ", "three"}) post(0, "x", message);
  turn(0);
  EXPECT_THAT(a.runs, ElementsAre(3u));
  EXPECT_THAT(a.largest, ElementsAre(5u));
  EXPECT_THAT(a.frames, ElementsAre("one two three"));
  EXPECT_EQ(a.frames, b.frames);
}

TEST_F(OneLoopHubTest, DoesNotJoinWhatIsLarge) {
  Collector a;
  hub().subscribe("x", a);
  const std::string large(16 * 1024, 'l');
  post(0, "x", "s");
  post(0, "x", large);
  post(0, "x", "s");
  post(0, "x", std::string(16 * 1024 - 1, 'm'));
  turn(0);
  EXPECT_THAT(a.runs, ElementsAre(1u, 1u, 2u));
  EXPECT_EQ(a.frames[1], large);
  EXPECT_EQ(a.frames[2].size(), 16u * 1024);
}

class TwoLoopHubTest : public HubTest {
 protected:
  TwoLoopHubTest() {
    start(2);
    channel = owned_by(0);
  }
  // Loop 0 owns it.
  std::string channel;
};

TEST_F(TwoLoopHubTest, ConfirmsARemoteSubscriptionAfterTheOwnerKnows) {
  Member remote;
  group->hub(1).subscribe(channel, remote);
  EXPECT_EQ(remote.subscribed_calls, 0);
  turn(1);
  EXPECT_EQ(remote.subscribed_calls, 0);
  turn(0);
  EXPECT_EQ(remote.subscribed_calls, 0);
  // Ordered after the owner knew of it, before the answer is read.
  post(0, channel, "first");
  turn(1);
  EXPECT_EQ(remote.subscribed_calls, 1);
  EXPECT_THAT(remote.heard, ElementsAre("first"));
  EXPECT_EQ(remote.early, 0);
}

TEST_F(TwoLoopHubTest, ConfirmsASecondSubscriberAtOnce) {
  Member first, second, third;
  group->hub(1).subscribe(channel, first);
  group->hub(1).subscribe(channel, second);
  settle();
  EXPECT_EQ(first.subscribed_calls + second.subscribed_calls, 2);
  group->hub(1).subscribe(channel, third);
  EXPECT_EQ(third.subscribed_calls, 1);
}

TEST_F(TwoLoopHubTest, TellsASubscriberMadeInsideAConfirmationOnce) {
  Member first, second;
  first.on_subscribed_hook = [&] { group->hub(1).subscribe(channel, second); };
  group->hub(1).subscribe(channel, first);
  settle();
  EXPECT_EQ(second.subscribed_calls, 1);
}

TEST_F(TwoLoopHubTest, AllowsLeavingInsideAConfirmation) {
  Member first, second, third;
  first.on_subscribed_hook = [&] {
    group->hub(1).unsubscribe(first);
    group->hub(1).unsubscribe(second);
  };
  for (Member* member : {&first, &second, &third}) group->hub(1).subscribe(channel, *member);
  settle();
  EXPECT_EQ(second.subscribed_calls, 0);
  EXPECT_EQ(third.subscribed_calls, 1);
  publish(1, channel, "x");
  settle();
  EXPECT_THAT(first.heard, IsEmpty());
  EXPECT_THAT(third.heard, ElementsAre("x"));
}

TEST_F(TwoLoopHubTest, IgnoresTheAnswerToAnEarlierJoining) {
  Member early, late;
  group->hub(1).subscribe(channel, early);
  group->hub(1).unsubscribe(early);
  turn(0);  // add and remove; the first answer is on its way
  group->hub(1).subscribe(channel, late);
  turn(1);
  EXPECT_EQ(late.subscribed_calls, 0) << "the owner does not know of this one yet";
  settle();
  EXPECT_EQ(late.subscribed_calls, 1);
  EXPECT_EQ(early.subscribed_calls, 0);
}

TEST_F(TwoLoopHubTest, KeepsWhatAnEarlierJoiningWouldHaveHeardFromALaterOne) {
  Member anchor, early, late;
  group->hub(0).subscribe(channel, anchor);
  group->hub(1).subscribe(channel, early);
  settle();
  post(0, channel, "for the earlier");
  group->hub(1).unsubscribe(early);
  group->hub(1).subscribe(channel, late);
  turn(1);
  EXPECT_EQ(late.early, 0) << "nothing before on_subscribed";
  post(0, channel, "lost for both");
  settle();
  publish(0, channel, "for the later");
  settle();
  EXPECT_THAT(late.heard, ElementsAre("for the later"));
}

TEST_F(TwoLoopHubTest, GivesOneOrderToBothLoops) {
  Member here, there;
  group->hub(0).subscribe(channel, here);
  group->hub(1).subscribe(channel, there);
  settle();
  for (int i = 0; i < 10; ++i) {
    post(static_cast<std::uint32_t>(i % 2), channel, std::to_string(i));
    turn(static_cast<std::uint32_t>(i / 3 % 2));
  }
  settle();
  EXPECT_EQ(here.heard.size(), 10u);
  EXPECT_EQ(here.heard, there.heard);
  EXPECT_EQ(here.offsets, there.offsets);
}

// The owner does not turn; a publisher sends until it is told to wait.
std::size_t flood(Hub& hub, Member& from, std::size_t payload_bytes) {
  std::size_t count = 0;
  while (!from.held && count < 1'000'000) {
    hub.publish(from, broker::PayloadKind::kText, text(std::string(payload_bytes, 'x')));
    ++count;
  }
  return count;
}

TEST_F(TwoLoopHubTest, HoldsAPublisherWhoseOwnerIsBehind) {
  const std::string name = owned_by(1);
  Member a;
  group->hub(0).subscribe(name, a);
  settle();
  for (const std::size_t bytes : {0u, 100u, 100'000u, 2'000'000u}) {
    a.heard.clear();
    const std::size_t count = flood(group->hub(0), a, bytes);
    EXPECT_EQ(count, Backlog::kBacklogBytesMax / (bytes + Backlog::kOverheadBytes) + 1) << bytes;
    turn(0);
    EXPECT_TRUE(a.held);
    settle();
    EXPECT_FALSE(a.held);
    EXPECT_EQ(a.heard.size(), count);
  }
}

TEST_F(TwoLoopHubTest, HoldsAPublisherWhileAnotherLoopHasNotDelivered) {
  const std::string name = owned_by(0);
  Member a, b;
  group->hub(0).subscribe(name, a);
  group->hub(1).subscribe(name, b);
  settle();
  const std::size_t count = flood(group->hub(0), a, 1000);
  for (int i = 0; i < 5; ++i) turn(0);
  EXPECT_EQ(a.heard.size(), count);
  EXPECT_TRUE(a.held) << "b has heard nothing yet";
  settle();
  EXPECT_FALSE(a.held);
  EXPECT_EQ(b.heard.size(), count);
}

TEST_F(TwoLoopHubTest, HoldsOnlyThoseWhoPublish) {
  const std::string name = owned_by(1);
  Member a, b, quiet;
  for (Member* member : {&a, &b, &quiet}) group->hub(0).subscribe(name, *member);
  settle();
  flood(group->hub(0), a, 1000);
  EXPECT_EQ(flood(group->hub(0), b, 1000), 1u) << "what it sends is taken, and it waits, too";
  EXPECT_FALSE(quiet.held);
  settle();
  EXPECT_FALSE(a.held || b.held);
}

TEST_F(TwoLoopHubTest, ReleasesTheOthersLaterWhenTheFirstFillsTheRoomAgain) {
  const std::string name = owned_by(1);
  Member a, b;
  group->hub(0).subscribe(name, a);
  group->hub(0).subscribe(name, b);
  settle();
  flood(group->hub(0), a, 1000);
  flood(group->hub(0), b, 1000);
  bool again = true;
  a.on_release_hook = [&] {
    if (!std::exchange(again, false)) return;
    flood(group->hub(0), a, 1000);
    EXPECT_TRUE(b.held);
  };
  settle();
  settle();
  EXPECT_FALSE(again);
  EXPECT_FALSE(a.held || b.held);
}

TEST_F(TwoLoopHubTest, AllowsLeavingWhileHeldAndInsideARelease) {
  const std::string name = owned_by(1);
  Member a, c;
  auto b = std::make_unique<Member>();
  for (Member* member : {&a, b.get(), &c}) group->hub(0).subscribe(name, *member);
  settle();
  for (Member* member : {&a, b.get(), &c}) flood(group->hub(0), *member, 1000);
  group->hub(0).unsubscribe(c);
  a.on_release_hook = [&] { b.reset(); };
  settle();
  EXPECT_EQ(b, nullptr);
  EXPECT_TRUE(c.held) << "nobody calls who has left";
}

TEST_F(OneLoopHubTest, HoldsNobodyWhereEverythingLeavesInItsTurn) {
  Member a;
  hub().subscribe("x", a);
  const std::string large(1 << 20, 'x');
  for (int i = 0; i < 20; ++i) hub().publish(a, broker::PayloadKind::kText, text(large));
  EXPECT_FALSE(a.held);
  turn(0);
  EXPECT_EQ(a.heard.size(), 20u);
}

TEST_F(TwoLoopHubTest, ForgetsAChannelEverybodyHasLeft) {
  Member a;
  group->hub(1).subscribe(channel, a);
  settle();
  group->hub(1).unsubscribe(a);
  settle();
  EXPECT_EQ(group->hub(0).channels() + group->hub(1).channels(), 0u);
  publish(1, channel, "nobody");
  settle();
}

// Members that join, leave and publish at random while the loops turn in random order. An anchor on
// the owner's loop never leaves and so knows the order of everything.
class RandomHubTest : public HubTest, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  // What one subscription heard.
  struct Stay {
    std::vector<std::uint64_t> offsets;
    std::vector<std::string> heard;
    std::uint64_t published_before = 0;  // when on_subscribed came
  };
  struct Walker {
    std::uint32_t loop = 0;
    Member member;
    std::uint64_t published_before = 0;

    Stay end_stay() {
      EXPECT_EQ(member.early, 0) << "heard before on_subscribed";
      EXPECT_LE(member.subscribed_calls, 1);
      member.subscribed_calls = 0;
      return {std::exchange(member.offsets, {}), std::exchange(member.heard, {}), published_before};
    }
  };

  // Continuous from the subscription on, nothing twice, the anchor's order and bytes.
  static void check(const Stay& stay, const Member& anchor) {
    for (std::size_t i = 0; i < stay.offsets.size(); ++i) {
      const std::uint64_t offset = stay.offsets[i];
      if (i == 0) {
        ASSERT_LE(offset, stay.published_before + 1) << "missed after on_subscribed";
      } else {
        ASSERT_EQ(offset, stay.offsets[i - 1] + 1);
      }
      ASSERT_LE(offset, anchor.heard.size());
      ASSERT_EQ(stay.heard[i], anchor.heard[offset - 1]);
    }
  }
};

TEST_P(RandomHubTest, NeitherLosesNorRepeatsNorReorders) {
  start(GetParam());
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const std::string channel = "random-" + std::to_string(seed);
    Member anchor;
    std::uint32_t owner = 0;
    while (&group->hub(owner) != &group->owner_of(channel)) ++owner;
    group->hub(owner).subscribe(channel, anchor);
    std::uint64_t published = 0;
    std::vector<Stay> stays;
    std::vector<Walker> walkers(6);
    for (std::size_t i = 0; i < walkers.size(); ++i) {
      walkers[i].loop = static_cast<std::uint32_t>(i % GetParam());
      walkers[i].member.on_subscribed_hook = [&walker = walkers[i], &published] {
        walker.published_before = published;
      };
    }
    for (int step = 0; step < 400; ++step) {
      Walker& walker = walkers[random() % walkers.size()];
      Hub& hub = group->hub(walker.loop);
      const std::uint32_t dice = random() % 10;
      if (dice < 5) {
        turn(random() % GetParam());
      } else if (dice < 8) {
        post(walker.loop, channel, std::to_string(published++));
      } else if (walker.member.subscribed()) {
        hub.unsubscribe(walker.member);
        stays.push_back(walker.end_stay());
      } else {
        hub.subscribe(channel, walker.member);
      }
    }
    settle();
    ASSERT_EQ(anchor.heard.size(), published);
    for (Walker& walker : walkers) {
      if (!walker.member.subscribed()) continue;
      ASSERT_EQ(walker.member.subscribed_calls, 1);
      if (walker.published_before < published) {
        ASSERT_FALSE(walker.member.offsets.empty());
        ASSERT_EQ(walker.member.offsets.back(), anchor.offsets.back());
      }
      group->hub(walker.loop).unsubscribe(walker.member);
      stays.push_back(walker.end_stay());
    }
    for (const Stay& stay : stays) ASSERT_NO_FATAL_FAILURE(check(stay, anchor));
    group->hub(owner).unsubscribe(anchor);
    settle();
    for (std::uint32_t i = 0; i < GetParam(); ++i) ASSERT_EQ(group->hub(i).channels(), 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Loops, RandomHubTest, ::testing::Values(1u, 2u, 4u));

TEST(HubThreads, GiveAllLoopsOneOrderWhileEverybodyPublishes) {
  constexpr std::uint32_t kLoops = 4;
  constexpr int kEach = 500;
  SystemClock clock;
  std::vector<std::unique_ptr<reactor::Loop>> loops;
  std::vector<reactor::Loop*> all;
  for (std::uint32_t i = 0; i < kLoops; ++i) {
    loops.push_back(*reactor::Loop::create({.index = i}, clock));
    all.push_back(loops.back().get());
  }
  HubGroup group(all);
  std::vector<std::unique_ptr<Member>> members;
  std::vector<std::promise<void>> subscribed(kLoops), complete(kLoops);
  for (std::uint32_t i = 0; i < kLoops; ++i) {
    Member& member = *members.emplace_back(std::make_unique<Member>());
    member.on_subscribed_hook = [&subscribed, i] { subscribed[i].set_value(); };
    member.on_publication_hook = [&member, &complete, i] {
      if (member.heard.size() == kLoops * kEach) complete[i].set_value();
    };
    loops[i]->post([&group, &member, i] { group.hub(i).subscribe("x", member); });
  }
  std::vector<std::thread> threads;
  for (auto& loop : loops) threads.emplace_back([&loop] { loop->run(); });
  for (auto& promise : subscribed) promise.get_future().wait();
  for (int n = 0; n < kEach; ++n) {
    for (std::uint32_t i = 0; i < kLoops; ++i) {
      loops[i]->post([&group, &member = *members[i], i, n] {
        group.hub(i).publish(member, broker::PayloadKind::kText,
                             text(std::to_string(i) + ":" + std::to_string(n)));
      });
    }
  }
  for (auto& promise : complete) promise.get_future().wait();
  for (std::uint32_t i = 0; i < kLoops; ++i) {
    loops[i]->post([&group, &member = *members[i], i] { group.hub(i).unsubscribe(member); });
    loops[i]->stop();
  }
  for (std::thread& thread : threads) thread.join();
  for (auto& loop : loops) loop->turn(Duration::zero());
  std::map<std::string, int> next;
  for (const std::string& heard : members[0]->heard) {
    const std::size_t colon = heard.find(':');
    EXPECT_EQ(std::stoi(heard.substr(colon + 1)), next[heard.substr(0, colon)]++)
        << "each publisher's own order";
  }
  for (const auto& member : members) EXPECT_EQ(member->heard, members[0]->heard);
}

}  // namespace
}  // namespace anywire::hub
