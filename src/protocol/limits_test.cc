#include "protocol/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace anywire::protocol {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr TimePoint kStart{Duration{1'000'000}};

net::Address address(const char* text) { return *net::Address::parse(text); }

class LimitsTest : public ::testing::Test {
 protected:
  LimitGroup& group() {
    if (!group_) group_ = std::make_unique<LimitGroup>(options);
    return *group_;
  }
  std::unique_ptr<SessionLimits> session(const char* from = "192.0.2.1:5000",
                                         std::string_view user = {}) {
    auto limits = std::make_unique<SessionLimits>(group(), address(from), now);
    EXPECT_FALSE(limits->connect_as(user, now));
    return limits;
  }
  int taken(SessionLimits& limits, int tries, Limited what = Limited::kMessages) {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += limits.take(what, 1, now) ? 0 : 1;
    return count;
  }

  LimitOptions options;
  TimePoint now = kStart;

 private:
  std::unique_ptr<LimitGroup> group_;
};

TEST_F(LimitsTest, AreNoneUnlessTheyAreSet) {
  EXPECT_FALSE(group().limits_sessions());
  EXPECT_FALSE(group().limits_connects());
  EXPECT_FALSE(group().admit_connect(address("192.0.2.1:1"), now));
  EXPECT_FALSE(group().admit_request(address("192.0.2.1:1"), "key", 1 << 30, now));
  EXPECT_EQ(group().parties(), 0u);
}

TEST_F(LimitsTest, HaveTheNamesOfTheConfiguration) {
  EXPECT_EQ(limit_name(Limited::kConnects, LimitedParty::kAddress), "connects_per_address");
  EXPECT_EQ(limit_name(Limited::kMessages, LimitedParty::kConnection), "messages_per_connection");
  EXPECT_EQ(limit_name(Limited::kBytes, LimitedParty::kUser), "bytes_per_user");
  EXPECT_EQ(limit_name(Limited::kSubscribes, LimitedParty::kApp), "subscribes_per_app");
  EXPECT_EQ(limit_name(Limited::kPresence, LimitedParty::kAddress), "presence_per_address");
}

TEST_F(LimitsTest, SayWhichOneWasHitAndWhenToComeBack) {
  options.rate(Limited::kBytes, LimitedParty::kUser) = {.amount = 100, .per = 1s, .burst = 300};
  auto ann = session("192.0.2.1:1", "ann");
  EXPECT_FALSE(ann->take(Limited::kBytes, 300, now));
  const auto hit = ann->take(Limited::kBytes, 50, now);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->limit, "bytes_per_user");
  EXPECT_EQ(hit->text, "over the limit bytes_per_user: 100 in a second, 300 at once");
  EXPECT_EQ(hit->retry_after, 500ms);
  now += 500ms;
  EXPECT_FALSE(ann->take(Limited::kBytes, 50, now));
}

TEST_F(LimitsTest, HoldEachConnectionToItsOwn) {
  options.rate(Limited::kMessages, LimitedParty::kConnection) = {.amount = 2, .per = 1s};
  auto one = session(), other = session();
  EXPECT_EQ(taken(*one, 5), 2);
  EXPECT_EQ(taken(*other, 5), 2);
}

TEST_F(LimitsTest, HoldAUserTogetherWhereverTheyAre) {
  options.rate(Limited::kMessages, LimitedParty::kUser) = {.amount = 4, .per = 1s};
  auto phone = session("192.0.2.1:1", "ann"), laptop = session("198.51.100.1:1", "ann");
  auto bob = session("192.0.2.1:2", "bob"), nobody = session("192.0.2.1:3");
  EXPECT_EQ(taken(*phone, 3), 3);
  EXPECT_EQ(taken(*laptop, 3), 1);
  EXPECT_EQ(taken(*bob, 9), 4);
  EXPECT_EQ(taken(*nobody, 9), 9) << "anonymous clients are no user";
}

TEST_F(LimitsTest, HoldAnAddressTogetherAndOfIpv6ANetwork) {
  options.rate(Limited::kMessages, LimitedParty::kAddress) = {.amount = 4, .per = 1s};
  auto one = session("192.0.2.1:1"), same = session("192.0.2.1:9"), other = session("192.0.2.2:1");
  EXPECT_EQ(taken(*one, 3) + taken(*same, 3), 4);
  EXPECT_EQ(taken(*other, 9), 4);
  auto six = session("[2001:db8:0:1::1]:1"), near = session("[2001:db8:0:1:ffff::2]:1");
  auto far = session("[2001:db8:0:2::1]:1");
  EXPECT_EQ(taken(*six, 3) + taken(*near, 3), 4);
  EXPECT_EQ(taken(*far, 9), 4);
  auto mapped = session("[::ffff:192.0.2.2]:1");
  EXPECT_EQ(taken(*mapped, 9), 0) << "an IPv4 address in other clothes";
  auto socket = session("unix:/run/a.sock");
  EXPECT_EQ(taken(*socket, 9), 9);
}

