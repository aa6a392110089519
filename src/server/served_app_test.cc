// What an app is made of, how its keys are replaced, and secrets that two apps share.
#include "server/served_app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "auth/testing/signer.h"

namespace anywire::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kOne = "the first secret of thirty-two bytes or more";
const std::string kTwo = "the second secret of thirty-two bytes or more";

Result<std::string> no_file(const std::string&) {
  return fail(ErrorCode::kIo, "No such file or directory");
}

class ServedAppTest : public ::testing::Test {
 protected:
  ServedAppTest() {
    std::string name = std::filesystem::temp_directory_path() / "served-app-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
  }
  ~ServedAppTest() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder / name;
    std::ofstream(path) << text;
    return path;
  }
  bool believes(ServedApp& app, const std::string& secret) {
    const auth::Key key = auth::Key::hs256("any", secret).value();
    const std::string token = auth::sign_hs256(key, R"({"exp":4102444800,"sub":"ann"})").value();
    constexpr auth::WallTime kNow{std::chrono::seconds(1'700'000'000)};
    return auth::verify(token, *app.adapters().authority->keys.keys(), {}, kNow).has_value();
  }

  std::filesystem::path folder;
  ManualClock clock;
  SystemWallClock wall;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  std::vector<reactor::Loop*> loops{loop.get()};
};

TEST_F(ServedAppTest, HasWhatItsConfigurationSays) {
  Config config;
  config.auth.hs256_secret = kOne;
  auto app = ServedApp::open("shop", "/shop", config, loops, wall);
  ASSERT_TRUE(app) << app.error().message;
  EXPECT_EQ((*app)->name(), "shop");
  EXPECT_EQ((*app)->path(), "/shop");
  EXPECT_EQ((*app)->brokers().store(), nullptr);
  EXPECT_TRUE(believes(**app, kOne));
  EXPECT_FALSE(believes(**app, kTwo));
}

TEST_F(ServedAppTest, SaysWhatItCannotOpen) {
  Config config;
  config.history.path = folder / "nowhere" / "history.db";
  EXPECT_FALSE(ServedApp::open("shop", {}, config, loops, wall));
  config.history.path.clear();
  config.auth.hs256_secret_file = folder / "nowhere";
  const auto app = ServedApp::open("shop", {}, config, loops, wall);
  ASSERT_FALSE(app);
  EXPECT_THAT(app.error().message, HasSubstr("auth.hs256_secret_file"));
}

TEST_F(ServedAppTest, KeepsItsKeysWhenNewOnesCannotBeRead) {
  Config config;
  config.auth.hs256_secret_file = write("secret", kOne + "\n");
  auto app = ServedApp::open("shop", {}, config, loops, wall);
  ASSERT_TRUE(app) << app.error().message;
  write("secret", "short");
  (*app)->reload_keys(config);
  EXPECT_TRUE(believes(**app, kOne));
  write("secret", kTwo);
  (*app)->reload_keys(config);
  EXPECT_TRUE(believes(**app, kTwo));
  EXPECT_FALSE(believes(**app, kOne));
}

TEST_F(ServedAppTest, TwoShareNothing) {
  Config config;
  config.auth.hs256_secret = kOne;
  auto a = *ServedApp::open("a", {}, config, loops, wall);
  auto b = *ServedApp::open("b", {}, config, loops, wall);
  EXPECT_NE(&a->hub(0), &b->hub(0));
  EXPECT_NE(a->adapters().clients.get(), b->adapters().clients.get());
  EXPECT_NE(a->adapters().sessions.get(), b->adapters().sessions.get());
  EXPECT_NE(a->adapters().limits.get(), b->adapters().limits.get());
  EXPECT_NE(a->adapters().authority.get(), b->adapters().authority.get());
}

TEST_F(ServedAppTest, SecretsInCommonAreNamedByTheirApps) {
  Config config;
  config.apps = {{.name = "a", .config = "x", .path = "/a", .hosts = {}},
                 {.name = "b", .config = "x", .path = "/b", .hosts = {}}};
  config.app_configs.resize(2);
  EXPECT_THAT(common_secrets(config, no_file), IsEmpty());
  config.auth.hs256_secret = kOne;
  config.app_configs[0].keys.push_back({.name = "k", .secret = kTwo});
  config.app_configs[1].auth.hs256_secret_file = "secret";
  EXPECT_THAT(common_secrets(config, no_file), IsEmpty());
  const auto holding_two = [](const std::string&) -> Result<std::string> { return kTwo + "\r\n"; };
  const auto sentences = common_secrets(config, holding_two);
  EXPECT_THAT(sentences, ElementsAre(HasSubstr("\"a\" and \"b\" have a secret in common")));
  EXPECT_EQ(sentences[0].find(kTwo), std::string::npos);
  config.app_configs[1].keys.push_back({.name = "k", .secret = kOne});
  EXPECT_THAT(common_secrets(config, no_file), ElementsAre(HasSubstr("\"default\" and \"b\"")));
}

}  // namespace
}  // namespace anywire::server
