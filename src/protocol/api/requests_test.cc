#include "protocol/api/requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/api/testing/api_world.h"

namespace anywire::protocol::api {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// ---- Who ----

TEST(ApiAuthorization, TakesAKeyOrAToken) {
  ApiWorld world;
  const std::string body = R"({"channel":"room:1","data":1})";
  EXPECT_THAT(world.call("POST", "/publish", body, ApiWorld::basic("web")), HasSubstr("offset"));
  EXPECT_THAT(world.call("POST", "/publish", body, ApiWorld::basic("small")), HasSubstr("offset"));
  EXPECT_THAT(world.call("POST", "/publish", body,
                         world.bearer(R"({"capability":{"*":["publish"]}})")),
              HasSubstr("offset"));
}

TEST(ApiAuthorization, RefusesEverythingElse) {
  ApiWorld world;
  const std::string body = R"({"channel":"room:1","data":1})";
  const std::string wrong(32, 'x');
  for (const std::string& header :
       {std::string(), std::string("Authorization: \r\n"), std::string("Authorization: Basic\r\n"),
        std::string("Authorization: Basic !!!\r\n"), std::string("Authorization: Basic YWJj\r\n"),
        std::string("Authorization: Digest x\r\n"), std::string("Authorization: Bearer x.y.z\r\n"),
        ApiWorld::basic("web", wrong), ApiWorld::basic("nobody"), ApiWorld::basic("web", ""),
        ApiWorld::basic("small", std::string(kSecret).substr(1)),
        world.bearer(R"({"exp":1})")}) {
    Client& client = world.connect();
    client.wire.deliver(ApiWorld::request("POST", "/publish", body, header));
    world.run();
    EXPECT_THAT(client.answer(), StartsWith(R"(401 {"error":{"code":"unauthorized")")) << header;
    EXPECT_THAT(client.answers().at(0).head, HasSubstr("WWW-Authenticate: Basic")) << header;
    EXPECT_THAT(client.answer(), ::testing::Not(HasSubstr(wrong))) << header;
  }
}

TEST(ApiAuthorization, HearsOfRevocations) {
  ApiWorld world;
  const std::string token = world.bearer(R"({"jti":"t1","capability":{"*":["publish"]}})");
  const std::string body = R"({"channel":"room:1","data":1})";
  EXPECT_THAT(world.call("POST", "/publish", body, token), HasSubstr("offset"));
  EXPECT_EQ(world.post("/revocations", R"({"token":"t1"})"), R"({"disconnected":0})");
  EXPECT_THAT(world.call("POST", "/publish", body, token), StartsWith("401"));
}

// ---- Where and how ----

TEST(ApiPaths, AreItsOwnAndNoOthers) {
  ApiWorld world;
  EXPECT_THAT(world.call("GET", "/nothing"), StartsWith(R"(404 {"error":{"code":"not_found")"));
  EXPECT_THAT(world.call("GET", ""), StartsWith("404"));
  EXPECT_THAT(world.call("GET", "/"), StartsWith("404"));
  EXPECT_EQ(world.call("GET", "beta/publish"), "not the API's");
  EXPECT_EQ(world.call("GET", "/publish"), "405 POST");
  EXPECT_EQ(world.call("POST", "/history"), "405 GET, HEAD");
  EXPECT_EQ(world.call("PUT", "/grants"), "405 POST, DELETE");
}

TEST(ApiPaths, MayBeOffOrElsewhere) {
  ApiWorld off({.enabled = false});
  EXPECT_EQ(off.call("GET", "/openapi.json"), "not the API's");
  ApiWorld moved({.path = "/api/v1/rt"});
  EXPECT_EQ(moved.call("GET", "/openapi.json"), "not the API's");
  EXPECT_THAT(moved.call("GET", "/rt/openapi.json", "", ""),
              HasSubstr(R"("url": "/api/v1/rt")"));
}

TEST(ApiBodies, AreJsonAndSaySo) {
  ApiWorld world;
  const auto typed = [&](std::string_view type) {
    return world.call("POST", "/publish", R"({"channel":"a","data":1})",
                      ApiWorld::basic("web") + "Content-Type: " + std::string(type) + "\r\n");
  };
  EXPECT_THAT(typed("application/json"), HasSubstr("offset"));
  EXPECT_THAT(typed("Application/JSON; charset=utf-8"), HasSubstr("offset"));
  EXPECT_THAT(typed("text/plain"), StartsWith(R"(415 {"error":{"code":"unsupported_media_type")"));
  EXPECT_THAT(typed("application/x-www-form-urlencoded"), StartsWith("415"));
}

TEST(ApiBodies, ThatAreWrongSayWhere) {
  ApiWorld world;
  EXPECT_THAT(world.post("/publish", "{\"channel\":\"a\",\n  \"data\":tru}"),
              HasSubstr("(line 2, column 10)"));
  EXPECT_THAT(world.post("/publish", R"({"a":1,"a":2})"), HasSubstr("twice"));
  EXPECT_THAT(world.post("/publish", "{\"channel\":\"\xff\"}"), HasSubstr("(line 1, column 13)"));
  EXPECT_THAT(world.post("/publish", std::string(200, '[') + std::string(200, ']')),
              HasSubstr("nested too deeply"));
  EXPECT_THAT(world.post("/publish", "[]"), HasSubstr("must be an object"));
  EXPECT_THAT(world.call("POST", "/publish", ""), HasSubstr("the body is empty"));
  for (const std::string_view body : {"{", "null", "\"x\"", "[1", "{\"channel\":1,\"data\":1}"}) {
    EXPECT_THAT(world.post("/publish", body), StartsWith("400")) << body;
  }
}

TEST(ApiBodies, AreBoundedHoweverTheyCome) {
  ApiWorld world({.body_bytes_max = 100});
  const std::string large = R"({"channel":"a","text":")" + std::string(100, 'x') + "\"}";
  EXPECT_THAT(world.post("/publish", large + std::string(100, ' ')), StartsWith("413"));
  EXPECT_THAT(world.post("/publish", large),
              StartsWith(R"(413 {"error":{"code":"too_large","message":"a body has at most 100)"));
  Client& client = world.connect();
  client.wire.deliver("POST /api/v1/publish HTTP/1.1\r\nHost: a\r\n" + ApiWorld::basic("web") +
                      "Transfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(0x65, 'x') +
                      "\r\n0\r\n\r\n");
  world.run();
  EXPECT_THAT(client.answer(), StartsWith(R"(413 {"error":{"code":"too_large")"));
  Client& small = world.connect();
  small.wire.deliver("POST /api/v1/publish HTTP/1.1\r\nHost: a\r\n" + ApiWorld::basic("web") +
                     "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n16\r\n\"channel\":\"a\",\"data\":"
                     "1\r\n1\r\n}\r\n0\r\n\r\n");
  world.run();
  EXPECT_THAT(small.answer(), HasSubstr("offset"));
}

TEST(ApiBodies, MayNotComeTooSlowly) {
  ApiWorld world;
  Client& client = world.connect();
  client.wire.deliver("POST /api/v1/publish HTTP/1.1\r\nHost: a\r\n" + ApiWorld::basic("web") +
                      "Content-Length: 100\r\n\r\n{");
  world.run();
  EXPECT_EQ(client.answer(), "none");
  world.clock.advance(Duration{31'000});
  world.run();
  EXPECT_THAT(client.answer(), StartsWith(R"(408 {"error":{"code":"request_timeout")"));
}

TEST(ApiBodies, OfGetAreRefused) {
  ApiWorld world;
  EXPECT_THAT(world.call("GET", "/history?channel=a", "{}"), StartsWith("413"));
}

TEST(ApiCalls, AreBounded) {
  ApiWorld world({.calls_max = 1});
  Client& client = world.connect();
  client.wire.deliver("POST /api/v1/publish HTTP/1.1\r\nHost: a\r\n" + ApiWorld::basic("web") +
                      "Content-Length: 100\r\n\r\n{");
  Client& other = world.connect();
  other.wire.deliver(ApiWorld::request("POST", "/publish", "{}", ApiWorld::basic("web")));
  world.run();
  EXPECT_THAT(other.answer(), StartsWith(R"(503 {"error":{"code":"overloaded")"));
  EXPECT_THAT(other.answers().at(0).head, HasSubstr("Retry-After: 1"));
}

// ---- What ----

class ApiRequests : public ::testing::Test {
 protected:
  codec::JsonValue json(std::string_view text) {
    text_ = text;
    return *reader_.read(as_bytes(text_));
  }
  // The problem of a publication: "code path".
  std::string fault(std::string_view body) {
    const auto call = read_publish(json(body), limits_, {});
    if (call) return "none";
    return std::string(name(call.error().code).name) + " " + call.error().path;
  }

  ApiLimits limits_;

 private:
  std::string text_;
  codec::JsonReader reader_;
};

TEST_F(ApiRequests, HaveExactlyOnePayloadAndPlace) {
  EXPECT_EQ(fault(R"({"channel":"a"})"), "bad_request ");
  EXPECT_EQ(fault(R"({"channel":"a","data":1,"text":"x"})"), "bad_request ");
  EXPECT_EQ(fault(R"({"data":1})"), "bad_request ");
  EXPECT_EQ(fault(R"({"channel":"a","user":"b","data":1})"), "bad_request ");
  EXPECT_EQ(fault(R"({"channel":"a","data":null})"), "none");
  EXPECT_EQ(fault(R"({"channel":"a","data":1e400})"), "none");
  EXPECT_EQ(fault(R"({"channel":"a","data":123456789012345678901234567890})"), "none");
  EXPECT_EQ(fault(R"({"channel":"a","binary":"AA"})"), "bad_request /binary");
  EXPECT_EQ(fault(R"({"channel":"a","text":1})"), "bad_request /text");
}

TEST_F(ApiRequests, HoldEveryLimit) {
  const auto of = [](std::string_view member, std::size_t bytes) {
    return R"({"channel":"a","data":1,")" + std::string(member) + "\":\"" +
           std::string(bytes, 'x') + "\"}";
  };
  for (const auto& [member, most] :
       {std::pair("event", limits_.event_bytes_max),
        std::pair("messageId", limits_.message_id_bytes_max),
        std::pair("conflationKey", limits_.conflation_key_bytes_max),
        std::pair("idempotencyKey", limits_.idempotency_key_bytes_max)}) {
    EXPECT_EQ(fault(of(member, most)), "none") << member;
    EXPECT_EQ(fault(of(member, most + 1)), "too_large /" + std::string(member));
  }
  const auto named = [](std::size_t bytes) {
    return R"({"data":1,"channel":")" + std::string(bytes, 'x') + "\"}";
  };
  EXPECT_EQ(fault(named(255)), "none");
  EXPECT_EQ(fault(named(256)), "bad_channel /channel");
  EXPECT_EQ(fault(R"({"data":1,"channel":"a\u0000b"})"), "bad_channel /channel");
  EXPECT_EQ(fault(R"({"data":1,"user":"a\nb"})"), "bad_request /user");
  EXPECT_EQ(fault(R"({"data":1,"user":""})"), "bad_request /user");
  limits_.message_bytes_max = 4;
  EXPECT_EQ(fault(R"({"channel":"a","text":"1234"})"), "none");
  EXPECT_EQ(fault(R"({"channel":"a","text":"12345"})"), "too_large /text");
}

TEST_F(ApiRequests, HaveFewTags) {
  const auto tagged = [](int count) {
    std::string tags;
    for (int i = 0; i < count; ++i) {
      tags += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) + "\":\"v\"";
    }
    return R"({"channel":"a","data":1,"tags":{)" + tags + "}}";
  };
  EXPECT_EQ(fault(tagged(16)), "none");
  EXPECT_EQ(fault(tagged(17)), "too_large /tags");
  EXPECT_EQ(fault(R"({"channel":"a","data":1,"tags":{"a":1}})"), "bad_request /tags");
  EXPECT_EQ(fault(R"({"channel":"a","data":1,"tags":[]})"), "bad_request /tags");
}

