// [[apps]]: how they are written, what their files may say, and what is refused.
#include "server/config_apps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "server/config_loader.h"

namespace anywire::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using Files = std::map<std::string, std::string>;

LoadInputs inputs_of(Files files) {
  LoadInputs inputs;
  inputs.config_path = "anywire.toml";
  inputs.read_file = [files = std::move(files)](const std::string& path) -> Result<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return fail(ErrorCode::kIo, "No such file or directory");
    return found->second;
  };
  return inputs;
}

std::vector<std::string> problems(Files files) {
  const auto config = load(inputs_of(std::move(files)));
  return config ? std::vector<std::string>() : config.error();
}

std::string app(std::string_view name, std::string_view more) {
  return "[[apps]]\nname = \"" + std::string(name) + "\"\nconfig = \"" + std::string(name) +
         ".toml\"\n" + std::string(more) + "\n";
}

TEST(ConfigApps, HaveAFileEach) {
  const auto config = load(inputs_of(
      {{"anywire.toml", "[websocket]\nmessage_bytes_max = \"64KiB\"\n"
                        "[http]\nallowed_origins = [\"https://a.example\"]\n" +
                            app("shop", "path = \"/shop\"") +
                            app("game", "hosts = [\"game.example\", \"*.game.example:8443\"]")},
       {"shop.toml", "[native]\npath = \"/live\"\n[[channels]]\npattern = \"sale:*\"\n"},
       {"game.toml", "[http]\nallowed_origins = [\"https://game.example\"]\n"}}));
  ASSERT_TRUE(config) << testing::PrintToString(config.error());
  ASSERT_EQ(config->apps.size(), 2u);
  EXPECT_EQ(config->apps[0].path, "/shop");
  EXPECT_THAT(config->apps[1].hosts, ElementsAre("game.example", "*.game.example:8443"));
  ASSERT_EQ(config->app_configs.size(), 2u);
  const Config& shop = config->app_configs[0];
  EXPECT_EQ(shop.native.path, "/live");
  EXPECT_EQ(shop.channels.size(), 1u);
  EXPECT_EQ(config->native.path, "/anywire");
  EXPECT_THAT(config->channels, IsEmpty());
  EXPECT_EQ(shop.websocket.message_bytes_max, 64u * 1024) << "the process's";
  EXPECT_THAT(shop.http.allowed_origins, ElementsAre("*")) << "not those of the default app";
  EXPECT_THAT(config->app_configs[1].http.allowed_origins, ElementsAre("https://game.example"));
}

TEST(ConfigApps, TakeNothingOfTheEnvironmentAndTheFlags) {
  LoadInputs inputs = inputs_of({{"anywire.toml", app("shop", "path = \"/shop\"")},
                                 {"shop.toml", ""}});
  inputs.environment["ANYWIRE_NATIVE_PATH"] = "/elsewhere";
  inputs.flags.push_back({"api.path", "/http", "--api.path"});
  inputs.flags.push_back({"websocket.message_bytes_max", "1KiB", "--websocket.message_bytes_max"});
  const auto config = load(inputs);
  ASSERT_TRUE(config) << testing::PrintToString(config.error());
  EXPECT_EQ(config->app_configs[0].native.path, "/anywire");
  EXPECT_EQ(config->app_configs[0].api.path, "/api/v1");
  EXPECT_EQ(config->app_configs[0].websocket.message_bytes_max, 1024u);
}

TEST(ConfigApps, ComeFromAVariableOrAFlag) {
  LoadInputs inputs = inputs_of({{"anywire.toml", ""}, {"a.toml", ""}});
  inputs.environment["ANYWIRE_APPS"] = R"([{"name":"a","config":"a.toml","path":"/a"}])";
  EXPECT_EQ(load(inputs)->apps.size(), 1u);
  inputs.flags.push_back({"apps", "", "--apps"});
  EXPECT_THAT(load(inputs)->apps, IsEmpty());
  EXPECT_THAT(load(inputs)->app_configs, IsEmpty());
}

TEST(ConfigApps, StartFromWhatTheCommandStartsFrom) {
  LoadInputs inputs = inputs_of({{"anywire.toml", app("a", "path = \"/a\"")}, {"a.toml", ""}});
  inputs.defaults = dev_config();
  EXPECT_TRUE(load(inputs)->app_configs[0].auth.anonymous);
}

TEST(ConfigApps, MayNotSetWhatIsTheProcesss) {
  const auto of_file = [](const std::string& text) {
    return problems({{"anywire.toml", app("a", "path = \"/a\"")}, {"a.toml", text}});
  };
  for (const char* table : {"server", "tls", "websocket", "fallback", "front", "log"}) {
    EXPECT_THAT(of_file(std::string("[") + table + "]\n"),
                ElementsAre(AllOf(StartsWith("a.toml:1:2: "), HasSubstr(table),
                                  HasSubstr("all apps of the process"))))
        << table;
  }
  EXPECT_THAT(of_file("[http]\nhead_timeout = \"1s\"\n"),
              ElementsAre(StartsWith("a.toml:2:1: \"http.head_timeout\" is for all apps")));
  EXPECT_THAT(of_file(app("b", "path = \"/b\"")),
              ElementsAre(HasSubstr("\"apps\" is for all apps")));
  EXPECT_THAT(of_file("[api]\npaht = \"/x\"\n"),
              ElementsAre(AllOf(StartsWith("a.toml:2:1: "), HasSubstr("did you mean \"path\"?"))));
}

