#include "protocol/publish_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/testing/memory_hubs.h"
#include "protocol/fake_app_for_test.h"
#include "reactor/testing/loops.h"

namespace anywire::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Taken = PublishLine::Taken;
using Log = std::vector<std::string>;

constexpr std::size_t kMost = 100;

// `room` keeps history, messages of `small` have 20 bytes at most, and `disk` wants a disk, which
// there is not.
hub::Rules rules() {
  hub::ChannelRule room, small, disk;
  room.pattern = *auth::Glob::parse("room");
  room.history_messages = 10;
  small.pattern = *auth::Glob::parse("small");
  small.message_bytes_max = 20;
  disk.pattern = *auth::Glob::parse("disk");
  disk.durable = true;
  disk.history_messages = 10;
  return hub::Rules({room, small, disk});
}

// In `strict` messages are whole numbers, and there is one event.
Validation::Parts contract() {
  Validation::Parts parts;
  Validation::Channel strict{.pattern = *auth::Glob::parse("strict"),
                             .message = *schema::Schema::compile(R"({"type":"integer"})"),
                             .events = Validation::Events(),
                             .presence = {}};
  strict.events->emplace("count", *schema::Schema::compile(R"({"minimum":5})"));
  parts.channels.push_back(std::move(strict));
  return parts;
}

class Listener final : public hub::Subscriber {
 public:
  void on_subscribed(const hub::Joined&) override {}
  bool on_delivery(hub::Delivery& delivery) override {
    for (const auto& one : delivery.publications()) got.push_back(*one);
    return true;
  }
  Log texts() const {
    Log all;
    for (const auto& one : got) all.emplace_back(as_text(one.payload->bytes()));
    return all;
  }

  std::vector<broker::Publication> got;
};

class PublishLineTest : public ::testing::Test {
 protected:
  struct Say {
    std::string text;
    std::string channel = "room";
    bool asks = true;
    bool published = true;
    std::string idempotency_key = {};
    std::string event = {};
  };

  ~PublishLineTest() override {
    app.publishing.clear();  // who waits for it needs it to the end
    settle();
  }

  std::shared_ptr<PublishLine> make_line() {
    return PublishLine::create(app, hubs.hub(0), &validation,
                               {.id = "c1",
                                .user = "ann",
                                .info = "{\"n\":1}",
                                .protocol = "native",
                                .address = "192.0.2.1",
                                .origin = "https://app.example"});
  }
  static broker::PublishRequest request(const Say& say) {
    broker::PublishRequest request;
    request.draft.kind = broker::PayloadKind::kJson;
    request.draft.payload = Buffer::copy_of(as_bytes(say.text));
    request.draft.event = say.event;
    request.draft.id = "m-1";
    request.draft.client_id = "c1";
    request.draft.user_id = "ann";
    request.draft.key = "k";
    request.idempotency_key = say.idempotency_key;
    return request;
  }
  // What becomes of it is written down in `outcomes`, in the order it is told.
  PublishLine::Entry entry(const Say& say) {
    return {.channel = say.channel,
            .request = request(say),
            .asks = say.asks,
            .published = say.published,
            .done = [this, text = say.text](const PublishLine::Outcome& outcome) {
              outcomes.push_back(text + ": " + name(outcome));
            }};
  }
  Taken push(const Say& say, std::size_t most = kMost) {
    return line->push(entry(say), most);
  }
  static std::string name(const PublishLine::Outcome& outcome) {
    if (outcome) return std::to_string(outcome->position.offset);
    if (const auto* refused = std::get_if<AppRefusal>(&outcome.error())) {
      return refused->code == AppRefusal::Code::kRefused ? "refused, " + refused->message
                                                         : "unavailable";
    }
    return "hub " + std::to_string(static_cast<int>(std::get<hub::HubError>(outcome.error())));
  }
  static PublishAnswer data(std::string_view json) {
    return {.payload = PublishAnswer::Payload{broker::PayloadKind::kJson, std::string(json)}};
  }
  void allow(PublishAnswer answer = {}) {
    app.allow_publish(std::move(answer));
    settle();
  }
  void settle() {
    for (int i = 0; i < 4; ++i) {
      for (const auto& one : loops) one->turn(Duration::zero());
    }
  }
  Listener& listen(std::string_view channel) {
    listeners.push_back(std::make_unique<Listener>());
    hubs.hub(0).subscribe(channel, *listeners.back());
    settle();
    return *listeners.back();
  }

