#include "auth/jwks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "auth/testing/signer.h"

namespace anywire::auth {
namespace {

using testing::HasSubstr;

Jwks read(const std::string& keys) {
  auto found = read_jwks("{\"keys\":[" + keys + "]}", Capability::unbounded(), {});
  EXPECT_TRUE(found) << found.error().message;
  return found ? *std::move(found) : Jwks();
}

const Signer& ec() {
  static const Signer signer(Algorithm::kEs256);
  return signer;
}
const Signer& rsa() {
  static const Signer signer(Algorithm::kRs256);
  return signer;
}

std::string jwk(const Signer& signer, const std::string& more) {
  return "{" + signer.jwk_members() + "," + more + "}";
}

TEST(Jwks, HasTheKeysByTheirIds) {
  const Jwks found = read(jwk(ec(), R"("kid":"a","use":"sig","alg":"ES256")") + "," +
                          jwk(rsa(), R"("kid":"b")"));
  EXPECT_EQ(found.skipped, 0u);
  ASSERT_NE(found.keys.find("a"), nullptr);
  EXPECT_EQ(found.keys.find("a")->algorithm(), Algorithm::kEs256);
  EXPECT_TRUE(found.keys.find("a")->verify("text", ec().sign("text")));
  ASSERT_NE(found.keys.find("b"), nullptr);
  EXPECT_EQ(found.keys.find("b")->algorithm(), Algorithm::kRs256) << "without alg";
}

TEST(Jwks, GivesAllKeysTheSameRights) {
  Capability bound, grants;
  ASSERT_TRUE(bound.add("room:*", Operations::all()));
  ASSERT_TRUE(grants.add("news", {Operation::kSubscribe}));
  const auto found =
      read_jwks("{\"keys\":[" + jwk(ec(), R"("kid":"a")") + "]}", bound, grants);
  ASSERT_TRUE(found);
  ASSERT_NE(found->keys.find("a"), nullptr);
  EXPECT_EQ(*found->keys.find("a")->bound(), bound);
  EXPECT_EQ(*found->keys.find("a")->grants(), grants);
}

TEST(Jwks, SkipsWhatIsNotForVerifyingSignatures) {
  for (const std::string& entry :
       {jwk(ec(), R"("use":"enc")"), jwk(ec(), R"("use":7)"), jwk(ec(), R"("key_ops":["sign"])"),
        jwk(ec(), R"("key_ops":"verify")"), jwk(ec(), R"("alg":"ES384")"),
        jwk(ec(), R"("alg":"none")"), jwk(ec(), R"("alg":"HS256")"), jwk(ec(), R"("alg":3)"),
        jwk(ec(), R"("kid":7)"), jwk(ec(), R"("kid":"a\nb")"), jwk(rsa(), R"("alg":"ES256")"),
        std::string(R"({"kty":"AKP","kid":"x"})"),
        std::string(R"({"kty":"OKP","crv":"X25519","x":"AA"})"),
        std::string(R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})"),
        std::string(R"({"kty":"EC","crv":"P-256"})"),
        std::string(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"),
        std::string("{}"), std::string("7"), std::string("null"), std::string("[]")}) {
    const Jwks found = read(entry);
    EXPECT_TRUE(found.keys.empty()) << entry;
    EXPECT_EQ(found.skipped, 1u) << entry;
    EXPECT_EQ(found.refused, 0u) << entry;
  }
  EXPECT_FALSE(read(jwk(ec(), R"("key_ops":["sign","verify"])")).keys.empty());
}

TEST(Jwks, RefusesSecretsAndPrivateKeys) {
  const std::string secret = R"({"kty":"oct","kid":"s","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"})";
  const std::string with_d = jwk(ec(), R"("kid":"d","d":")" + ec().private_number() + '"');
  const std::string rsa_d = jwk(rsa(), R"("kid":"r","d":")" + rsa().private_number() + '"');
  const Jwks found = read(secret + "," + with_d + "," + rsa_d + "," + jwk(ec(), R"("kid":"good")"));
  EXPECT_EQ(found.keys.keys().size(), 1u);
  EXPECT_EQ(found.skipped, 3u);
  EXPECT_EQ(found.refused, 3u);
  EXPECT_FALSE(read_jwk(secret));
  EXPECT_FALSE(read_jwk(with_d));
}

TEST(Jwks, TakesTheFirstOfTwoKeysWithOneId) {
  const Jwks found = read(jwk(ec(), R"("kid":"a")") + "," + jwk(rsa(), R"("kid":"a")"));
  ASSERT_EQ(found.keys.keys().size(), 1u);
  EXPECT_EQ(found.keys.find("a")->algorithm(), Algorithm::kEs256);
  EXPECT_EQ(found.skipped, 1u);
}

TEST(Jwks, MayHaveSeveralKeysWithoutAnId) {
  const Jwks found = read(jwk(ec(), R"("use":"sig")") + "," + jwk(rsa(), R"("use":"sig")"));
  EXPECT_EQ(found.keys.keys().size(), 2u);
}

TEST(Jwks, KnowsTheExactNamesOfTheEdwardsCurves) {
  const Signer edwards(Algorithm::kEdDsa);
  EXPECT_FALSE(read(jwk(edwards, R"("alg":"Ed25519")")).keys.empty());
  EXPECT_TRUE(read(jwk(edwards, R"("alg":"Ed448")")).keys.empty());
}

TEST(Jwks, RefusesDocumentsThatAreNone) {
  for (const std::string text :
       {"", "null", "[]", "{}", R"({"keys":{}})", R"({"keys":[]} x)", R"({"keys":[],"keys":[]})",
        R"({"keys":[{"kty":"EC","kty":"RSA"}]})", "\xff"}) {
    EXPECT_FALSE(read_jwks(text, {}, {})) << text;
  }
  EXPECT_TRUE(read_jwks(R"({"keys":[],"more":[1,{"a":null}]})", {}, {}));
}

TEST(Jwks, EndsAtItsLimits) {
  std::string keys = "7";
  for (std::size_t i = 1; i < kJwksKeysMax; ++i) keys += ",7";
  EXPECT_TRUE(read_jwks("{\"keys\":[" + keys + "]}", {}, {}));
  const auto many = read_jwks("{\"keys\":[" + keys + ",7]}", {}, {});
  ASSERT_FALSE(many);
  EXPECT_THAT(many.error().message, HasSubstr("100"));
  std::string text = R"({"keys":[]})";
  text.append(kJwksBytesMax - text.size(), ' ');
  EXPECT_TRUE(read_jwks(text, {}, {}));
  EXPECT_FALSE(read_jwks(text + ' ', {}, {}));
  const std::string deep(100, '[');
  EXPECT_FALSE(read_jwks("{\"keys\":[" + deep + std::string(100, ']') + "]}", {}, {}));
}

}  // namespace
}  // namespace anywire::auth
