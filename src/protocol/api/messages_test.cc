#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/api/openapi.h"
#include "protocol/api/testing/api_world.h"

namespace anywire::protocol::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ApiPublish, AnswersWithThePosition) {
  ApiWorld world;
  EXPECT_EQ(world.post("/publish", R"({"channel":"news","data":{"a":1}})"),
            R"({"epoch":"_","offset":1,"duplicate":false})");
  EXPECT_EQ(world.post("/publish", R"({"channel":"news","text":"two","event":"e"})"),
            R"({"epoch":"_","offset":2,"duplicate":false})");
  EXPECT_EQ(world.call("GET", "/history?channel=news&limit=10"),
            R"({"channel":"news","epoch":"_","top":2,"oldest":1,"more":false,"messages":[)"
            R"({"offset":1,"time":_,"data":{"a":1}},)"
            R"({"offset":2,"time":_,"event":"e","text":"two"}]})");
}

TEST(ApiPublish, ReachesChannelsOfBothLoopsFromBoth) {
  ApiWorld world;
  for (const std::uint32_t owner : {0U, 1U}) {
    const std::string channel = world.channel_owned_by(owner);
    for (const std::uint32_t loop : {0U, 1U}) {
      EXPECT_EQ(world.call("POST", "/publish", R"({"channel":")" + channel + R"(","data":1})",
                           ApiWorld::basic("web"), loop),
                R"({"epoch":"_","offset":)" + std::to_string(loop + 1) +
                    R"(,"duplicate":false})");
    }
  }
}

TEST(ApiPublish, KeepsAllThatAMessageCanHave) {
  ApiWorld world;
  world.post("/publish", R"({"channel":"news","binary":"AAH/","event":"e","messageId":"m-1",)"
                         R"("tags":{"kind":"goal"},"conflationKey":"k"})");
  EXPECT_THAT(world.call("GET", "/history?channel=news"),
              HasSubstr(R"("event":"e","id":"m-1","tags":{"kind":"goal"},"binary":"AAH/"})"));
}

TEST(ApiPublish, NamesTheUserOfATokenAndNobodyForAKey) {
  ApiWorld world;
  const std::string ann = world.bearer(R"({"sub":"ann","capability":{"*":["publish"]}})");
  world.call("POST", "/publish", R"({"channel":"news","data":1})", ann);
  world.post("/publish", R"({"channel":"news","data":2})");
  EXPECT_THAT(world.call("GET", "/history?channel=news"),
              HasSubstr(R"("user":"ann","data":1},{"offset":2,"time":_,"data":2}])"));
}

TEST(ApiPublish, SendsToAUser) {
  ApiWorld world;
  EXPECT_THAT(world.post("/publish", R"({"user":"ann","data":1})"), HasSubstr("\"offset\":1"));
  EXPECT_THAT(world.call("GET", "/history?channel=$user:ann"), HasSubstr("\"data\":1"));
}

TEST(ApiPublish, DoesNothingTwiceUnderOneKey) {
  ApiWorld world;
  const std::string body = R"({"channel":"news","data":1,"idempotencyKey":"k"})";
  EXPECT_THAT(world.post("/publish", body), HasSubstr(R"("offset":1,"duplicate":false)"));
  EXPECT_THAT(world.post("/publish", body), HasSubstr(R"("offset":1,"duplicate":true)"));
  const std::string header = ApiWorld::basic("web") + "Idempotency-Key: k\r\n";
  EXPECT_THAT(world.call("POST", "/publish", R"({"channel":"news","data":1})", header),
              HasSubstr(R"("offset":1,"duplicate":true)"));
  EXPECT_THAT(world.call("POST", "/publish", R"({"channel":"news","data":2})", header),
              StartsWith(R"(409 {"error":{"code":"idempotency_conflict")"));
  EXPECT_THAT(world.call("POST", "/publish", R"({"channel":"news","data":1})",
                         ApiWorld::basic("web") + "Idempotency-Key: " + std::string(65, 'k') +
                             "\r\n"),
              StartsWith(R"(413 {"error":{"code":"too_large")"));
}

TEST(ApiPublish, PublishesOnceWhenTwoConnectionsSubmitAtOnce) {
  ApiWorld world;
  const std::string request =
      ApiWorld::request("POST", "/publish", R"({"channel":"news","data":1,"idempotencyKey":"k"})",
                        ApiWorld::basic("web"));
  Client& one = world.connect(0);
  Client& two = world.connect(1);
  one.wire.deliver(request);
  two.wire.deliver(request);
  world.run();
  const std::string both = one.answer() + two.answer();
  EXPECT_THAT(both, HasSubstr(R"("duplicate":true)"));
  EXPECT_THAT(both, HasSubstr(R"("duplicate":false)"));
  EXPECT_THAT(world.call("GET", "/history?channel=news"), HasSubstr(R"("top":1)"));
}