  ManualClock clock;
  reactor::Loops loops = reactor::make_loops(clock);
  hub::MemoryHubs hubs{{loops[0].get(), loops[1].get()}, rules()};
  const Validation validation{contract()};
  FakeApp app;
  std::shared_ptr<PublishLine> line = make_line();
  std::vector<std::unique_ptr<Listener>> listeners;
  Log outcomes;
};

// ---- Order ----

TEST_F(PublishLineTest, AsksAboutOneMessageAtATime) {
  push({.text = "1"});
  push({.text = "2"});
  push({.text = "3"});
  EXPECT_THAT(app.asked, ElementsAre("publish room 1"));
  allow();
  EXPECT_THAT(app.asked, SizeIs(2));
  allow();
  allow();
  EXPECT_THAT(app.asked, ElementsAre("publish room 1", "publish room 2", "publish room 3"));
  EXPECT_THAT(outcomes, ElementsAre("1: 1", "2: 2", "3: 3"));
  EXPECT_EQ(line->size(), 0u);
}

TEST_F(PublishLineTest, WhatNeedsNoWordWaitsBehindWhatDoes) {
  Listener& listener = listen("room");
  push({.text = "1"});
  push({.text = "2", .asks = false});
  push({.text = "3", .asks = false});
  push({.text = "4"});
  settle();
  EXPECT_THAT(listener.texts(), IsEmpty());
  allow();
  EXPECT_THAT(listener.texts(), ElementsAre("1", "2", "3")) << "the fourth has its own question";
  allow();
  EXPECT_THAT(listener.texts(), ElementsAre("1", "2", "3", "4"));
}

TEST_F(PublishLineTest, WhatNeedsNoWordDoesNotWaitForNothing) {
  Listener& listener = listen("room");
  EXPECT_EQ(push({.text = "1", .asks = false}), Taken::kYes);
  settle();
  EXPECT_THAT(listener.texts(), ElementsAre("1"));
  EXPECT_THAT(app.asked, IsEmpty());
  EXPECT_EQ(line->size(), 0u);
}

TEST_F(PublishLineTest, KeepsTheOrderBetweenChannelsOfDifferentLoops) {
  const auto owned_by = [&](std::uint32_t loop) {
    for (int i = 0;; ++i) {
      std::string name = "c" + std::to_string(i);
      if (&hubs.owner_of(name) == &hubs.hub(loop)) return name;
    }
  };
  Listener& near = listen(owned_by(0));
  Listener& far = listen(owned_by(1));
  push({.text = "1", .channel = owned_by(1)});
  push({.text = "2", .channel = owned_by(0)});
  push({.text = "3", .channel = owned_by(1)});
  EXPECT_THAT(near.texts(), IsEmpty()) << "another channel's message is behind it, too";
  allow();
  allow();
  allow();
  EXPECT_THAT(near.texts(), ElementsAre("2"));
  EXPECT_THAT(far.texts(), ElementsAre("1", "3"));
}

TEST_F(PublishLineTest, ARefusalLetsTheNextOneHaveItsTurn) {
  Listener& listener = listen("room");
  push({.text = "1"});
  push({.text = "2"});
  push({.text = "3"});
  app.refuse_publish(FakeApp::no("not that"));
  app.refuse_publish({.code = AppRefusal::Code::kUnavailable});
  allow();
  EXPECT_THAT(listener.texts(), ElementsAre("3"));
  EXPECT_THAT(outcomes, ElementsAre("1: refused, not that", "2: unavailable", "3: 1"));
}