TEST_F(LimitsTest, HoldTheWholeServer) {
  options.rate(Limited::kMessages, LimitedParty::kApp) = {.amount = 4, .per = 1s};
  auto one = session("192.0.2.1:1", "ann"), other = session("unix:@b");
  EXPECT_EQ(taken(*one, 3) + taken(*other, 3), 4);
}

TEST_F(LimitsTest, CostTheOthersNothingWhereOneRefuses) {
  options.rate(Limited::kMessages, LimitedParty::kConnection) = {.amount = 100, .per = 1h};
  options.rate(Limited::kMessages, LimitedParty::kUser) = {.amount = 100, .per = 1h};
  options.rate(Limited::kMessages, LimitedParty::kAddress) = {.amount = 1, .per = 1s};
  auto ann = session("192.0.2.1:1", "ann");
  EXPECT_EQ(taken(*ann, 1000), 1);
  for (int i = 0; i < 99; ++i) {
    now += 1s;
    EXPECT_FALSE(ann->take(Limited::kMessages, 1, now)) << i;
  }
}

TEST_F(LimitsTest, KeepThingsApart) {
  options.rate(Limited::kMessages, LimitedParty::kConnection) = {.amount = 1, .per = 1s};
  options.rate(Limited::kSubscribes, LimitedParty::kConnection) = {.amount = 2, .per = 1s};
  auto one = session();
  EXPECT_EQ(taken(*one, 5, Limited::kMessages), 1);
  EXPECT_EQ(taken(*one, 5, Limited::kSubscribes), 2);
  EXPECT_EQ(taken(*one, 5, Limited::kPresence), 5);
}

TEST_F(LimitsTest, AreRememberedAfterTheLastConnectionAndForgottenWhenTheyAreFull) {
  options.rate(Limited::kMessages, LimitedParty::kUser) = {.amount = 10, .per = 1s};
  taken(*session("192.0.2.1:1", "ann"), 10);
  EXPECT_EQ(group().parties(), 1u);
  EXPECT_EQ(taken(*session("192.0.2.1:1", "ann"), 10), 0);
  now += 2s;
  session("192.0.2.1:1", "bob");
  EXPECT_EQ(group().parties(), 1u) << "bob only";
  EXPECT_EQ(taken(*session("192.0.2.1:1", "ann"), 10), 10);
}

TEST_F(LimitsTest, RememberOnlySoManyWhoHaveGone) {
  options.rate(Limited::kMessages, LimitedParty::kAddress) = {.amount = 1, .per = 1h};
  constexpr std::size_t kMore = 50;
  for (std::size_t i = 0; i < LimitGroup::kRestingPartiesMax + kMore; ++i) {
    const auto a = static_cast<std::uint8_t>(i >> 16), b = static_cast<std::uint8_t>(i >> 8);
    SessionLimits gone(group(), net::Address::ipv4({10, a, b, static_cast<std::uint8_t>(i)}, 1),
                       now);
    gone.take(Limited::kMessages, 1, now);
  }
  EXPECT_EQ(group().parties(), LimitGroup::kRestingPartiesMax);
  // What is remembered is no hindrance to those who are there.
  auto present = session("192.0.2.1:1");
  EXPECT_EQ(taken(*present, 2), 1);
}

TEST_F(LimitsTest, CapAUsersConnections) {
  options.connections_per_user_max = 2;
  auto one = session("192.0.2.1:1", "ann"), two = session("192.0.2.1:1", "ann");
  auto three = session("192.0.2.1:1", "ann"), bob = session("192.0.2.1:1", "bob");
  EXPECT_FALSE(one->count_connection());
  EXPECT_FALSE(one->count_connection()) << "it is the same one";
  EXPECT_FALSE(two->count_connection());
  const auto hit = three->count_connection();
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->limit, "connections_per_user_max");
  EXPECT_EQ(hit->text, "over the limit connections_per_user_max: 2");
  EXPECT_FALSE(bob->count_connection());
  one.reset();
  EXPECT_FALSE(three->count_connection());
}

TEST_F(LimitsTest, LimitHowFastConnectionsCome) {
  options.rate(Limited::kConnects, LimitedParty::kAddress) = {.amount = 2, .per = 1min};
  options.rate(Limited::kConnects, LimitedParty::kApp) = {.amount = 3, .per = 1min};
  EXPECT_TRUE(group().limits_connects());
  EXPECT_FALSE(group().limits_sessions()) << "sessions have nothing to hold for that";
  const net::Address here = address("192.0.2.1:1"), there = address("192.0.2.2:1");
  EXPECT_FALSE(group().admit_connect(here, now));
  EXPECT_FALSE(group().admit_connect(here, now));
  const auto hit = group().admit_connect(here, now);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->limit, "connects_per_address");
  EXPECT_EQ(hit->retry_after, 30s);
  EXPECT_FALSE(group().admit_connect(there, now)) << "the refused one cost the server nothing";
  EXPECT_EQ(group().admit_connect(there, now)->limit, "connects_per_app");
}

