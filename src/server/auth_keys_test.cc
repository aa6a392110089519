#include "server/auth_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/testing/signer.h"

namespace anywire::server {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kSecret = "a secret of thirty-two bytes, ok";
constexpr auth::WallTime kNow{std::chrono::seconds(1'700'000'000)};

Result<std::string> no_file(const std::string&) {
  return fail(ErrorCode::kIo, "No such file or directory");
}

// A read_file that finds this text in every file.
auto holding(std::string text) {
  return [text = std::move(text)](const std::string&) -> Result<std::string> { return text; };
}

std::string token() {
  const auth::Key key = auth::Key::hs256("any", kSecret).value();
  return auth::sign_hs256(key, R"({"exp":1700000060})").value();
}

bool accepts(const Result<auth::KeySet>& keys) {
  EXPECT_TRUE(keys);
  return keys && auth::verify(token(), *keys, {}, kNow).has_value();
}

TEST(AuthKeys, TakeTheSecretItself) {
  Config config;
  config.auth.hs256_secret = kSecret;
  EXPECT_TRUE(accepts(load_auth_keys(config, no_file)));
}

TEST(AuthKeys, TakeTheSecretFromItsFileWithoutTheLineBreak) {
  Config config;
  config.auth.hs256_secret_file = "secret";
  for (const char* end : {"", "\n", "\r\n"}) {
    EXPECT_TRUE(accepts(load_auth_keys(config, holding(kSecret + end))));
  }
  EXPECT_FALSE(accepts(load_auth_keys(config, holding(kSecret + "\n\n")))) << "only one of them";
}

TEST(AuthKeys, AreNoneWithoutASecret) {
  const auto keys = load_auth_keys({}, no_file);
  ASSERT_TRUE(keys);
  EXPECT_TRUE(keys->empty());
  EXPECT_FALSE(accepts(keys));
}

TEST(AuthKeys, SayWhichFileIsAtFaultAndNothingOfItsContent) {
  Config config;
  config.auth.hs256_secret_file = "/run/secret";
  const auto missing = load_auth_keys(config, no_file);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            "\"auth.hs256_secret_file\" (\"/run/secret\"): No such file or directory");
  const auto weak = load_auth_keys(config, holding("hunter2\n"));
  ASSERT_FALSE(weak);
  EXPECT_THAT(weak.error().message, HasSubstr("at least 32 bytes"));
  EXPECT_THAT(weak.error().message, Not(HasSubstr("hunter2")));
}

TEST(AuthKeys, HaveANameAndABound) {
  Config config;
  config.auth.hs256_secret = kSecret;
  config.keys.push_back({.name = "web",
                         .algorithm = auth::Algorithm::kHs512,
                         .secret_file = "web.secret",
                         .capability = R"({"room:*": ["*"]})",
                         .grants = R"({"user:{sub}": ["subscribe"]})"});
  const auth::Signer signer(auth::Algorithm::kEs256);
  config.keys.push_back({.name = "idp",
                         .algorithm = auth::Algorithm::kEs256,
                         .public_key_file = "idp.pem"});
  const auto keys = load_auth_keys(config, [&](const std::string& path) -> Result<std::string> {
    return path == "idp.pem" ? signer.public_pem() : kSecret + "\n";
  });
  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->keys().size(), 3u);
  const auth::Key* web = keys->find("web");
  ASSERT_NE(web, nullptr);
  EXPECT_EQ(web->algorithm(), auth::Algorithm::kHs512);
  EXPECT_TRUE(web->is_secret(kSecret));
  EXPECT_TRUE(web->bound()->allows(auth::Operation::kPublish, "room:1"));
  EXPECT_FALSE(web->bound()->allows(auth::Operation::kPublish, "other"));
  EXPECT_TRUE(web->grants()->for_user("ann").allows(auth::Operation::kSubscribe, "user:ann"));
  EXPECT_TRUE(auth::verify(signer.token(R"({"exp":1700000060})"), *keys, {}, kNow));
  EXPECT_TRUE(keys->find("idp")->bound()->allows(auth::Operation::kManage, "x")) << "unbound";
}

TEST(AuthKeys, SayWhichKeyIsAtFault) {
  Config config;
  config.keys.push_back({.name = "idp",
                         .algorithm = auth::Algorithm::kRs256,
                         .public_key_file = "/idp.pem"});
  const auth::Signer signer(auth::Algorithm::kEs256);
  const auto wrong = load_auth_keys(config, holding(signer.public_pem()));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message,
            "\"keys.public_key_file\" (\"/idp.pem\"): the algorithm needs an RSA key");
  const auto secret = load_auth_keys(config, holding(signer.private_pem()));
  ASSERT_FALSE(secret);
  EXPECT_THAT(secret.error().message, HasSubstr("private key"));
}

TEST(AuthKeys, PassTheOptionsOn) {
  AuthSection section;
  section.leeway = Duration(5);
  section.issuer = "i";
  section.audience = "a";
  section.expiry_required = false;
  const auth::VerifyOptions options = verify_options(section);
  EXPECT_EQ(options.leeway, Duration(5));
  EXPECT_EQ(options.issuer, "i");
  EXPECT_EQ(options.audience, "a");
  EXPECT_FALSE(options.expiry_required);
  EXPECT_TRUE(verify_options({}).expiry_required);
}

}  // namespace
}  // namespace anywire::server
