#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anywire::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Config, IsValidByDefault) {
  EXPECT_THAT(validate(Config{}), IsEmpty());
  EXPECT_THAT(validate(dev_config()), IsEmpty());
}

TEST(Config, KeepsServePrivateByDefault) {
  const Config config;
  EXPECT_THAT(config.server.listen, ElementsAre("127.0.0.1:3001"));
  EXPECT_EQ(config.raw.root.kind, RawRoot::Kind::kOff);
  EXPECT_FALSE(config.raw.conformance);
  EXPECT_FALSE(config.tls.enabled());
  EXPECT_EQ(config.http.proxy_protocol, ProxyProtocol::kOff);
  EXPECT_THAT(config.http.trusted_proxies, IsEmpty());
}

TEST(Config, MakesDevAChatOnLocalhost) {
  const Config config = dev_config(4000);
  EXPECT_THAT(config.server.listen, ElementsAre("127.0.0.1:4000", "[::1]:4000"));
  EXPECT_EQ(config.raw.root, (RawRoot{RawRoot::Kind::kChannel, "lobby"}));
  EXPECT_TRUE(config.raw.root_greeting);
  EXPECT_THAT(config.http.allowed_origins, ElementsAre("*"));
  EXPECT_EQ(config.log.format, log::Format::kHuman);
}

TEST(Config, LetsNobodyInWithoutATokenByDefault) {
  const Config config;
  EXPECT_FALSE(config.auth.anonymous);
  EXPECT_TRUE(config.auth.hs256_secret.empty());
  EXPECT_TRUE(config.auth.expiry_required);
  EXPECT_THAT(config.channels, IsEmpty());
  for (const hub::Access access :
       {config.channel_defaults.subscribe, config.channel_defaults.publish,
        config.channel_defaults.history_access, config.channel_defaults.presence_access}) {
    EXPECT_EQ(access, hub::Access::kCapability);
  }
}

TEST(Config, LetsAnyoneDoAnythingInDev) {
  const Config config = dev_config();
  EXPECT_TRUE(config.auth.anonymous);
  for (const hub::Access access :
       {config.channel_defaults.subscribe, config.channel_defaults.publish,
        config.channel_defaults.history_access, config.channel_defaults.presence_access}) {
    EXPECT_EQ(access, hub::Access::kAnyone);
  }
}

TEST(Config, KeepsHistoryAndPresenceInDevOnly) {
  EXPECT_TRUE(dev_config().channel_defaults.presence);
  EXPECT_FALSE(Config{}.channel_defaults.presence);
  EXPECT_EQ(dev_config().channel_defaults.history_messages, 1000);
  EXPECT_EQ(dev_config().channel_defaults.history_ttl, std::chrono::hours(24));
  EXPECT_FALSE(dev_config().channel_defaults.durable);
  EXPECT_EQ(Config{}.channel_defaults.history_messages, 0);
}

TEST(Config, TakesTheSecretFromOnePlace) {
  Config config;
  config.auth.hs256_secret = std::string(32, 'x');
  EXPECT_THAT(validate(config), IsEmpty());
  config.auth.hs256_secret_file = "secret";
  EXPECT_THAT(validate(config), ElementsAre(HasSubstr("both set")));
}

TEST(Config, KeepsTheNativeProtocolOffTheRawPaths) {
  for (const char* path : {"/raw", "/raw/x", "/echo"}) {
    Config config;
    config.native.path = path;
    EXPECT_THAT(validate(config), ElementsAre(HasSubstr("belongs to the raw protocol"))) << path;
    config.raw.enabled = config.raw.echo = false;
    EXPECT_THAT(validate(config), IsEmpty()) << path;
  }
  Config config;
  config.native.path = "/rawer";
  EXPECT_THAT(validate(config), IsEmpty());
  config.native.path = "/raw";
  config.native.enabled = false;
  EXPECT_THAT(validate(config), IsEmpty());
}

TEST(Config, KeepsTheApiOffTheProtocolsPaths) {
  for (const char* path : {"/raw", "/raw/x", "/echo", "/anywire"}) {
    Config config;
    config.api.path = path;
    EXPECT_THAT(validate(config), ElementsAre(HasSubstr("\"api.path\""))) << path;
    config.api.enabled = false;
    EXPECT_THAT(validate(config), IsEmpty()) << path;
  }
  Config config;
  config.api.path = "/anywire/api";
  EXPECT_THAT(validate(config), IsEmpty());
}

