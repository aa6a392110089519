#include "server/app_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/config.h"

namespace anywire::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kSecret = "0123456789abcdef0123456789abcdef";

Result<std::string> no_file(const std::string&) { return fail(ErrorCode::kIo, "cannot be read"); }

Config configured() {
  Config config;
  config.app.url = "https://app.example/api/anywire";
  config.app.secret = kSecret;
  return config;
}

std::vector<std::string> problems_of(const Config& config) {
  std::vector<std::string> problems;
  check_app(config, problems);
  return problems;
}

TEST(AppOptions, ThereIsNoApplicationUnlessItsUrlIsSet) {
  const auto options = app_options(Config(), no_file);
  ASSERT_TRUE(options);
  EXPECT_FALSE(*options);
}

TEST(AppOptions, TakesOverEveryKey) {
  Config config = configured();
  config.app.hooks = {"connect", "events"};
  config.app.timeout = Duration{7'000};
  config.app.unavailable = Verdict::kAllow;
  config.app.requests_max = 3;
  config.app.queue_max = 4;
  config.app.queue_bytes_max = 5 * 1024 * 1024;
  const auto made = app_options(config, no_file);
  ASSERT_TRUE(made && *made);
  const hooks::AppOptions& options = **made;
  EXPECT_EQ(options.dispatcher.url, config.app.url);
  EXPECT_EQ(options.secret, kSecret);
  EXPECT_TRUE(options.asks_connect && options.tells_events && options.allow_unavailable);
  EXPECT_FALSE(options.asks_rpc);
  EXPECT_EQ(options.dispatcher.timeout, Duration{7'000});
  EXPECT_EQ(options.dispatcher.requests_max, 3u);
  EXPECT_EQ(options.dispatcher.queue_max, 4u);
  EXPECT_EQ(options.dispatcher.queue_bytes_max, 5u * 1024 * 1024);
  config.app.queue_bytes_max = 64 * 1024;
  EXPECT_EQ((*app_options(config, no_file))->dispatcher.queue_bytes_max,
            4 * config.websocket.message_bytes_max)
      << "the largest message must fit";
}

TEST(AppOptions, ReadsTheSecretFromAFile) {
  Config config = configured();
  config.app.secret.clear();
  config.app.secret_file = "/run/secret";
  const auto made = app_options(config, [](const std::string& path) -> Result<std::string> {
    EXPECT_EQ(path, "/run/secret");
    return std::string(kSecret) + "\n";
  });
  ASSERT_TRUE(made && *made);
  EXPECT_EQ((*made)->secret, kSecret);
  const auto small = app_options(
      config, [](const std::string&) -> Result<std::string> { return std::string("short"); });
  EXPECT_THAT(small.error().message, HasSubstr("at least 32 bytes"));
  EXPECT_THAT(app_options(config, no_file).error().message, HasSubstr("\"app.secret_file\""));
}

TEST(AppOptions, LooksAtTheFileOfCertificates) {
  Config config = configured();
  config.app.ca_file = "/nowhere";
  EXPECT_THAT(app_options(config, no_file).error().message, HasSubstr("\"app.ca_file\""));
}

TEST(AppOptions, KnowsUrlsAndHooks) {
  EXPECT_TRUE(is_hook_url("") && is_hook_url("http://127.0.0.1:3000/api"));
  EXPECT_FALSE(is_hook_url("app.example") || is_hook_url("ws://a/") ||
               is_hook_url("https://me:secret@a/"));
  EXPECT_TRUE(is_hook_name("connect") && is_hook_name("rpc") && is_hook_name("events"));
  EXPECT_FALSE(is_hook_name("publish") || is_hook_name(""));
}

TEST(AppOptions, SaysWhatContradictsItself) {
  EXPECT_THAT(problems_of(Config()), IsEmpty());
  EXPECT_THAT(problems_of(configured()), IsEmpty());
  Config config = configured();
  config.app.secret.clear();
  EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("\"app.secret\" is not")));
  config.app.secret = kSecret;
  config.app.secret_file = "/run/secret";
  EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("both set")));
  Config nowhere;
  nowhere.app.hooks = {"rpc"};
  EXPECT_THAT(problems_of(nowhere), ElementsAre(HasSubstr("\"app.hooks\"")));
  Config rule;
  rule.channels.emplace_back();
  rule.channels[0].pattern = *auth::Glob::parse("room:*");
  rule.channels[0].publish_hook = true;
  EXPECT_THAT(problems_of(rule), ElementsAre(HasSubstr("room:*")));
  Config all;
  all.channel_defaults.subscribe_hook = true;
  EXPECT_THAT(problems_of(all), ElementsAre(HasSubstr("of all channels")));
}

}  // namespace
}  // namespace anywire::server
