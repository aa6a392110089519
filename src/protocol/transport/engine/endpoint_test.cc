// Handshakes, refusals and CORS of an Engine.IO endpoint.
#include "protocol/transport/engine/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/transport/engine/testing/engine_world.h"

namespace anywire::protocol::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kTransportUnknown = R"(400 {"code":0,"message":"Transport unknown"})";
constexpr const char* kSessionUnknown = R"(400 {"code":1,"message":"Session ID unknown"})";
constexpr const char* kBadMethod = R"(400 {"code":2,"message":"Bad handshake method"})";
constexpr const char* kBad = R"(400 {"code":3,"message":"Bad request"})";
constexpr const char* kVersion = R"(400 {"code":5,"message":"Unsupported protocol version"})";

TEST(Endpoint, AnswersTheHandshakeWithTheFiveMembers) {
  EngineWorld world;
  const Client& client = world.ask("GET", "EIO=4&transport=polling&t=abc&b64=1");
  const std::string sid = to_text(world.endpoints.snapshot().at(0)->id());
  EXPECT_EQ(client.answer(), "0{\"sid\":\"" + sid +
                                 "\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,"
                                 "\"pingTimeout\":20000,\"maxPayload\":1000000}");
  EXPECT_THAT(client.answers().at(0).head, HasSubstr("Content-Type: text/plain; charset=UTF-8"));
  EXPECT_THAT(client.answers().at(0).head, HasSubstr("Cache-Control: no-store"));
  EXPECT_THAT(client.answers().at(0).head, Not(HasSubstr("Set-Cookie")));
  EXPECT_EQ(world.endpoints.sessions(), 1u);
}

TEST(Endpoint, OffersNoUpgradeToAWebSocket) {
  EngineWorld world;
  const Client& client = world.socket();
  EXPECT_THAT(EngineWorld::heard(client), StartsWith("0{\"sid\":"));
  EXPECT_THAT(EngineWorld::heard(client), HasSubstr("\"upgrades\":[],"));
  EXPECT_EQ(world.endpoints.connections(), 1u);
}

TEST(Endpoint, OffersNoneThatIsSwitchedOff) {
  for (const Options& options : {Options{.websocket = false}, Options{.upgrades = false}}) {
    EngineWorld world(options);
    EXPECT_THAT(world.ask("GET", "EIO=4&transport=polling").answer(),
                HasSubstr("\"upgrades\":[],"));
    EXPECT_THAT(EngineWorld::heard(world.socket(world.open())), StartsWith("400 "));
  }
}

TEST(Endpoint, RefusesInTheOrderOfTheReference) {
  EngineWorld world;
  const std::string sid = world.open();
  const struct {
    const char* method;
    std::string query;
    const char* answer;
  } cases[] = {
      {"GET", "EIO=4", kTransportUnknown},
      {"GET", "EIO=4&transport=abc&sid=x", kTransportUnknown},
      {"GET", "EIO=4&transport=poll%69ng&sid=x", kSessionUnknown},
      {"POST", "EIO=3&transport=polling&sid=x", kSessionUnknown},
      {"POST", "EIO=3&transport=polling", kBadMethod},
      {"PUT", "EIO=4&transport=polling", kBadMethod},
      {"GET", "EIO=4&transport=websocket", kBad},
      {"GET", "EIO=3&transport=polling", kVersion},
      {"GET", "transport=polling", kVersion},
      {"GET", "EIO=4&transport=websocket&sid=" + sid, kBad},
      {"DELETE", "EIO=4&transport=polling&sid=" + sid, kBad},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(world.ask(one.method, one.query).answer(), one.answer) << one.method << one.query;
  }
  EXPECT_EQ(world.endpoints.sessions(), 1u);
}

TEST(Endpoint, RefusesAWebSocketBeforeItIsOne) {
  EngineWorld world;
  constexpr const char* kUpgrade =
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const auto text = [&](const char* query) {
    return world.ask("GET", query, {}, kUpgrade).answers().at(0);
  };
  EXPECT_EQ(text("EIO=3&transport=websocket").body, "Unsupported protocol version");
  EXPECT_EQ(text("EIO=4&transport=polling").body, "Bad request");
  EXPECT_EQ(text("EIO=4&transport=websocket&sid=x").body, "Session ID unknown");
  EXPECT_EQ(text("EIO=4&transport=websocket&sid=x").status, 400);
  EXPECT_THAT(text("EIO=4").head, HasSubstr("Content-Type: text/html"));
  EXPECT_EQ(world.endpoints.connections(), 0u);
}

TEST(Endpoint, KeepsToTheTransportsThatAreAllowed) {
  EngineWorld polling({.websocket = false});
  EXPECT_THAT(EngineWorld::heard(polling.socket()), HasSubstr("Transport unknown"));
  EngineWorld websocket({.polling = false});
  EXPECT_EQ(websocket.ask("GET", "EIO=4&transport=polling").answer(), kTransportUnknown);
}

TEST(Endpoint, GivesTheProtocolsRefusalAsForbidden) {
  EngineWorld world;
  world.refusal = http::HttpError{403, "not today"};
  EXPECT_EQ(world.ask("GET", "EIO=4&transport=polling").answer(),
            R"(403 {"code":4,"message":"not today"})");
  EXPECT_EQ(EngineWorld::heard(world.socket()), "400 not today");
}

TEST(Endpoint, TurnsAwayWhoMayNotCome) {
  EngineWorld world;
  world.turn_away = 429;
  EXPECT_THAT(world.ask("GET", "EIO=4&transport=polling").answer(), StartsWith("429 "));
  EXPECT_THAT(EngineWorld::heard(world.socket()), StartsWith("429 "));
  EXPECT_EQ(world.endpoints.sessions(), 0u);
}

