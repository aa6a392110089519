// Plain WebSocket clients that show who they are.
#include "protocol/raw/known_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/raw/testing/raw_world.h"

namespace anywire::protocol::raw {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class KnownSessionTest : public RawWorld {
 protected:
  KnownSessionTest() : RawWorld({.expiry_grace = 5s}) {}
};

TEST_F(KnownSessionTest, GoesByItsTokensCapability) {
  EXPECT_THAT(join("/raw/room:1", ann()), ElementsAre("open"));
  say(0, "hello");
  EXPECT_THAT(heard(0), ElementsAre("text:hello"));
  EXPECT_THAT(join("/raw/other", ann()), ElementsAre("open", StartsWith("close:4403:")));
}

TEST_F(KnownSessionTest, NeedsATokenWhereTheRuleWantsACapability) {
  EXPECT_THAT(join("/raw/room:1", ""), ElementsAre("open", StartsWith("close:4450:")));
}

TEST_F(KnownSessionTest, IsClosedWhenItSendsWhatItMayNotPublish) {
  Log& log = join("/raw/room:1", ann(R"(["subscribe"])"));
  EXPECT_THAT(log, ElementsAre("open"));
  say(0, "hello");
  EXPECT_THAT(log, ElementsAre("open", StartsWith("close:4403:")));
  say(0, "hello again");
  EXPECT_EQ(log.size(), 2u);
}

TEST_F(KnownSessionTest, IsToldWhyItsTokenIsRefused) {
  EXPECT_THAT(join("/raw/room:1", "nonsense"),
              ElementsAre("open", StartsWith("close:4451:malformed: ")));
  EXPECT_THAT(join("/raw/room:1", token(R"({"exp":1699999000})")),
              ElementsAre("open", StartsWith("close:4452:expired: ")));
  ASSERT_TRUE(authority.revocations.add({.kind = auth::Revocation::Kind::kToken, .name = "one"},
                                        auth::wall_time(wall.unix_ms())));
  EXPECT_THAT(join("/raw/room:1", ann()), ElementsAre("open", StartsWith("close:4453:revoked: ")));
}

TEST_F(KnownSessionTest, MayJoinWhatItsTokenNames) {
  const std::string named = token(R"({"exp":1700000060,"channels":["news"]})");
  EXPECT_THAT(join("/raw/news", named), ElementsAre("open"));
  EXPECT_THAT(join("/raw/olds", named), ElementsAre("open", StartsWith("close:4403:")));
}

TEST_F(KnownSessionTest, HasItsUsersOwnChannelAndNoOthers) {
  EXPECT_THAT(join("/raw/$user:ann", ann()), ElementsAre("open"));
  EXPECT_THAT(join("/raw/$user:bob", ann()), ElementsAre("open", StartsWith("close:4403:")));
}

TEST_F(KnownSessionTest, EndsWithItsTokenAndAGrace) {
  Log& log = join("/raw/room:1", ann());
  pass(64s);
  EXPECT_THAT(log, ElementsAre("open"));
  pass(2s);
  EXPECT_THAT(log, ElementsAre("open", StartsWith("close:4452:")));
}

TEST_F(KnownSessionTest, IsClosedWhenItsTokenIsRevoked) {
  Log& log = join("/raw/room:1", ann());
  EXPECT_EQ(revoke({.kind = auth::Revocation::Kind::kToken, .name = "two"}), 0u);
  EXPECT_EQ(revoke({.kind = auth::Revocation::Kind::kToken, .name = "one"}), 1u);
  EXPECT_THAT(log, ElementsAre("open", StartsWith("close:4453:")));
  EXPECT_EQ(revoke({.kind = auth::Revocation::Kind::kToken, .name = "one"}), 0u);
}

TEST_F(KnownSessionTest, IsListedAndSentAway) {
  Log& log = join("/raw/room:1", ann());
  const std::vector<ClientRecord> records = listed("ann");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].address, "192.0.2.9");
  EXPECT_EQ(records[0].protocol, "raw");
  EXPECT_EQ(records[0].since_ms, 1'700'000'000'000u);
  EXPECT_THAT(records[0].channels, ElementsAre("room:1"));
  EXPECT_FALSE(records[0].client.empty());
  clients.for_each(0, {.client = records[0].client},
                   [](LiveClient& client) {
                     client.disconnect("bye", true);
                     return true;
                   },
                   [](std::size_t count) { EXPECT_EQ(count, 1u); });
  EXPECT_THAT(log, ElementsAre("open", "close:4501:bye"));
  EXPECT_EQ(clients.on(0).size(), 0u);
}

