#include <gtest/gtest.h>

#include <string>

#include "hub/presence.h"
#include "hub/testing/presence_fixture.h"

namespace anywire::hub {
namespace {

// ---- Enter, update, leave ----

TEST_F(PresenceTest, IsEmptyToBeginWith) {
  EXPECT_EQ(set.position(), (PresencePosition{kEpoch, 0}));
  EXPECT_EQ(counts(), "0/0");
  EXPECT_EQ(take(), "none");
  EXPECT_EQ(set.next_due(), std::nullopt);
  EXPECT_EQ(all(), "all:");
  EXPECT_TRUE(set.page("", 10).members.empty());
  EXPECT_TRUE(set.idle());
  EXPECT_FALSE(set.counts_only());
}

TEST_F(PresenceTest, TellsAJoin) {
  EXPECT_EQ(enter("c1", "ada", R"({"n":1})", 9), "v1");
  EXPECT_EQ(take(), "+c1!");
  EXPECT_EQ(last->epoch, kEpoch);
  EXPECT_EQ(last->version_from, 0u);
  EXPECT_EQ(last->version_to, 1u);
  EXPECT_EQ(last->counts, (PresenceCounts{1, 1}));
  const Member& member = *last->joins[0].member;
  EXPECT_EQ(member.user_id(), "ada");
  EXPECT_EQ(member.info(), R"({"n":1})");
  EXPECT_EQ(member.loop(), 9u);
  EXPECT_EQ(set.find("c1"), &member);
  EXPECT_EQ(take_next(), "none");
}

TEST_F(PresenceTest, KeepsTheMemberThatADraftBringsAlong) {
  const MemberPtr made = Member::make({.client_id = "c1", .user_id = "ada", .info = "{}"});
  ASSERT_TRUE(set.enter({.client_id = "c1", .user_id = "ada", .info = "{}", .made = made}));
  EXPECT_EQ(set.find("c1"), made.get());
  EXPECT_EQ(take(), "+c1!");
}

TEST_F(PresenceTest, CountsAUserAsLongAsOneMemberIsThere) {
  enter("c1", "ada", "x");
  enter("c2", "ada", "y");
  EXPECT_EQ(take(), "+c1! +c2");
  EXPECT_EQ(counts(), "2/1");
  leave("c2");
  enter("c1", "ada", "z");
  EXPECT_EQ(take_next(), "-c2(left) ~c1=z");
  EXPECT_EQ(counts(), "1/1");
  leave("c1");
  EXPECT_EQ(take_next(), "-c1(left)!");
  EXPECT_EQ(counts(), "0/0");
}

TEST_F(PresenceTest, TellsALeave) {
  enter("c1", "ada", "x");
  take();
  EXPECT_TRUE(leave("c1"));
  EXPECT_EQ(set.find("c1"), nullptr);
  EXPECT_EQ(take_next(), "-c1(left)!");
  EXPECT_EQ(last->leaves[0].member->info(), "x");
  EXPECT_EQ(counts(), "0/0");
  EXPECT_TRUE(set.idle());
  EXPECT_FALSE(leave("c1")) << "gone already";
}

TEST_F(PresenceTest, TellsAnUpdate) {
  enter("c1", "ada", "old");
  take();
  EXPECT_EQ(update("c1", "new"), "v2");
  EXPECT_EQ(take_next(), "~c1=new");
  EXPECT_EQ(last->updates[0]->user_id(), "ada");
  EXPECT_EQ(counts(), "1/1");
}

TEST_F(PresenceTest, TreatsEnteringTwiceAsAnUpdate) {
  enter("c1", "ada", "old");
  take();
  EXPECT_EQ(enter("c1", "ada", "new"), "v2");
  EXPECT_EQ(take_next(), "~c1=new");
  EXPECT_EQ(set.size(), 1u);
}

TEST_F(PresenceTest, SaysNothingAboutAnUpdateThatChangesNothing) {
  enter("c1", "ada", "same");
  EXPECT_EQ(update("c1", "same"), "v1") << "it is shown by what is due already";
  take();
  EXPECT_EQ(update("c1", "same"), "v1");
  EXPECT_EQ(enter("c1", "ada", "same"), "v1");
  EXPECT_EQ(take_next(), "none");
  EXPECT_EQ(set.position().version, 1u);
}

TEST_F(PresenceTest, RefusesToUpdateWhoIsNotThere) {
  EXPECT_EQ(update("c1", "x"), "not present");
  enter("c1");
  take();
  leave("c1");
  EXPECT_EQ(update("c1", "x"), "not present") << "has left, though not yet told";
}

TEST_F(PresenceTest, AMemberThatChangesItsUserLeavesAndJoins) {
  enter("c1", "ada", "x");
  take();
  EXPECT_EQ(enter("c1", "bob", "x"), "v2");
  EXPECT_EQ(take_next(), "-c1(left)! +c1!");
  EXPECT_EQ(last->leaves[0].member->user_id(), "ada");
  EXPECT_EQ(last->joins[0].member->user_id(), "bob");
  EXPECT_EQ(counts(), "1/1");
}

TEST_F(PresenceTest, AMemberThatChangesItsUserAndLeavesWasTheFirstUser) {
  enter("c1", "ada");
  take();
  enter("c1", "bob");
  leave("c1");
  EXPECT_EQ(take_next(), "-c1(left)!");
  EXPECT_EQ(last->leaves[0].member->user_id(), "ada");
  EXPECT_EQ(counts(), "0/0");
}

TEST_F(PresenceTest, LeavesWithItsLastWords) {
  enter("c1", "ada", "here");
  take();
  update("c1", "bye");
  leave("c1");
  EXPECT_EQ(take_next(), "-c1(left)!");
  EXPECT_EQ(last->leaves[0].member->info(), "bye");
}

// ---- Users ----

TEST_F(PresenceTest, MarksTheFirstAndTheLastOfAUser) {
  enter("c1", "ada");
  enter("c2", "ada");
  enter("c3", "bob");
  EXPECT_EQ(take(), "+c1! +c2 +c3!");
  EXPECT_EQ(counts(), "3/2");
  leave("c1");
  EXPECT_EQ(take_next(), "-c1(left)");
  EXPECT_EQ(counts(), "2/2");
  enter("c4", "ada");
  EXPECT_EQ(take_next(), "+c4");
  leave("c2");
  leave("c4");
  EXPECT_EQ(take_next(), "-c2(left) -c4(left)!");
  EXPECT_EQ(counts(), "1/1");
}

TEST_F(PresenceTest, AUserThatChangesClientsWithinABatchIsNeitherFirstNorLast) {
  enter("c1", "ada");
  take();
  leave("c1");
  enter("c2", "ada");
  EXPECT_EQ(take_next(), "-c1(left) +c2");
  EXPECT_EQ(counts(), "1/1");
}

TEST_F(PresenceTest, CountsNoUserForMembersWithoutOne) {
  enter("c1");
  enter("c2");
  EXPECT_EQ(take(), "+c1 +c2");
  EXPECT_EQ(counts(), "2/0");
  leave("c1");
  EXPECT_EQ(take_next(), "-c1(left)");
  EXPECT_EQ(counts(), "1/0");
}

// ---- Batches ----

TEST_F(PresenceTest, TheFirstChangeAfterQuietGoesAtOnceAndTheNextWaits) {
  enter("c1");
  EXPECT_EQ(*set.next_due() <= now, true);
  EXPECT_EQ(take(), "+c1");
  enter("c2");
  enter("c3");
  EXPECT_EQ(take(), "none");
  EXPECT_EQ(set.next_due(), now + kBatch);
  now += kBatch - Duration{1};
  EXPECT_EQ(take(), "none");
  now += Duration{1};
  EXPECT_EQ(take(), "+c2 +c3");
  EXPECT_EQ(last->version_from, 1u);
  EXPECT_EQ(last->version_to, 2u) << "one version per diff";
  now += kBatch;
  enter("c4");
  EXPECT_EQ(take(), "+c4") << "quiet for the interval";
}

TEST_F(PresenceTest, AJoinAndALeaveInOneBatchCancelOut) {
  enter("c1", "ada");
  EXPECT_TRUE(leave("c1"));
  EXPECT_EQ(set.next_due(), std::nullopt);
  EXPECT_EQ(take(), "none");
  EXPECT_EQ(set.position().version, 0u);
  EXPECT_TRUE(set.idle());
  EXPECT_EQ(counts(), "0/0");
}

TEST_F(PresenceTest, ALeaveAndTheSameJoinInOneBatchCancelOut) {
  enter("c1", "ada", "x");
  take();
  leave("c1");
  EXPECT_EQ(enter("c1", "ada", "x"), "v1");
  EXPECT_EQ(take_next(), "none");
  EXPECT_EQ(counts(), "1/1");
}

TEST_F(PresenceTest, ALeaveAndAnotherJoinInOneBatchAreAnUpdate) {
  enter("c1", "ada", "x");
  take();
  leave("c1");
  EXPECT_EQ(enter("c1", "ada", "y"), "v2");
  EXPECT_EQ(take_next(), "~c1=y");
}

TEST_F(PresenceTest, EnterLeaveEnterIsOneJoin) {
  enter("c1", "ada", "x");
  leave("c1");
  enter("c1", "ada", "y");
  EXPECT_EQ(take(), "+c1!");
  EXPECT_EQ(last->joins[0].member->info(), "y");
}

TEST_F(PresenceTest, SeveralUpdatesCollapseToTheLast) {
  enter("c1", "ada", "0");
  update("c1", "1");
  EXPECT_EQ(take(), "+c1!") << "and into the join";
  EXPECT_EQ(last->joins[0].member->info(), "1");
  update("c1", "2");
  update("c1", "3");
  EXPECT_EQ(take_next(), "~c1=3");
}

TEST_F(PresenceTest, AnUpdateThatIsTakenBackInOneBatchCancelsOut) {
  enter("c1", "ada", "1");
  take();
  update("c1", "2");
  EXPECT_EQ(update("c1", "1"), "v1");
  EXPECT_EQ(take_next(), "none");
}

TEST_F(PresenceTest, KeepsChangesInTheOrderInWhichTheyBegan) {
  enter("c9");
  enter("c5");
  enter("c7");
  update("c9", "x");
  EXPECT_EQ(take(), "+c9 +c5 +c7");
}

// ---- Loops ----

TEST_F(PresenceTest, MovesToTheLoopThatEntersLast) {
  enter("c1", "ada", "x", 1);
  take();
  EXPECT_EQ(enter("c1", "ada", "x", 2), "v1") << "nothing to tell";
  EXPECT_EQ(set.find("c1")->loop(), 2u);
  EXPECT_EQ(take_next(), "none");
}

TEST_F(PresenceTest, IgnoresWhatComesLateFromTheLoopItHasLeft) {
  enter("c1", "ada", "x", 1);
  take();
  enter("c1", "ada", "x", 2);
  EXPECT_FALSE(vanish("c1", 1));
  EXPECT_FALSE(leave("c1", 1));
  EXPECT_EQ(update("c1", "old", 1), "not present");
  EXPECT_EQ(set.next_due(), std::nullopt);
  EXPECT_EQ(set.find("c1")->info(), "x");
  EXPECT_TRUE(vanish("c1", 2));
  EXPECT_FALSE(leave("c1", 1));
  EXPECT_TRUE(leave("c1", 2));
}

TEST_F(PresenceTest, ALoopThatIsGoneLosesItsMembersOnly) {
  enter("c1", "ada", "", 1);
  enter("c2", "bob", "", 2);
  enter("c3", "cyd", "", 1);
  enter("c4", "dan", "", 1);
  take();
  vanish("c3");
  leave("c4");
  now += Duration{1000};
  set.loop_gone(1, now);
  EXPECT_EQ(take(), "-c4(left)!");
  now += kGrace - Duration{1000};
  EXPECT_EQ(expire_and_take(), "-c3(lost)!") << "its grace ran already";
  now += Duration{1000};
  EXPECT_EQ(expire_and_take(), "-c1(lost)!");
  EXPECT_EQ(counts(), "1/1");
}

TEST_F(PresenceTest, ALoopThatIsGoneWithoutGraceTakesItsMembersAlong) {
  set.set_options({.grace = Duration{0}});
  enter("c1", "", "", 1);
  enter("c2", "", "", 2);
  take();
  enter("c3", "", "", 1);
  set.loop_gone(1, now);
  EXPECT_EQ(take_next(), "-c1(lost)");
  EXPECT_EQ(set.size(), 1u);
}

// ---- Limits ----

TEST_F(PresenceTest, RefusesMembersAboveTheMaximum) {
  set.set_options({.members_max = 2});
  enter("c1", "ada");
  enter("c2", "bob");
  EXPECT_EQ(enter("c3", "cyd"), "too many");
  EXPECT_EQ(enter("c1", "ada", "new"), "v1") << "who is there may enter again";
  EXPECT_EQ(take(), "+c1! +c2!");
  vanish("c1");
  EXPECT_EQ(enter("c3", "cyd"), "too many") << "grace keeps the place";
  EXPECT_EQ(enter("c4", "ada"), "v2") << "for its user";
  leave("c2");
  EXPECT_EQ(enter("c3", "cyd"), "v2");
  EXPECT_EQ(take_next(), "-c1(replaced) -c2(left)! +c4 +c3!");
}

TEST_F(PresenceTest, ALowerMaximumSendsNobodyAway) {
  for (const char* client : {"c1", "c2", "c3"}) enter(client);
  set.set_options({.members_max = 1});
  EXPECT_EQ(set.size(), 3u);
  leave("c1");
  leave("c2");
  EXPECT_EQ(enter("c4"), "too many");
  leave("c3");
  EXPECT_EQ(enter("c4"), "v1");
}

TEST_F(PresenceTest, RefusesInfoAboveTheMaximum) {
  set.set_options({.info_bytes_max = 4});
  EXPECT_EQ(enter("c1", "ada", "12345"), "info too large");
  EXPECT_TRUE(set.idle());
  EXPECT_EQ(enter("c1", "ada", "1234"), "v1");
  EXPECT_EQ(update("c1", "12345"), "info too large");
  EXPECT_EQ(enter("c1", "ada", "12345"), "info too large");
  EXPECT_EQ(set.find("c1")->info(), "1234");
}

TEST_F(PresenceTest, RefusesIdsThatAreEmptyOrTooLong) {
  const std::string longest(PresenceSet::kIdBytesMax, 'c');
  EXPECT_EQ(enter(""), "bad id");
  EXPECT_EQ(enter(longest + "c"), "bad id");
  EXPECT_EQ(enter("c1", longest + "c"), "bad id");
  EXPECT_EQ(enter(longest, longest), "v1");
}

TEST_F(PresenceTest, ARefusedEnterDoesNotEndTheGrace) {
  set.set_options({.info_bytes_max = 4});
  enter("c1", "ada");
  take();
  vanish("c1");
  EXPECT_EQ(enter("c1", "ada", "12345"), "info too large");
  EXPECT_EQ(enter("c2", "ada", "12345"), "info too large");
  now += kGrace;
  EXPECT_EQ(expire_and_take(), "-c1(lost)!");
}

TEST_F(PresenceTest, ClientIdsAreBytes) {
  const std::string zero("c\0", 2);
  enter(zero);
  enter("c");
  enter("\xff");
  EXPECT_EQ(set.size(), 3u);
  EXPECT_EQ(text_of(set.page("", 9).members), "") << "not told yet";
  take();
  EXPECT_EQ(text_of(set.page("c", 9).members), zero + " \xff");
}

}  // namespace
}  // namespace anywire::hub
