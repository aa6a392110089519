#include "auth/tickets.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>

#include "auth/authority.h"

namespace anywire::auth {
namespace {

using namespace std::chrono_literals;
constexpr WallTime kNow{1'700'000'000s};

Token token_of(std::string user) {
  Token token;
  token.identity.user_id = std::move(user);
  return token;
}

TEST(Tickets, StandForAnIdentityOnce) {
  Tickets tickets;
  const auto ticket = tickets.issue(token_of("ann"), 30s, kNow);
  ASSERT_TRUE(ticket);
  EXPECT_EQ(ticket->size(), kTicketChars);
  const auto redeemed = tickets.redeem(*ticket, kNow);
  ASSERT_TRUE(redeemed);
  EXPECT_EQ(redeemed->identity.user_id, "ann");
  EXPECT_FALSE(tickets.redeem(*ticket, kNow)) << "a second time";
  EXPECT_EQ(tickets.size(), 0u);
}

TEST(Tickets, EndAfterTheirTime) {
  Tickets tickets;
  const std::string in_time = tickets.issue(token_of("ann"), 30s, kNow).value();
  const std::string too_late = tickets.issue(token_of("ann"), 30s, kNow).value();
  EXPECT_TRUE(tickets.redeem(in_time, kNow + 30s - 1ms));
  EXPECT_FALSE(tickets.redeem(too_late, kNow + 30s));
  EXPECT_EQ(tickets.size(), 0u);
}

TEST(Tickets, LiveForAMinuteAtMost) {
  Tickets tickets;
  EXPECT_TRUE(tickets.issue(token_of("ann"), kTicketTimeMax, kNow));
  for (const Duration time : {kTicketTimeMax + 1ms, Duration{0}, Duration{-1}}) {
    const auto refused = tickets.issue(token_of("ann"), time, kNow);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Tickets, AreAllDifferentAndHardToGuess) {
  Tickets tickets;
  std::set<std::string> all;
  for (int i = 0; i < 1000; ++i) {
    all.insert(tickets.issue(token_of("ann"), 1s, kNow).value());
  }
  EXPECT_EQ(all.size(), 1000u);
  for (const std::string text : {"", "x", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_FALSE(tickets.redeem(text, kNow));
  }
  std::string broken = *all.begin();
  broken[3] = broken[3] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(tickets.redeem(broken, kNow));
}

TEST(Tickets, EndAtTheirNumberAndMakeRoomWhenTheyExpire) {
  Tickets tickets;
  for (std::size_t i = 0; i < kTicketsMax; ++i) {
    ASSERT_TRUE(tickets.issue({}, i == 0 ? 1s : 60s, kNow));
  }
  const auto refused = tickets.issue({}, 60s, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  EXPECT_TRUE(tickets.issue({}, 60s, kNow + 1s)) << "one of them is over";
}

TEST(Tickets, GoToOneOfManyWhoShowThem) {
  Tickets tickets;
  std::atomic<int> redeemed = 0;
  for (int round = 0; round < 50; ++round) {
    const std::string ticket = tickets.issue(token_of("ann"), 1s, kNow).value();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { redeemed += tickets.redeem(ticket, kNow).has_value() ? 1 : 0; });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(redeemed, 50);
}

TEST(Tickets, AreWorthNothingWhenTheirIssuerIsRevoked) {
  Authority authority;
  Token token = token_of("ann");
  token.key_id = "web";
  const std::string ticket = authority.tickets.issue(token, 30s, kNow).value();
  ASSERT_TRUE(authority.revocations.add({.kind = Revocation::Kind::kKey, .name = "web"}, kNow));
  const auto refused = authority.redeem(ticket, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, TokenErrorCode::kRevoked);
  EXPECT_EQ(authority.redeem(ticket, kNow).error().code, TokenErrorCode::kMalformed);
}

}  // namespace
}  // namespace anywire::auth