// A client that sends its next message as soon as it hears of the last one.
TEST_F(PublishLineTest, MayBeGivenTheNextOneByWhoIsTold) {
  PublishLine::Entry first = entry({.text = "1"});
  first.done = [this](const PublishLine::Outcome& outcome) {
    outcomes.push_back("1: " + name(outcome));
    push({.text = "3"});
  };
  line->push(std::move(first), kMost);
  push({.text = "2"});
  app.refuse_publish(FakeApp::no("no"));
  allow();
  allow();
  EXPECT_THAT(app.asked, ElementsAre("publish room 1", "publish room 2", "publish room 3"));
  EXPECT_THAT(outcomes, ElementsAre("1: refused, no", "2: 1", "3: 2"));
}

TEST_F(PublishLineTest, TellsTheApplicationWhoSpeaks) {
  push({.text = "1"});
  EXPECT_EQ(app.last_client, "c1");
  EXPECT_EQ(app.last_info, "{\"n\":1}");
  EXPECT_EQ(app.last_protocol, "native");
  EXPECT_EQ(app.last_address, "192.0.2.1");
  EXPECT_EQ(app.last_origin, "https://app.example");
}

// ---- Limits ----

TEST_F(PublishLineTest, TakesSoManyAndLeavesTheNextOneAsItWas) {
  EXPECT_EQ(push({.text = "1"}, 2), Taken::kYes);
  EXPECT_EQ(push({.text = "2", .asks = false}, 2), Taken::kYes);
  PublishLine::Entry third = entry({.text = "3"});
  EXPECT_EQ(line->push(std::move(third), 2), Taken::kTooMany);
  EXPECT_EQ(third.channel, "room");
  EXPECT_EQ(as_text(third.request.draft.payload->bytes()), "3");
  EXPECT_TRUE(third.done);
  EXPECT_EQ(line->size(), 2u);
  allow();
  EXPECT_EQ(line->push(std::move(third), 2), Taken::kYes) << "there is room again";
  EXPECT_THAT(app.asked, ElementsAre("publish room 1", "publish room 3"));
}

TEST_F(PublishLineTest, TakesNoMoreBytesThanMayWait) {
  ASSERT_TRUE(app.budget.take(1024 * 1024 - 4096));
  const std::size_t before = app.budget.used();
  EXPECT_EQ(push({.text = std::string(4096, 'x')}), Taken::kNoRoom);
  EXPECT_EQ(app.budget.used(), before) << "what was not taken costs nothing";
  EXPECT_THAT(app.asked, IsEmpty());
  EXPECT_EQ(push({.text = "1"}), Taken::kYes);
  EXPECT_GT(app.budget.used(), before);
}

TEST_F(PublishLineTest, CountsAllThatAMessageHolds) {
  const auto cost = [&](PublishLine::Entry one) {
    const std::size_t before = app.budget.used();
    EXPECT_EQ(line->push(std::move(one), kMost), Taken::kYes);
    return app.budget.used() - before;
  };
  const std::size_t bare = cost(entry({.text = "1"}));
  EXPECT_EQ(cost(entry({.text = std::string(1001, 'x')})), bare + 1000);
  EXPECT_EQ(cost(entry({.text = "1", .event = std::string(200, 'e')})), bare + 200);
  EXPECT_EQ(cost(entry({.text = "1", .channel = std::string(104, 'c')})), bare + 100);
  PublishLine::Entry tagged = entry({.text = "1"});
  tagged.request.draft.tags = {{std::string(50, 'n'), std::string(250, 'v')}};
  EXPECT_GE(cost(std::move(tagged)), bare + 300);
}

TEST_F(PublishLineTest, GivesItsBytesBackHoweverItEnds) {
  PublishAnswer drop;
  drop.drop = true;
  const std::string breaks = "\"no number\"";
  push({.text = "1"});
  push({.text = "2"});
  push({.text = "3"});
  push({.text = "4", .channel = "strict"});
  push({.text = "5", .asks = false});
  EXPECT_GT(app.budget.used(), 5 * sizeof(PublishLine::Entry));
  allow();
  app.refuse_publish({});
  allow(std::move(drop));
  allow(data(breaks));
  EXPECT_THAT(outcomes, SizeIs(5));
  EXPECT_EQ(app.budget.used(), 0u);
}