TEST(ConfigApps, SayInWhichFileAContradictionIs) {
  EXPECT_THAT(problems({{"anywire.toml", app("a", "path = \"/a\"")},
                        {"a.toml", "[native]\npath = \"/raw\"\n"}}),
              ElementsAre(StartsWith("a.toml: \"native.path\"")));
  EXPECT_THAT(problems({{"anywire.toml", app("a", "path = \"/a\"")},
                        {"a.toml", "\n[[keys]]\nname = \"k\"\n"}}),
              ElementsAre(StartsWith("a.toml:2:1: key 1 (\"k\") needs a \"secret\"")));
  EXPECT_THAT(problems({{"anywire.toml", app("a", "path = \"/a\"")}}),
              ElementsAre("a.toml: No such file or directory"));
}

TEST(ConfigApps, AreRefusedWhereTheyContradictEachOther) {
  const auto of = [](const std::string& text) {
    return problems({{"anywire.toml", text}, {"a.toml", ""}, {"b.toml", ""}});
  };
  EXPECT_THAT(of(app("default", "path = \"/a\"")),
              ElementsAre(HasSubstr("has the name of the main file's own app")));
  EXPECT_THAT(of("[[apps]]\nname = \"a\"\npath = \"/a\"\n"),
              ElementsAre(HasSubstr("needs a \"config\"")));
  EXPECT_THAT(of(app("a", "")), ElementsAre(HasSubstr("needs a \"path\" or \"hosts\"")));
  EXPECT_THAT(of(app("a", "path = \"/a\"") + app("a", "path = \"/b\"")),
              ElementsAre(StartsWith("anywire.toml:6:1: app 2 (\"a\") has the name of another")));
  EXPECT_THAT(of(app("a", "path = \"/a\"") + app("b", "path = \"/a\"")),
              ElementsAre(HasSubstr("has the \"path\" of \"a\"")));
  EXPECT_THAT(of(app("a", "hosts = [\"x.example\"]") + app("b", "hosts = [\"X.example\"]")),
              ElementsAre(HasSubstr("has the host \"X.example\", which \"a\" has as well")));
  EXPECT_THAT(of(app("a", "path = \"/a\"") + app("b", "path = \"/a/b\"")), IsEmpty());
}

TEST(ConfigApps, MayNotHideThePathsOfTheDefaultApp) {
  for (const char* path : {"/raw", "/raw/x", "/echo", "/anywire", "/api", "/api/v1"}) {
    EXPECT_THAT(problems({{"anywire.toml", app("a", "path = \"" + std::string(path) + "\"")},
                          {"a.toml", ""}}),
                ElementsAre(HasSubstr("would hide")))
        << path;
  }
  EXPECT_THAT(problems({{"anywire.toml", app("a", "path = \"/apis\"")}, {"a.toml", ""}}),
              IsEmpty());
}

TEST(ConfigApps, HaveNamesAndPathsThatCannotBeMisread) {
  for (const char* name : {"", "Shop", "a b", "a/b", "a_b", "012345678901234567890123456789012"}) {
    EXPECT_THAT(problems({{"anywire.toml", app(name, "path = \"/a\"")}}),
                testing::Contains(HasSubstr("\"apps.name\" must be a name")))
        << name;
  }
  for (const char* path : {"shop", "/", "/shop/", "//shop", "/a//b", "/a/../b", "/.", "/%61",
                           "/a b", "/a?b", "/ä", "/a\\\\b"}) {
    EXPECT_THAT(problems({{"anywire.toml", app("a", "path = \"" + std::string(path) + "\"")}}),
                testing::Contains(HasSubstr("\"apps.path\" must be a path")))
        << path;
  }
  const std::string longest = "/" + std::string(127, 'a');
  EXPECT_THAT(problems({{"anywire.toml", app("a", "path = \"" + longest + "\"")}, {"a.toml", ""}}),
              IsEmpty());
  EXPECT_THAT(problems({{"anywire.toml", app("a", "path = \"" + longest + "a\"")}}),
              testing::Contains(HasSubstr("\"apps.path\" must be a path")));
  EXPECT_THAT(problems({{"anywire.toml", app("a", "hosts = [\"http://x\"]")}}),
              testing::Contains(HasSubstr("\"apps.hosts\" must be a list of names")));
}

TEST(ConfigApps, MayNotShareAHistoryFile) {
  const std::string history = "[history]\npath = \"h.db\"\n";
  EXPECT_THAT(problems({{"anywire.toml", app("a", "path = \"/a\"") + history},
                        {"a.toml", history}}),
              ElementsAre("a.toml: \"history.path\" (\"h.db\") is the file of another app"));
  EXPECT_THAT(problems({{"anywire.toml", app("a", "path = \"/a\"") + app("b", "path = \"/b\"")},
                        {"a.toml", history},
                        {"b.toml", history}}),
              ElementsAre(StartsWith("b.toml: ")));
}

TEST(ConfigApps, AreAtMostAsManyAsAreServed) {
  const auto with = [](std::size_t count) {
    std::string text;
    Files files;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = "a" + std::to_string(i);
      text += app(name, "path = \"/" + name + "\"");
      files[name + ".toml"] = "";
    }
    files["anywire.toml"] = text;
    return problems(files);
  };
  EXPECT_THAT(with(kAppsMax), IsEmpty());
  EXPECT_THAT(with(kAppsMax + 1), ElementsAre(HasSubstr("there are 65 apps; 64 is the limit")));
}

}  // namespace
}  // namespace anywire::server