TEST_F(KnownSessionTest, SaysWhoPublishes) {
  join("/raw/room:1", ann());
  struct Listener final : hub::Subscriber {
    void on_subscribed(const hub::Joined&) override {}
    bool on_delivery(hub::Delivery& delivery) override {
      user = delivery.publications()[0]->user_id;
      client = delivery.publications()[0]->client_id;
      return true;
    }
    std::string user, client;
  } listener;
  group.hub(0).subscribe("room:1", listener);
  say(0, "hello");
  EXPECT_EQ(listener.user, "ann");
  EXPECT_EQ(listener.client.size(), ClientId::kBytes);
}

TEST_F(KnownSessionTest, TakesATicketOnce) {
  auth::Token ticket_token;
  ticket_token.identity.user_id = "tom";
  ticket_token.identity.capability = auth::Capability::everything();
  const std::string ticket =
      authority.tickets.issue(ticket_token, 30s, auth::wall_time(wall.unix_ms())).value();
  const std::string query = "a=1&ticket=" + ticket;
  EXPECT_THAT(join("/raw/room:1", "", query), ElementsAre("open"));
  EXPECT_THAT(join("/raw/room:1", "", query), ElementsAre("open", StartsWith("close:4451:")));
}

TEST_F(KnownSessionTest, MayDoWhatItIsGrantedForAsLong) {
  Log& log = join("/raw/room:1", ann(R"(["subscribe"])"));
  const auto capability = auth::Capability::parse(R"({"room:1":["publish"]})").value();
  const auto grant = [&](LiveClient& client) {
    return client.grant(capability, auth::wall_time(wall.unix_ms()) + 10s);
  };
  clients.for_each(0, {.user = "ann"}, grant, [](std::size_t count) { EXPECT_EQ(count, 1u); });
  say(0, "granted");
  EXPECT_THAT(heard(0), ElementsAre("text:granted"));
  pass(11s);
  say(0, "too late");
  EXPECT_THAT(log.back(), StartsWith("close:4403:"));
}

TEST_F(KnownSessionTest, LeavesWhenWhatLetItInIsWithdrawn) {
  Log& log = join("/raw/room:1", ann());
  const auto capability = auth::Capability::parse(R"({"room:1":["publish"]})").value();
  clients.for_each(0, {.user = "ann"},
                   [&](LiveClient& client) {
                     EXPECT_FALSE(client.withdraw(&capability)) << "there was none";
                     EXPECT_TRUE(client.grant(capability, std::nullopt));
                     EXPECT_FALSE(client.subscribe("other"));
                     EXPECT_FALSE(client.unsubscribe("room:1"));
                     return client.withdraw(nullptr);
                   },
                   [](std::size_t count) { EXPECT_EQ(count, 1u); });
  EXPECT_THAT(log, ElementsAre("open")) << "its token allows it";
}

TEST_F(KnownSessionTest, IsForgottenWhenItsClientLeaves) {
  join("/raw/room:1", ann());
  EXPECT_EQ(clients.on(0).size(), 1u);
  made.back().second->on_closed(ws::CloseCode::kNormal);
  EXPECT_EQ(clients.on(0).size(), 0u);
  EXPECT_EQ(adapter().known().size(), 0u);
}

// The keys come when the client has given up, or not yet.
TEST_F(KnownSessionTest, WaitsForTheKeysOfItsToken) {
  struct Source final : auth::KeySource {
    bool look_again(Task done) override {
      asked = std::move(done);
      return true;
    }
    Task asked;
  } source;
  authority.keys.set_source(&source);
  const std::string text = "eyJhbGciOiJFUzI1NiIsImtpZCI6Im5ldyJ9.e30.AAAA";  // ES256, kid "new"
  Log& log = join("/raw/room:1", text);
  EXPECT_THAT(log, IsEmpty()) << "the upgrade is not answered yet";
  source.asked();
  settle();
  EXPECT_THAT(log, ElementsAre("open", StartsWith("close:4451:unknown_key: ")));
  Log& gone = join("/raw/room:1", text);
  made.back().second->on_closed(ws::CloseCode::kAbnormal);
  source.asked();
  settle();
  EXPECT_THAT(gone, IsEmpty());
  authority.keys.set_source(nullptr);
}

}  // namespace
}  // namespace anywire::protocol::raw