TEST(ApiPublish, AnswersPipelinedRequestsInTheirOrder) {
  ApiWorld world;
  const std::string far = world.channel_owned_by(1);
  const std::string near = world.channel_owned_by(0);
  std::string bytes;
  for (int i = 0; i < 20; ++i) {
    bytes += ApiWorld::request("POST", "/publish",
                               R"({"channel":")" + (i % 2 == 0 ? far : near) + R"(","data":1})",
                               ApiWorld::basic("web"));
  }
  Client& client = world.connect(0);
  client.wire.deliver(bytes);
  world.run(100);
  const auto answers = client.answers();
  ASSERT_EQ(answers.size(), 20U);
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(answers[static_cast<std::size_t>(i)].body,
                HasSubstr("\"offset\":" + std::to_string(i / 2 + 1)));
  }
}

TEST(ApiPublish, TakesABodyInAnyCuts) {
  const std::string request =
      ApiWorld::request("POST", "/publish", R"({"channel":"news","data":"é"})",
                        ApiWorld::basic("web") + "Content-Type: application/json\r\n");
  ApiWorld world;
  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    Client& client = world.connect();
    client.wire.deliver(request.substr(0, cut));
    client.wire.deliver(request.substr(cut));
    world.run(2);
    ASSERT_EQ(client.answers().size(), 1U) << cut;
    ASSERT_EQ(client.answers()[0].status, 200) << cut << client.answer();
  }
}

TEST(ApiPublish, RefusesWhatTheRuleOrTheCallerDoesNotAllow) {
  hub::ChannelRule rule;
  rule.message_bytes_max = 5;
  ApiWorld world({}, hub::Rules({}, rule));
  EXPECT_THAT(world.post("/publish", R"({"channel":"news","text":"123456"})"),
              StartsWith(R"(413 {"error":{"code":"too_large")"));
  const std::string ann = world.bearer(R"({"sub":"ann","capability":{"room:*":["publish"]}})");
  EXPECT_EQ(world.call("POST", "/publish", R"({"channel":"news","data":1})", ann),
            R"(403 {"error":{"code":"forbidden","message":"this token may not publish to )"
            R"(\"news\"","retry":false}})");
  EXPECT_THAT(world.call("POST", "/publish", R"({"channel":"$server","data":1})"),
              StartsWith("403"));
  EXPECT_THAT(world.call("POST", "/publish", R"({"channel":"news","data":1})",
                         ApiWorld::basic("small")),
              StartsWith("403"));
}

TEST(ApiPublish, LetsATokenDoWhatTheRuleGivesToEveryUser) {
  hub::ChannelRule rule;
  rule.publish = hub::Access::kUsers;
  ApiWorld world({}, hub::Rules({}, rule));
  EXPECT_THAT(world.call("POST", "/publish", R"({"channel":"news","data":1})",
                         world.bearer(R"({"sub":"ann"})")),
              HasSubstr("\"offset\":1"));
  EXPECT_THAT(world.call("POST", "/publish", R"({"channel":"news","data":1})",
                         world.bearer(R"({})")),
              StartsWith("403"));
}

TEST(ApiPublish, WaitsWhileTheLoopsAreBehind) {
  ApiWorld world;
  const std::string far = world.channel_owned_by(1);
  hub::Hub& hub = world.hubs->hub(0);
  for (int i = 0; i < 3; ++i) {
    hub.publish(far, {.kind = broker::PayloadKind::kBinary, .payload = Buffer::allocate(0)});
    broker::Draft large{.kind = broker::PayloadKind::kText,
                        .payload = Buffer::copy_of(as_bytes(std::string(700 * 1024, 'x')))};
    hub.publish(far, std::move(large));
  }
  ASSERT_TRUE(hub.crowded());
  Client& client = world.connect(0);
  client.wire.deliver(ApiWorld::request("POST", "/publish", R"({"channel":"near","data":1})",
                                        ApiWorld::basic("web")));
  EXPECT_EQ(client.answer(), "none");
  world.run();
  EXPECT_THAT(client.answer(), HasSubstr("\"offset\":1"));
}

TEST(ApiPublish, SurvivesAClientThatLeavesBeforeItsAnswer) {
  ApiWorld world;
  Client& client = world.connect(0);
  client.wire.deliver(ApiWorld::request(
      "POST", "/publish", R"({"channel":")" + world.channel_owned_by(1) + R"(","data":1})",
      ApiWorld::basic("web")));
  client.wire.reset_by_peer();
  world.run();
  EXPECT_EQ(client.answer(), "none");
}

