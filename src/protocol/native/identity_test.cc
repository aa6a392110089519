// Who a native session speaks for: credentials of the request, keys that come late, tokens for one
// channel, grants, revocation, and what others may do to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/native/testing/channels_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class NativeIdentityTest : public ChannelsTest {
 protected:
  NativeIdentityTest() {
    options.anonymous = false;
    rule.subscribe = rule.publish = rule.history_access = rule.presence_access =
        hub::Access::kCapability;
  }

  std::string ann(std::string_view more = "") {
    return token(R"({"sub":"ann","jti":"one","iat":1699999000)" + std::string(more) + "}");
  }
  // A request that shows this, then `connect` without a token.
  std::vector<std::string> connected_by(const Credentials& shown, std::uint32_t loop = 0) {
    client = attach(Format::kJson, loop);
    client->session().show(shown, *net::Address::parse_ip("192.0.2.7"));
    client->say(R"({"type":"connect","id":1})");
    settle();
    return client->heard();
  }
  std::size_t visit(const ClientGroup::Visit& work, std::string_view user = "ann") {
    std::size_t visited = 0;
    clients->for_each(1, {.user = std::string(user)}, work,
                      [&](std::size_t count) { visited = count; });
    settle();
    return visited;
  }
  std::size_t revoke(auth::Revocation::Kind kind, std::string_view name) {
    std::size_t closed = 0;
    clients->revoke(1, {kind, std::string(name), auth::wall_time(wall.unix_ms())},
                    [&](std::size_t count) { closed = count; });
    settle();
    return closed;
  }
  static auth::Capability capability(std::string_view json) {
    return auth::Capability::parse(json).value();
  }

  std::unique_ptr<TestClient> client;
};

// ---- Where credentials may be ----

TEST_F(NativeIdentityTest, TakesTheTokenOfTheRequest) {
  EXPECT_THAT(connected_by({.token = ann()}), ElementsAre(HasSubstr(R"("user":"ann")")));
}

TEST_F(NativeIdentityTest, PrefersTheFirstMessagesToken) {
  client = attach();
  client->session().show({.ticket = "x", .token = "y"}, {});
  client->say(R"({"type":"connect","id":1,"token":")" + ann() + "\"}");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("user":"ann")")));
}