TEST_F(PublishLineTest, GivesItsBytesBackWhenTheApplicationNeverAnswers) {
  push({.text = "1"});
  push({.text = "2"});
  line.reset();
  EXPECT_GT(app.budget.used(), 0u);
  app.publishing.clear();
  EXPECT_EQ(app.budget.used(), 0u);
  EXPECT_THAT(outcomes, IsEmpty());
}

// ---- Lifetime ----

TEST_F(PublishLineTest, OutlivesItsSession) {
  Listener& listener = listen("room");
  push({.text = "1"});
  push({.text = "2"});
  const std::weak_ptr<PublishLine> session = line;
  line.reset();
  EXPECT_FALSE(session.expired());
  allow();
  allow();
  EXPECT_THAT(listener.texts(), ElementsAre("1", "2"));
  EXPECT_TRUE(session.expired()) << "nobody needs it any more";
}

TEST_F(PublishLineTest, IsNotKeptByWhatNeedsNoWord) {
  push({.text = "1", .asks = false});
  const std::weak_ptr<PublishLine> session = line;
  line.reset();
  EXPECT_TRUE(session.expired());
}

// ---- Verdicts ----

TEST_F(PublishLineTest, PublishesWhatIsAllowedAsItIs) {
  Listener& listener = listen("room");
  push({.text = "{\"a\":1}", .event = "said"});
  allow();
  ASSERT_THAT(listener.got, SizeIs(1));
  const broker::Publication& one = listener.got[0];
  EXPECT_EQ(as_text(one.payload->bytes()), "{\"a\":1}");
  EXPECT_EQ(one.event, "said");
  EXPECT_EQ(one.id, "m-1");
  EXPECT_EQ(one.client_id, "c1");
  EXPECT_EQ(one.user_id, "ann");
  EXPECT_EQ(one.key, "k");
}

TEST_F(PublishLineTest, ADroppedMessageIsAcknowledgedAtNoPlace) {
  Listener& listener = listen("room");
  push({.text = "1"});
  push({.text = "2"});
  PublishAnswer answer = data("\"rewritten\"");
  answer.drop = true;
  allow(std::move(answer));
  allow();
  EXPECT_THAT(outcomes, ElementsAre("1: 0", "2: 1"));
  EXPECT_THAT(listener.texts(), ElementsAre("2"));
}

TEST_F(PublishLineTest, SaysWhatTheHubSays) {
  push({.text = "1", .idempotency_key = "key"});
  push({.text = "1", .idempotency_key = "key"});
  push({.text = "2", .idempotency_key = "key"});
  push({.text = "3", .channel = "disk"});
  allow();
  allow();
  allow();
  allow();
  const auto hub = [](hub::HubError error) {
    return "hub " + std::to_string(static_cast<int>(error));
  };
  EXPECT_THAT(outcomes, ElementsAre("1: 1", "1: 1",
                                    "2: " + hub(hub::HubError::kIdempotencyConflict),
                                    "3: " + hub(hub::HubError::kUnavailable)));
}

TEST_F(PublishLineTest, KeepsQuietAboutAPublicationThatNobodyAskedToHearOf) {
  Listener& listener = listen("room");
  push({.text = "1", .published = false});
  push({.text = "2", .asks = false, .published = false});
  push({.text = "3", .published = false});
  allow();
  EXPECT_THAT(listener.texts(), ElementsAre("1", "2"));
  EXPECT_THAT(outcomes, IsEmpty());
  app.refuse_publish(FakeApp::no("not that"));
  EXPECT_THAT(outcomes, ElementsAre("3: refused, not that")) << "but not about this";
}

// ---- Rewriting ----

TEST_F(PublishLineTest, PublishesWhatTheApplicationMadeOfIt) {
  Listener& listener = listen("room");
  push({.text = "\"dirty\"", .event = "said"});
  PublishAnswer answer;
  answer.payload = PublishAnswer::Payload{broker::PayloadKind::kText, "clean"};
  answer.event = "whispered";
  answer.tags = std::vector<broker::Tag>{{"mood", "calm"}};
  allow(std::move(answer));
  ASSERT_THAT(listener.got, SizeIs(1));
  const broker::Publication& one = listener.got[0];
  EXPECT_EQ(one.kind, broker::PayloadKind::kText);
  EXPECT_EQ(as_text(one.payload->bytes()), "clean");
  EXPECT_EQ(one.event, "whispered");
  EXPECT_THAT(one.tags, ElementsAre(broker::Tag{"mood", "calm"}));
  EXPECT_EQ(one.user_id, "ann") << "the rest is the client's";
  EXPECT_EQ(one.id, "m-1");
}

