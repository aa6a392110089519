#include "hooks/actions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/testing/memory_hubs.h"
#include "protocol/fake_app_for_test.h"
#include "protocol/fake_client_for_test.h"
#include "reactor/testing/loops.h"

namespace anywire::hooks {
namespace {

using protocol::AppAction;
using protocol::AppActions;
using protocol::FakeClient;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Log = std::vector<std::string>;
using Kind = AppAction::Kind;

hub::Rules rules() {
  hub::ChannelRule small, rest;
  small.pattern = *auth::Glob::parse("small");
  small.message_bytes_max = 10;
  small.history_messages = 10;
  rest.history_messages = 10;
  rest.publish_hook = true;  // nobody is asked about what the application says itself
  return hub::Rules({small}, rest);
}

// Messages of rooms are whole numbers, and there is one event.
protocol::Validation::Parts contract() {
  protocol::Validation::Parts parts;
  protocol::Validation::Channel room{.pattern = *auth::Glob::parse("room:*"),
                                     .message = *schema::Schema::compile(R"({"type":"integer"})"),
                                     .events = protocol::Validation::Events(),
                                     .presence = {}};
  room.events->emplace("goal", *schema::Schema::compile("true"));
  parts.channels.push_back(std::move(room));
  return parts;
}

class ActionsTest : public ::testing::Test {
 protected:
  static AppAction publication(std::string channel, std::string_view json,
                               std::string event = {}) {
    AppAction action;
    action.channel = std::move(channel);
    action.request.draft.kind = broker::PayloadKind::kJson;
    action.request.draft.payload = Buffer::copy_of(as_bytes(json));
    action.request.draft.event = std::move(event);
    return action;
  }
  static AppAction reach(Kind kind, std::string channel, std::string user = {},
                         std::string client = {}) {
    AppAction action;
    action.kind = kind;
    action.channel = std::move(channel);
    action.user = std::move(user);
    action.client = std::move(client);
    return action;
  }
  static AppAction disconnection(std::string reason, bool reconnect, std::string user = {}) {
    AppAction action = reach(Kind::kDisconnect, {}, std::move(user));
    action.reason = std::move(reason);
    action.reconnect = reconnect;
    return action;
  }
  // In the name of the client c1.
  template <typename... Each>
  void run(Each&&... each) {
    run_for("c1", std::forward<Each>(each)...);
  }
  template <typename... Each>
  void run_for(std::string_view client, Each&&... each) {
    AppActions all;
    (all.push_back(std::forward<Each>(each)), ...);
    actions.run(std::move(all), client);
    settle();
  }
  void settle() {
    for (int i = 0; i < 4; ++i) {
      for (const auto& loop : loops) loop->turn(Duration::zero());
    }
  }
  // What the channel has kept.
  Log kept(std::string_view channel) {
    Log all;
    hubs.hub(0).history(channel, {}, [&](const auto& page) {
      ASSERT_TRUE(page);
      for (const auto& one : page->publications) {
        all.emplace_back(as_text(one->payload->bytes()));
      }
    });
    settle();
    return all;
  }

