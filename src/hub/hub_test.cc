#include "hub/hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "hub/testing/hub_fixture.h"

namespace anywire::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OneLoopHubTest : public HubTest {
 protected:
  OneLoopHubTest() { start(1); }
  Hub& hub() { return HubTest::hub(0); }
};

TEST_F(OneLoopHubTest, SubscribesAtOnce) {
  Listener a;
  EXPECT_FALSE(a.subscribed());
  hub().subscribe("x", a);
  EXPECT_TRUE(a.subscribed());
  EXPECT_EQ(a.subscribed_calls, 1);
  EXPECT_EQ(hub().channels(), 1u);
}

TEST_F(OneLoopHubTest, DeliversToEverybodyThePublisherIncluded) {
  Listener a, b, stranger;
  hub().subscribe("x", a);
  hub().subscribe("x", b);
  hub().subscribe("y", stranger);
  hub().publish(a, draft_of("one"));
  publish(0, "x", "two");
  turn(0);
  for (const Listener* member : {&a, &b}) {
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
  Listener a;
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
    Listener a;
    hub().subscribe("x", a);
  }
  EXPECT_EQ(hub().channels(), 0u);
  publish(0, "x", "into the void");
}

TEST_F(OneLoopHubTest, LetsASubscriberMoveOn) {
  Listener a;
  hub().subscribe("x", a);
  hub().unsubscribe(a);
  hub().subscribe("y", a);
  publish(0, "x", "old");
  publish(0, "y", "new");
  EXPECT_THAT(a.heard, ElementsAre("new"));
}

TEST_F(OneLoopHubTest, AllowsLeavingInsideADelivery) {
  std::vector<std::unique_ptr<Listener>> members;
  for (int i = 0; i < 10; ++i) {
    hub().subscribe("x", *members.emplace_back(std::make_unique<Listener>()));
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
  Listener a, b;
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
  Listener a, late;
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
  Listener a, b;
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
    std::vector<std::unique_ptr<Listener>> crowd;
    for (int i = 0; i < 3000; ++i) {
      hub().subscribe("x", *crowd.emplace_back(std::make_unique<Listener>()));
    }
    std::shuffle(crowd.begin(), crowd.end(), std::mt19937(static_cast<unsigned>(round)));
    while (crowd.size() > 10) crowd.pop_back();
    publish(0, "x", "to the rest");
    for (const auto& member : crowd) EXPECT_EQ(member->heard.size(), 1u);
  }
  EXPECT_EQ(hub().channels(), 0u);
}

TEST_F(OneLoopHubTest, AllowsLeavingInsideALongBurst) {
  Listener a, b;
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
  Listener a, b, late;
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
    void on_subscribed(const Joined&) override {}
    bool on_delivery(Delivery& delivery) override {
      frame = delivery.frame(variant, [&](const broker::Publication& publication) {
        ++*encodings;
        return publication.payload;
      });
      return true;
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
  void on_subscribed(const Joined&) override {}
  bool on_delivery(Delivery& delivery) override {
    runs.push_back(delivery.publications().size());
    largest.push_back(delivery.payload_bytes_max());
    const BufferRef& frame = delivery.frame(
        0, [](const broker::Publication& one) { return Buffer::copy_of(one.payload->bytes()); });
    frames.emplace_back(as_text(frame->bytes()));
    return true;
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
  Listener remote;
  hub(1).subscribe(channel, remote);
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
  Listener first, second, third;
  hub(1).subscribe(channel, first);
  hub(1).subscribe(channel, second);
  settle();
  EXPECT_EQ(first.subscribed_calls + second.subscribed_calls, 2);
  hub(1).subscribe(channel, third);
  EXPECT_EQ(third.subscribed_calls, 1);
}

TEST_F(TwoLoopHubTest, TellsASubscriberMadeInsideAConfirmationOnce) {
  Listener first, second;
  first.on_subscribed_hook = [&] { hub(1).subscribe(channel, second); };
  hub(1).subscribe(channel, first);
  settle();
  EXPECT_EQ(second.subscribed_calls, 1);
}

TEST_F(TwoLoopHubTest, AllowsLeavingInsideAConfirmation) {
  Listener first, second, third;
  first.on_subscribed_hook = [&] {
    hub(1).unsubscribe(first);
    hub(1).unsubscribe(second);
  };
  for (Listener* member : {&first, &second, &third}) hub(1).subscribe(channel, *member);
  settle();
  EXPECT_EQ(second.subscribed_calls, 0);
  EXPECT_EQ(third.subscribed_calls, 1);
  publish(1, channel, "x");
  settle();
  EXPECT_THAT(first.heard, IsEmpty());
  EXPECT_THAT(third.heard, ElementsAre("x"));
}

TEST_F(TwoLoopHubTest, IgnoresTheAnswerToAnEarlierJoining) {
  Listener early, late;
  hub(1).subscribe(channel, early);
  hub(1).unsubscribe(early);
  turn(0);  // add and remove; the first answer is on its way
  hub(1).subscribe(channel, late);
  turn(1);
  EXPECT_EQ(late.subscribed_calls, 0) << "the owner does not know of this one yet";
  settle();
  EXPECT_EQ(late.subscribed_calls, 1);
  EXPECT_EQ(early.subscribed_calls, 0);
}

TEST_F(TwoLoopHubTest, KeepsWhatAnEarlierJoiningWouldHaveHeardFromALaterOne) {
  Listener anchor, early, late;
  hub(0).subscribe(channel, anchor);
  hub(1).subscribe(channel, early);
  settle();
  post(0, channel, "for the earlier");
  hub(1).unsubscribe(early);
  hub(1).subscribe(channel, late);
  turn(1);
  EXPECT_EQ(late.early, 0) << "nothing before on_subscribed";
  post(0, channel, "lost for both");
  settle();
  publish(0, channel, "for the later");
  settle();
  EXPECT_THAT(late.heard, ElementsAre("for the later"));
}

TEST_F(TwoLoopHubTest, GivesOneOrderToBothLoops) {
  Listener here, there;
  hub(0).subscribe(channel, here);
  hub(1).subscribe(channel, there);
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

TEST_F(TwoLoopHubTest, ForgetsAChannelEverybodyHasLeft) {
  Listener a;
  hub(1).subscribe(channel, a);
  settle();
  hub(1).unsubscribe(a);
  settle();
  EXPECT_EQ(hub(0).channels() + hub(1).channels(), 0u);
  publish(1, channel, "nobody");
  settle();
}

}  // namespace
}  // namespace anywire::hub