TEST_F(PublishLineTest, WhatItDoesNotMentionStays) {
  Listener& listener = listen("room");
  push({.text = "1", .event = "said"});
  PublishAnswer answer;
  answer.event = "";
  allow(std::move(answer));
  EXPECT_EQ(listener.got.at(0).event, "") << "an empty one takes the event away";
  EXPECT_THAT(listener.texts(), ElementsAre("1"));
}

TEST_F(PublishLineTest, ARewriteThatBreaksTheSchemaIsTheApplicationsFault) {
  Listener& listener = listen("strict");
  push({.text = "1", .channel = "strict"});
  push({.text = "2", .channel = "strict"});
  push({.text = "3", .channel = "strict"});
  allow(data("\"secret words\""));
  allow({.payload = PublishAnswer::Payload{broker::PayloadKind::kText, "4"}});
  allow(data("5"));
  EXPECT_THAT(outcomes, ElementsAre("1: unavailable", "2: unavailable", "3: 1"));
  EXPECT_THAT(listener.texts(), ElementsAre("5"));
  ASSERT_THAT(app.blamed, SizeIs(2));
  EXPECT_EQ(app.blamed[0], "rewrite for strict must be a whole number, says /type");
  EXPECT_THAT(app.blamed[1], StartsWith("rewrite for strict messages of this channel are JSON"));
  EXPECT_THAT(app.blamed[0], Not(HasSubstr("secret words")));
}

// Another event has another schema, so that the client's own data may break it.
TEST_F(PublishLineTest, ARewriteOfTheEventAloneIsCheckedToo) {
  Listener& listener = listen("strict");
  const auto renamed = [](std::string event) {
    PublishAnswer answer;
    answer.event = std::move(event);
    return answer;
  };
  push({.text = "1", .channel = "strict"});
  push({.text = "2", .channel = "strict"});
  push({.text = "7", .channel = "strict"});
  allow(renamed("unheard-of"));
  allow(renamed("count"));
  allow(renamed("count"));
  EXPECT_THAT(outcomes, ElementsAre("1: unavailable", "2: unavailable", "7: 1"));
  EXPECT_THAT(listener.texts(), ElementsAre("7"));
  EXPECT_THAT(app.blamed, SizeIs(2));
}

TEST_F(PublishLineTest, ARewriteThatIsTooLargeForItsChannelIsTheApplicationsFault) {
  Listener& listener = listen("small");
  push({.text = "1", .channel = "small"});
  push({.text = "2", .channel = "small"});
  allow(data("\"" + std::string(19, 'x') + "\""));
  allow(data("\"" + std::string(18, 'x') + "\""));
  EXPECT_THAT(outcomes, ElementsAre("1: unavailable", "2: 1"));
  EXPECT_THAT(app.blamed,
              ElementsAre("rewrite for small messages of this channel have at most 20 bytes"));
  EXPECT_THAT(listener.texts(), ElementsAre("\"" + std::string(18, 'x') + "\""));
}

// It was checked when it came.
TEST_F(PublishLineTest, WhatTheApplicationLeavesAsItIsIsNotCheckedAgain) {
  push({.text = "\"anything\"", .channel = "strict"});
  allow();
  EXPECT_THAT(outcomes, ElementsAre("\"anything\": 1"));
  EXPECT_THAT(app.blamed, IsEmpty());
}

TEST_F(PublishLineTest, ARewriteIsWhatAKeyStandsFor) {
  push({.text = "1", .idempotency_key = "key"});
  push({.text = "2", .idempotency_key = "key"});
  allow(data("\"same\""));
  allow(data("\"same\""));
  EXPECT_THAT(outcomes, ElementsAre("1: 1", "2: 1"));
}

}  // namespace
}  // namespace anywire::protocol