TEST(ApiBatch, AnswersForEachInOrderAndStopsForNone) {
  ApiWorld world;
  EXPECT_EQ(world.post("/batch", R"({"publications":[{"channel":"a","data":1},{"channel":""},)"
                                 R"({"channel":"a","data":2},{"chanel":"b","data":3},7]})"),
            R"({"results":[{"epoch":"_","offset":1,"duplicate":false},)"
            R"({"error":{"code":"bad_channel","message":"a channel's name has 1 to 255 bytes and )"
            R"(no control characters","retry":false,"path":"/publications/1/channel"}},)"
            R"({"epoch":"_","offset":2,"duplicate":false},)"
            R"({"error":{"code":"bad_request","message":"unknown member \"chanel\"; did you mean )"
            R"(\"channel\"?","retry":false,"path":"/publications/3/chanel"}},)"
            R"({"error":{"code":"bad_request","message":"this must be an object","retry":false,)"
            R"("path":"/publications/4"}}]})");
}

TEST(ApiBatch, IsBounded) {
  ApiWorld world({.limits = {.batch_max = 2}});
  EXPECT_THAT(world.post("/batch", R"({"publications":[{},{},{}]})"),
              StartsWith(R"(413 {"error":{"code":"too_large","message":"\"publications\" has at )"
                         R"(most 2 entries")"));
  EXPECT_THAT(world.post("/batch", R"({"publications":[]})"), StartsWith("400"));
  EXPECT_THAT(world.post("/batch", "{}"), HasSubstr(R"(\"publications\" is missing)"));
}

TEST(ApiBatch, HasAKeyForEachFromTheRequests) {
  ApiWorld world;
  const std::string key = ApiWorld::basic("web") + "Idempotency-Key: b1\r\n";
  const std::string body =
      R"({"publications":[{"channel":"a","data":1},{"channel":"a","data":1}]})";
  EXPECT_THAT(world.call("POST", "/batch", body, key), Not(HasSubstr("true")));
  EXPECT_EQ(world.call("POST", "/batch", body, key),
            R"({"results":[{"epoch":"_","offset":1,"duplicate":true},)"
            R"({"epoch":"_","offset":2,"duplicate":true}]})");
}

TEST(ApiBroadcast, GoesToAllChannelsOrUsers) {
  ApiWorld world;
  const std::string far = world.channel_owned_by(1);
  const std::string near = world.channel_owned_by(0);
  EXPECT_EQ(world.post("/broadcast", R"({"channels":[")" + far + R"(",")" + near +
                                         R"(","",3],"data":{"n":1}})"),
            R"({"results":[{"epoch":"_","offset":1,"duplicate":false},)"
            R"({"epoch":"_","offset":1,"duplicate":false},)"
            R"({"error":{"code":"bad_channel","message":"a channel's name has 1 to 255 bytes and )"
            R"(no control characters","retry":false,"path":"/channels/2"}},)"
            R"({"error":{"code":"bad_request","message":"this must be a string","retry":false,)"
            R"("path":"/channels/3"}}]})");
  EXPECT_THAT(world.call("GET", "/history?channel=" + far), HasSubstr(R"("data":{"n":1})"));
  world.post("/broadcast", R"({"users":["ann","bob"],"text":"hi"})");
  EXPECT_THAT(world.call("GET", "/history?channel=$user:bob"), HasSubstr(R"("text":"hi")"));
  EXPECT_THAT(world.post("/broadcast", R"({"data":1})"), StartsWith("400"));
}

TEST(ApiHistory, PagesBothWays) {
  ApiWorld world;
  for (int i = 1; i <= 5; ++i) {
    world.post("/publish", R"({"channel":"news","data":)" + std::to_string(i) + "}");
  }
  EXPECT_THAT(world.call("GET", "/history?channel=news&order=backward&limit=2&before=5"),
              HasSubstr(R"("more":true,"messages":[{"offset":4,"time":_,"data":4},)"
                        R"({"offset":3,"time":_,"data":3}])"));
  EXPECT_THAT(world.call("GET", "/history?channel=news&after=4"),
              HasSubstr(R"("messages":[{"offset":5,"time":_,"data":5}])"));
  EXPECT_THAT(world.call("GET", "/history?channel=news&epoch=0123456789abcdef"),
              StartsWith(R"(409 {"error":{"code":"epoch_changed")"));
}

