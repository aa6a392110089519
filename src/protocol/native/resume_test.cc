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
  std::string_view client() const override { return client_.text(); }
  std::string_view protocol() const override { return "test"; }
  std::vector<std::string> channels(std::size_t) const override { return {}; }
  void disconnect(std::string_view, bool) override {}
  void revoke() override {}
  bool grant(const auth::Capability&, std::optional<auth::WallTime>) override { return false; }
  bool withdraw(const auth::Capability*) override { return false; }
  bool subscribe(std::string_view) override { return false; }
  bool unsubscribe(std::string_view) override { return false; }
  std::optional<Estate> hand_over() override {
    if (connecting) return std::nullopt;
    handed_over = true;
    return Estate{.client = client_, .user = user_, .presences = {{"c", "1"}}};
  }

  void on_timer() override {}

  bool connecting = false;
  bool handed_over = false;
  const ClientId& id() const { return client_; }

 private:
  ClientId client_ = ClientId::random();
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
  std::vector<std::pair<SessionPlace, SessionRef>> forgotten;
  SessionTable table{*loop, [this](const SessionPlace& former, SessionRef heir) {
                       forgotten.emplace_back(former, heir);
                     }};
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
  table.detach(ref, {a.id(), "", "", {}}, Duration(1000));
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
  table.detach(ref, {a.id(), "ann", "", {{"c", std::nullopt}}}, Duration(1000));
  EXPECT_FALSE(table.take(ref, "bob"));
  EXPECT_FALSE(table.take(ref, ""));
  const auto estate = table.take(ref, "ann");
  ASSERT_TRUE(estate);
  EXPECT_EQ(estate->client, a.id());
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
  EXPECT_EQ(table.take(ref, "ann")->client, a.id());
  EXPECT_TRUE(a.handed_over);
  EXPECT_EQ(table.find(ref), nullptr);
}

TEST_F(SessionTableTest, HoldsOnlySoManyWithoutConnection) {
  FakeSession one;
  const SessionRef first = table.add(one);
  table.detach(first, {one.id(), "", "", {}}, Duration(1000));
  for (std::size_t i = 0; i < SessionTable::kDetachedMax; ++i) {
    table.detach(table.add(one), {one.id(), "", "", {}}, Duration(1000));
  }
  EXPECT_EQ(table.detached(), SessionTable::kDetachedMax);
  EXPECT_FALSE(table.take(first, "")) << "the oldest went";
}

TEST_F(SessionTableTest, HoldsOnlySoManyBytesWithoutConnection) {
  constexpr std::size_t kInfoBytes = 1024 * 1024;
  constexpr std::size_t kFit = SessionTable::kDetachedBytesMax / kInfoBytes - 1;
  FakeSession one;
  std::vector<SessionRef> refs;
  for (std::size_t i = 0; i < kFit + 2; ++i) {
    refs.push_back(table.add(one));
    Estate estate{one.id(), "", "", {}};
    // Wherever the bytes are.
    if (i % 3 == 0) estate.info.assign(kInfoBytes, 'i');
    if (i % 3 == 1) estate.presences.push_back({std::string(kInfoBytes, 'c'), std::nullopt});
    if (i % 3 == 2) estate.presences.push_back({"c", std::string(kInfoBytes, 'i')});
    table.detach(refs.back(), std::move(estate), Duration(1000));
    EXPECT_LE(table.detached_bytes(), SessionTable::kDetachedBytesMax);
  }
  EXPECT_EQ(table.detached(), kFit);
  EXPECT_FALSE(table.take(refs[0], "")) << "the oldest went";
  EXPECT_FALSE(table.take(refs[1], ""));
  for (std::size_t i = 2; i < refs.size(); ++i) {
    EXPECT_TRUE(i % 2 == 0 ? table.take(refs[i], "").has_value()
                           : table.take(refs[i], "", {0, {5, 5}}).estate.has_value());
  }
  EXPECT_EQ(table.detached_bytes(), 0u);
  table.detach(table.add(one), {one.id(), "", std::string(kInfoBytes, 'i'), {}}, Duration(1000));
  EXPECT_GT(table.detached_bytes(), kInfoBytes);
  pass(Duration(1000));
  EXPECT_EQ(table.detached_bytes(), 0u);
}

TEST_F(SessionTableTest, DoesNotGatherTheDeadlinesOfThoseThatCameBack) {
  FakeSession one;
  const SessionRef stays = table.add(one);
  table.detach(stays, {one.id(), "", "", {}}, Duration(1000));
  for (int i = 0; i < 1000; ++i) {
    const SessionRef ref = table.add(one);
    table.detach(ref, {one.id(), "", "", {}}, Duration(1000));
    EXPECT_TRUE(table.take(ref, ""));
    EXPECT_LT(table.deadlines(), 100u);
  }
  EXPECT_EQ(table.detached(), 1u);
  pass(Duration(1000));
  EXPECT_EQ(table.detached(), 0u) << "whose deadline was kept";
  EXPECT_EQ(table.deadlines(), 0u);
}

