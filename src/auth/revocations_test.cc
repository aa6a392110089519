#include "auth/revocations.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "auth/jwt.h"

namespace anywire::auth {
namespace {

using namespace std::chrono_literals;
using Kind = Revocation::Kind;
constexpr WallTime kNow{1'700'000'000s};

Token token_of(std::string id, std::string key, std::optional<WallTime> issued = kNow - 60s) {
  Token token;
  token.id = std::move(id);
  token.key_id = std::move(key);
  token.issued_at = issued;
  return token;
}

class RevocationsTest : public testing::Test {
 protected:
  bool revoked(const Token& token, std::string_view user = "ann", WallTime now = kNow) const {
    return revocations.revoked(stamp_of(token), user, now);
  }
  void revoke(Kind kind, std::string name, WallTime before = kNow) {
    ASSERT_TRUE(revocations.add({kind, std::move(name), before}, kNow));
  }

  Revocations revocations{{.entries_max = 3, .kept_for = 24h}};
};

TEST_F(RevocationsTest, TakeNothingAtFirst) {
  EXPECT_FALSE(revoked(token_of("one", "web")));
  EXPECT_EQ(revocations.size(), 0u);
}

TEST_F(RevocationsTest, TakeOneTokenByItsId) {
  revoke(Kind::kToken, "one");
  EXPECT_TRUE(revoked(token_of("one", "web")));
  EXPECT_FALSE(revoked(token_of("two", "web")));
  EXPECT_FALSE(revoked(token_of("", "web"))) << "it has no id";
}

TEST_F(RevocationsTest, TakeAUsersTokensThatWereIssuedBefore) {
  revoke(Kind::kUser, "ann");
  EXPECT_TRUE(revoked(token_of("one", "web", kNow - 1s)));
  EXPECT_FALSE(revoked(token_of("one", "web", kNow)));
  EXPECT_FALSE(revoked(token_of("one", "web", kNow - 1s), "bob"));
  EXPECT_FALSE(revoked(token_of("one", "web", kNow - 1s), ""));
  EXPECT_TRUE(revoked(token_of("one", "web", std::nullopt))) << "it cannot show that it is newer";
}

// Dates of tokens are whole seconds.
TEST_F(RevocationsTest, TakeATokenOfTheSameSecond) {
  revoke(Kind::kUser, "ann", kNow + 500ms);
  EXPECT_TRUE(revoked(token_of("one", "web", kNow)));
  EXPECT_FALSE(revoked(token_of("one", "web", kNow + 1s)));
}

TEST_F(RevocationsTest, TakeAKeysTokensWhateverTheirDate) {
  revoke(Kind::kKey, "web");
  EXPECT_TRUE(revoked(token_of("one", "web", kNow + 60s)));
  EXPECT_FALSE(revoked(token_of("one", "other")));
}

TEST_F(RevocationsTest, TakeEverybodysAtOnce) {
  revoke(Kind::kAll, "");
  EXPECT_TRUE(revoked(token_of("", "")));
  EXPECT_FALSE(revoked(token_of("", "", kNow)));
  EXPECT_FALSE(revocations.revoked(TokenStamp(), "ann", kNow)) 
      << "who has no token has none to lose";
}

TEST_F(RevocationsTest, AreForgottenAfterTheirTime) {
  revoke(Kind::kToken, "one");
  revoke(Kind::kUser, "ann");
  EXPECT_TRUE(revoked(token_of("one", "web"), "bob", kNow + 24h - 1ms));
  EXPECT_FALSE(revoked(token_of("one", "web"), "ann", kNow + 24h));
}

TEST_F(RevocationsTest, KeepTheLaterOfTwo) {
  revoke(Kind::kUser, "ann", kNow - 100s);
  EXPECT_FALSE(revoked(token_of("one", "web")));
  revoke(Kind::kUser, "ann", kNow);
  revoke(Kind::kUser, "ann", kNow - 200s);
  EXPECT_TRUE(revoked(token_of("one", "web")));
  EXPECT_EQ(revocations.size(), 1u);
}

TEST_F(RevocationsTest, SayWhenThereIsNoRoomAndForgetNothing) {
  revoke(Kind::kToken, "1");
  revoke(Kind::kUser, "2");
  revoke(Kind::kKey, "3");
  EXPECT_FALSE(revocations.add({Kind::kToken, "4", {}}, kNow));
  EXPECT_TRUE(revocations.add({Kind::kToken, "1", {}}, kNow)) << "it is there already";
  EXPECT_TRUE(revocations.add({Kind::kAll, "", kNow}, kNow)) << "it needs no room";
  EXPECT_TRUE(revoked(token_of("1", "web")));
  EXPECT_TRUE(revocations.add({Kind::kToken, "4", {}}, kNow + 24h)) << "there is room again";
}

TEST_F(RevocationsTest, MayBeAskedWhileOthersRevoke) {
  std::thread writer([&] {
    for (int i = 0; i < 1000; ++i) {
      static_cast<void>(revocations.add({Kind::kUser, "u" + std::to_string(i % 3), kNow}, kNow));
    }
  });
  for (int i = 0; i < 1000; ++i) static_cast<void>(revoked(token_of("one", "web"), "u1"));
  writer.join();
  EXPECT_TRUE(revoked(token_of("one", "web"), "u1"));
}

TEST(Revocation, SaysWhoseTokenItTakes) {
  const TokenStamp stamp = stamp_of(token_of("one", "web"));
  EXPECT_TRUE((Revocation{Kind::kToken, "one", {}}.takes(stamp, "ann")));
  EXPECT_FALSE((Revocation{Kind::kToken, "two", {}}.takes(stamp, "ann")));
  EXPECT_TRUE((Revocation{Kind::kUser, "ann", kNow}.takes(stamp, "ann")));
  EXPECT_FALSE((Revocation{Kind::kUser, "ann", kNow}.takes(stamp, "bob")));
  EXPECT_TRUE((Revocation{Kind::kKey, "web", {}}.takes(stamp, "ann")));
  EXPECT_TRUE((Revocation{Kind::kAll, "", kNow}.takes(stamp, "ann")));
  EXPECT_FALSE((Revocation{Kind::kAll, "", kNow}.takes(TokenStamp(), "ann")));
}

}  // namespace
}  // namespace anywire::auth
