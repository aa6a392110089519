#include "auth/key_ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "auth/jwt.h"
#include "auth/testing/signer.h"

namespace anywire::auth {
namespace {

Key key(std::string id, char secret = 's') {
  return Key::hs256(std::move(id), std::string(kSecretBytesMin, secret)).value();
}
KeySet set_of(std::vector<Key> keys) {
  KeySet set;
  for (Key& one : keys) EXPECT_TRUE(set.add(std::move(one)));
  return set;
}

TEST(KeyRing, HasTheKeysOfBothSources) {
  KeyRing ring(set_of({key("configured")}));
  ring.set_fetched(set_of({key("fetched")}));
  const auto keys = ring.keys();
  EXPECT_NE(keys->find("configured"), nullptr);
  EXPECT_NE(keys->find("fetched"), nullptr);
  ring.set_fetched({});
  EXPECT_EQ(ring.keys()->find("fetched"), nullptr);
  EXPECT_NE(ring.keys()->find("configured"), nullptr);
}

TEST(KeyRing, PrefersTheConfiguredOfTwoKeysWithOneId) {
  KeyRing ring;
  ring.set_fetched(set_of({key("a", 'f')}));
  ring.set_configured(set_of({key("a", 'c')}));
  EXPECT_TRUE(ring.keys()->find("a")->is_secret(std::string(kSecretBytesMin, 'c')));
  EXPECT_EQ(ring.keys()->keys().size(), 1u);
}

TEST(KeyRing, LeavesASetThatIsInUseAsItWas) {
  KeyRing ring(set_of({key("old")}));
  const auto before = ring.keys();
  ring.set_configured(set_of({key("new")}));
  EXPECT_NE(before->find("old"), nullptr);
  EXPECT_EQ(ring.keys()->find("old"), nullptr);
}

TEST(KeyRing, IsHopelessWithoutKeysAndWithoutASource) {
  struct Never final : KeySource {
    bool look_again(Task) override { return false; }
  } source;
  KeyRing ring;
  EXPECT_TRUE(ring.hopeless());
  ring.set_source(&source);
  EXPECT_FALSE(ring.hopeless());
  ring.set_source(nullptr);
  ring.set_configured(set_of({key("a")}));
  EXPECT_FALSE(ring.hopeless());
}

TEST(KeyRing, MayBeReplacedWhileOthersVerify) {
  KeyRing ring(set_of({key("a")}));
  const std::string token = sign_hs256(key("a"), R"({"sub":"ann"})").value();
  const VerifyOptions options{.expiry_required = false};
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) EXPECT_TRUE(verify(token, *ring.keys(), options, WallTime{}));
    });
  }
  for (int i = 0; i < 200; ++i) {
    ring.set_configured(set_of({key("a"), key("b" + std::to_string(i))}));
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

TEST(NewKeys, AreWorthLookingForWhereOneCouldHaveSigned) {
  const Signer signer(Algorithm::kEs256);
  const KeySet keys = set_of({key(""), signer.public_key("known")});
  const auto worth = [&](std::string_view header) {
    return may_be_of_new_key(signer.token(header, "{}"), keys);
  };
  EXPECT_TRUE(worth(R"({"alg":"ES256","kid":"new"})"));
  EXPECT_TRUE(worth(R"({"alg":"RS256","kid":"new"})"));
  EXPECT_TRUE(worth(R"({"alg":"Ed25519","kid":"new"})"));
  EXPECT_TRUE(worth(R"({"alg":"ES256"})"));
  EXPECT_FALSE(worth(R"({"alg":"ES256","kid":"known"})"));
  EXPECT_FALSE(worth(R"({"alg":"HS256","kid":"new"})")) << "secrets are not published";
  EXPECT_FALSE(worth(R"({"alg":"none","kid":"new"})"));
  EXPECT_FALSE(worth(R"({"kid":"new"})"));
  EXPECT_FALSE(worth("nothing"));
  EXPECT_FALSE(may_be_of_new_key("no token", keys));
}

}  // namespace
}  // namespace anywire::auth