  ManualClock clock;
  reactor::Loops loops = reactor::make_loops(clock);
  hub::MemoryHubs hubs{{loops[0].get(), loops[1].get()}, rules()};
  protocol::ClientGroup clients{{loops[0].get(), loops[1].get()}};
  const protocol::Validation validation{contract()};
  protocol::FakeApp app;
  Actions actions{app, {.loop = 0,
                        .hub = hubs.hub(0),
                        .clients = clients,
                        .validation = &validation}};
  FakeClient ann{clients.on(0), "c1", "ann"};
  FakeClient other_ann{clients.on(1), "c2", "ann"};
  FakeClient bob{clients.on(1), "c3", "bob"};
};

// ---- Whom ----

TEST_F(ActionsTest, AreAboutTheClientThatWasAskedAboutUnlessTheySay) {
  run(reach(Kind::kSubscribe, "news"), reach(Kind::kUnsubscribe, "old"),
      disconnection("bye", true));
  EXPECT_THAT(ann.log,
              ElementsAre("subscribe news", "unsubscribe old", "disconnect bye reconnect"));
  EXPECT_THAT(other_ann.log, IsEmpty());
  EXPECT_THAT(bob.log, IsEmpty());
}

TEST_F(ActionsTest, ReachAUserOnEveryLoop) {
  run(reach(Kind::kSubscribe, "news", "ann"), disconnection("banned", false, "bob"));
  EXPECT_THAT(ann.log, ElementsAre("subscribe news"));
  EXPECT_THAT(other_ann.log, ElementsAre("subscribe news"));
  EXPECT_THAT(bob.log, ElementsAre("disconnect banned"));
}

TEST_F(ActionsTest, ReachOneClientOnAnotherLoop) {
  run(reach(Kind::kSubscribe, "news", {}, "c3"), reach(Kind::kUnsubscribe, "old", {}, "c2"));
  EXPECT_THAT(ann.log, IsEmpty());
  EXPECT_THAT(other_ann.log, ElementsAre("unsubscribe old"));
  EXPECT_THAT(bob.log, ElementsAre("subscribe news"));
}

TEST_F(ActionsTest, OfOneTargetAreDoneInTheirOrder) {
  run(reach(Kind::kSubscribe, "a", "bob"), reach(Kind::kUnsubscribe, "a", "bob"),
      reach(Kind::kSubscribe, "b", "bob"), disconnection("", false, "bob"));
  EXPECT_THAT(bob.log, ElementsAre("subscribe a", "unsubscribe a", "subscribe b", "disconnect "));
}

TEST_F(ActionsTest, WithoutATargetAndAClientComeToNothing) {
  run_for("", reach(Kind::kSubscribe, "news"), disconnection("bye", false),
          publication("news", "1"), reach(Kind::kSubscribe, "news", "bob"));
  EXPECT_THAT(ann.log, IsEmpty());
  EXPECT_THAT(bob.log, ElementsAre("subscribe news")) << "but those that have one are done";
  EXPECT_THAT(kept("news"), ElementsAre("1"));
}

TEST_F(ActionsTest, AboutNobodyHereAreNoFault) {
  run(reach(Kind::kSubscribe, "news", "nobody"), disconnection("", true, "nobody"),
      reach(Kind::kSubscribe, "news", {}, "c9"), reach(Kind::kSubscribe, "full"));
  EXPECT_THAT(ann.log, ElementsAre("subscribe full"));
  EXPECT_THAT(app.blamed, IsEmpty());
}

// ---- Publishing ----

TEST_F(ActionsTest, PublishToChannelsOfAnyLoopAndAskNobody) {
  for (int i = 0; i < 8; ++i) {
    const std::string channel = "c" + std::to_string(i);
    run(publication(channel, "1"), publication(channel, "\"two\""));
    EXPECT_THAT(kept(channel), ElementsAre("1", "\"two\"")) << channel;
  }
  EXPECT_THAT(app.asked, IsEmpty());
}

TEST_F(ActionsTest, PublishOnceUnderOneKey) {
  AppAction once = publication("news", "1");
  once.request.idempotency_key = "key";
  AppAction again = publication("news", "1");
  again.request.idempotency_key = "key";
  run(std::move(once), std::move(again));
  EXPECT_THAT(kept("news"), ElementsAre("1"));
}

TEST_F(ActionsTest, ThatBreakASchemaAreNotDoneAndTheOthersAre) {
  run(publication("room:1", "1"), publication("room:1", "\"secret words\""),
      publication("room:1", "2", "unheard-of"), reach(Kind::kSubscribe, "news"),
      publication("room:1", "3"), publication("room:1", "\"free\"", "goal"));
  EXPECT_THAT(kept("room:1"), ElementsAre("1", "3", "\"free\""));
  EXPECT_THAT(ann.log, ElementsAre("subscribe news"));
  EXPECT_THAT(app.blamed,
              ElementsAre("publication to room:1 must be a whole number, says /type",
                          "publication to room:1 the channel has no such event"));
}

TEST_F(ActionsTest, ThatAreNoJsonWhereThereIsASchemaAreNotDone) {
  AppAction text = publication("room:1", "1");
  text.request.draft.kind = broker::PayloadKind::kText;
  run(std::move(text));
  EXPECT_THAT(kept("room:1"), IsEmpty());
  ASSERT_THAT(app.blamed, SizeIs(1));
  EXPECT_THAT(app.blamed[0], HasSubstr("neither text nor binary"));
}

TEST_F(ActionsTest, ThatAreTooLargeForTheirChannelAreNotDone) {
  run(publication("small", "\"12345678\""), publication("small", "\"123456789\""));
  EXPECT_THAT(kept("small"), ElementsAre("\"12345678\""));
  EXPECT_THAT(app.blamed,
              ElementsAre("publication to small messages of this channel have at most 10 bytes"));
}

TEST_F(ActionsTest, OfSizeAreCheckedWhereThereAreNoSchemas) {
  Actions unchecked(app, {.loop = 0,
                          .hub = hubs.hub(0),
                          .clients = clients,
                          .validation = nullptr});
  AppActions all;
  all.push_back(publication("room:1", "\"anything\""));
  all.push_back(publication("small", "\"123456789\""));
  unchecked.run(std::move(all), "c1");
  settle();
  EXPECT_THAT(kept("room:1"), ElementsAre("\"anything\""));
  EXPECT_THAT(kept("small"), IsEmpty());
  EXPECT_THAT(app.blamed, SizeIs(1));
}

}  // namespace
}  // namespace anywire::hooks
