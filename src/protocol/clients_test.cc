#include "protocol/clients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "auth/jwt.h"
#include "base/clock.h"
#include "base/random.h"
#include "reactor/testing/loops.h"

namespace anywire::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class Client final : public LiveClient {
 public:
  Client(std::string user, std::string id) : user_(std::move(user)), id_(std::move(id)) {}

  std::string_view client() const override { return id_; }
  std::string_view user() const override { return user_; }
  std::string_view protocol() const override { return "test"; }
  std::vector<std::string> channels(std::size_t) const override { return {"room"}; }
  void disconnect(std::string_view reason, bool) override { log.push_back(std::string(reason)); }
  void revoke() override { log.push_back("revoked"); }
  bool grant(const auth::Capability&, std::optional<auth::WallTime>) override { return true; }
  bool withdraw(const auth::Capability*) override { return false; }
  bool subscribe(std::string_view) override { return true; }
  bool unsubscribe(std::string_view) override { return false; }
  void on_timer() override {}
  void set_id(std::string id) { id_ = std::move(id); }

  std::vector<std::string> log;

 private:
  std::string user_, id_;
};

class ClientsTest : public ::testing::Test {
 protected:
  void add(std::uint32_t loop, Client& client, const auth::TokenStamp& stamp = {}) {
    group.on(loop).add(client, {.address = address, .unix_ms = 1'700'000'000'500, .stamp = stamp});
  }
  void settle() {
    for (int i = 0; i < 4; ++i) {
      for (auto& loop : loops) loop->turn(Duration::zero());
    }
  }

  ManualClock clock;
  reactor::Loops loops = reactor::make_loops(clock);
  ClientGroup group{{loops[0].get(), loops[1].get()}};
  net::Address address = *net::Address::parse_ip("2001:db8::7");
};

TEST_F(ClientsTest, AreFoundByUserAndByClientOnAllLoops) {
  Client a("ann", "1"), b("ann", "2"), c("bob", "3"), d("", "4");
  add(0, a);
  add(1, b);
  add(1, c);
  add(0, d);
  std::size_t visited = 0;
  const auto count = [&](std::size_t all) { visited = all; };
  const auto say = [](LiveClient& client) {
    client.disconnect("hello", true);
    return true;
  };
  group.for_each(0, {.user = "ann"}, say, count);
  settle();
  EXPECT_EQ(visited, 2u);
  group.for_each(1, {.client = "4"}, say, count);
  settle();
  EXPECT_EQ(visited, 1u);
  group.for_each(1, {.client = "nobody"}, say, count);
  settle();
  EXPECT_EQ(visited, 0u);
  group.for_each(1, {}, say, count);
  settle();
  EXPECT_EQ(visited, 0u) << "nobody is not everybody";
  EXPECT_THAT(a.log, ElementsAre("hello"));
  EXPECT_THAT(b.log, ElementsAre("hello"));
  EXPECT_TRUE(c.log.empty());
  EXPECT_THAT(d.log, ElementsAre("hello"));
}

TEST_F(ClientsTest, AreFoundUntilTheyGo) {
  Client a("ann", "1");
  add(0, a);
  group.on(0).remove(a);
  group.on(0).remove(a);
  EXPECT_TRUE(group.on(0).find(Whom{.user = "ann"}).empty());
  EXPECT_EQ(group.on(0).size(), 0u);
}

TEST_F(ClientsTest, AreFoundByANameThatComesLater) {
  Client a("ann", "");
  add(0, a);
  EXPECT_TRUE(group.on(0).find(Whom{.client = "1"}).empty());
  a.set_id("1");
  group.on(0).named(a);
  EXPECT_THAT(group.on(0).find(Whom{.client = "1"}), ElementsAre(&a));
  group.on(0).remove(a);
  EXPECT_TRUE(group.on(0).find(Whom{.client = "1"}).empty());
}

