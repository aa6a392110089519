// Attacks on tokens, each by its name in RFC 8725 or in the lists of what broke elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "auth/authority.h"
#include "auth/jwks.h"
#include "auth/testing/signer.h"

namespace anywire::auth {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{1'700'000'000s};
const std::string kSecret = "a secret of thirty-two bytes, ok";
const std::string kClaims = R"({"sub":"ann","exp":1700000060,"capability":{"*":["*"]}})";

class Attack : public testing::Test {
 protected:
  std::string_view outcome(std::string_view token) const {
    const auto result = verify(token, keys, options, kNow);
    return result ? "ok" : name(result.error().code);
  }
  std::string b64(std::string_view text) const { return codec::base64url_encode(as_bytes(text)); }
  std::string unsigned_token(std::string_view header) const {
    return b64(header) + '.' + b64(kClaims) + '.';
  }
  void add(Key key) { ASSERT_TRUE(keys.add(std::move(key))); }
  std::string with_kid(const Key& key, std::string_view kid_json) const {
    const std::string input =
        b64(R"({"alg":"HS256","kid":)" + std::string(kid_json) + "}") + '.' + b64(kClaims);
    return input + '.' + b64(key.sign(input).value());
  }

  KeySet keys;
  VerifyOptions options;
};

TEST_F(Attack, NoSignatureAtAll) {
  add(Key::hs256("main", kSecret).value());
  add(Signer(Algorithm::kEs256).public_key("ec"));
  for (const char* header : {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"NONE"})",
                             R"({"alg":"nOnE","kid":"main"})", R"({"alg":""})"}) {
    EXPECT_EQ(outcome(unsigned_token(header)), "unsupported_algorithm") << header;
  }
  EXPECT_EQ(outcome(unsigned_token(R"({"alg":"HS256"})")), "bad_signature");
  EXPECT_EQ(outcome(unsigned_token(R"({"alg":"ES256"})")), "bad_signature");
}

// RFC 8725 2.1: the public key, which everybody has, used as the secret of an HMAC.
TEST_F(Attack, PublicKeyAsTheSecret) {
  for (const Algorithm algorithm : {Algorithm::kRs256, Algorithm::kEs256}) {
    const Signer signer(algorithm);
    keys = {};
    add(signer.public_key("pub"));
    for (const std::string& text : {signer.public_pem(), "{" + signer.jwk_members() + "}"}) {
      const Key forged = Key::hs256("pub", text).value();
      EXPECT_EQ(outcome(sign_hs256(forged, kClaims).value()), "unsupported_algorithm");
    }
    EXPECT_EQ(outcome(signer.token(kClaims)), "ok");
  }
}

TEST_F(Attack, AnotherAlgorithmOfTheSameKey) {
  const Signer signer(Algorithm::kRs256);
  add(Key::from_pem("k", Algorithm::kPs256, signer.public_pem()).value());
  EXPECT_EQ(outcome(signer.token(kClaims)), "unsupported_algorithm");
  // The signature of the one under the name of the other.
  EXPECT_EQ(outcome(signer.token(R"({"alg":"PS256"})", kClaims)), "bad_signature");
}

