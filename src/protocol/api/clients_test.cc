// Reaching clients by the HTTP API.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/api/testing/api_world.h"

namespace anywire::protocol::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct ClientsWorld : ApiWorld {
  FakeClient ann{clients->on(0), "c1", "ann"};
  FakeClient other_ann{clients->on(1), "c2", "ann"};
  FakeClient bob{clients->on(1), "c3", "bob"};
};

TEST(ApiConnections, ShowsThoseOfAUserOnAllLoops) {
  ClientsWorld world;
  EXPECT_EQ(world.call("GET", "/connections?user=ann"),
            R"({"connections":[{"client":"c1","user":"ann","address":"192.0.2.7",)"
            R"("since":1700000000000,"protocol":"native","channels":["news"]},)"
            R"({"client":"c2","user":"ann","address":"192.0.2.7",)"
            R"("since":1700000000000,"protocol":"native","channels":["news"]}]})");
  EXPECT_EQ(world.call("GET", "/connections?user=nobody"), R"({"connections":[]})");
  EXPECT_THAT(world.call("GET", "/connections"), StartsWith("400"));
  EXPECT_THAT(world.call("GET", "/connections?user="), StartsWith("400"));
}

TEST(ApiClients, AreManagedOnlyByWhoMay) {
  ClientsWorld world;
  const std::string star = world.bearer(R"({"capability":{"*":["*"]}})");
  EXPECT_THAT(world.call("POST", "/disconnect", R"({"user":"ann"})", star), StartsWith("403"));
  EXPECT_THAT(world.call("POST", "/revocations", R"({"all":true})", star), StartsWith("403"));
  EXPECT_THAT(world.call("POST", "/rpc", R"({"client":"c1","method":"m"})", star),
              StartsWith("403"));
  EXPECT_THAT(world.call("POST", "/tickets", R"({"user":"ann"})", star), StartsWith("403"));
  EXPECT_THAT(world.ann.log, IsEmpty());
  // The key that may manage one user.
  const std::string small = ApiWorld::basic("small");
  EXPECT_EQ(world.call("POST", "/disconnect", R"({"user":"ann"})", small),
            R"({"disconnected":2})");
  EXPECT_THAT(world.call("POST", "/disconnect", R"({"user":"bob"})", small), StartsWith("403"));
  EXPECT_THAT(world.call("POST", "/disconnect", R"({"client":"c1"})", small), StartsWith("403"));
  EXPECT_THAT(world.call("GET", "/connections?user=bob", "", small), StartsWith("403"));
}

TEST(ApiDisconnect, TellsTheReasonAndWhetherToComeBack) {
  ClientsWorld world;
  EXPECT_EQ(world.post("/disconnect", R"({"client":"c3","reason":"banned","reconnect":false})"),
            R"({"disconnected":1})");
  EXPECT_EQ(world.post("/disconnect", R"({"user":"ann"})"), R"({"disconnected":2})");
  EXPECT_EQ(world.post("/disconnect", R"({"user":"nobody"})"), R"({"disconnected":0})");
  EXPECT_THAT(world.bob.log, ElementsAre("disconnect banned"));
  EXPECT_THAT(world.other_ann.log, ElementsAre("disconnect  reconnect"));
}

TEST(ApiSubscribe, CountsThoseItHadAnEffectOn) {
  ClientsWorld world;
  EXPECT_EQ(world.post("/subscribe", R"({"user":"ann","channel":"news"})"),
            R"({"connections":2})");
  EXPECT_EQ(world.post("/subscribe", R"({"client":"c1","channel":"full"})"),
            R"({"connections":0})");
  EXPECT_EQ(world.post("/unsubscribe", R"({"user":"ann","channel":"news"})"),
            R"({"connections":2})");
  EXPECT_THAT(world.ann.log,
              ElementsAre("subscribe news", "subscribe full", "unsubscribe news"));
  EXPECT_THAT(world.call("POST", "/subscribe", R"({"user":"ann","channel":"secret"})",
                         ApiWorld::basic("small")),
              HasSubstr("may not subscribe to"));
  EXPECT_THAT(world.post("/subscribe", R"({"user":"ann"})"), HasSubstr("missing"));
}

TEST(ApiGrants, AreGivenAndTakenBack) {
  ClientsWorld world;
  EXPECT_EQ(world.post("/grants",
                       R"({"user":"ann","capability":{"room:1":["publish"]},"expiresIn":60})"),
            R"({"connections":2})");
  EXPECT_EQ(world.call("DELETE", "/grants", R"({"user":"ann"})"), R"({"connections":2})");
  EXPECT_EQ(world.call("DELETE", "/grants",
                       R"({"client":"c1","capability":{"room:1":["publish"]}})"),
            R"({"connections":0})");
  EXPECT_THAT(world.ann.log, ElementsAre("grant room:1 for a time", "withdraw all",
                                         "withdraw one"));
}