// Most servers are never asked, and ten thousand idle clients pay for no index then.
TEST_F(ClientsTest, AreIndexedOnceSomebodyAsks) {
  Clients& clients = group.on(0);
  Client a("ann", "1"), b("ann", "2"), c("bob", "3");
  add(0, a);
  add(0, c);
  EXPECT_FALSE(clients.indexed());
  EXPECT_THAT(clients.find(Whom{.user = "ann"}), ElementsAre(&a));
  EXPECT_TRUE(clients.indexed());
  // What comes and goes from now on is found, too, by either name.
  add(0, b);
  EXPECT_THAT(clients.find(Whom{.user = "ann"}), UnorderedElementsAre(&a, &b));
  EXPECT_THAT(clients.find(Whom{.client = "2"}), ElementsAre(&b));
  clients.remove(a);
  EXPECT_THAT(clients.find(Whom{.user = "ann"}), ElementsAre(&b));
  EXPECT_TRUE(clients.find(Whom{.client = "1"}).empty());
}

TEST_F(ClientsTest, LeaveNothingBehindWhenTheLastOneGoes) {
  Clients& clients = group.on(0);
  Client a("ann", "1"), b("bob", "2");
  add(0, a);
  add(0, b);
  EXPECT_EQ(clients.find(Whom{.user = "ann"}).size(), 1u);
  clients.remove(a);
  EXPECT_TRUE(clients.indexed());
  clients.remove(b);
  EXPECT_FALSE(clients.indexed());
  EXPECT_EQ(clients.size(), 0u);
  EXPECT_TRUE(clients.find(Whom{.user = "bob"}).empty());
  EXPECT_FALSE(clients.indexed()) << "nobody is not worth an index";
  add(0, b);
  EXPECT_THAT(clients.find(Whom{.user = "bob"}), ElementsAre(&b));
}

// With some that have what others lack, in places that are used again.
TEST_F(ClientsTest, AreWhoTheyAreHoweverOthersCameAndWent) {
  using Kind = auth::Revocation::Kind;
  struct One {
    std::unique_ptr<Client> client;
    net::Address address;
    std::string token_id;
  };
  Clients& clients = group.on(0);
  std::vector<One> all;
  Random random(11);
  for (int step = 0; step < 2000; ++step) {
    const std::string number = std::to_string(step);
    if (all.size() < 40 && random.below(2) == 0) {
      const auto byte = static_cast<std::uint8_t>(random.below(200));
      One one{std::make_unique<Client>("user-" + std::to_string(random.below(10)), number),
              random.below(2) == 0 ? net::Address::ipv4({10, 0, 0, byte}, 1)
                                   : net::Address::ipv6({0x20, 1, byte, 7}, 1),
              random.below(2) == 0 ? "" : "token-" + number};
      auth::Token token;
      token.id = one.token_id;
      clients.add(*one.client, {.address = one.address, .stamp = auth::stamp_of(token)});
      all.push_back(std::move(one));
    } else if (!all.empty()) {
      const auto at = static_cast<std::ptrdiff_t>(random.below(all.size()));
      clients.remove(*all[static_cast<std::size_t>(at)].client);
      all.erase(all.begin() + at);
    }
    ASSERT_EQ(clients.size(), all.size());
    if (all.empty()) continue;
    const One& one = all[random.below(all.size())];
    ASSERT_EQ(clients.address(*one.client), one.address.host());
    ASSERT_THAT(clients.find(Whom{.client = std::string(one.client->client())}),
                ElementsAre(one.client.get()));
    const std::string user(one.client->user());
    const auto same = std::ranges::count_if(
        all, [&](const One& other) { return other.client->user() == user; });
    ASSERT_EQ(clients.find(Whom{.user = user}).size(), static_cast<std::size_t>(same));
    const auto taken = clients.find(auth::Revocation{Kind::kToken, one.token_id, {}});
    if (one.token_id.empty()) continue;
    ASSERT_THAT(taken, ElementsAre(one.client.get()));
  }
}