TEST_F(ApiRequests, NameOneUserOrOneClient) {
  EXPECT_TRUE(read_disconnect(json(R"({"user":"ann","reason":"bye","reconnect":false})"), limits_));
  EXPECT_TRUE(read_disconnect(json(R"({"client":"c1"})"), limits_));
  for (const std::string_view body :
       {R"({})", R"({"user":"a","client":"b"})", R"({"user":""})", R"({"user":1})",
        R"({"client":"c","reconnect":1})", R"({"user":"a","reasons":"x"})"}) {
    EXPECT_FALSE(read_disconnect(json(body), limits_)) << body;
  }
}

TEST_F(ApiRequests, BoundNamesAndReasons) {
  const auto with = [&](std::string_view member, std::size_t bytes) {
    std::string body = R"({")" + std::string(member) + "\":\"" + std::string(bytes, 'x') + "\"";
    if (member == "reason") body += R"(,"user":"ann")";
    return read_disconnect(json(body + "}"), limits_).has_value();
  };
  for (const auto& [member, most] : {std::pair("user", limits_.user_bytes_max),
                                     std::pair("client", limits_.client_bytes_max),
                                     std::pair("reason", limits_.reason_bytes_max)}) {
    EXPECT_TRUE(with(member, most)) << member;
    EXPECT_FALSE(with(member, most + 1)) << member;
  }
  const auto ticket = [&](int channels) {
    std::string body = R"({"channels":["c")";
    for (int i = 1; i < channels; ++i) body += R"(,"c")";
    return read_ticket(json(body + "]}"), limits_).has_value();
  };
  EXPECT_TRUE(ticket(128));
  EXPECT_FALSE(ticket(129));
}

