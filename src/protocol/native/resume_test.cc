// Sessions that come back: SessionTable, SessionGroup, and what clients see of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/native/session.h"
#include "protocol/native/session_table.h"
#include "protocol/native/testing/native_fixture.h"

namespace anywire::protocol::native {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FakeSession final : public LiveSession {
 public:
  explicit FakeSession(std::string user = "") : user_(std::move(user)) {}
  std::string_view user() const override { return user_; }
  Estate hand_over() override {
    handed_over = true;
    return {client, user_, "", {{"c", "1"}}};
  }

  ClientId client = ClientId::random();
  bool handed_over = false;

 private:
  std::string user_;
};

class SessionTableTest : public ::testing::Test {
 protected:
  void pass(Duration time) {
    clock.advance(time);
    loop->turn(Duration::zero());
  }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  SessionTable table{*loop};
};

TEST_F(SessionTableTest, FindsSessionsUntilTheyGo) {
  FakeSession a;
  FakeSession b;
  const SessionRef ref_a = table.add(a);
  const SessionRef ref_b = table.add(b);
  EXPECT_EQ(table.find(ref_a), &a);
  EXPECT_EQ(table.find(ref_b), &b);
  table.remove(ref_a);
  EXPECT_EQ(table.find(ref_a), nullptr);
  table.remove(ref_a);
  FakeSession c;
  const SessionRef ref_c = table.add(c);
  EXPECT_EQ(ref_c.slot, ref_a.slot) << "places are used again";
  EXPECT_EQ(table.find(ref_a), nullptr) << "but not taken for one another";
  EXPECT_EQ(table.find({.slot = 99, .generation = 1}), nullptr);
}

TEST_F(SessionTableTest, KeepsADetachedSessionForItsTime) {
  FakeSession a;
  const SessionRef ref = table.add(a);
  table.detach(ref, {a.client, "", "", {}}, Duration(1000));
  EXPECT_EQ(table.find(ref), nullptr);
  EXPECT_EQ(table.detached(), 1u);
  pass(Duration(999));
  EXPECT_EQ(table.detached(), 1u);
  pass(Duration(1));
  EXPECT_EQ(table.detached(), 0u);
  EXPECT_FALSE(table.take(ref, ""));
}

TEST_F(SessionTableTest, GivesAnEstateToItsUserOnce) {
  FakeSession a;
  const SessionRef ref = table.add(a);
  table.detach(ref, {a.client, "ann", "", {{"c", std::nullopt}}}, Duration(1000));
  EXPECT_FALSE(table.take(ref, "bob"));
  EXPECT_FALSE(table.take(ref, ""));
  const auto estate = table.take(ref, "ann");
  ASSERT_TRUE(estate);
  EXPECT_EQ(estate->client, a.client);
  EXPECT_THAT(estate->presences, ElementsAre(Presence{"c", std::nullopt}));
  EXPECT_FALSE(table.take(ref, "ann"));
  EXPECT_EQ(table.detached(), 0u);
  pass(Duration(5000));
}

TEST_F(SessionTableTest, TakesALiveSessionOver) {
  FakeSession a("ann");
  const SessionRef ref = table.add(a);
  EXPECT_FALSE(table.take(ref, "bob"));
  EXPECT_FALSE(a.handed_over);
  EXPECT_EQ(table.take(ref, "ann")->client, a.client);
  EXPECT_TRUE(a.handed_over);
  EXPECT_EQ(table.find(ref), nullptr);
}

TEST_F(SessionTableTest, HoldsOnlySoManyWithoutConnection) {
  FakeSession one;
  const SessionRef first = table.add(one);
  table.detach(first, {one.client, "", "", {}}, Duration(1000));
  for (std::size_t i = 0; i < SessionTable::kDetachedMax; ++i) {
    table.detach(table.add(one), {one.client, "", "", {}}, Duration(1000));
  }
  EXPECT_EQ(table.detached(), SessionTable::kDetachedMax);
  EXPECT_FALSE(table.take(first, "")) << "the oldest went";
}

TEST_F(SessionTableTest, MayKeepNothing) {
  FakeSession a;
  const SessionRef ref = table.add(a);
  table.detach(ref, {a.client, "", "", {}}, Duration(0));
  EXPECT_EQ(table.detached(), 0u);
  EXPECT_FALSE(table.take(ref, ""));
}

TEST_F(SessionTableTest, BelievesOnlySecretsOfItsGroup) {
  const auto group = *SessionGroup::create({loop.get()});
  const auto other = *SessionGroup::create({loop.get()});
  FakeSession a;
  const SessionRef ref = group->table(0).add(a);
  const std::string secret = group->seal(0, ref);
  const auto claim = [&](std::string_view text) {
    bool found = false;
    group->claim(0, text, "", [&](std::optional<Estate> estate) { found = estate.has_value(); });
    return found;
  };
  for (std::size_t i = 0; i < secret.size(); ++i) {
    std::string wrong = secret;
    wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(claim(wrong)) << i;
    EXPECT_FALSE(claim(secret.substr(0, i)));
  }
  EXPECT_FALSE(claim(secret + "A"));
  EXPECT_FALSE(claim(other->seal(0, ref)));
  EXPECT_FALSE(claim(group->seal(0, {ref.slot, ref.generation + 1})));
  EXPECT_FALSE(a.handed_over);
  EXPECT_TRUE(claim(secret));
  EXPECT_FALSE(claim(secret)) << "once";
}

class NativeResumeTest : public NativeTest {};

TEST_F(NativeResumeTest, ComesBackUnderItsName) {
  for (const std::uint32_t loop : {0u, 1u}) {
    auto first = connect();
    const std::string client = first->last("client");
    const std::string secret = first->last("session");
    first->lose();
    auto second = resume(*first, loop);
    settle();
    EXPECT_THAT(second->heard(), ElementsAre(HasSubstr(R"("resumed":true)")));
    EXPECT_EQ(second->last("client"), client);
    EXPECT_NE(second->last("session"), secret);
    auto third = resume(*first, loop);
    settle();
    EXPECT_THAT(third->heard(), ElementsAre(HasSubstr(R"("resumed":false)"))) << "void by now";
    EXPECT_NE(third->last("client"), client);
  }
}

TEST_F(NativeResumeTest, TakesOverAConnectionThatIsNotKnownToBeDead) {
  for (const std::uint32_t loop : {0u, 1u}) {
    auto first = connect();
    first->say(R"({"type":"subscribe","id":2,"channel":"c"})");
    settle();
    first->heard();
    auto second = resume(*first, loop);
    settle();
    EXPECT_THAT(second->heard(), ElementsAre(HasSubstr(R"("resumed":true)")));
    EXPECT_EQ(second->last("client"), first->last("client"));
    EXPECT_THAT(first->heard(),
                ElementsAre("close:4409:another connection has taken this session over"));
    second->say(R"({"type":"publish","channel":"c","text":"t"})");
    first->say(R"({"type":"ping","id":9})");
    settle();
    EXPECT_THAT(first->heard(), IsEmpty());
    const std::size_t detached = adapter().table().detached();
    first->lose();
    EXPECT_EQ(adapter().table().detached(), detached) << "there is nothing left to keep";
  }
}

TEST_F(NativeResumeTest, HandlesWhatCameMeanwhileAfterTheAnswer) {
  auto first = connect();
  const std::string session = first->last("session");
  first->lose();
  for (const Format format : {Format::kJson, Format::kMsgpack}) {
    auto second = attach(format, 1);
    second->say(R"([{"type":"connect","id":1,"session":")" + session +
                R"("},{"type":"ping","id":2},{"type":"ping","id":3}])");
    second->say(R"({"type":"ping","id":4})");
    EXPECT_THAT(second->heard(), IsEmpty());
    settle();
    EXPECT_THAT(second->heard(),
                ElementsAre(HasSubstr("connected"), HasSubstr(R"("id":2)"), HasSubstr(R"("id":3)"),
                            HasSubstr(R"("id":4)")));
  }
}