TEST(Endpoint, IsFullAtItsLimit) {
  EngineWorld world({}, {.sessions_max = 2});
  world.open();
  world.open();
  EXPECT_THAT(world.ask("GET", "EIO=4&transport=polling").answer(), StartsWith("503 "));
  EXPECT_THAT(EngineWorld::heard(world.socket()), StartsWith("503 "));
  EXPECT_EQ(world.endpoints.sessions(), 2u);
}

TEST(Endpoint, SetsTheCookieOnceOnly) {
  EngineWorld world({.cookie = "io"});
  const Client& first = world.ask("GET", "EIO=4&transport=polling");
  const std::string sid = to_text(world.endpoints.snapshot().at(0)->id());
  EXPECT_THAT(first.answers().at(0).head,
              HasSubstr("Set-Cookie: io=" + sid + "; Path=/; HttpOnly; SameSite=Lax\r\n"));
  world.talk().transport->send_text("a");
  EXPECT_THAT(world.get(sid).answers().at(0).head, Not(HasSubstr("Set-Cookie")));
}

TEST(Endpoint, AnswersPreflightsWhateverTheSession) {
  EngineWorld world;
  world.origin = "https://a.example";
  const Answer answer =
      world.ask("OPTIONS", "EIO=4&transport=polling&sid=unknown", {},
                "Origin: https://a.example\r\nAccess-Control-Request-Headers: x-a, X-B\r\n")
          .answers()
          .at(0);
  EXPECT_EQ(answer.status, 204);
  EXPECT_THAT(answer.head, HasSubstr("Access-Control-Allow-Origin: https://a.example"));
  EXPECT_THAT(answer.head, HasSubstr("Access-Control-Allow-Methods: GET, POST"));
  EXPECT_THAT(answer.head, HasSubstr("Access-Control-Allow-Headers: x-a, X-B"));
}

TEST(Endpoint, GivesBackNoNamesThatAreNone) {
  EngineWorld world;
  world.origin = "*";
  for (const char* names : {"a b", "a,,b", "a:b", ","}) {
    const Answer answer = world.ask("OPTIONS", "transport=polling", {},
                                    "Origin: https://a.example\r\n"
                                    "Access-Control-Request-Headers: " +
                                        std::string(names) + "\r\n")
                              .answers()
                              .at(0);
    EXPECT_THAT(answer.head, HasSubstr("Allow-Headers: Authorization, Content-Type")) << names;
  }
}

TEST(Endpoint, TellsAForeignPageNothing) {
  EngineWorld world;
  const std::string sid = world.open();
  world.origin_allowed = false;
  const Answer preflight = world.ask("OPTIONS", "transport=polling").answers().at(0);
  EXPECT_EQ(preflight.status, 204);
  EXPECT_THAT(preflight.head, Not(HasSubstr("Access-Control")));
  EXPECT_THAT(world.get(sid).answer(), StartsWith(R"(403 {"code":4,)"));
  EXPECT_THAT(world.post(sid, "4a").answer(), StartsWith(R"(403 {"code":4,)"));
  EXPECT_THAT(EngineWorld::heard(world.socket()), StartsWith("400 "));
  EXPECT_EQ(world.talk().log.size(), 1u);
}

TEST(Endpoint, HandsOverWhatBelongsToAnotherLoop) {
  EngineWorld world;
  const StreamId elsewhere{.secret = make_secret(), .loop = 3, .slot = {1, 1}};
  EXPECT_EQ(world.get(to_text(elsewhere)).answer(), kSessionUnknown);
  EXPECT_THAT(world.moves, ElementsAre(3u));
}

TEST(Endpoint, FindsNoSessionByAGuess) {
  EngineWorld world;
  const std::string sid = world.open();
  for (std::size_t i = 0; i < 22; ++i) {
    std::string guess = sid;
    guess[i] = guess[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(world.get(guess).answer(), kSessionUnknown) << i;
  }
  EXPECT_EQ(world.get(sid + "A").answer(), kSessionUnknown);
  EXPECT_THAT(world.moves, IsEmpty());
}

TEST(Endpoint, KeepsSessionsOfOtherPathsApart) {
  EngineWorld world;
  const StreamId id = *parse_stream_id(world.open());
  const Options other;
  EXPECT_NE(world.endpoints.at(world.options).find(id), nullptr);
  EXPECT_EQ(world.endpoints.at(other).find(id), nullptr);
  EXPECT_EQ(&world.endpoints.at(other), &world.endpoints.at(other));
}

TEST(Endpoint, SaysGoodbyeInADrainAndTakesNobodyAfterwards) {
  EngineWorld world;
  const std::string sid = world.open();
  const Client& poll = world.get(sid);
  const Client& socket = world.socket();
  world.endpoints.drain();
  world.run();
  EXPECT_EQ(poll.answer(), "1");
  EXPECT_THAT(EngineWorld::heard(socket), ::testing::EndsWith("close 1001"));
  EXPECT_EQ(world.last_word(), "closed 1001");
  EXPECT_THAT(world.ask("GET", "EIO=4&transport=polling").answer(), StartsWith("503 "));
}

TEST(Endpoint, KeepsTheLeaseForAsLongAsTheSocket) {
  EngineWorld world;
  auto lease = std::make_shared<int>(1);
  world.next_lease = lease;
  Client& socket = world.socket();
  world.next_lease.reset();
  EXPECT_EQ(lease.use_count(), 2);
  socket.wire.reset_by_peer();
  world.run();
  EXPECT_EQ(lease.use_count(), 1);
  EXPECT_EQ(world.last_word(), "closed 1006");
}

}  // namespace
}  // namespace anywire::protocol::engine
