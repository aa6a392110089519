#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "hub/presence.h"
#include "hub/testing/presence_fixture.h"

namespace anywire::hub {
namespace {

class PresenceToldTest : public PresenceTest {};

// ---- The told view ----

TEST_F(PresenceToldTest, EverythingIsAsOfTheVersionAndOneForAll) {
  enter("c2", "ada", "x");
  enter("c1", "bob");
  take();
  update("c2", "y");
  leave("c1");
  enter("c3", "cyd");
  const PresenceDiffPtr everything = set.everything();
  EXPECT_EQ(text_of(everything), "all: +c1 +c2");
  EXPECT_EQ(everything->position(), set.position());
  EXPECT_EQ(everything->joins[1].member->info(), "x");
  EXPECT_EQ(counts(everything->counts), "2/2");
  EXPECT_EQ(set.everything(), everything) << "shared until the next diff";
  EXPECT_EQ(take_next(), "-c1(left)! +c3! ~c2=y");
  EXPECT_EQ(all(), "all: +c2 +c3");
}

TEST_F(PresenceToldTest, CountsAreOfTheToldVersion) {
  enter("c1", "ada");
  EXPECT_EQ(counts(), "0/0");
  EXPECT_EQ(set.size(), 1u);
  take();
  EXPECT_EQ(counts(), "1/1");
}

TEST_F(PresenceToldTest, PagesInTheOrderOfClientIds) {
  for (const char* client : {"c4", "c1", "c5", "c3", "c2"}) enter(client, "ada");
  take();
  PresencePage page = set.page("", 2);
  EXPECT_EQ(text_of(page.members), "c1 c2");
  EXPECT_TRUE(page.more);
  EXPECT_EQ(page.position, set.position());
  EXPECT_EQ(counts(page.counts), "5/1");
  page = set.page("c2", 2);
  EXPECT_EQ(text_of(page.members), "c3 c4");
  EXPECT_TRUE(page.more);
  page = set.page("c4", 2);
  EXPECT_EQ(text_of(page.members), "c5");
  EXPECT_FALSE(page.more);
  page = set.page("c5", 2);
  EXPECT_EQ(text_of(page.members), "");
  EXPECT_FALSE(page.more);
  EXPECT_FALSE(set.page("", 5).more) << "exactly all";
}

TEST_F(PresenceToldTest, PagesGoOnBehindAMemberThatHasGone) {
  for (const char* client : {"c1", "c2", "c3", "c4"}) enter(client);
  take();
  EXPECT_EQ(text_of(set.page("", 2).members), "c1 c2");
  leave("c2");
  leave("c3");
  enter("c25");
  EXPECT_EQ(text_of(set.page("c2", 9).members), "c3 c4") << "not told yet";
  take_next();
  EXPECT_EQ(text_of(set.page("c2", 9).members), "c25 c4");
}

TEST_F(PresenceToldTest, PagesShowMembersAsTheyWereTold) {
  enter("c1", "ada", "old");
  take();
  update("c1", "new");
  EXPECT_EQ(set.page("", 1).members[0]->info(), "old");
  EXPECT_EQ(set.find("c1")->info(), "new");
  take_next();
  EXPECT_EQ(set.page("", 1).members[0]->info(), "new");
}

TEST_F(PresenceToldTest, PagesEndAtTheirBytesButHaveOneMember) {
  const std::string info(1000, 'i');
  for (const char* client : {"c1", "c2", "c3"}) enter(client, "", info);
  take();
  EXPECT_EQ(text_of(set.page("", 9, 2500).members), "c1 c2");
  EXPECT_TRUE(set.page("", 9, 2500).more);
  EXPECT_EQ(text_of(set.page("c1", 9, 10).members), "c2");
  EXPECT_EQ(text_of(set.page("c1", 0).members), "c2") << "nobody asks in vain";
}

// ---- What was missed ----

TEST_F(PresenceToldTest, GivesTheDiffsAListenerMissed) {
  enter("c1");
  take();
  enter("c2");
  take_next();
  leave("c1");
  take_next();
  EXPECT_EQ(missed(3), "");
  EXPECT_EQ(missed(2), "[-c1(left)]");
  EXPECT_EQ(missed(0), "[+c1][+c2][-c1(left)]");
  enter("c3");
  EXPECT_EQ(missed(3), "") << "not told yet";
}

TEST_F(PresenceToldTest, APositionOfAnotherLifeIsTooOld) {
  enter("c1");
  take();
  EXPECT_EQ(missed(1, kEpoch + 1), "too old");
  EXPECT_EQ(missed(0, 0), "too old");
  EXPECT_EQ(missed(2), "too old") << "from the future";
  EXPECT_EQ(missed(std::numeric_limits<std::uint64_t>::max()), "too old");
}

TEST_F(PresenceToldTest, APositionBeforeTheRingIsTooOld) {
  set.set_options({.ring_diffs_max = 2});
  for (const char* client : {"c1", "c2", "c3"}) {
    enter(client);
    take_next();
  }
  EXPECT_EQ(missed(0), "too old");
  EXPECT_EQ(missed(1), "[+c2][+c3]");
}

TEST_F(PresenceToldTest, TheRingIsNotLargerThanWhatItSaves) {
  const std::string info(3000, 'i');
  enter("c1", "", info);
  enter("c2", "", info);
  take();
  for (int turn = 0; turn < 20; ++turn) {
    update("c1", std::string(3000, static_cast<char>('a' + turn)));
    take_next();
  }
  const std::uint64_t version = set.position().version;
  EXPECT_NE(missed(version - 1), "too old");
  EXPECT_EQ(missed(version - 2), "too old") << "to send both members is less";
  leave("c1");
  leave("c2");
  take_next();
  EXPECT_EQ(missed(version), "too old") << "to send none is nothing";
}

TEST_F(PresenceToldTest, ASmallSetKeepsAFewDiffsAllTheSame) {
  enter("c1");
  take();
  for (int turn = 0; turn < 5; ++turn) {
    leave("c1");
    take_next();
    enter("c1");
    take_next();
  }
  EXPECT_NE(missed(set.position().version - 4), "too old");
}

// ---- Too many to push ----

class CrowdedPresenceTest : public PresenceTest {
 protected:
  CrowdedPresenceTest() { set.set_options({.listed_members_max = 4}); }