TEST(Config, NeedsCertificateAndKeyTogether) {
  Config config;
  config.tls.certificate = "cert.pem";
  EXPECT_THAT(validate(config), ElementsAre(HasSubstr("\"tls.key\" is not")));
  config.tls.key = "key.pem";
  EXPECT_THAT(validate(config), IsEmpty());
  EXPECT_TRUE(config.tls.enabled());
  config.tls.certificate.clear();
  EXPECT_THAT(validate(config), ElementsAre(HasSubstr("\"tls.certificate\" is not")));
}

TEST(Config, KeepsTheWatermarksApart) {
  Config config;
  config.websocket.low_watermark = config.websocket.high_watermark;
  EXPECT_THAT(validate(config), ElementsAre(HasSubstr("must be less than")));
  config.websocket.low_watermark = config.websocket.high_watermark - 1;
  EXPECT_THAT(validate(config), IsEmpty());
}

TEST(Config, KeepsTheHighWatermarkWithinTheQueue) {
  Config config;
  config.websocket.high_watermark = config.websocket.queue_bytes_max;
  EXPECT_THAT(validate(config), IsEmpty());
  config.websocket.high_watermark += 1;
  EXPECT_THAT(validate(config), ElementsAre(HasSubstr("must not exceed")));
}

TEST(Config, LeavesRoomForTheLargestMessage) {
  Config config;
  config.websocket.message_bytes_max = config.websocket.queue_bytes_max - 10;
  EXPECT_THAT(validate(config), IsEmpty());
  config.websocket.message_bytes_max += 1;
  EXPECT_THAT(validate(config), ElementsAre(HasSubstr("largest message fits")));
}

TEST(Config, NeedsChannelsForARootChannel) {
  Config config = dev_config();
  config.raw.enabled = false;
  EXPECT_THAT(validate(config), ElementsAre(HasSubstr("\"raw.enabled\" is false")));
  config.raw.root = {};
  EXPECT_THAT(validate(config), IsEmpty());
}

TEST(Config, HoldsTheRootChannelToTheNameLimit) {
  Config config = dev_config();
  config.raw.channel_name_bytes_max = 5;
  EXPECT_THAT(validate(config), IsEmpty());
  config.raw.channel_name_bytes_max = 4;
  EXPECT_THAT(validate(config), ElementsAre(HasSubstr("has 5 bytes")));
}

TEST(Config, TakesAnyOriginBesideThoseWhoMaySendCookies) {
  Config config;
  config.http.allowed_origins = {"https://example.com", "*"};
  EXPECT_THAT(validate(config), IsEmpty());
}

TEST(Config, RefusesAMemoryCeilingThatTheServerItselfIsAbove) {
  Config config;
  config.server.memory_max = 1024 * 1024;
  EXPECT_THAT(validate(config),
              ElementsAre("\"server.memory_max\" (1MiB) must be 0 (off) or at least 64MiB"));
  config.server.memory_max = 64 * 1024 * 1024;
  EXPECT_THAT(validate(config), IsEmpty());
}

TEST(Config, AnswersInDevelopmentOnlyToNamesThatNoPageOfTheInternetHas) {
  EXPECT_THAT(dev_config().http.allowed_hosts, ElementsAre("local"));
  EXPECT_THAT(Config().http.allowed_hosts, IsEmpty());
}

TEST(Config, RefusesTheSameAddressTwice) {
  Config config;
  config.server.listen = {"127.0.0.1:1", "[::1]:1", "127.0.0.1:1"};
  EXPECT_THAT(validate(config), ElementsAre("\"server.listen\" has \"127.0.0.1:1\" twice"));
  config.server.listen = {"127.0.0.1:0", "127.0.0.1:0"};  // two free ports
  EXPECT_THAT(validate(config), IsEmpty());
}

TEST(Config, ReportsEveryContradictionAtOnce) {
  Config config;
  config.tls.key = "key.pem";
  config.websocket.low_watermark = 2 * config.websocket.high_watermark;
  config.server.memory_max = 1;
  EXPECT_EQ(validate(config).size(), 3u);
}

}  // namespace
}  // namespace anywire::server