TEST_F(NativeResumeTest, LimitsWhatComesMeanwhile) {
  options.message_bytes_max = 1000;
  auto first = connect();
  auto second = resume(*first, 1);
  const std::string long_ping = R"({"type":"ping","id":4,"x":")" + std::string(900, 'x') + "\"}";
  for (int i = 0; i < 3; ++i) second->say(long_ping);
  EXPECT_THAT(second->heard(), ElementsAre(HasSubstr("close:4529:")));
  settle();
}

TEST_F(NativeResumeTest, MayBeGoneBeforeItsSessionIsFound) {
  auto first = connect();
  auto second = resume(*first, 1);
  second.reset();
  settle();
  EXPECT_THAT(first->heard(), ElementsAre(HasSubstr("close:4409")));
}

TEST_F(NativeResumeTest, EndsWithTheWindow) {
  options.session_window = Duration(5'000);
  auto first = connect();
  first->lose();
  pass(Duration(5'000));
  auto second = resume(*first);
  EXPECT_THAT(second->heard(), ElementsAre(HasSubstr(R"("resumed":false)")));
}

TEST_F(NativeResumeTest, IsForTheSameUserOnly) {
  auto ann = connect(token(R"({"sub":"ann"})"));
  auto nobody = resume(*ann);
  auto bob = resume(*ann, 1, token(R"({"sub":"bob"})"));
  settle();
  EXPECT_THAT(nobody->heard(), ElementsAre(HasSubstr(R"("resumed":false)")));
  EXPECT_THAT(bob->heard(), ElementsAre(HasSubstr(R"("resumed":false)")));
  EXPECT_THAT(ann->heard(), IsEmpty());
  auto again = resume(*ann, 1, token(R"({"sub":"ann"})"));
  settle();
  EXPECT_THAT(again->heard(), ElementsAre(HasSubstr(R"("resumed":true)")));
}

TEST_F(NativeResumeTest, TakesAnySecretForUnknown) {
  for (const char* secret : {"x", "AAAA", "!", "ä"}) {
    auto client = attach();
    client->say(R"({"type":"connect","id":1,"session":")" + std::string(secret) + "\"}");
    EXPECT_THAT(client->heard(), ElementsAre(HasSubstr(R"("resumed":false)")));
  }
}

TEST_F(NativeResumeTest, KeepsTheSessionOfAnExpiredToken) {
  const auto expiring = [&] {
    return token(R"({"exp":)" + std::to_string(wall.unix_ms() / 1000 + 60) + "}");
  };
  verify.leeway = Duration(0);
  auto first = connect(expiring());
  pass(Duration(31'000));
  pass(Duration(30'000));
  EXPECT_THAT(first->heard(), ElementsAre(HasSubstr("expiring"), HasSubstr("close:4452")));
  auto second = resume(*first, 0, expiring());
  EXPECT_THAT(second->heard(), ElementsAre(HasSubstr(R"("resumed":true)")));
}

}  // namespace
}  // namespace anywire::protocol::native
