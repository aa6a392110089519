#include <gtest/gtest.h>

#include "hub/presence.h"
#include "hub/testing/presence_fixture.h"

namespace anywire::hub {
namespace {

class PresenceGraceTest : public PresenceTest {};

// ---- Grace ----

TEST_F(PresenceGraceTest, AVanishedMemberStaysForTheGrace) {
  enter("c1", "ada");
  take();
  EXPECT_TRUE(vanish("c1"));
  EXPECT_NE(set.find("c1"), nullptr);
  EXPECT_EQ(set.next_due(), now + kGrace);
  now += kGrace - Duration{1};
  EXPECT_EQ(set.expire(now), now + Duration{1});
  EXPECT_EQ(take(), "none");
  EXPECT_EQ(counts(), "1/1");
  now += Duration{1};
  EXPECT_EQ(expire_and_take(), "-c1(lost)!") << "at the very millisecond";
  EXPECT_EQ(counts(), "0/0");
  EXPECT_EQ(set.next_due(), std::nullopt);
  EXPECT_TRUE(set.idle());
}

TEST_F(PresenceGraceTest, NobodySeesAMemberThatComesBackWithinTheGrace) {
  enter("c1", "ada", "x");
  take();
  vanish("c1");
  now += kGrace - Duration{1};
  EXPECT_EQ(enter("c1", "ada", "x"), "v1");
  EXPECT_EQ(set.next_due(), std::nullopt);
  now += 2 * kGrace;
  EXPECT_EQ(expire_and_take(), "none");
  EXPECT_EQ(counts(), "1/1");
}

TEST_F(PresenceGraceTest, AMemberIsThereUntilExpireSaysSo) {
  enter("c1", "ada", "x");
  take();
  vanish("c1");
  now += 5 * kGrace;
  EXPECT_EQ(enter("c1", "ada", "x"), "v1") << "the timer is late; the client is not to suffer";
  EXPECT_EQ(expire_and_take(), "none");
}

TEST_F(PresenceGraceTest, ComingBackWithOtherInfoIsAnUpdate) {
  enter("c1", "ada", "x");
  take();
  vanish("c1");
  EXPECT_EQ(enter("c1", "ada", "y"), "v2");
  EXPECT_EQ(take_next(), "~c1=y");
  now += 2 * kGrace;
  EXPECT_EQ(expire_and_take(), "none");
}

TEST_F(PresenceGraceTest, ComingBackAfterTheGraceIsAJoin) {
  enter("c1", "ada", "x");
  take();
  vanish("c1");
  now += kGrace;
  EXPECT_EQ(expire_and_take(), "-c1(lost)!");
  EXPECT_EQ(enter("c1", "ada", "x"), "v3");
  EXPECT_EQ(take_next(), "+c1!");
}

TEST_F(PresenceGraceTest, AnUpdateProvesThatTheClientIsBack) {
  enter("c1", "ada", "x");
  take();
  vanish("c1");
  EXPECT_EQ(update("c1", "x"), "v1");
  EXPECT_EQ(set.next_due(), std::nullopt);
}

TEST_F(PresenceGraceTest, VanishingTwiceDoesNotProlongTheGrace) {
  enter("c1");
  take();
  EXPECT_TRUE(vanish("c1"));
  const auto due = set.next_due();
  now += kGrace / 2;
  EXPECT_FALSE(vanish("c1"));
  EXPECT_EQ(set.next_due(), due);
}

TEST_F(PresenceGraceTest, VanishingAnewStartsANewGrace) {
  enter("c1");
  take();
  vanish("c1");
  now += kGrace / 2;
  enter("c1");
  vanish("c1");
  EXPECT_EQ(set.next_due(), now + kGrace);
}

TEST_F(PresenceGraceTest, MayLeaveWhileTheGraceRuns) {
  enter("c1", "ada");
  take();
  vanish("c1");
  EXPECT_TRUE(leave("c1"));
  EXPECT_EQ(take_next(), "-c1(left)!");
  now += 2 * kGrace;
  EXPECT_EQ(expire_and_take(), "none");
}

TEST_F(PresenceGraceTest, NobodyCanVanishWhoIsNotThere) {
  EXPECT_FALSE(vanish("c1"));
  enter("c1");
  take();
  leave("c1");
  EXPECT_FALSE(vanish("c1"));
  EXPECT_EQ(take_next(), "-c1(left)");
}

TEST_F(PresenceGraceTest, WithoutGraceLeavesAtOnce) {
  set.set_options({.grace = Duration{0}});
  enter("c1", "ada");
  take();
  EXPECT_TRUE(vanish("c1"));
  EXPECT_EQ(take_next(), "-c1(lost)!");
  enter("c2", "ada");
  EXPECT_TRUE(vanish("c2"));
  EXPECT_EQ(take_next(), "none") << "join and leave in one batch";
  EXPECT_TRUE(set.idle());
}

TEST_F(PresenceGraceTest, AVanishedMemberThatWasNeverToldIsToldWhileItsGraceRuns) {
  enter("c1", "ada");
  vanish("c1");
  EXPECT_EQ(take(), "+c1!");
  now += kGrace;
  EXPECT_EQ(expire_and_take(), "-c1(lost)!");
}

TEST_F(PresenceGraceTest, ExpireTakesOnlyThoseWhoAreDue) {
  for (const char* client : {"c1", "c2", "c3"}) {
    enter(client);
    vanish(client);
    now += Duration{1000};
  }
  take();
  now = TimePoint{Duration{5000}} + kGrace + Duration{1000};
  EXPECT_EQ(expire_and_take(), "-c1(lost) -c2(lost)");
  EXPECT_EQ(set.next_due(), now + Duration{1000});
  EXPECT_EQ(counts(), "1/0");
}

TEST_F(PresenceGraceTest, AChangedGraceHoldsForThoseWhoWait) {
  enter("c1");
  take();
  vanish("c1");
  set.set_options({.grace = Duration{500}});
  EXPECT_EQ(set.next_due(), now + Duration{500});
  now += Duration{500};
  EXPECT_EQ(expire_and_take(), "-c1(lost)");
}

TEST_F(PresenceGraceTest, TimeThatStepsBackDoesNotDisturbTheOrder) {
  enter("c1");
  enter("c2");
  take();
  vanish("c1");
  set.vanish("c2", 1, now - Duration{3000});
  now += kGrace - Duration{1};
  EXPECT_EQ(expire_and_take(), "none");
  now += Duration{1};
  EXPECT_EQ(expire_and_take(), "-c1(lost) -c2(lost)");
}

// ---- One client takes another's place ----

TEST_F(PresenceGraceTest, TheSameUserUnderANewClientIdReplacesTheVanishedInOneDiff) {
  enter("c1", "ada");
  take();
  vanish("c1");
  now += kGrace - Duration{1};
  enter("c2", "ada");
  EXPECT_EQ(take(), "-c1(replaced) +c2");
  EXPECT_EQ(counts(), "1/1");
  now += 2 * kGrace;
  EXPECT_EQ(expire_and_take(), "none");
}

TEST_F(PresenceGraceTest, AnotherUserReplacesNobody) {
  enter("c1", "ada");
  take();
  vanish("c1");
  enter("c2", "bob");
  EXPECT_EQ(take_next(), "+c2!");
  now += kGrace;
  EXPECT_EQ(expire_and_take(), "-c1(lost)!");
}

TEST_F(PresenceGraceTest, NobodyIsReplacedWithoutAUser) {
  enter("c1");
  take();
  vanish("c1");
  enter("c2");
  EXPECT_EQ(take_next(), "+c2");
  EXPECT_EQ(counts(), "2/0");
}

TEST_F(PresenceGraceTest, NobodyIsReplacedWhoIsConnected) {
  enter("c1", "ada");
  enter("c2", "ada");
  EXPECT_EQ(take(), "+c1! +c2");
  EXPECT_EQ(counts(), "2/1");
}

TEST_F(PresenceGraceTest, NobodyIsReplacedAfterTheGrace) {
  enter("c1", "ada");
  take();
  vanish("c1");
  now += kGrace;
  set.expire(now);
  enter("c2", "ada");
  EXPECT_EQ(take(), "-c1(lost) +c2") << "in one batch all the same";
}

TEST_F(PresenceGraceTest, AMemberThatIsThereReplacesNobodyByEnteringAgain) {
  enter("c1", "ada");
  enter("c2", "ada");
  take();
  vanish("c1");
  enter("c2", "ada", "new");
  EXPECT_EQ(take_next(), "~c2=new");
  EXPECT_EQ(set.size(), 2u);
}

TEST_F(PresenceGraceTest, OneNewClientReplacesOneTheLatestLost) {
  for (const char* client : {"c1", "c2", "c3"}) enter(client, "ada");
  take();
  for (const char* client : {"c1", "c3", "c2"}) vanish(client);
  enter("d1", "ada");
  EXPECT_EQ(take_next(), "-c2(replaced) +d1");
  enter("d2", "ada");
  EXPECT_EQ(take_next(), "-c3(replaced) +d2");
  now += kGrace;
  EXPECT_EQ(expire_and_take(), "-c1(lost)");
  EXPECT_EQ(counts(), "2/1");
}

TEST_F(PresenceGraceTest, AChainOfReplacementsInOneBatchShowsItsEnds) {
  enter("c1", "ada");
  take();
  vanish("c1");
  enter("c2", "ada");
  vanish("c2");
  enter("c3", "ada");
  EXPECT_EQ(take_next(), "-c1(replaced) +c3");
  EXPECT_EQ(counts(), "1/1");
}

TEST_F(PresenceGraceTest, AReplacementThatLeavesInTheSameBatchLeavesALoss) {
  enter("c1", "ada");
  take();
  vanish("c1");
  enter("c2", "ada");
  leave("c2");
  EXPECT_EQ(take_next(), "-c1(lost)!") << "nobody has come in its place";
  EXPECT_TRUE(set.idle());
}

TEST_F(PresenceGraceTest, AReplacementThatVanishesInTheSameBatchIsToldFirst) {
  enter("c1", "ada");
  take();
  vanish("c1");
  enter("c2", "ada");
  vanish("c2");
  EXPECT_EQ(take_next(), "-c1(replaced) +c2");
  now += kGrace;
  EXPECT_EQ(expire_and_take(), "-c2(lost)!");
}

TEST_F(PresenceGraceTest, AReplacedClientMayComeBackInTheSameBatch) {
  enter("c1", "ada", "x");
  take();
  vanish("c1");
  enter("c2", "ada");
  EXPECT_EQ(enter("c1", "ada", "x"), "v1");
  EXPECT_EQ(take_next(), "+c2") << "c1 was never away; both are there";
  EXPECT_EQ(counts(), "2/1");
}

TEST_F(PresenceGraceTest, AVanishedMemberIsFoundUnderItsPresentUser) {
  enter("c1", "ada");
  take();
  enter("c1", "bob");
  vanish("c1");
  enter("c2", "ada");
  EXPECT_EQ(take_next(), "-c1(left) +c1! +c2") << "no place of ada's is free";
  enter("c3", "bob");
  EXPECT_EQ(take_next(), "-c1(replaced) +c3");
}

}  // namespace
}  // namespace anywire::hub