TEST(ApiGrants, AreNeverMoreThanTheCallerHas) {
  ClientsWorld world;
  const std::string small = ApiWorld::basic("small");
  EXPECT_THAT(world.call("POST", "/grants", R"({"user":"ann","capability":{"news":["publish"]}})",
                         small),
              HasSubstr("more than this key has"));
  EXPECT_EQ(world.call("POST", "/grants", R"({"user":"ann","capability":{"room:9":["publish"]}})",
                       small),
            R"({"connections":2})");
  EXPECT_THAT(world.call("POST", "/tickets",
                         R"({"user":"ann","capability":{"*":["manage"]}})", small),
              StartsWith("403"));
}

TEST(ApiRevocations, CloseWhatIsOpen) {
  ClientsWorld world;
  EXPECT_EQ(world.post("/revocations", R"({"token":"t-c2"})"), R"({"disconnected":1})");
  EXPECT_THAT(world.other_ann.log, ElementsAre("revoke"));
  EXPECT_THAT(world.ann.log, IsEmpty());
  EXPECT_EQ(world.post("/revocations", R"({"user":"bob","issuedBefore":1700000000000})"),
            R"({"disconnected":1})");
  EXPECT_EQ(world.post("/revocations", R"({"all":true,"issuedBefore":1700000000000})"),
            R"({"disconnected":3})");
}

TEST(ApiTickets, AreGoodOnceForWhatTheySay) {
  ClientsWorld world;
  const std::string answer = world.post(
      "/tickets",
      R"({"user":"ann","info":{"n":1},"capability":{"a":["publish"]},"channels":["a"],)"
      R"("expiresIn":20})");
  EXPECT_THAT(answer, StartsWith(R"({"ticket":")"));
  const std::string ticket = answer.substr(11, auth::kTicketChars);
  const auto now = auth::wall_time(world.wall.unix_ms());
  const auto token = world.authority->redeem(ticket, now);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->identity.user_id, "ann");
  EXPECT_EQ(token->identity.info, "{\"n\":1}");
  EXPECT_TRUE(token->identity.capability.allows(auth::Operation::kPublish, "a"));
  EXPECT_THAT(token->identity.channels, ElementsAre("a"));
  EXPECT_EQ(token->key_id, "web");
  EXPECT_FALSE(world.authority->redeem(ticket, now));
  for (const std::string_view body :
       {R"({"expiresIn":61})", R"({"channels":[""]})", R"({"channels":[]})", R"({"user":""})",
        R"({"info":1e400})"}) {
    EXPECT_THAT(world.post("/tickets", body), StartsWith("400")) << body;
  }
  EXPECT_THAT(world.post("/tickets", R"({"info":")" + std::string(5000, 'x') + "\"}"),
              StartsWith("413"));
}

TEST(ApiRpc, BringsTheClientsAnswer) {
  ClientsWorld world;
  Client& caller = world.connect(0);
  caller.wire.deliver(ApiWorld::request("POST", "/rpc",
                                        R"({"client":"c3","method":"sum","data":[1,2]})",
                                        ApiWorld::basic("web")));
  world.run();
  EXPECT_EQ(caller.answer(), "none");
  EXPECT_THAT(world.bob.log, ElementsAre("call sum [1,2]"));
  world.bob.waiting("3");
  world.run();
  EXPECT_EQ(caller.answer(), R"({"data":3})");
}

TEST(ApiRpc, SaysWhyThereIsNone) {
  using Kind = CallError::Code;
  const auto answer_to = [](CallError error) {
    ClientsWorld world;
    Client& caller = world.connect(0);
    caller.wire.deliver(ApiWorld::request("POST", "/rpc", R"({"client":"c1","method":"sum"})",
                                          ApiWorld::basic("web")));
    world.run();
    world.ann.waiting(std::unexpected(std::move(error)));
    world.run();
    return caller.answer();
  };
  EXPECT_THAT(answer_to({Kind::kTimeout, "", ""}), StartsWith(R"(504 {"error":{"code":"timeout")"));
  EXPECT_THAT(answer_to({Kind::kGone, "", ""}),
              StartsWith(R"(404 {"error":{"code":"client_gone")"));
  EXPECT_THAT(answer_to({Kind::kTooMany, "", ""}), StartsWith("429"));
  EXPECT_THAT(answer_to({Kind::kUnsupported, "", ""}),
              StartsWith(R"(404 {"error":{"code":"no_handler")"));
  EXPECT_THAT(answer_to({Kind::kRefused, "no_handler", "none"}),
              StartsWith(R"(404 {"error":{"code":"no_handler")"));
  EXPECT_EQ(answer_to({Kind::kRefused, "busy", "not now"}),
            R"(422 {"error":{"code":"refused","message":"not now","retry":false,)"
            R"("reason":"busy"}})");
  ClientsWorld world;
  EXPECT_THAT(world.post("/rpc", R"({"client":"nobody","method":"sum"})"),
              StartsWith(R"(404 {"error":{"code":"client_gone")"));
}

}  // namespace
}  // namespace anywire::protocol::api