TEST_F(LimitsTest, LimitHowFastAUserConnects) {
  options.rate(Limited::kConnects, LimitedParty::kUser) = {.amount = 1, .per = 1min};
  EXPECT_TRUE(group().limits_sessions());
  session("192.0.2.1:1", "ann");
  SessionLimits again(group(), address("192.0.2.9:1"), now);
  EXPECT_EQ(again.connect_as("ann", now)->limit, "connects_per_user");
  SessionLimits bob(group(), address("192.0.2.9:1"), now);
  EXPECT_FALSE(bob.connect_as("bob", now));
}

TEST_F(LimitsTest, HoldRequestsByAddressAndKeyAndWholeServer) {
  options.rate(Limited::kMessages, LimitedParty::kUser) = {.amount = 2, .per = 1s};
  options.rate(Limited::kBytes, LimitedParty::kApp) = {.amount = 1000, .per = 1s};
  const net::Address here = address("192.0.2.1:1");
  EXPECT_FALSE(group().admit_request(here, "web", 400, now));
  EXPECT_FALSE(group().admit_request(here, "web", 400, now));
  EXPECT_EQ(group().admit_request(here, "web", 1, now)->limit, "messages_per_user");
  EXPECT_EQ(group().admit_request(here, "other", 400, now)->limit, "bytes_per_app");
  EXPECT_EQ(taken(*session("192.0.2.1:1", "web"), 5), 2) << "a user is no key of the same name";
}

TEST_F(LimitsTest, CallTenTimesTheRateAFlood) {
  options.rate(Limited::kMessages, LimitedParty::kConnection) =
      {.amount = 10, .per = 1s, .burst = 2};
  auto one = session();
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(one->floods(now)) << i;
  EXPECT_TRUE(one->floods(now));
  // Nine times the rate may go on for ever.
  auto steady = session();
  for (int i = 0; i < 1000; ++i) {
    now += 11ms;
    EXPECT_FALSE(steady->floods(now)) << i;
  }
}

TEST_F(LimitsTest, TakeTheNarrowestOfWhatIsAboutOneClientForFloods) {
  options.rate(Limited::kMessages, LimitedParty::kAddress) = {.amount = 1, .per = 1s};
  auto one = session();
  int before = 0;
  while (!one->floods(now)) ++before;
  EXPECT_EQ(before, 10);
}

TEST_F(LimitsTest, KnowNoFloodWhereOnlyTheWholeServerIsLimited) {
  options.rate(Limited::kMessages, LimitedParty::kApp) = {.amount = 1, .per = 1s};
  auto one = session();
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(one->floods(now));
}

TEST_F(LimitsTest, GiveWhoCannotBeToldTwiceTheBurst) {
  options.rate(Limited::kMessages, LimitedParty::kConnection) =
      {.amount = 10, .per = 1s, .burst = 4};
  SessionLimits raw(group(), address("192.0.2.1:1"), now, true);
  EXPECT_EQ(taken(raw, 100), 8);
  now += 100ms;
  EXPECT_EQ(taken(raw, 100), 1) << "at the same rate";
}

TEST(RetryAfter, IsInWholeSecondsAndNeverNothing) {
  EXPECT_EQ(retry_after_seconds(0ms), "1");
  EXPECT_EQ(retry_after_seconds(1ms), "1");
  EXPECT_EQ(retry_after_seconds(1000ms), "1");
  EXPECT_EQ(retry_after_seconds(1001ms), "2");
  EXPECT_EQ(retry_after_seconds(60s), "60");
  EXPECT_EQ(retry_after_seconds(61s), "120");
  EXPECT_EQ(retry_after_seconds(59min), "3540");
  EXPECT_EQ(retry_after_seconds(24h), "3600");
}

TEST(LimitGroup, IsSharedByManyThreads) {
  LimitOptions options;
  options.rate(Limited::kMessages, LimitedParty::kUser) = {.amount = 1000, .per = 1h};
  options.rate(Limited::kMessages, LimitedParty::kAddress) = {.amount = 1500, .per = 1h};
  options.connections_per_user_max = 1'000'000;
  LimitGroup group(options);
  std::array<int, 4> counts{};
  {
    std::vector<std::jthread> threads;
    for (int& count : counts) {
      threads.emplace_back([&, index = &count - counts.data()] {
        for (int i = 0; i < 300; ++i) {
          SessionLimits limits(group, net::Address::ipv4({192, 0, 2, 1}, 1), kStart);
          (void)limits.connect_as(index % 2 == 0 ? "ann" : "bob", kStart);
          (void)limits.count_connection();
          for (int k = 0; k < 5; ++k) count += limits.take(Limited::kMessages, 1, kStart) ? 0 : 1;
        }
      });
    }
  }
  // A user's bucket may refuse for a moment what the address then gives back.
  EXPECT_LE(counts[0] + counts[2], 1000);
  EXPECT_LE(counts[1] + counts[3], 1000);
  const int all = counts[0] + counts[1] + counts[2] + counts[3];
  EXPECT_LE(all, 1500);
  EXPECT_GE(all, 1400);
}

}  // namespace
}  // namespace anywire::protocol
