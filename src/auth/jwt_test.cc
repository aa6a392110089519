#include "auth/jwt.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "auth/strict_json.h"
#include "base/bytes.h"
#include "codec/base64url.h"

namespace anywire::auth {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const std::string kSecret = "a secret of thirty-two bytes, ok";
constexpr WallTime kNow{1'700'000'000s};

std::string b64(std::string_view text) { return codec::base64url_encode(as_bytes(text)); }

// Tokens in and out, under one key called "main" unless a test says otherwise.
class Jwt : public testing::Test {
 protected:
  Jwt() { add_key("main", kSecret); }

  void add_key(std::string id, std::string_view secret) {
    ASSERT_TRUE(keys.add(Key::hs256(std::move(id), secret).value()));
  }
  // A token with these claims and, so that a test needs to say only what it is about, an exp.
  std::string token(const std::string& claims) const {
    const std::string separator = claims.empty() ? "" : ",";
    return raw_token("{\"exp\":1700000060" + separator + claims + "}");
  }
  std::string raw_token(std::string_view claims) const {
    return sign_hs256(keys.keys()[0], claims).value();
  }
  // Correctly signed, whatever the parts are.
  std::string signed_token(std::string_view header, std::string_view claims) const {
    const std::string input = b64(header) + '.' + b64(claims);
    return input + '.' + b64(keys.keys()[0].sign(input).value());
  }
  Token accepted(std::string_view text) const {
    const auto result = verify(text, keys, options, now);
    EXPECT_TRUE(result) << result.error().text;
    return result.value_or(Token{});
  }
  // The stable name of the refusal, or "ok".
  std::string_view outcome(std::string_view text) const {
    const auto result = verify(text, keys, options, now);
    return result ? "ok" : name(result.error().code);
  }
  std::string_view outcome_of(const std::string& claims) const { return outcome(token(claims)); }

  KeySet keys;
  VerifyOptions options{.leeway = 0ms};
  WallTime now = kNow;
};

// RFC 7515 A.1, with its whitespace; the token expired in 2011.
TEST(JwtVector, AcceptsTheExampleOfItsStandard) {
  const std::string text =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const std::string secret = codec::base64url_decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
                                                     "1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
                                 .value();
  KeySet keys;
  ASSERT_TRUE(keys.add(Key::hs256("", secret).value()));
  const VerifyOptions options{.issuer = "joe"};
  const auto result = verify(text, keys, options, WallTime(1'300'819'379s));
  ASSERT_TRUE(result) << result.error().text;
  EXPECT_EQ(result->identity.expires_at, WallTime(1'300'819'380s));
  EXPECT_TRUE(result->identity.anonymous());
  EXPECT_EQ(verify(text, keys, options, WallTime(1'300'819'380s + 30s)).error().code,
            TokenErrorCode::kExpired);
}

TEST(JwtNames, AreStableAndDistinct) {
  std::set<std::string_view> names;
  for (int i = 0; i < kTokenErrorCodes; ++i) names.insert(name(static_cast<TokenErrorCode>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kTokenErrorCodes));
  EXPECT_EQ(name(TokenErrorCode::kTooLarge), "too_large");
  EXPECT_EQ(name(TokenErrorCode::kExpired), "expired");
  EXPECT_EQ(name(TokenErrorCode::kInvalidClaim), "invalid_claim");
}

TEST_F(Jwt, ReadsAWholeIdentity) {
  const Token t = accepted(token(R"("sub":"alice","jti":"t-1","iat":1699999000,"nbf":1699999000,
      "info":{"name":"Alice"},"channels":["news","user:alice"],
      "capability":{"chat:*":["subscribe","publish"],"admin":["*"],"quiet":[]})"));
  EXPECT_EQ(t.identity.user_id, "alice");
  EXPECT_FALSE(t.identity.anonymous());
  EXPECT_EQ(t.identity.info, R"({"name":"Alice"})");
  EXPECT_THAT(t.identity.channels, ElementsAre("news", "user:alice"));
  EXPECT_EQ(t.identity.expires_at, WallTime(1'700'000'060s));
  EXPECT_EQ(t.issued_at, WallTime(1'699'999'000s));
  EXPECT_EQ(t.id, "t-1");
  EXPECT_EQ(t.key_id, "main");
  const Capability& capability = t.identity.capability;
  EXPECT_TRUE(capability.allows(Operation::kPublish, "chat:1"));
  EXPECT_FALSE(capability.allows(Operation::kHistory, "chat:1"));
  EXPECT_TRUE(capability.allows(Operation::kRpc, "admin"));
  EXPECT_FALSE(capability.allows(Operation::kSubscribe, "quiet"));
}

TEST_F(Jwt, GrantsNothingThatTheTokenDoesNot) {
  const Token t = accepted(token(""));
  EXPECT_TRUE(t.identity.anonymous());
  EXPECT_TRUE(t.identity.capability.empty());
  EXPECT_TRUE(t.identity.channels.empty());
  EXPECT_EQ(t.identity.info, "");
}

TEST_F(Jwt, IgnoresClaimsOfOthers) {
  EXPECT_EQ(outcome_of(R"("role":"admin","https://example.com/x":{"a":[1,2]},"email":null)"), "ok");
}

TEST_F(Jwt, RefusesOtherAlgorithmsWhateverTheSignature) {
  for (const char* alg : {"none", "None", "NONE", "", "HS384", "HS512", "RS256", "ES256", "EdDSA",
                          "hs256", "HS256 ", "PS256"}) {
    const std::string header = fmt::format(R"({{"alg":"{}"}})", alg);
    EXPECT_EQ(outcome(signed_token(header, R"({"exp":1700000060})")), "unsupported_algorithm")
        << alg;
    const std::string bare = b64(header) + '.' + b64(R"({"exp":1700000060})") + '.';
    EXPECT_EQ(outcome(bare), "unsupported_algorithm") << alg;
  }
}

TEST_F(Jwt, RefusesATokenWithoutASignature) {
  const std::string input = b64(R"({"alg":"HS256"})") + '.' + b64(R"({"exp":1700000060})");
  EXPECT_EQ(outcome(input + '.'), "bad_signature");
  EXPECT_EQ(outcome(input), "malformed");
}

TEST_F(Jwt, RefusesATokenOfAnotherKey) {
  const Key other = Key::hs256("", std::string(32, 'x')).value();
  EXPECT_EQ(outcome(sign_hs256(other, R"({"exp":1700000060})").value()), "bad_signature");
}

TEST_F(Jwt, NoticesEveryBitThatWasChanged) {
  const std::string good = token(R"("sub":"alice")");
  ASSERT_EQ(outcome(good), "ok");
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      EXPECT_NE(outcome(bad), "ok") << i << ' ' << bit;
    }
  }
  for (std::size_t i = 0; i < good.size(); ++i) EXPECT_NE(outcome(good.substr(0, i)), "ok") << i;
}

TEST_F(Jwt, RefusesWhatIsNoToken) {
  const std::string good = token("");
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("..."), good + ".",
        good + ".x", good + "=", good + "\n", " " + good, std::string("Bearer ") + good,
        std::string("a.b.c"), good.substr(good.find('.') + 1), std::string(100, '.')}) {
    EXPECT_NE(outcome(text), "ok") << text;
    EXPECT_EQ(outcome(text), "malformed") << text;
  }
}

TEST_F(Jwt, RefusesHeadersThatAreNone) {
  for (const char* header :
       {"", "{", "{}", "[]", "null", "\"HS256\"", R"({"alg":256})", R"({"alg":null})",
        R"({"typ":"JWT"})", R"({"alg":"HS256"} x)", R"({"alg":"HS256"}{})",
        R"({"alg":"none","alg":"HS256"})", R"({"alg":"HS256","\u0061lg":"none"})",
        R"({"alg":"HS256","kid":7})", R"({"alg":"HS256","x":{"a":1,"a":2}})",
        "{\"alg\":\"HS256\xff\"}"}) {
    EXPECT_EQ(outcome(signed_token(header, R"({"exp":1700000060})")), "malformed") << header;
  }
}

// RFC 7515 4.1.11: whoever does not understand a critical extension must refuse. With "b64":false
// (RFC 7797) the signature would be over something else.
TEST_F(Jwt, RefusesCriticalExtensions) {
  for (const char* header : {R"({"alg":"HS256","crit":["b64"],"b64":false})",
                             R"({"alg":"HS256","crit":[]})", R"({"alg":"HS256","crit":"exp"})"}) {
    EXPECT_EQ(outcome(signed_token(header, R"({"exp":1700000060})")), "unsupported_algorithm");
  }
}

TEST_F(Jwt, NeverReadsKeysThatATokenBrings) {
  EXPECT_EQ(outcome(signed_token(R"({"alg":"HS256","jku":"https://evil.example/k","jwk":{"kty":"oct",
      "k":"AAAA"},"x5u":"https://evil.example","typ":"at+jwt"})", R"({"exp":1700000060})")), "ok");
}

TEST_F(Jwt, ChoosesTheKeyByItsId) {
  add_key("next", std::string(32, 'n'));
  const Key& next = keys.keys()[1];
  EXPECT_EQ(accepted(sign_hs256(next, R"({"exp":1700000060})").value()).key_id, "next");
  const auto with_kid = [&](std::string_view kid) {
    return outcome(signed_token(fmt::format(R"({{"alg":"HS256","kid":"{}"}})", kid),
                                R"({"exp":1700000060})"));
  };
  EXPECT_EQ(with_kid("main"), "ok");
  EXPECT_EQ(with_kid("next"), "bad_signature") << "signed with the other one";
  for (const char* kid : {"mai", "main2", "", "../../etc/passwd", "' OR 1=1", "__proto__",
                          "main\\u0000"}) {
    EXPECT_EQ(with_kid(kid), "unknown_key") << kid;
  }
}

TEST_F(Jwt, TriesAllKeysWhenTheTokenNamesNone) {
  add_key("next", std::string(32, 'n'));
  const std::string input = b64(R"({"alg":"HS256"})") + '.' + b64(R"({"exp":1700000060})");
  const std::string text = input + '.' + b64(keys.keys()[1].sign(input).value());
  EXPECT_EQ(accepted(text).key_id, "next");
}

TEST_F(Jwt, LetsAKeyWithoutAnIdStandForAnyId) {
  keys = KeySet();
  add_key("", kSecret);
  EXPECT_EQ(outcome(signed_token(R"({"alg":"HS256","kid":"whatever"})", R"({"exp":1700000060})")),
            "ok");
}

TEST_F(Jwt, RefusesEverythingWithoutKeys) {
  const std::string text = token("");
  keys = KeySet();
  EXPECT_EQ(outcome(text), "unknown_key");
}

TEST_F(Jwt, IsExpiredFromItsExpiryOn) {
  now = WallTime(1'700'000'060s) - 1ms;
  EXPECT_EQ(outcome_of(""), "ok");
  now += 1ms;
  EXPECT_EQ(outcome_of(""), "expired");
  options.leeway = 30s;
  EXPECT_EQ(outcome_of(""), "ok");
  now += 30s;
  EXPECT_EQ(outcome_of(""), "expired");
}

TEST_F(Jwt, IsNotValidBeforeItsTime) {
  EXPECT_EQ(outcome_of(R"("nbf":1700000000)"), "ok");
  EXPECT_EQ(outcome_of(R"("nbf":1700000001)"), "not_yet_valid");
  EXPECT_EQ(outcome_of(R"("iat":1700000000)"), "ok");
  EXPECT_EQ(outcome_of(R"("iat":1700000001)"), "not_yet_valid");
  options.leeway = 1s;
  EXPECT_EQ(outcome_of(R"("nbf":1700000001)"), "ok");
  EXPECT_EQ(outcome_of(R"("nbf":1700000001.001)"), "not_yet_valid");
  EXPECT_EQ(outcome_of(R"("iat":1700000001)"), "ok");
  EXPECT_EQ(outcome_of(R"("iat":1700000002)"), "not_yet_valid");
}

TEST_F(Jwt, ReadsFractionsOfSeconds) {
  EXPECT_EQ(accepted(raw_token(R"({"exp":1700000060.25})")).identity.expires_at,
            WallTime(1'700'000'060'250ms));
  EXPECT_EQ(accepted(raw_token(R"({"exp":1.70000006e9})")).identity.expires_at,
            WallTime(1'700'000'060s));
}

TEST_F(Jwt, RefusesTimesThatAreNone) {
  for (const char* value : {"\"1700000060\"", "null", "true", "[]", "{}", "-1", "-0.5",
                            "1700000060000", "1e300", "18446744073709551615"}) {
    EXPECT_EQ(outcome(raw_token(fmt::format(R"({{"exp":{}}})", value))), "invalid_claim") << value;
    EXPECT_EQ(outcome_of(fmt::format(R"("nbf":{})", value)), "invalid_claim") << value;
    EXPECT_EQ(outcome_of(fmt::format(R"("iat":{})", value)), "invalid_claim") << value;
  }
  for (const char* value : {"NaN", "Infinity", "1e999", "01", "+1", "0x10", "1."}) {
    EXPECT_EQ(outcome(raw_token(fmt::format(R"({{"exp":{}}})", value))), "malformed") << value;
  }
  EXPECT_EQ(outcome(raw_token(R"({"exp":253402300799})")), "ok");
  EXPECT_EQ(outcome(raw_token(R"({"exp":253402300800})")), "invalid_claim");
  EXPECT_EQ(outcome(raw_token(R"({"exp":0})")), "expired");
}

TEST_F(Jwt, NeedsAnExpiryUnlessToldOtherwise) {
  EXPECT_EQ(outcome(raw_token(R"({"sub":"a"})")), "invalid_claim");
  options.expiry_required = false;
  EXPECT_EQ(accepted(raw_token(R"({"sub":"a"})")).identity.expires_at, std::nullopt);
  EXPECT_EQ(outcome(raw_token(R"({"exp":1})")), "expired");
}

TEST_F(Jwt, ChecksTheIssuerWhenTold) {
  EXPECT_EQ(outcome_of(R"("iss":"anybody")"), "ok");
  options.issuer = "https://app.example";
  EXPECT_EQ(outcome_of(R"("iss":"https://app.example")"), "ok");
  EXPECT_EQ(outcome_of(R"("iss":"https://app.example/")"), "wrong_issuer");
  EXPECT_EQ(outcome_of(R"("iss":"")"), "wrong_issuer");
  EXPECT_EQ(outcome_of(""), "wrong_issuer");
  EXPECT_EQ(outcome_of(R"("iss":["https://app.example"])"), "invalid_claim");
}

TEST_F(Jwt, ChecksTheAudienceWhenTold) {
  EXPECT_EQ(outcome_of(R"("aud":"anything")"), "ok");
  options.audience = "anywire";
  EXPECT_EQ(outcome_of(R"("aud":"anywire")"), "ok");
  EXPECT_EQ(outcome_of(R"("aud":["billing","anywire"])"), "ok");
  EXPECT_EQ(outcome_of(R"("aud":["billing"])"), "wrong_audience");
  EXPECT_EQ(outcome_of(R"("aud":[])"), "wrong_audience");
  EXPECT_EQ(outcome_of(R"("aud":"Anywire")"), "wrong_audience");
  EXPECT_EQ(outcome_of(""), "wrong_audience");
  EXPECT_EQ(outcome_of(R"("aud":["anywire",7])"), "invalid_claim");
  EXPECT_EQ(outcome_of(R"("aud":{"anywire":true})"), "invalid_claim");
}

TEST_F(Jwt, HoldsUserIdsToTheirShape) {
  const auto sub = [&](const std::string& value) { return outcome_of("\"sub\":" + value); };
  EXPECT_EQ(sub('"' + std::string(kUserIdBytesMax, 'u') + '"'), "ok");
  EXPECT_EQ(sub("\"\xc3\xa9|42\""), "ok");
  EXPECT_EQ(sub('"' + std::string(kUserIdBytesMax + 1, 'u') + '"'), "invalid_claim");
  for (const char* value : {"\"\"", "42", "null", "[\"a\"]", R"("a\u0000b")", R"("a\nb")",
                            R"("\u007f")"}) {
    EXPECT_EQ(sub(value), "invalid_claim") << value;
  }
  EXPECT_EQ(sub(R"("\ud800")"), "malformed") << "half a surrogate pair";
  EXPECT_EQ(outcome_of('"' + std::string("jti") + "\":\"" + std::string(256, 'x') + '"'),
            "invalid_claim");
}

TEST_F(Jwt, HoldsInfoToItsSize) {
  const auto info = [&](std::size_t bytes) {
    return "\"info\": \"" + std::string(bytes - 2, 'i') + '"';
  };
  EXPECT_EQ(outcome_of(info(kTokenInfoBytesMax)), "ok");
  EXPECT_EQ(outcome_of(info(kTokenInfoBytesMax + 1)), "invalid_claim");
  EXPECT_EQ(outcome_of("\"info\": [" + std::string(5000, ' ') + "]"), "ok") << "space is none";
}

TEST_F(Jwt, KeepsInfoAsItWasWrittenButForSpace) {
  const auto info = [&](const std::string& value) {
    return accepted(token("\"first\": {\"info\": [1, 2]}, \"info\" :\t" + value +
                          ", \"last\": \"info\""))
        .identity.info;
  };
  EXPECT_EQ(info("{ \"a b\" : [ 1 , 2.50 , \"x, y: {z} \\\" \\\\\" ] , \"e\":{ } }"),
            R"({"a b":[1,2.50,"x, y: {z} \" \\"],"e":{}})");
  EXPECT_EQ(info("1.10"), "1.10") << "not what a double makes of it";
  EXPECT_EQ(info("\"text with  space\""), "\"text with  space\"");
  EXPECT_EQ(info("false"), "false");
  EXPECT_EQ(info("[]"), "[]");
  EXPECT_EQ(info("null"), "");
  EXPECT_EQ(accepted(token("\"\\u0069nfo\":{\"a\":1}")).identity.info, "{\"a\":1}")
      << "whatever its name is written with";
}

TEST_F(Jwt, HoldsChannelsToTheirShape) {
  EXPECT_THAT(accepted(token(R"("channels":["a","b","a"])")).identity.channels,
              ElementsAre("a", "b"));
  EXPECT_EQ(outcome_of(R"("channels":[])"), "ok");
  for (const char* value : {"\"a\"", "{}", "null", "[1]", "[\"\"]", "[[\"a\"]]", R"(["a\nb"])"}) {
    EXPECT_EQ(outcome_of(fmt::format(R"("channels":{})", value)), "invalid_claim") << value;
  }
  std::string list;
  for (std::size_t i = 0; i < kTokenChannelsMax; ++i) list += fmt::format("\"c{}\",", i);
  EXPECT_EQ(outcome_of("\"channels\":[" + list + "\"c0\"]"), "ok");
  EXPECT_EQ(outcome_of("\"channels\":[" + list + "\"more\"]"), "invalid_claim");
  EXPECT_EQ(outcome_of("\"channels\":[\"" + std::string(kTokenChannelBytesMax, 'c') + "\"]"), "ok");
  EXPECT_EQ(outcome_of("\"channels\":[\"" + std::string(kTokenChannelBytesMax + 1, 'c') + "\"]"),
            "invalid_claim");
}

TEST_F(Jwt, HoldsCapabilitiesToTheirShape) {
  for (const char* value :
       {"[]", "null", "\"*\"", R"({"a":"subscribe"})", R"({"a":["subsribe"]})", R"({"a":[1]})",
        R"({"a":{}})", R"({"":["subscribe"]})", R"({"a\nb":["*"]})",
        R"({"a":["subscribe",null]})"}) {
    EXPECT_EQ(outcome_of(fmt::format(R"("capability":{})", value)), "invalid_claim") << value;
  }
  EXPECT_EQ(outcome_of("\"capability\":{\"" + std::string(256, 'a') + "\":[\"*\"]}"),
            "invalid_claim");
  std::string entries;
  for (std::size_t i = 0; i < kCapabilityPatternsMax; ++i) {
    entries += fmt::format("{}\"{}\":[]", i ? "," : "", i);
  }
  EXPECT_EQ(outcome_of("\"capability\":{" + entries + "}"), "ok");
  EXPECT_EQ(outcome_of("\"capability\":{" + entries + ",\"more\":[]}"), "invalid_claim");
}

TEST_F(Jwt, RefusesANameTwiceAtAnyDepth) {
  for (const char* claims :
       {R"("sub":"a","sub":"b")", R"("sub":"a","\u0073ub":"a")", R"("exp":1)",
        R"("capability":{"a":[],"a":["*"]})", R"("info":{"x":[{"y":1,"y":2}]})",
        R"("other":[[{"y":1,"z":0,"y":2}]])"}) {
    EXPECT_EQ(outcome_of(claims), "malformed") << claims;
  }
  EXPECT_EQ(outcome_of(R"("info":[{"y":1},{"y":2}])"), "ok");
}

TEST_F(Jwt, RefusesPayloadsThatAreNoObject) {
  for (const std::string& payload :
       {std::string(), std::string("[]"), std::string("1"), std::string("null"), std::string("{"),
        std::string("{}x"), std::string("{}{}"), std::string("{\"a\":1,}"), std::string("{'a':1}"),
        std::string("\xef\xbb\xbf{}"), std::string("{\"a\":\"\xff\"}"), std::string("{}\0", 3),
        std::string("{\"a\":\"\n\"}")}) {
    EXPECT_EQ(outcome(raw_token(payload)), "malformed") << payload;
  }
}

TEST_F(Jwt, EndsAt32LevelsOfNesting) {
  const auto nested = [&](std::size_t levels) {
    return outcome_of("\"info\":" + std::string(levels, '[') + std::string(levels, ']'));
  };
  EXPECT_EQ(nested(kJsonDepthMax - 2), "ok");
  EXPECT_EQ(nested(kJsonDepthMax), "malformed");
  EXPECT_EQ(nested(2'000), "malformed");
}

TEST_F(Jwt, EndsAt8KiB) {
  std::string text;
  std::string filler;
  while (text.size() < kTokenBytesMax) text = token("\"x\":\"" + (filler += 'x') + '"');
  if (text.size() > kTokenBytesMax) {  // base64url skips some lengths
    filler.pop_back();
    text = token("\"x\":\"" + filler + '"');
  }
  EXPECT_EQ(outcome(text), "ok");
  EXPECT_GE(text.size(), kTokenBytesMax - 2);
  EXPECT_EQ(outcome(token("\"x\":\"" + filler + "xxx\"")), "too_large");
  EXPECT_EQ(outcome(std::string(64 * 1024 * 1024, 'a')), "too_large");
}

TEST_F(Jwt, ParsesNothingBeforeTheSignatureIsRight) {
  std::string text = raw_token("not json at all");
  ASSERT_EQ(outcome(text), "malformed");
  text.back() = text.back() == 'A' ? 'E' : 'A';
  EXPECT_EQ(outcome(text), "bad_signature");
}

TEST_F(Jwt, SaysNothingOfTheTokenInItsErrors) {
  const std::string secret_claim = "hunter2";
  for (const std::string& claims : {"\"sub\":[\"" + secret_claim + "\"]",
                                    "\"capability\":{\"" + secret_claim + "\":[\"x\"]}",
                                    "\"iss\":{\"a\":\"" + secret_claim + "\"}"}) {
    const auto result = verify(token(claims), keys, options, now);
    ASSERT_FALSE(result);
    EXPECT_FALSE(result.error().text.empty());
    EXPECT_EQ(result.error().text.find(secret_claim), std::string_view::npos);
  }
}

TEST_F(Jwt, SignsWithTheKeysIdInTheHeader) {
  const std::string text = token("");
  EXPECT_EQ(codec::base64url_decode(text.substr(0, text.find('.'))).value(),
            R"({"alg":"HS256","typ":"JWT","kid":"main"})");
  KeySet bare;
  const Key key = Key::hs256("", kSecret).value();
  const std::string without = sign_hs256(key, "{}").value();
  EXPECT_EQ(codec::base64url_decode(without.substr(0, without.find('.'))).value(),
            R"({"alg":"HS256","typ":"JWT"})");
}

}  // namespace
}  // namespace anywire::auth
