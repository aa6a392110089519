// Public keys: the vectors of their standards, every algorithm there and back, and keys and
// signatures that must be refused.
#include "auth/public_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "auth/jwks.h"
#include "auth/testing/signer.h"

namespace anywire::auth {
namespace {

using testing::HasSubstr;

// header.payload.signature, checked against a JWK.
bool holds(std::string_view jwk, std::string_view jws) {
  const auto key = read_jwk(jwk);
  if (!key) {
    ADD_FAILURE() << key.error().message;
    return false;
  }
  const std::size_t dot = jws.rfind('.');
  return key->verify(jws.substr(0, dot), codec::base64url_decode(jws.substr(dot + 1)).value());
}

TEST(PublicKeyVector, Rs256OfRfc7515A2) {
  EXPECT_TRUE(holds(
      R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-)"
      R"(4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9)"
      R"(wGzjb_7OMg)"
      R"(0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4u)"
      R"(DZlxvb3qCo5)"
      R"(ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb5)"
      R"(4h4FRWyuXpo)"
      R"(Q","e":"AQAB"})",
      "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm"
      "NvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAu"
      "HIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vR"
      "K5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7"
      "noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77R"
      "w"));
}

TEST(PublicKeyVector, Es256OfRfc7515A3) {
  EXPECT_TRUE(holds(
      R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
      R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm"
      "NvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmW"
      "QxfKTUJqPP3-Kg6NU1Q"));
}

TEST(PublicKeyVector, Es512OfRfc7515A4) {
  EXPECT_TRUE(holds(
      R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp)"
      R"(5EOnYG_NjFZ)"
      R"(6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th)"
      R"(-x3S1WDhjDl)"
      R"(y79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})",
      "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-"
      "mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNr"
      "mxYbSW9ERBXukOXolLzeO_Jn"));
}

TEST(PublicKeyVector, Ps384OfRfc7520Section42) {
  EXPECT_TRUE(holds(
      R"({"kty":"RSA","alg":"PS384","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4)"
      R"(rHVTeT-O-XV)"
      R"(2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dA)"
      R"(pr5ydQLrHqk)"
      R"(HHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0Z)"
      R"(CuEHg8lhzwOH)"
      R"(rtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkR)"
      R"(z5iaiQkqgc5g)"
      R"(HdrNP5zw","e":"AQAB"})",
      "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2V"
      "yb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5"
      "kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJ"
      "lIHN3ZXB0IG9mZiB0by4.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6"
      "VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyP"
      "EgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6u"
      "iP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw"));
}

TEST(PublicKeyVector, Ed25519OfRfc8037A4) {
  EXPECT_TRUE(holds(
      R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvM"
      "g3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"));
}

constexpr Algorithm kPublicAlgorithms[] = {
    Algorithm::kRs256, Algorithm::kRs384, Algorithm::kRs512, Algorithm::kPs256, Algorithm::kPs384,
    Algorithm::kPs512, Algorithm::kEs256, Algorithm::kEs384, Algorithm::kEs512, Algorithm::kEdDsa};

TEST(PublicKey, VerifiesItsOwnSignaturesOnlyInEveryAlgorithm) {
  for (const Algorithm algorithm : kPublicAlgorithms) {
    SCOPED_TRACE(name(algorithm));
    const Signer signer(algorithm), stranger(algorithm);
    const Key key = signer.public_key();
    const std::string signature = signer.sign("text");
    EXPECT_TRUE(key.verify("text", signature));
    EXPECT_FALSE(key.verify("texT", signature));
    EXPECT_FALSE(key.verify("text", stranger.sign("text")));
    EXPECT_FALSE(key.verify("text", ""));
    EXPECT_FALSE(key.verify("text", signature.substr(1)));
    EXPECT_FALSE(key.verify("text", signature + '\0'));
    for (std::size_t i = 0; i < signature.size(); i += 7) {
      std::string broken = signature;
      broken[i] = static_cast<char>(broken[i] ^ 1);
      EXPECT_FALSE(key.verify("text", broken)) << i;
    }
    EXPECT_FALSE(key.sign("text")) << "it has no secret";
    EXPECT_FALSE(key.is_secret("text"));
  }
}

TEST(PublicKey, IsTheSameFromPemAndFromAJwk) {
  for (const Algorithm algorithm : kPublicAlgorithms) {
    SCOPED_TRACE(name(algorithm));
    const Signer signer(algorithm);
    const auto key = read_jwk("{" + signer.jwk_members() + ",\"alg\":\"" +
                              std::string(name(algorithm)) + "\"}");
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(key->algorithm(), algorithm);
    EXPECT_TRUE(key->verify("text", signer.sign("text")));
  }
}

TEST(PublicKey, TakesEd448AndKnowsItsExactName) {
  const Signer signer(Algorithm::kEdDsa, 0, true);
  const Key key = signer.public_key();
  EXPECT_TRUE(key.verify("text", signer.sign("text")));
  EXPECT_TRUE(key.goes_by("EdDSA"));
  EXPECT_TRUE(key.goes_by("Ed448"));
  EXPECT_FALSE(key.goes_by("Ed25519"));
}

TEST(PublicKey, IsOfTheKindThatItsAlgorithmWants) {
  const Signer rsa(Algorithm::kRs256), p256(Algorithm::kEs256), p384(Algorithm::kEs384);
  const Signer edwards(Algorithm::kEdDsa);
  EXPECT_FALSE(Key::from_pem("", Algorithm::kEs256, rsa.public_pem()));
  EXPECT_FALSE(Key::from_pem("", Algorithm::kEs256, p384.public_pem()));
  EXPECT_FALSE(Key::from_pem("", Algorithm::kEs512, p384.public_pem()));
  EXPECT_FALSE(Key::from_pem("", Algorithm::kPs256, p256.public_pem()));
  EXPECT_FALSE(Key::from_pem("", Algorithm::kRs256, edwards.public_pem()));
  EXPECT_FALSE(Key::from_pem("", Algorithm::kEdDsa, p256.public_pem()));
  EXPECT_FALSE(Key::from_pem("", Algorithm::kHs256, rsa.public_pem())) << "no secret from a PEM";
  EXPECT_TRUE(Key::from_pem("", Algorithm::kPs512, rsa.public_pem()));
}

