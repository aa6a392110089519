#include "protocol/authenticator.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace anywire::protocol {
namespace {

// ES256, kid "new"; nobody has such a key.
constexpr std::string_view kOfNewKey = "eyJhbGciOiJFUzI1NiIsImtpZCI6Im5ldyJ9.e30.AAAA";

class AuthenticatorTest : public ::testing::Test {
 protected:
  struct Source final : auth::KeySource {
    bool look_again(Task done) override {
      if (willing) asked.push_back(std::move(done));
      return willing;
    }
    std::vector<Task> asked;
    bool willing = true;
  };

  AuthenticatorTest() {
    EXPECT_TRUE(keys.add(auth::Key::hs256("web", std::string(32, 's')).value()));
    authority.keys.set_configured(keys);
    authority.keys.set_source(&source);
  }
  Authenticator::Verified count() {
    return [this](Authenticator::Verdict verdict) { verdict ? ++good : ++bad; };
  }

  ManualClock clock;
  ManualWallClock wall;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  auth::KeySet keys;
  auth::Authority authority{{.expiry_required = false}};
  Source source;
  Authenticator authenticator{*loop, wall, authority};
  int good = 0, bad = 0;
};

TEST_F(AuthenticatorTest, AnswersAtOnceWhereTheKeyIsKnown) {
  authenticator.verify(auth::sign_hs256(keys.keys()[0], "{}").value(), count());
  EXPECT_EQ(good, 1);
  authenticator.verify("nonsense", count());
  EXPECT_EQ(bad, 1);
  EXPECT_TRUE(source.asked.empty());
}

TEST_F(AuthenticatorTest, WaitsForKeysAndAnswersOnItsLoop) {
  authenticator.verify(kOfNewKey, count());
  ASSERT_EQ(source.asked.size(), 1u);
  source.asked[0]();
  EXPECT_EQ(bad, 0) << "not yet: the source may be on another thread";
  loop->turn(Duration::zero());
  EXPECT_EQ(bad, 1);
}

TEST_F(AuthenticatorTest, DoesNotWaitForASourceThatWillNotLook) {
  source.willing = false;
  authenticator.verify(kOfNewKey, count());
  EXPECT_EQ(bad, 1);
  authority.keys.set_source(nullptr);
  authenticator.verify(kOfNewKey, count());
  EXPECT_EQ(bad, 2);
}

TEST_F(AuthenticatorTest, LetsOnlySoManyWait) {
  for (std::size_t i = 0; i < Authenticator::kWaitingMax; ++i) {
    authenticator.verify(kOfNewKey, count());
  }
  EXPECT_EQ(bad, 0);
  authenticator.verify(kOfNewKey, count());
  EXPECT_EQ(bad, 1);
  source.asked[0]();
  loop->turn(Duration::zero());
  EXPECT_EQ(bad, 2);
  authenticator.verify(kOfNewKey, count());
  EXPECT_EQ(bad, 2) << "there is a place again";
}

}  // namespace
}  // namespace anywire::protocol