TEST_F(SessionTableTest, MayKeepNothing) {
  FakeSession a;
  const SessionRef ref = table.add(a);
  table.detach(ref, {a.id(), "", "", {}}, Duration(0));
  EXPECT_EQ(table.detached(), 0u);
  EXPECT_FALSE(table.take(ref, ""));
}

// Who is led to an heir gets the session that was inherited, not one begun for want of it.
TEST_F(SessionTableTest, TellsAnHeirFromOneThatCameTooLate) {
  const SessionPlace former{0, {7, 3}};
  FakeSession a;
  const SessionRef ref = table.add(a);
  EXPECT_FALSE(table.inherited(ref, former));
  table.inherit(ref, former);
  EXPECT_TRUE(table.inherited(ref, former));
  EXPECT_FALSE(table.inherited(ref, {0, {7, 4}})) << "of another session";
  EXPECT_FALSE(table.inherited({ref.slot, ref.generation + 1}, former));
  table.confirm(ref);
  EXPECT_FALSE(table.inherited(ref, former)) << "the old secret is void";
}

TEST_F(SessionTableTest, BelievesOnlySecretsOfItsGroup) {
  const auto group = *SessionGroup::create({loop.get()});
  const auto other = *SessionGroup::create({loop.get()});
  FakeSession a;
  const SessionRef ref = group->table(0).add(a);
  const std::string secret = group->seal(0, ref);
  const auto claim = [&](std::string_view text) {
    bool found = false;
    group->claim({0, {99, 1}}, text, "", [&](std::optional<Estate> estate) {
      found = estate.has_value();
      return true;
    });
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
  EXPECT_FALSE(claim(secret)) << "nobody is where it leads to";
}

TEST_F(SessionTableTest, LeadsFromAFormerPlaceToTheHeir) {
  FakeSession a("ann");
  const SessionRef ref = table.add(a);
  const SessionPlace first{7, {1, 1}};
  const SessionPlace second{8, {2, 2}};
  EXPECT_FALSE(table.take(ref, "bob", first).estate);
  EXPECT_TRUE(table.take(ref, "ann", first).estate);
  EXPECT_EQ(table.led(), 1u);
  EXPECT_EQ(table.detached(), 0u);
  EXPECT_EQ(table.find(ref), nullptr);
  EXPECT_FALSE(table.take(ref, "bob", second).heir) << "another user is not even led";
  const SessionTable::Taken led = table.take(ref, "ann", second);
  EXPECT_FALSE(led.estate);
  EXPECT_EQ(led.heir, first);
  EXPECT_FALSE(table.take(ref, "ann")) << "there is no estate here";
  table.forget(ref, first);
  EXPECT_EQ(table.led(), 1u) << "that heir is not the one any more";
  table.forget(ref, second);
  EXPECT_EQ(table.led(), 0u);
  EXPECT_FALSE(table.take(ref, "ann", first).heir);
}

TEST_F(SessionTableTest, LeadsToAnHeirForAsLongAsThatIsNotConfirmed) {
  FakeSession a;
  const SessionPlace former{7, {1, 1}};
  const SessionRef lost = table.add(a);
  table.inherit(lost, former);
  table.detach(lost, {a.id(), "", "", {}}, Duration(1000));
  EXPECT_THAT(forgotten, IsEmpty()) << "the client may have the old secret only";
  pass(Duration(1000));
  EXPECT_THAT(forgotten, ElementsAre(std::pair(former, lost)));
  forgotten.clear();

  const SessionRef confirmed = table.add(a);
  table.inherit(confirmed, former);
  table.confirm(confirmed);
  table.confirm(confirmed);
  EXPECT_THAT(forgotten, ElementsAre(std::pair(former, confirmed)));
  table.remove(confirmed);
  forgotten.clear();

  const SessionRef taken = table.add(a);
  table.inherit(taken, former);
  table.take(taken, "", {0, {5, 5}});
  EXPECT_THAT(forgotten, ElementsAre(std::pair(former, taken))) << "its own secret was used";
  forgotten.clear();
  table.inherit(confirmed, former);
  table.confirm(confirmed);
  EXPECT_THAT(forgotten, IsEmpty()) << "nobody is there any more";
}

TEST_F(SessionTableTest, DoesNotCountThoseItLeadsAmongTheDetached) {
  FakeSession one;
  const SessionRef ref = table.add(one);
  table.detach(ref, {one.id(), "", "", {}}, Duration(1000));
  EXPECT_TRUE(table.take(ref, "", {0, {5, 5}}).estate);
  EXPECT_EQ(table.detached(), 0u);
  pass(Duration(2000));
  EXPECT_EQ(table.led(), 1u) << "its heir decides how long";
}

TEST_F(SessionTableTest, LeavesASessionAloneThatWaitsForAnEstateItself) {
  FakeSession a;
  const SessionRef ref = table.add(a);
  a.connecting = true;
  EXPECT_FALSE(table.take(ref, ""));
  EXPECT_FALSE(table.take(ref, "", {0, {5, 5}}).estate);
  EXPECT_EQ(table.find(ref), &a);
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
    second->say(R"({"type":"ping","id":2})");
    settle();
    second->heard();
    auto third = resume(*first, loop);
    settle();
    EXPECT_THAT(third->heard(), ElementsAre(HasSubstr(R"("resumed":false)"))) << "void by now";
    EXPECT_NE(third->last("client"), client);
  }
}