// A kid goes nowhere but into a comparison.
TEST_F(Attack, KeyIdsThatAreSomethingElse) {
  const Key key = Key::hs256("main", kSecret).value();
  add(Key::hs256("main", kSecret).value());
  const std::string long_id = "\"" + std::string(6000, 'k') + "\"";
  for (const std::string& kid :
       {std::string(R"("../../../../dev/null")"), std::string(R"("/etc/passwd")"),
        std::string(R"("main' UNION SELECT 'x")"), std::string(R"("main\u0000")"),
        std::string(R"("main\n")"), std::string(R"("http://evil.example/key")"),
        std::string(R"("")"), long_id}) {
    EXPECT_EQ(outcome(with_kid(key, kid)), "unknown_key") << kid.substr(0, 40);
  }
  for (const std::string kid : {"7", "null", "[\"main\"]", "{\"main\":1}"}) {
    EXPECT_EQ(outcome(with_kid(key, kid)), "malformed") << kid;
  }
  EXPECT_EQ(outcome(with_kid(key, "\"main\"")), "ok");
}

// RFC 8725 2.10: keys that the token brings along, or says where they are.
TEST_F(Attack, KeysThatTheTokenBringsAlong) {
  const Signer evil(Algorithm::kEs256);
  add(Signer(Algorithm::kEs256).public_key("good"));
  const std::string jwk = "{" + evil.jwk_members() + "}";
  for (const std::string& header :
       {R"({"alg":"ES256","jwk":)" + jwk + "}",
        std::string(R"({"alg":"ES256","jku":"http://127.0.0.1:1/jwks.json"})"),
        std::string(R"({"alg":"ES256","x5u":"http://127.0.0.1:1/"})"),
        std::string(R"({"alg":"ES256","x5c":["AAAA"]})")}) {
    EXPECT_EQ(outcome(evil.token(header, kClaims)), "bad_signature") << header;
  }
}

TEST_F(Attack, AnothersTokenUnderTheNameOfAKey) {
  const Signer mine(Algorithm::kEs256), theirs(Algorithm::kEs256);
  add(mine.public_key("mine"));
  add(theirs.public_key("theirs"));
  EXPECT_EQ(outcome(theirs.token(R"({"alg":"ES256","kid":"mine"})", kClaims)), "bad_signature");
  EXPECT_EQ(outcome(theirs.token(R"({"alg":"ES256","kid":"theirs"})", kClaims)), "ok");
}

TEST_F(Attack, TokensForSomebodyElse) {
  add(Key::hs256("main", kSecret).value());
  options.issuer = "https://idp.example";
  options.audience = "anywire";
  const auto with = [&](std::string_view more) {
    return outcome(
        sign_hs256(keys.keys()[0], R"({"exp":1700000060,)" + std::string(more) + "}").value());
  };
  EXPECT_EQ(with(R"("iss":"https://idp.example","aud":"anywire")"), "ok");
  EXPECT_EQ(with(R"("iss":"https://idp.example","aud":["other","anywire"])"), "ok");
  EXPECT_EQ(with(R"("iss":"https://idp.example.evil","aud":"anywire")"), "wrong_issuer");
  EXPECT_EQ(with(R"("aud":"anywire")"), "wrong_issuer");
  EXPECT_EQ(with(R"("iss":"https://idp.example","aud":"anywire2")"), "wrong_audience");
  EXPECT_EQ(with(R"("iss":"https://idp.example","aud":[])"), "wrong_audience");
  EXPECT_EQ(with(R"("iss":"https://idp.example")"), "wrong_audience");
}

TEST_F(Attack, ClocksThatDifferInBothDirections) {
  add(Key::hs256("main", kSecret).value());
  options.leeway = 30s;
  const auto with = [&](std::string_view claims) {
    return outcome(sign_hs256(keys.keys()[0], claims).value());
  };
  EXPECT_EQ(with(R"({"exp":1699999971})"), "ok");
  EXPECT_EQ(with(R"({"exp":1699999970})"), "expired");
  EXPECT_EQ(with(R"({"exp":1700000100,"nbf":1700000030})"), "ok");
  EXPECT_EQ(with(R"({"exp":1700000100,"nbf":1700000031})"), "not_yet_valid");
  EXPECT_EQ(with(R"({"exp":1700000100,"iat":1700000030})"), "ok");
  EXPECT_EQ(with(R"({"exp":1700000100,"iat":1700000031})"), "not_yet_valid");
}

TEST_F(Attack, HugeTokens) {
  add(Key::hs256("main", kSecret).value());
  const std::string info(kTokenBytesMax, 'i');
  const std::string huge = R"({"exp":1700000060,"x":")" + info + "\"}";
  EXPECT_EQ(outcome(sign_hs256(keys.keys()[0], huge).value()), "too_large");
  EXPECT_EQ(outcome(std::string(10'000'000, '.')), "too_large");
  EXPECT_FALSE(may_be_of_new_key(std::string(10'000'000, '.'), keys));
}

TEST_F(Attack, MembersThatAreThereTwice) {
  add(Key::hs256("main", kSecret).value());
  const Key& key = keys.keys()[0];
  const auto signed_with = [&](std::string_view header, std::string_view claims) {
    const std::string input = b64(header) + '.' + b64(claims);
    return outcome(input + '.' + b64(key.sign(input).value()));
  };
  EXPECT_EQ(signed_with(R"({"alg":"none","alg":"HS256"})", kClaims), "malformed");
  EXPECT_EQ(signed_with(R"({"alg":"HS256","kid":"x","kid":"main"})", kClaims), "malformed");
  EXPECT_EQ(signed_with(R"({"alg":"HS256"})", R"({"exp":1700000060,"sub":"ann","sub":"root"})"),
            "malformed");
  EXPECT_EQ(signed_with(R"({"alg":"HS256"})",
                        R"({"exp":1700000060,"capability":{"a":["rpc"],"a":["*"]}})"),
            "malformed");
}

// Whoever has a good signature can make another one of it, (r, n - s): that is how ECDSA is. It is
// the same token for us, so nothing is won by it: nothing here remembers tokens by their text.
TEST_F(Attack, TheOtherSignatureOfEcdsaIsTheSameToken) {
  const Signer signer(Algorithm::kEs256);
  add(signer.public_key("ec"));
  const std::string token = signer.token(R"({"exp":1700000060,"sub":"ann","jti":"one"})");
  const std::size_t dot = token.rfind('.');
  const std::string good = codec::base64url_decode(token.substr(dot + 1)).value();
  // The order of P-256, SEC 2 2.4.2.
  BIGNUM* n = nullptr;
  BIGNUM* s = BN_bin2bn(reinterpret_cast<const unsigned char*>(&good[32]), 32, nullptr);
  BN_hex2bn(&n, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
  BN_sub(n, n, s);
  std::string twin = good;
  BN_bn2binpad(n, reinterpret_cast<unsigned char*>(&twin[32]), 32);
  BN_free(n);
  BN_free(s);
  const auto first = verify(token, keys, options, kNow);
  const auto second = verify(token.substr(0, dot + 1) + b64(twin), keys, options, kNow);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->id, second->id);
  EXPECT_EQ(stamp_of(*first), stamp_of(*second));
}

TEST_F(Attack, MoreThanTheKeyMayGrant) {
  Key key = Key::hs256("chat", kSecret).value();
  Capability bound, grants;
  ASSERT_TRUE(bound.add("room:*", {Operation::kSubscribe, Operation::kPublish}));
  ASSERT_TRUE(bound.add("user:{sub}", Operations::all()));
  ASSERT_TRUE(grants.add("inbox:{sub}", {Operation::kSubscribe}));
  key.set_rights(bound, grants);
  add(std::move(key));
  const auto token = verify(
      sign_hs256(keys.keys()[0],
                 R"({"sub":"ann","exp":1700000060,"channels":["room:1","secret"],)"
                 R"("capability":{"*":["*"],"room:1":["*","manage"],"admin":["publish"],)"
                 R"("user:ann":["*"],"user:bob":["*"]}})")
          .value(),
      keys, options, kNow);
  ASSERT_TRUE(token);
  const Capability& rights = token->identity.capability;
  EXPECT_TRUE(rights.allows(Operation::kPublish, "room:1"));
  EXPECT_FALSE(rights.allows(Operation::kHistory, "room:1"));
  EXPECT_FALSE(rights.allows(Operation::kManage, "room:1"));
  EXPECT_FALSE(rights.allows(Operation::kPublish, "admin"));
  EXPECT_FALSE(rights.allows(Operation::kSubscribe, "secret"));
  EXPECT_TRUE(rights.allows(Operation::kHistory, "user:ann"));
  EXPECT_FALSE(rights.allows(Operation::kHistory, "user:bob"));
  EXPECT_TRUE(rights.allows(Operation::kSubscribe, "inbox:ann"));
  EXPECT_FALSE(rights.allows(Operation::kSubscribe, "inbox:bob"));
  EXPECT_THAT(token->identity.channels, testing::ElementsAre("room:1"));
}

// A user who could choose to be called "*" would otherwise have everybody's channels.
TEST_F(Attack, UsersWhoAreCalledLikeAPattern) {
  for (const std::string user : {"*", "a*", "?", "ann?"}) {
    Key key = Key::hs256("", kSecret).value();
    Capability grants;
    ASSERT_TRUE(grants.add("user:{sub}", Operations::all()));
    key.set_rights(Capability::unbounded(), grants);
    keys = {};
    add(std::move(key));
    const auto token = verify(
        sign_hs256(keys.keys()[0], R"({"exp":1700000060,"sub":")" + user + "\"}").value(), keys,
        options, kNow);
    ASSERT_TRUE(token);
    EXPECT_TRUE(token->identity.capability.empty()) << user;
  }
}

TEST_F(Attack, RevokedTokens) {
  Authority authority(options);
  KeySet set;
  ASSERT_TRUE(set.add(Key::hs256("main", kSecret).value()));
  authority.keys.set_configured(set);
  const std::string token =
      sign_hs256(set.keys()[0], R"({"exp":1700000060,"iat":1699999000,"sub":"ann","jti":"one"})")
          .value();
  ASSERT_TRUE(authority.verify(token, kNow));
  ASSERT_TRUE(authority.revocations.add({.kind = Revocation::Kind::kToken, .name = "one"}, kNow));
  const auto refused = authority.verify(token, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(name(refused.error().code), "revoked");
}

TEST_F(Attack, ManyKeysWithoutAnIdAreNotAllTried) {
  for (std::size_t i = 0; i < kKeysTriedMax + 1; ++i) {
    add(Key::hs256("k" + std::to_string(i), kSecret + std::to_string(i)).value());
  }
  EXPECT_EQ(outcome(sign_hs256(Key::hs256("", kSecret + "0").value(), kClaims).value()), "ok");
  const std::string last = kSecret + std::to_string(kKeysTriedMax);
  EXPECT_EQ(outcome(sign_hs256(Key::hs256("", last).value(), kClaims).value()), "bad_signature");
}

}  // namespace
}  // namespace anywire::auth
