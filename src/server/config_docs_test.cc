#include "server/config_docs.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "server/config_channels.h"
#include "server/config_loader.h"
#include "server/config_schema.h"

namespace anywire::server {
namespace {

std::string repository_file(const std::string& path) {
  std::ifstream file(std::string(ANYWIRE_SOURCE_DIR) + "/" + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Problem first_problem(const std::string& toml) {
  LoadInputs inputs;
  inputs.config_path = "anywire.toml";
  inputs.read_file = [&](const std::string&) -> Result<std::string> { return toml; };
  const auto config = load(inputs);
  return {config ? "" : config.error().front(), {}};
}

TEST(ConfigDocs, KeepTheReferencePageCurrent) {
  EXPECT_EQ(repository_file("docs/configuration.md"), config_as_markdown())
      << "run: anywire config --markdown > docs/configuration.md";
}

TEST(ConfigDocs, KeepTheExampleCurrent) {
  EXPECT_EQ(repository_file("examples/config/anywire.toml"), config_as_toml())
      << "run: anywire config > examples/config/anywire.toml";
}

TEST(ConfigDocs, MakeAnExampleThatIsAccepted) {
  EXPECT_EQ(first_problem(config_as_toml()).text, "");
}

TEST(ConfigDocs, NameEveryKeyInBothForms) {
  const std::string toml = config_as_toml(), markdown = config_as_markdown();
  for (const auto all : {keys(), rule_keys()}) {
    for (const Key& key : all) {
      if (key.name.empty()) continue;  // the list of rules: its keys are in the other half
      const std::string line = fmt::format("\n{} = {}\n", key.name, format_value(key, Config{}));
      EXPECT_NE(toml.find(line), toml.npos) << key.path();
      EXPECT_NE(markdown.find(fmt::format("\n| `{}` | ", key.name)), markdown.npos) << key.path();
    }
  }
  EXPECT_NE(toml.find("\n[[channels]]\n"), toml.npos);
  EXPECT_NE(markdown.find("\n## `[[channels]]`\n"), markdown.npos);
}

TEST(ConfigDocs, KeepTheExampleWithinAScreensWidth) {
  std::istringstream lines(config_as_toml());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
}

TEST(ConfigDocs, GiveEveryTableRowFourCells) {
  std::istringstream lines(config_as_markdown());
  bool in_keys = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ")) in_keys = line.starts_with("## `[");
    if (!in_keys || !line.starts_with("| ")) continue;
    std::size_t bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '|' && (i == 0 || line[i - 1] != '\\')) ++bars;
    }
    EXPECT_EQ(bars, 5u) << line;
  }
}

TEST(ConfigDocs, ShowWhatDevChanges) {
  const std::string markdown = config_as_markdown();
  EXPECT_NE(markdown.find("| `raw.root` | `\"channel:lobby\"` |"), markdown.npos);
  EXPECT_NE(markdown.find("| `auth.anonymous` | `true` |"), markdown.npos);
  EXPECT_NE(markdown.find("| `channels.subscribe` | `\"anyone\"` |"), markdown.npos);
  EXPECT_EQ(markdown.find("| `websocket.ping_interval` |"), markdown.npos);
}

}  // namespace
}  // namespace anywire::server