  void enter_many(int from, int to) {
    for (int i = from; i < to; ++i) enter("c" + std::to_string(i), "ada");
  }
};

TEST_F(CrowdedPresenceTest, AboveTheThresholdDiffsCarryOnlyCounts) {
  enter_many(0, 4);
  EXPECT_EQ(take(), "+c0! +c1 +c2 +c3");
  enter("c4", "bob");
  EXPECT_EQ(take_next(), "counts");
  EXPECT_EQ(counts(last->counts), "5/2");
  EXPECT_EQ(last->version_from, 1u);
  EXPECT_EQ(last->version_to, 2u);
  EXPECT_TRUE(set.counts_only());
  EXPECT_EQ(all(), "counts");
  EXPECT_EQ(text_of(set.page("", 9).members), "c0 c1 c2 c3 c4") << "paged on demand";
  update("c0", "x");
  EXPECT_EQ(take_next(), "counts") << "the version moves, so pagers see that it did";
}

TEST_F(CrowdedPresenceTest, AQuarterBelowTheThresholdListenersGetAllMembers) {
  enter_many(0, 6);
  EXPECT_EQ(take(), "counts");
  leave("c0");
  leave("c1");
  EXPECT_EQ(take_next(), "counts") << "at the threshold, not yet";
  leave("c2");
  enter("c9", "bob");
  leave("c3");
  EXPECT_EQ(take_next(), "all: +c4 +c5 +c9");
  EXPECT_EQ(counts(last->counts), "3/2");
  EXPECT_EQ(set.everything(), last);
  leave("c9");
  EXPECT_EQ(take_next(), "-c9(left)!");
  enter_many(6, 8);
  EXPECT_EQ(take_next(), "+c6 +c7") << "back at the threshold";
}

TEST_F(CrowdedPresenceTest, UsersAreMarkedRightlyBehindATimeOfCounts) {
  enter_many(0, 5);
  take();
  for (const char* client : {"c0", "c1", "c2", "c3"}) leave(client);
  EXPECT_EQ(take_next(), "all: +c4");
  leave("c4");
  EXPECT_EQ(take_next(), "-c4(left)!");
  enter("c5", "ada");
  EXPECT_EQ(take_next(), "+c5!");
}

TEST_F(CrowdedPresenceTest, WhoMissedATimeOfCountsNeedsOnlyItsEnd) {
  enter_many(0, 2);
  take();
  enter_many(2, 6);
  take_next();
  EXPECT_EQ(missed(1), "[counts]");
  update("c0", "x");
  take_next();
  EXPECT_EQ(missed(1), "[counts]");
  EXPECT_EQ(missed(2), "[counts]");
  EXPECT_EQ(missed(3), "");
  for (const char* client : {"c0", "c1", "c2", "c3"}) leave(client);
  take_next();
  update("c5", "y");
  take_next();
  EXPECT_EQ(missed(1), "[all: +c4 +c5][~c5=y]");
  EXPECT_EQ(missed(4), "[~c5=y]");
}

TEST_F(CrowdedPresenceTest, BytesCountAsWellAsMembers) {
  set.set_options({.listed_members_max = 1000, .listed_bytes_max = 4000});
  enter("c1", "", std::string(1900, 'i'));
  enter("c2", "", std::string(1900, 'i'));
  EXPECT_EQ(take(), "+c1 +c2");
  enter("c3", "", std::string(900, 'i'));
  EXPECT_EQ(take_next(), "counts");
  update("c2", "");
  EXPECT_EQ(take_next(), "all: +c1 +c2 +c3");
}

TEST_F(CrowdedPresenceTest, WithNoneListedThereAreAlwaysCounts) {
  set.set_options({.listed_members_max = 0});
  enter("c1", "ada");
  EXPECT_EQ(take(), "counts");
  leave("c1");
  EXPECT_EQ(take_next(), "all:") << "an empty list is no secret";
}

}  // namespace
}  // namespace anywire::hub