TEST_F(ClientsTest, AreListed) {
  Client a("ann", "1"), b("ann", "2");
  add(0, a);
  add(1, b);
  std::vector<std::string> ids;
  group.list(1, {.user = "ann"}, [&](std::vector<ClientRecord> all) {
    for (const ClientRecord& one : all) {
      ids.push_back(one.client);
      EXPECT_EQ(one.address, "2001:db8::7");
      EXPECT_EQ(one.user, "ann");
      EXPECT_EQ(one.protocol, "test");
      EXPECT_EQ(one.since_ms, 1'700'000'000'000u);
      EXPECT_THAT(one.channels, ElementsAre("room"));
    }
  });
  settle();
  EXPECT_THAT(ids, UnorderedElementsAre("1", "2"));
}

TEST_F(ClientsTest, AreListedUpToALimit) {
  std::vector<std::unique_ptr<Client>> many;
  for (std::size_t i = 0; i <= ClientGroup::kListedMax; ++i) {
    many.push_back(std::make_unique<Client>("ann", std::to_string(i)));
    add(0, *many.back());
  }
  std::size_t listed = 0;
  group.list(0, {.user = "ann"}, [&](std::vector<ClientRecord> all) { listed = all.size(); });
  settle();
  EXPECT_EQ(listed, ClientGroup::kListedMax);
}

TEST_F(ClientsTest, KnowHowTheirAddressesAreWritten) {
  Client a("ann", "1"), b("ann", "2");
  const net::Address v4 = *net::Address::parse_ip("192.0.2.1");
  const net::Address path = *net::Address::unix_path("/run/x");
  group.on(0).add(a, {.address = v4});
  group.on(0).add(b, {.address = path});
  EXPECT_EQ(group.on(0).address(a), "192.0.2.1");
  EXPECT_EQ(group.on(0).address(b), "unix");
  group.on(0).remove(b);
  EXPECT_EQ(group.on(0).address(b), "");
}

TEST_F(ClientsTest, AreRevokedByTokenUserKeyOrAllTogether) {
  using Kind = auth::Revocation::Kind;
  auth::Token token;
  token.id = "one";
  token.key_id = "web";
  token.issued_at = auth::wall_time(1'699'999'000'000);
  const auto now = auth::wall_time(1'700'000'000'000);
  for (const auth::Revocation& revocation :
       {auth::Revocation{Kind::kToken, "one", {}}, auth::Revocation{Kind::kUser, "ann", now},
        auth::Revocation{Kind::kKey, "web", {}}, auth::Revocation{Kind::kAll, "", now}}) {
    Client a("ann", "1"), other("bob", "2"), nobody("", "3");
    add(1, a, auth::stamp_of(token));
    auth::Token newer = token;
    newer.id = "two";
    newer.key_id = "other";
    newer.issued_at = now;
    add(1, other, auth::stamp_of(newer));
    add(0, nobody);
    std::size_t closed = 0;
    group.revoke(0, revocation, [&](std::size_t count) { closed = count; });
    settle();
    EXPECT_EQ(closed, 1u);
    EXPECT_THAT(a.log, ElementsAre("revoked"));
    EXPECT_TRUE(other.log.empty() && nobody.log.empty());
    group.on(1).restamp(a, auth::stamp_of(newer));
    group.revoke(0, revocation, [&](std::size_t count) { closed = count; });
    settle();
    EXPECT_EQ(closed, 0u) << "it has another token by now";
    group.on(1).remove(a);
    group.on(1).remove(other);
    group.on(0).remove(nobody);
  }
}

TEST_F(ClientsTest, AnswerCallsOnTheLoopThatAsked) {
  Client a("ann", "1");
  add(1, a);
  std::vector<CallError::Code> answers;
  const auto answer = [&](std::expected<std::string, CallError> result) {
    answers.push_back(result.error().kind);
  };
  group.call(0, "1", {.method = "m"}, answer);
  group.call(0, "2", {.method = "m"}, answer);
  EXPECT_TRUE(answers.empty());
  settle();
  EXPECT_THAT(answers, UnorderedElementsAre(CallError::Code::kUnsupported, CallError::Code::kGone));
}

}  // namespace
}  // namespace anywire::protocol