TEST(ApiHistory, RefusesWrongQueries) {
  ApiWorld world;
  const auto refused = [&](std::string_view query) {
    return world.call("GET", "/history" + std::string(query));
  };
  EXPECT_THAT(refused(""), HasSubstr(R"(\"channel\" is missing)"));
  EXPECT_THAT(refused("?channel="), HasSubstr("bad_channel"));
  EXPECT_THAT(refused("?channel=a&chanel=b"), HasSubstr(R"(did you mean \"channel\"?)"));
  EXPECT_THAT(refused("?channel=a&channel=b"), HasSubstr("is there twice"));
  EXPECT_THAT(refused("?channel=%ff"), HasSubstr("percent-encoded UTF-8"));
  EXPECT_THAT(refused("?channel=%4"), HasSubstr("percent-encoded UTF-8"));
  EXPECT_THAT(refused("?channel=a&limit=0"), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(refused("?channel=a&limit=1001"), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(refused("?channel=a&limit=1e2"), HasSubstr("whole number"));
  EXPECT_THAT(refused("?channel=a&after=9007199254740992"), HasSubstr("whole number"));
  EXPECT_THAT(refused("?channel=a&order=up"), HasSubstr("forward"));
  for (const std::string_view query : {"", "?channel=a&limit=x"}) {
    EXPECT_THAT(refused(query), StartsWith("400")) << query;
  }
  hub::ChannelRule none;
  ApiWorld bare({}, hub::Rules({}, none));
  EXPECT_THAT(bare.call("GET", "/history?channel=a"), StartsWith(R"(404 {"error":{"code":"no_h)"));
  EXPECT_THAT(bare.call("GET", "/presence?channel=a"), StartsWith(R"(404 {"error":{"code":"no_p)"));
}

TEST(ApiHistory, TakesAPlusForASpace) {
  ApiWorld world;
  world.post("/publish", R"({"channel":"a b+c","data":1})");
  EXPECT_THAT(world.call("GET", "/history?channel=a+b%2Bc"), HasSubstr("\"top\":1"));
}

TEST(ApiPresence, ShowsMembersAndCounts) {
  ApiWorld world;
  for (const char* id : {"c1", "c2", "c3"}) {
    world.hubs->hub(0).enter("room:1", {.client_id = id, .user_id = "ann", .info = "{\"n\":1}"});
  }
  // Changes are told in batches, of which the first is the first member.
  world.run();
  world.clock.advance(Duration{200});
  world.run();
  EXPECT_EQ(world.call("GET", "/presence?channel=room:1&limit=2"),
            R"({"channel":"room:1","epoch":"_","version":2,"count":3,"users":1,"more":true,)"
            R"("members":[{"client":"c1","user":"ann","info":{"n":1}},)"
            R"({"client":"c2","user":"ann","info":{"n":1}}]})");
  EXPECT_THAT(world.call("GET", "/presence?channel=room:1&after=c2"),
              HasSubstr(R"("more":false,"members":[{"client":"c3")"));
  EXPECT_EQ(world.call("GET", "/presence?channel=room:1&counts=true"),
            R"({"channel":"room:1","subscribers":0,"count":3,"users":1})");
  EXPECT_THAT(world.call("GET", "/presence?channel=room:1&counts=1"), StartsWith("400"));
}

TEST(ApiChannels, ListsThoseOfAllLoopsByName) {
  ApiWorld world;
  for (int i = 0; i < 10; ++i) {
    world.hubs->hub(static_cast<std::uint32_t>(i % 2))
        .enter("room:" + std::to_string(i), {.client_id = "c"});
  }
  world.hubs->hub(0).enter("$user:ann", {.client_id = "c"});
  world.run();
  EXPECT_EQ(world.call("GET", "/channels?pattern=room:*&limit=2&after=room:3"),
            R"({"channels":[{"channel":"room:4","subscribers":0,"members":1},)"
            R"({"channel":"room:5","subscribers":0,"members":1}],"more":true})");
  EXPECT_THAT(world.call("GET", "/channels"), HasSubstr("$user:ann"));
  EXPECT_THAT(world.call("GET", "/channels?pattern=room:9"), HasSubstr(R"("more":false)"));
  const std::string all = world.bearer(R"({"sub":"bob","capability":{"*":["subscribe"]}})");
  EXPECT_THAT(world.call("GET", "/channels", "", all), Not(HasSubstr("$user:ann")));
  EXPECT_THAT(world.call("GET", "/channels", "", ApiWorld::basic("small")), StartsWith("403"));
  EXPECT_THAT(world.call("GET", "/channels?pattern=room:*", "", ApiWorld::basic("small")),
              HasSubstr("room:0"));
}

TEST(ApiDocument, IsServedToEverybodyAndSaysWhereTheApiIs) {
  ApiWorld world;
  EXPECT_EQ(world.call("GET", "/openapi.json", "", ""), settled(std::string(kOpenApiDocument)));
  EXPECT_THAT(kOpenApiDocument, HasSubstr("\"url\": \"/api/v1\""));
}

}  // namespace
}  // namespace anywire::protocol::api