TEST_F(ApiRequests, GrantWhatIsACapability) {
  const auto grant = read_grant(
      json(R"({"user":"ann","capability":{"room:*":["publish"]},"expiresIn":60})"), limits_, false);
  ASSERT_TRUE(grant);
  EXPECT_TRUE(grant->capability.allows(auth::Operation::kPublish, "room:1"));
  EXPECT_EQ(grant->expires_in, Duration{60'000});
  for (const std::string_view body :
       {R"({"user":"a"})", R"({"user":"a","capability":{}})", R"({"user":"a","capability":[]})",
        R"({"user":"a","capability":{"x":["fly"]}})", R"({"user":"a","capability":{"":["*"]}})",
        R"({"user":"a","capability":{"x":["*"]},"expiresIn":0})",
        R"({"user":"a","capability":{"x":["*"]},"expiresIn":86401})"}) {
    EXPECT_FALSE(read_grant(json(body), limits_, false)) << body;
  }
  const auto all = read_grant(json(R"({"user":"a"})"), limits_, true);
  ASSERT_TRUE(all);
  EXPECT_FALSE(all->has_capability);
  EXPECT_FALSE(read_grant(json(R"({"user":"a","expiresIn":1})"), limits_, true));
}

TEST_F(ApiRequests, RevokeOneThing) {
  using Kind = auth::Revocation::Kind;
  const auto now = auth::wall_time(5000);
  const auto read = [&](std::string_view body) {
    return read_revocation(json(body), limits_, now);
  };
  EXPECT_EQ(read(R"({"token":"t"})")->kind, Kind::kToken);
  EXPECT_EQ(read(R"({"user":"ann"})")->issued_before, now);
  EXPECT_EQ(read(R"({"user":"ann","issuedBefore":4000})")->issued_before, auth::wall_time(4000));
  EXPECT_EQ(read(R"({"key":"web"})")->name, "web");
  EXPECT_EQ(read(R"({"all":true})")->kind, Kind::kAll);
  for (const std::string_view body :
       {R"({})", R"({"all":false})", R"({"token":"t","user":"u"})", R"({"token":""})",
        R"({"key":"k","issuedBefore":1})", R"({"all":true,"issuedBefore":-1})"}) {
    EXPECT_FALSE(read(body)) << body;
  }
}

TEST_F(ApiRequests, CallForABoundedTime) {
  const auto call = read_rpc(json(R"({"client":"c","method":"m","data":[1],"timeout":500})"),
                             limits_);
  ASSERT_TRUE(call);
  EXPECT_EQ(call->call.data, "[1]");
  EXPECT_EQ(call->call.timeout, Duration{500});
  EXPECT_EQ(read_rpc(json(R"({"client":"c","method":"m"})"), limits_)->call.timeout,
            limits_.call_default);
  for (const std::string_view body :
       {R"({"client":"c"})", R"({"method":"m"})", R"({"client":"c","method":""})",
        R"({"client":"c","method":"m","timeout":0})",
        R"({"client":"c","method":"m","timeout":60001})"}) {
    EXPECT_FALSE(read_rpc(json(body), limits_)) << body;
  }
}

TEST(ApiPositions, AreSixteenDigits) {
  EXPECT_EQ(epoch_text(0x1f), "000000000000001f");
  EXPECT_EQ(parse_epoch("000000000000001f"), 0x1fU);
  for (const std::string_view text : {"", "1f", "000000000000001g", "0000000000000001f"}) {
    EXPECT_EQ(parse_epoch(text), 0U) << text;
  }
}

}  // namespace
}  // namespace anywire::protocol::api
