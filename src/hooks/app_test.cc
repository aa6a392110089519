// The whole of it: questions to a real HTTP server, verdicts, actions and events.
#include "hooks/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "broker/memory.h"
#include "fetch/testing/test_server.h"
#include "hub/testing/memory_hubs.h"

namespace anywire::hooks {
namespace {

using fetch::testing::Seen;
using fetch::testing::TestServer;
using protocol::AppRefusal;
using ::testing::HasSubstr;

hub::ChannelRule keeping() {
  hub::ChannelRule rule;
  rule.history_messages = 100;
  return rule;
}

// Messages of rooms are numbers.
protocol::Validation::Parts rooms() {
  protocol::Validation::Parts parts;
  parts.channels.push_back({.pattern = *auth::Glob::parse("room:*"),
                            .message = *schema::Schema::compile(R"({"type":"number"})"),
                            .events = {},
                            .presence = {}});
  return parts;
}

class AppTest : public ::testing::Test {
 protected:
  void make() {
    options.dispatcher.url = server.url("/hooks");
    options.secret = "0123456789abcdef0123456789abcdef";
    app = *App::create(options, {.loop = *loop, .wall = wall, .hub = hubs.hub(0),
                                 .clients = clients, .faults = faults,
                                 .validation = &validation});
  }
  void until(const std::function<bool()>& done) {
    for (int i = 0; !done() && i < 1000; ++i) loop->turn(Duration{10});
    ASSERT_TRUE(done());
  }
  // What a channel has kept, in its order.
  std::string kept(std::string_view channel) {
    std::optional<std::string> all;
    hubs.hub(0).history(channel, {}, [&](const auto& page) {
      all.emplace();
      for (const auto& one : page->publications) {
        all->append(as_text(one->payload->bytes())).append(" ");
      }
    });
    until([&] { return all.has_value(); });
    return *all;
  }
  broker::Draft draft(std::string_view text) {
    broker::Draft draft;
    draft.kind = broker::PayloadKind::kText;
    draft.payload = Buffer::copy_of(as_bytes(text));
    return draft;
  }
  std::expected<protocol::PublishAnswer, AppRefusal> publish(std::string_view text) {
    std::optional<std::expected<protocol::PublishAnswer, AppRefusal>> got;
    const broker::Draft message = draft(text);
    app->publish({.client = {.id = "c1", .user = "ann", .info = R"({"n":1})"},
                  .channel = "room",
                  .draft = message},
                 [&](auto verdict) { got = std::move(verdict); });
    EXPECT_FALSE(got) << "told inside the call";
    until([&] { return got.has_value(); });
    return *std::move(got);
  }

  SystemClock clock;
  ManualWallClock wall;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  std::vector<reactor::Loop*> loops{loop.get()};
  hub::MemoryHubs hubs{loops, hub::Rules({}, keeping())};
  protocol::ClientGroup clients{loops};
  FaultLog faults;
  protocol::Validation validation{rooms()};
  http::Response answer{.body = "{}"};
  TestServer server{*loop, [this](const Seen&, const TestServer::Reply& reply) { reply(answer); }};
  AppOptions options;
  std::unique_ptr<App> app;
};

TEST_F(AppTest, AsksWhatIsKnownAndTakesTheAnswer) {
  make();
  answer.body = R"({"text":"clean"})";
  const auto verdict = publish("dirty");
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->payload->bytes, "clean");
  const std::string& body = server.seen[0].body;
  EXPECT_THAT(body, HasSubstr(R"("client":{"id":"c1","user":"ann","info":{"n":1}})"));
  EXPECT_THAT(body, HasSubstr(R"("channel":"room","text":"dirty")"));
  EXPECT_THAT(body, HasSubstr(R"("id":")" + server.seen[0].header("anywire-delivery") + '"'));
}

TEST_F(AppTest, ARefusalIsTheApplicationsOwn) {
  make();
  answer.body = R"({"allow":false,"message":"no"})";
  const auto verdict = publish("x");
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, AppRefusal::Code::kRefused);
  EXPECT_EQ(verdict.error().message, "no");
}

TEST_F(AppTest, AWrongShapeIsNoVerdict) {
  make();
  answer.body = R"({"alow":false})";
  EXPECT_EQ(publish("x").error().code, AppRefusal::Code::kUnavailable);
}

TEST_F(AppTest, LetsThingsHappenWhereThatIsTheVerdictButAnswersNoCall) {
  options.allow_unavailable = true;
  make();
  answer.status = 500;
  EXPECT_TRUE(publish("x"));
  std::optional<std::expected<std::string, AppRefusal>> result;
  app->rpc({.client = {}, .method = "m", .data = {}}, [&](auto got) { result = std::move(got); });
  until([&] { return result.has_value(); });
  EXPECT_EQ(result->error().code, AppRefusal::Code::kUnavailable);
}

TEST_F(AppTest, ConnectsWithTheAnswersActionsForLater) {
  make();
  answer.body = R"({"user":"bob","actions":[{"do":"publish","channel":"a","text":"hi"}]})";
  std::optional<std::expected<protocol::ConnectAnswer, AppRefusal>> got;
  app->connect({.client = {.user = "ann"}, .token = "t"},
               [&](auto reply) { got = std::move(reply); });
  until([&] { return got.has_value(); });
  ASSERT_TRUE(*got);
  EXPECT_EQ((*got)->user, "bob");
  EXPECT_EQ((*got)->actions.size(), 1u);
  EXPECT_THAT(server.seen[0].body, HasSubstr(R"("token":"t")"));
}

TEST_F(AppTest, PublishesOfItsActionsWhatBreaksNoRule) {
  make();
  answer.body = R"({"actions":[{"do":"publish","channel":"room:1","data":1},)"
                R"({"do":"publish","channel":"room:1","data":"two"},)"
                R"({"do":"publish","channel":"room:1","text":"three"},)"
                R"({"do":"publish","channel":"room:1","data":4},)"
                R"({"do":"publish","channel":"free","data":"five"}]})";
  EXPECT_TRUE(publish("x"));
  EXPECT_EQ(kept("room:1"), "1 4 ");
  EXPECT_EQ(kept("free"), "\"five\" ");
}

TEST_F(AppTest, TellsOfChannelsAndMembersOnlyIfItIsToBeTold) {
  make();
  app->on_occupied("a");
  EXPECT_EQ(app->events().waiting(), 0u);
  options.tells_events = true;
  make();
  app->on_occupied("a");
  app->on_joined("a", "c1", "ann");
  app->on_left("a", "c1", "ann");
  app->on_vacated("a");
  app->disconnected({.id = "c1", .user = "ann"});
  until([&] { return !server.seen.empty(); });
  const std::string& body = server.seen[0].body;
  EXPECT_THAT(body, HasSubstr(R"({"type":"occupied","channel":"a","time":)"));
  EXPECT_THAT(body, HasSubstr(R"({"type":"leave","channel":"a","client":"c1","user":"ann")"));
  EXPECT_THAT(body, HasSubstr(R"({"type":"disconnected","client":"c1","user":"ann")"));
}

TEST_F(AppTest, WantsItsFileOfCertificates) {
  options.ca_file = "/nowhere/ca.pem";
  options.dispatcher.url = server.url();
  EXPECT_FALSE(App::create(options, {.loop = *loop, .wall = wall, .hub = hubs.hub(0),
                                     .clients = clients, .faults = faults}));
}

}  // namespace
}  // namespace anywire::hooks