// The answer to `connect` may be lost with its connection, any number of times.
TEST_F(NativeResumeTest, TakesTheOldSecretUntilTheClientIsHeard) {
  for (const std::uint32_t other : {0u, 1u}) {
    auto first = connect(token(R"({"sub":"ann"})"));
    const std::string client = first->last("client");
    first->lose();
    std::unique_ptr<TestClient> last;
    for (int i = 0; i < 5; ++i) {
      auto next = resume(*first, i % 2 == 0 ? other : 0, token(R"({"sub":"ann"})"));
      settle();
      EXPECT_THAT(next->heard(), ElementsAre(HasSubstr(R"("resumed":true)"))) << i;
      EXPECT_EQ(next->last("client"), client);
      if (i % 2 == 0) next->lose();
      last = std::move(next);
    }
    settle();
    EXPECT_LE(adapter(0).table().led() + adapter(1).table().led(), 1u);
    auto thief = resume(*first, 0, token(R"({"sub":"bob"})"));
    settle();
    EXPECT_THAT(thief->heard(), ElementsAre(HasSubstr(R"("resumed":false)")));
    // The one before has heard of the new secret, and uses it.
    auto mine = resume(*last, other, token(R"({"sub":"ann"})"));
    settle();
    EXPECT_THAT(mine->heard(), ElementsAre(HasSubstr(R"("resumed":true)")));
    auto late = resume(*first, 0, token(R"({"sub":"ann"})"));
    settle();
    EXPECT_THAT(late->heard(), ElementsAre(HasSubstr(R"("resumed":false)")));
    EXPECT_THAT(mine->heard(), IsEmpty());
    // And whoever speaks has the newest.
    mine->say(R"({"type":"ping","id":2})");
    settle();
    EXPECT_EQ(adapter(0).table().led() + adapter(1).table().led(), 0u);
    auto stale = resume(*last, other, token(R"({"sub":"ann"})"));
    settle();
    EXPECT_THAT(stale->heard(), ElementsAre(HasSubstr(R"("resumed":false)")));
  }
}

TEST_F(NativeResumeTest, DoesNotTakeWhatWasSentBeforeTheAnswerForASignOfLife) {
  auto first = connect();
  first->lose();
  auto second = attach(Format::kJson, 1);
  second->say(R"([{"type":"connect","id":1,"session":")" + first->last("session") +
              R"("},{"type":"ping","id":2}])");
  second->say(R"({"type":"ping","id":3})");
  settle();
  EXPECT_EQ(second->heard().size(), 3u);
  second->lose();
  auto third = resume(*first);
  settle();
  EXPECT_THAT(third->heard(), ElementsAre(HasSubstr(R"("resumed":true)")));
}

TEST_F(NativeResumeTest, ForgetsTheOldSecretWithTheSession) {
  options.session_window = Duration(5'000);
  auto first = connect();
  first->lose();
  for (const std::uint32_t loop : {0u, 1u}) {
    auto next = resume(*first, loop);
    settle();
    next->lose();
  }
  pass(Duration(5'000));
  settle();
  EXPECT_EQ(adapter(0).table().led() + adapter(1).table().led(), 0u);
  EXPECT_EQ(adapter(0).table().detached() + adapter(1).table().detached(), 0u);
  auto last = resume(*first);
  settle();
  EXPECT_THAT(last->heard(), ElementsAre(HasSubstr(R"("resumed":false)")));
}

// Two attempts at once, of which one has not found its session yet: at most one has it, and both
// are answered.
TEST_F(NativeResumeTest, AnswersTwoAttemptsAtOnce) {
  auto first = connect();
  first->lose();
  auto second = resume(*first, 1);
  settle();
  second->heard();
  second->lose();
  auto third = resume(*first, 0);
  auto fourth = resume(*first, 1);
  settle();
  int resumed = 0;
  for (TestClient* one : {third.get(), fourth.get()}) {
    const auto heard = one->heard();
    ASSERT_FALSE(heard.empty());
    EXPECT_THAT(heard.front(), HasSubstr("connected"));
    if (heard.size() == 1 && heard.front().find(R"("resumed":true)") != std::string::npos) {
      ++resumed;
    }
  }
  EXPECT_EQ(resumed, 1);
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
  options.expiry_grace = Duration(0);
  auto first = connect(expiring());
  pass(Duration(31'000));
  pass(Duration(30'000));
  EXPECT_THAT(first->heard(), ElementsAre(HasSubstr("expiring"), HasSubstr("close:4452")));
  auto second = resume(*first, 0, expiring());
  EXPECT_THAT(second->heard(), ElementsAre(HasSubstr(R"("resumed":true)")));
}

}  // namespace
}  // namespace anywire::protocol::native