TEST(PublicKey, RefusesWeakAndHugeRsaKeys) {
  const Signer weak(Algorithm::kRs256, 1024);
  const auto refused = Key::from_pem("", Algorithm::kRs256, weak.public_pem());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("2048"));
  EXPECT_FALSE(read_jwk("{" + weak.jwk_members() + "}"));
  // Just numbers: nothing is computed with a modulus that is too long.
  const std::string huge(2 * static_cast<std::size_t>(kRsaBitsMax) / 8, '\xff');
  EXPECT_FALSE(Key::rsa("", Algorithm::kRs256, {.modulus = huge, .exponent = "\x01\x00\x01"}));
  const std::string long_one(static_cast<std::size_t>(kRsaBitsMax) / 8 + 1, '\xff');
  const auto above = Key::rsa("", Algorithm::kRs256,
                              {.modulus = long_one, .exponent = std::string("\x01\x00\x01", 3)});
  ASSERT_FALSE(above);
  EXPECT_THAT(above.error().message, HasSubstr("8192"));
}

TEST(PublicKey, RefusesExponentsThatAreNone) {
  const std::string modulus(256, '\xff');
  for (const std::string& exponent :
       {std::string(), std::string("\x00", 1), std::string("\x01"), std::string("\x04"),
        std::string(9, '\xff')}) {
    EXPECT_FALSE(Key::rsa("", Algorithm::kRs256, {.modulus = modulus, .exponent = exponent}))
        << exponent.size();
  }
}

TEST(PublicKey, RefusesPointsThatAreNotOnTheCurve) {
  EXPECT_FALSE(Key::ec("", Algorithm::kEs256, {.x = std::string(32, 1), .y = std::string(32, 2)}));
  EXPECT_FALSE(Key::ec("", Algorithm::kEs256, {.x = std::string(32, 0), .y = std::string(32, 0)}));
  EXPECT_FALSE(Key::ec("", Algorithm::kEs256, {.x = "", .y = ""}));
  EXPECT_FALSE(Key::ec("", Algorithm::kRs256, {.x = std::string(32, 1), .y = std::string(32, 2)}));
  EXPECT_FALSE(Key::edwards("", Key::EdwardsCurve::kEd25519, std::string(31, 1)));
  EXPECT_FALSE(Key::edwards("", Key::EdwardsCurve::kEd25519, std::string(33, 1)));
}

TEST(PublicKey, RefusesWhatIsNoPublicKeyInPem) {
  const Signer signer(Algorithm::kEs256);
  const auto refused = Key::from_pem("", Algorithm::kEs256, signer.private_pem());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("private key"));
  for (const std::string& pem : {std::string(), std::string("hello"),
                                 std::string("-----BEGIN PUBLIC KEY-----\nAAAA\n"
                                             "-----END PUBLIC KEY-----\n"),
                                 std::string(kPemBytesMax + 1, 'x')}) {
    EXPECT_FALSE(Key::from_pem("", Algorithm::kEs256, pem));
  }
}

// RFC 7518 3.5: as long as the hash.
TEST(PublicKey, RefusesPssWithASaltOfAnotherLength) {
  Signer signer(Algorithm::kPs256);
  const Key key = signer.public_key();
  signer.salt_bytes = 20;
  EXPECT_FALSE(key.verify("text", signer.sign("text")));
  signer.salt_bytes = 0;
  EXPECT_FALSE(key.verify("text", signer.sign("text")));
}

TEST(PublicKey, RefusesTheOtherPaddingOfRsa) {
  const Signer signer(Algorithm::kRs256);
  const auto pss = Key::from_pem("", Algorithm::kPs256, signer.public_pem());
  ASSERT_TRUE(pss);
  EXPECT_FALSE(pss->verify("text", signer.sign("text")));
}

// ECDSA's numbers lie between 0 and the order of the curve, both excluded: CVE-2022-21449 was a
// verifier that took zeros from anybody.
TEST(PublicKey, RefusesEcdsaSignaturesOfZeros) {
  for (const Algorithm algorithm : {Algorithm::kEs256, Algorithm::kEs384, Algorithm::kEs512}) {
    const Signer signer(algorithm);
    const Key key = signer.public_key();
    const std::size_t half = signer.number_bytes();
    const std::string good = signer.sign("text");
    EXPECT_FALSE(key.verify("text", std::string(2 * half, '\0')));
    EXPECT_FALSE(key.verify("text", std::string(half, '\0') + good.substr(half)));
    EXPECT_FALSE(key.verify("text", good.substr(0, half) + std::string(half, '\0')));
    EXPECT_FALSE(key.verify("text", std::string(2 * half, '\xff')));
  }
}

// What OpenSSL makes of itself is DER, which JWS does not have.
TEST(PublicKey, RefusesEcdsaSignaturesInDer) {
  const Signer signer(Algorithm::kEs256);
  const std::string raw = signer.sign("text");
  std::string der = "\x30\x46\x02\x21";
  der += '\0' + raw.substr(0, 32) + "\x02\x21" + '\0' + raw.substr(32);
  EXPECT_FALSE(signer.public_key().verify("text", der));
}

}  // namespace
}  // namespace anywire::auth