TEST_F(NativeIdentityTest, TakesATicketOnceAndInItsTime) {
  adapter();
  auth::Token tom;
  tom.identity.user_id = "tom";
  const auto now = auth::wall_time(wall.unix_ms());
  const std::string ticket = authority->tickets.issue(tom, Duration(30'000), now).value();
  EXPECT_THAT(connected_by({.ticket = ticket, .token = ann()}),
              ElementsAre(HasSubstr(R"("user":"tom")")));
  EXPECT_THAT(connected_by({.ticket = ticket, .token = ann()}),
              ElementsAre(StartsWith("close:4451:")))
      << "a ticket that is shown counts, good or not";
  const std::string late = authority->tickets.issue(tom, Duration(30'000), now).value();
  wall.advance(Duration(30'000));
  EXPECT_THAT(connected_by({.ticket = late}), ElementsAre(StartsWith("close:4451:")));
}

TEST_F(NativeIdentityTest, SaysWhyACookieDidNotCount) {
  EXPECT_THAT(connected_by({.cookie_ignored = true}),
              ElementsAre(AllOf(StartsWith("close:4450:"), HasSubstr("http.allowed_origins"))));
  EXPECT_THAT(connected_by({}), ElementsAre("close:4450:connect needs a token"));
}

// ---- Keys that come late ----

struct Source final : auth::KeySource {
  bool look_again(Task done) override {
    if (!willing) return false;
    asked.push_back(std::move(done));
    return true;
  }
  std::vector<Task> asked;
  bool willing = true;
};

// ES256, kid "new"; nobody has such a key.
constexpr std::string_view kOfNewKey = "eyJhbGciOiJFUzI1NiIsImtpZCI6Im5ldyJ9.e30.AAAA";

TEST_F(NativeIdentityTest, WaitsForTheKeysOfItsTokenAndHoldsWhatComesMeanwhile) {
  Source source;
  adapter();
  authority->keys.set_source(&source);
  client = attach();
  client->say(R"({"type":"connect","id":1,"token":")" + std::string(kOfNewKey) + "\"}");
  client->say(R"({"type":"ping","id":2})");
  settle();
  EXPECT_THAT(client->heard(), IsEmpty());
  ASSERT_EQ(source.asked.size(), 1u);
  source.asked[0]();
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(StartsWith("close:4451:")));
  authority->keys.set_source(nullptr);
}

TEST_F(NativeIdentityTest, BearsThatItsClientLeavesWhileItWaits) {
  Source source;
  adapter();
  authority->keys.set_source(&source);
  client = attach();
  client->say(R"({"type":"connect","id":1,"token":")" + std::string(kOfNewKey) + "\"}");
  client->leave();
  source.asked[0]();
  settle();
  EXPECT_THAT(client->heard(), IsEmpty());
  authority->keys.set_source(nullptr);
}

TEST_F(NativeIdentityTest, DoesNotWaitWhereThereIsNothingToWaitFor) {
  Source source;
  source.willing = false;
  adapter();
  authority->keys.set_source(&source);
  EXPECT_THAT(connected_by({.token = std::string(kOfNewKey)}),
              ElementsAre(StartsWith("close:4451:")));
  authority->keys.set_source(nullptr);
}

// ---- The end of a token ----

TEST_F(NativeIdentityTest, GivesWhoComesLateTheSameGrace) {
  options.expiry_grace = Duration(10'000);
  // It ended 20 s ago, and clocks may differ by 30.
  client = connect(token(R"({"sub":"ann","exp":1699999980})"));
  pass(Duration(9'999));
  EXPECT_THAT(client->heard(), testing::Each(testing::Not(HasSubstr("close"))));
  pass(Duration(1));
  EXPECT_THAT(client->heard(), ElementsAre(StartsWith("close:4452:")));
}

// ---- A token for one channel ----

TEST_F(NativeIdentityTest, TakesATokenForOneChannel) {
  client = connect(ann());
  const auto subscribe = [&](std::string_view channel, const std::string& with) {
    client->say(R"({"type":"subscribe","id":2,"channel":")" + std::string(channel) +
                R"(","token":")" + with + "\"}");
    settle();
    return client->heard();
  };
  const std::string all = token(R"({"capability":{"*":["subscribe","publish"]}})");
  EXPECT_THAT(subscribe("room", all), ElementsAre(HasSubstr(R"("type":"subscribed","id":2)")));
  publish(*client, "room", "hello");
  EXPECT_THAT(client->heard(), ElementsAre(message("room", 1, "hello")));
  publish(*client, "other", "hello");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("forbidden"))) << "it is for that one only";
  EXPECT_THAT(subscribe("news", token(R"({"sub":"ann","channels":["news"]})")),
              ElementsAre(HasSubstr(R"("type":"subscribed")")));
  EXPECT_THAT(subscribe("a", token(R"({"sub":"bob","capability":{"*":["*"]}})")),
              ElementsAre(HasSubstr("user_mismatch")));
  EXPECT_THAT(subscribe("a", "nonsense"), ElementsAre(HasSubstr("unauthorized")));
  EXPECT_THAT(subscribe("a", token(R"({"capability":{"b":["*"]}})")),
              ElementsAre(HasSubstr("forbidden")));
  EXPECT_THAT(subscribe("a*", all), ElementsAre(HasSubstr("forbidden")))
      << "its name could be read as a pattern";
}

TEST_F(NativeIdentityTest, DropsAChannelWhenItsTokenEnds) {
  options.expiry_grace = Duration(0);
  client = connect(ann());
  client->say(R"({"type":"subscribe","id":2,"channel":"room","token":")" +
              token(R"({"exp":1700000060,"capability":{"room":["subscribe"]}})") + "\"}");
  settle();
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("subscribed")));
  pass(Duration(59'000));
  EXPECT_THAT(client->heard(), IsEmpty());
  pass(Duration(2'000));
  EXPECT_THAT(client->heard(),
              ElementsAre(AllOf(HasSubstr(R"("type":"unsubscribed","channel":"room")"),
                                HasSubstr("forbidden"))));
}

TEST_F(NativeIdentityTest, TakesNoTokenForAPattern) {
  client = connect(ann());
  client->say(R"({"type":"subscribe","id":2,"pattern":"a*","token":"x"})");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("bad_message")));
}

// ---- Grants ----

TEST_F(NativeIdentityTest, MayDoWhatItIsGrantedUntilThatEnds) {
  client = connect(ann());
  const auto until = auth::wall_time(wall.unix_ms() + 10'000);
  EXPECT_EQ(visit([&](LiveClient& one) {
              return one.grant(capability(R"({"room":["subscribe"]})"), until);
            }),
            1u);
  subscribe(*client, "room");
  pass(Duration(9'000));
  EXPECT_THAT(client->heard(), IsEmpty());
  pass(Duration(2'000));
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("unsubscribed","channel":"room")")));
}

TEST_F(NativeIdentityTest, KeepsItsGrantsBesideANewTokenAndOnAnotherConnection) {
  client = connect(ann());
  visit([&](LiveClient& one) {
    return one.grant(capability(R"({"room":["subscribe"]})"), std::nullopt);
  });
  subscribe(*client, "room");
  client->say(R"({"type":"auth","id":8,"token":")" + ann(R"(,"capability":{"a":["*"]})") + "\"}");
  EXPECT_THAT(client->heard(), ElementsAre(R"({"type":"ok","id":8})"));
  client->lose();
  auto second = resume(*client, 1, ann());
  settle();
  EXPECT_THAT(second->heard(), ElementsAre(HasSubstr(R"("resumed":true)")));
  subscribe(*second, "room");
}

TEST_F(NativeIdentityTest, LosesWhatIsWithdrawn) {
  client = connect(ann());
  const auth::Capability room = capability(R"({"room":["subscribe"]})");
  visit([&](LiveClient& one) { return one.grant(room, std::nullopt); });
  subscribe(*client, "room");
  EXPECT_EQ(visit([&](LiveClient& one) {
              const auth::Capability other = capability(R"({"other":["subscribe"]})");
              return one.withdraw(&other);
            }),
            0u);
  EXPECT_EQ(visit([&](LiveClient& one) { return one.withdraw(&room); }), 1u);
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("unsubscribed","channel":"room")")));
  EXPECT_EQ(visit([&](LiveClient& one) { return one.withdraw(nullptr); }), 0u);
}

TEST_F(NativeIdentityTest, HasAsManyGrantsAsItMay) {
  client = connect(ann());
  std::size_t granted = 0;
  for (int i = 0; i < 70; ++i) {
    granted += visit([&](LiveClient& one) {
      return one.grant(capability("{\"c" + std::to_string(i) + "\":[\"rpc\"]}"), std::nullopt);
    });
  }
  EXPECT_EQ(granted, 64u);
  EXPECT_EQ(visit([&](LiveClient& one) {
              return one.grant(capability(R"({"c1":["rpc"]})"), std::nullopt);
            }),
            1u)
      << "one that it has";
}

// ---- What others do to it ----

TEST_F(NativeIdentityTest, IsSubscribedAndUnsubscribedByOthers) {
  client = connect(ann());
  EXPECT_EQ(visit([](LiveClient& one) { return one.subscribe("room"); }), 1u);
  EXPECT_THAT(client->heard(), ElementsAre(StartsWith(R"({"type":"subscribed","channel":"room")")));
  EXPECT_EQ(visit([](LiveClient& one) { return one.subscribe("room"); }), 0u);
  EXPECT_EQ(visit([](LiveClient& one) { return one.subscribe("$user:bob"); }), 0u);
  client->say(R"({"type":"auth","id":8,"token":")" + ann() + "\"}");
  EXPECT_THAT(client->heard(), ElementsAre(R"({"type":"ok","id":8})")) << "no token takes it back";
  EXPECT_EQ(visit([](LiveClient& one) { return one.unsubscribe("room"); }), 1u);
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("unsubscribed","channel":"room")")));
  EXPECT_EQ(visit([](LiveClient& one) { return one.unsubscribe("room"); }), 0u);
}

TEST_F(NativeIdentityTest, IsSentAway) {
  client = connect(ann());
  visit([](LiveClient& one) {
    one.disconnect("later", true);
    return true;
  });
  EXPECT_THAT(client->heard(), ElementsAre("close:4501:later"));
  client = connect(ann());
  const std::string reason(200, 'r');
  visit([&](LiveClient& one) {
    one.disconnect(reason, false);
    one.disconnect("twice", false);
    return one.grant(capability("{}"), std::nullopt) || one.subscribe("room");
  });
  EXPECT_THAT(client->heard(), ElementsAre("close:4403:" + reason.substr(0, 123)));
}

TEST_F(NativeIdentityTest, IsListed) {
  client = connect(ann(R"(,"channels":["news"])"));
  client->heard();
  std::vector<ClientRecord> records;
  clients->list(0, {.user = "ann"},
                [&](std::vector<ClientRecord> all) { records = std::move(all); });
  settle();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].address, "192.0.2.7");
  EXPECT_EQ(records[0].client, client->last("client"));
  EXPECT_EQ(records[0].protocol, "native");
  EXPECT_THAT(records[0].channels, ElementsAre("news"));
  client->lose();
  EXPECT_EQ(clients->on(0).size(), 0u);
}

// ---- Revocation ----

TEST_F(NativeIdentityTest, IsClosedByARevocationOnEveryLoop) {
  using Kind = auth::Revocation::Kind;
  for (const auto& [kind, name] : std::vector<std::pair<Kind, std::string>>{
           {Kind::kToken, "one"}, {Kind::kUser, "ann"}, {Kind::kKey, ""}, {Kind::kAll, ""}}) {
    auto first = connect(ann()), second = connect(ann(), Format::kMsgpack, 1);
    EXPECT_EQ(revoke(kind, name), 2u);
    EXPECT_THAT(first->heard(), ElementsAre(StartsWith("close:4453:revoked")));
    EXPECT_THAT(second->heard(), ElementsAre(StartsWith("close:4453:revoked")));
  }
}

TEST_F(NativeIdentityTest, GoesByItsLastToken) {
  client = connect(ann());
  client->say(R"({"type":"auth","id":8,"token":")" +
              token(R"({"sub":"ann","jti":"two","iat":1700000000})") + "\"}");
  client->heard();
  EXPECT_EQ(revoke(auth::Revocation::Kind::kToken, "one"), 0u);
  EXPECT_EQ(revoke(auth::Revocation::Kind::kUser, "ann"), 0u) << "it was issued later";
  EXPECT_EQ(revoke(auth::Revocation::Kind::kToken, "two"), 1u);
}

TEST_F(NativeIdentityTest, RefusesARevokedTokenWhenItComes) {
  adapter();
  ASSERT_TRUE(authority->revocations.add({auth::Revocation::Kind::kToken, "one", {}},
                                         auth::wall_time(wall.unix_ms())));
  EXPECT_THAT(connected_by({.token = ann()}), ElementsAre(StartsWith("close:4453:revoked: ")));
  client = connect(token(R"({"sub":"ann"})"));
  client->say(R"({"type":"auth","id":8,"token":")" + ann() + "\"}");
  EXPECT_THAT(client->heard(), ElementsAre(HasSubstr("unauthorized")));
}

// It was verified before, and the session it wants to resume is looked for on another loop.
TEST_F(NativeIdentityTest, IsFoundByARevocationWhileItConnects) {
  client = connect(ann());
  auto second = attach(Format::kJson, 1);
  second->say(R"({"type":"connect","id":1,"session":")" + client->last("session") +
              R"(","token":")" + ann() + "\"}");
  EXPECT_THAT(second->heard(), IsEmpty()) << "still connecting";
  EXPECT_EQ(revoke(auth::Revocation::Kind::kToken, "one"), 1u) << "the other was taken over before";
  EXPECT_THAT(second->heard(), ElementsAre(StartsWith("close:4453:revoked")));
}

}  // namespace
}  // namespace anywire::protocol::native
