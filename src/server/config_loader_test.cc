#include "server/config_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "server/config_schema.h"

namespace anywire::server {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

using Problems = std::vector<std::string>;

// What load() is given in a test: the text of one file, variables, flags.
struct Given {
  std::string file;
  std::map<std::string, std::string> environment = {};
  std::vector<FlagValue> flags = {};

  LoadInputs inputs() const {
    LoadInputs result;
    result.config_path = "anywire.toml";
    result.read_file = [text = file](const std::string&) -> Result<std::string> { return text; };
    result.environment = environment;
    result.flags = flags;
    return result;
  }
  Config config() const {
    auto result = load(inputs());
    EXPECT_TRUE(result) << testing::PrintToString(result.error());
    return result.value_or(Config{});
  }
  Problems problems() const {
    auto result = load(inputs());
    return result ? Problems{} : result.error();
  }
};

Problems problems_in(const std::string& file) { return Given{file}.problems(); }

TEST(ConfigLoader, TakesDefaultsWithoutAnyInput) {
  const auto config = load({});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->websocket.ping_interval, 25s);
}

TEST(ConfigLoader, SaysWhereAKeyOfAnEarlierVersionHasMoved) {
  EXPECT_THAT(problems_in("[raw]\nallowed_origins = [\"*\"]\n"),
              ElementsAre("anywire.toml:2:1: unknown key \"raw.allowed_origins\"; moved to "
                          "\"http.allowed_origins\""));
  EXPECT_THAT(problems_in("[native]\nmessages_burst = 5\n"),
              ElementsAre("anywire.toml:2:1: unknown key \"native.messages_burst\"; moved to "
                          "\"limits.messages_per_connection\""));
  Given given;
  given.environment["ANYWIRE_RAW_ALLOWED_ORIGINS"] = "*";
  EXPECT_THAT(given.problems(), ElementsAre("ANYWIRE_RAW_ALLOWED_ORIGINS: no such setting; moved "
                                            "to ANYWIRE_HTTP_ALLOWED_ORIGINS"));
}

TEST(ConfigLoader, TakesAnEmptyFile) { EXPECT_EQ(Given{""}.config().server.loops, 0); }

TEST(ConfigLoader, ReadsAFile) {
  const Config config = Given{R"(
    [server]
    listen = ["0.0.0.0:80", "unix:/run/anywire.sock"]
    loops = 4
    [websocket]
    ping_interval = "10s"
    message_bytes_max = "64KiB"
    [raw]
    root = "channel:lobby"
    echo = false
  )"}.config();
  EXPECT_THAT(config.server.listen, ElementsAre("0.0.0.0:80", "unix:/run/anywire.sock"));
  EXPECT_EQ(config.server.loops, 4);
  EXPECT_EQ(config.websocket.ping_interval, 10s);
  EXPECT_EQ(config.websocket.message_bytes_max, 65'536u);
  EXPECT_EQ(config.raw.root.channel, "lobby");
  EXPECT_FALSE(config.raw.echo);
}

TEST(ConfigLoader, ReadsDottedAndInlineTables) {
  EXPECT_EQ(Given{"server.loops = 3"}.config().server.loops, 3);
  EXPECT_EQ(Given{"server = { loops = 5 }"}.config().server.loops, 5);
}

TEST(ConfigLoader, LetsTheLaterSourceWin) {
  Given given{"[server]\nloops = 1\nbacklog = 1\nconnections_max = 1\n"};
  given.environment = {{"ANYWIRE_SERVER_LOOPS", "2"}, {"ANYWIRE_SERVER_BACKLOG", "2"}};
  given.flags = {{"server.loops", "3", "--loops"}};
  const Config config = given.config();
  EXPECT_EQ(config.server.loops, 3);
  EXPECT_EQ(config.server.backlog, 2);
  EXPECT_EQ(config.server.connections_max, 1);
}

TEST(ConfigLoader, StartsFromTheGivenDefaults) {
  LoadInputs inputs = Given{"[raw]\nroot_greeting = false\n"}.inputs();
  inputs.defaults = dev_config(4000);
  const auto config = load(inputs);
  ASSERT_TRUE(config);
  EXPECT_THAT(config->server.listen, ElementsAre("127.0.0.1:4000", "[::1]:4000"));
  EXPECT_EQ(config->raw.root.channel, "lobby");
  EXPECT_FALSE(config->raw.root_greeting);
}

TEST(ConfigLoader, ExpandsLocalhost) {
  EXPECT_THAT(Given{"[server]\nlisten = [\"localhost:80\"]\n"}.config().server.listen,
              ElementsAre("127.0.0.1:80", "[::1]:80"));
}

TEST(ConfigLoader, NoticesAnAddressTwiceBehindLocalhost) {
  EXPECT_THAT(problems_in("[server]\nlisten = [\"localhost:80\", \"127.0.0.1:80\"]\n"),
              ElementsAre(HasSubstr("twice")));
}

TEST(ConfigLoader, SuggestsTheKeyThatWasMeant) {
  EXPECT_THAT(problems_in("[websocket]\n\n  ping_intervall = \"1s\"\n"),
              ElementsAre("anywire.toml:3:3: unknown key \"websocket.ping_intervall\"; did you "
                          "mean \"ping_interval\"?"));
}

TEST(ConfigLoader, SuggestsTheTableAKeyBelongsTo) {
  EXPECT_THAT(problems_in("[websocket]\nlisten = []\n"),
              ElementsAre("anywire.toml:2:1: unknown key \"websocket.listen\"; did you mean "
                          "\"server.listen\"?"));
  EXPECT_THAT(problems_in("loops = 1\n"),
              ElementsAre("anywire.toml:1:1: unknown key \"loops\"; did you mean "
                          "\"server.loops\"?"));
}

TEST(ConfigLoader, SuggestsTheTableThatWasMeant) {
  EXPECT_THAT(problems_in("[websockets]\nping_interval = \"1s\"\n"),
              ElementsAre("anywire.toml:1:2: unknown table \"websockets\"; did you mean "
                          "\"websocket\"?"));
}

TEST(ConfigLoader, SuggestsNothingFarFetched) {
  EXPECT_THAT(problems_in("[server]\nfavourite_colour = \"blue\"\n"),
              ElementsAre("anywire.toml:2:1: unknown key \"server.favourite_colour\""));
}

TEST(ConfigLoader, SaysWhereABadValueIsAndWhatWouldBeGood) {
  EXPECT_THAT(problems_in("\n\n[server]\nloops =  \"many\"\n"),
              ElementsAre("anywire.toml:4:10: \"server.loops\" must be a whole number from 0 to "
                          "256, got \"many\""));
}

TEST(ConfigLoader, PointsAtTheListElementToBlame) {
  EXPECT_THAT(problems_in("[http]\ntrusted_proxies = [\n  \"10.0.0.1\",\n  \"proxy\",\n]\n"),
              ElementsAre(StartsWith("anywire.toml:4:3: \"http.trusted_proxies\" must be a list")));
}

TEST(ConfigLoader, RefusesValuesOfOtherTypes) {
  EXPECT_THAT(problems_in("[server]\nloops = 1979-05-27\n"),
              ElementsAre(HasSubstr("got a date or time")));
  EXPECT_THAT(problems_in("[server.loops]\nx = 1\n"), ElementsAre(HasSubstr("got a table")));
  EXPECT_THAT(problems_in("[server]\nlisten = [1]\n"),
              ElementsAre(HasSubstr("got a list with something other than text in it")));
  EXPECT_THAT(problems_in("[server]\nloops = [[]]\n"), ElementsAre(HasSubstr("got a list")));
}

TEST(ConfigLoader, RefusesATableThatIsNone) {
  EXPECT_THAT(problems_in("server = 1\n"),
              ElementsAre(HasSubstr("anywire.toml:1:10: \"server\" must be a table")));
  EXPECT_THAT(problems_in("[[server]]\n"), ElementsAre(HasSubstr("\"server\" must be a table")));
}

TEST(ConfigLoader, ReportsEverythingAtOnceFromTopToBottom) {
  Given given{"[websocket]\nping_timeout = 1\nzzz = 1\n[server]\nloops = -1\n[abc]\n"};
  given.environment = {{"ANYWIRE_LOG_LEVEL", "loud"}};
  given.flags = {{"log.format", "xml", "--log.format"}};
  EXPECT_THAT(given.problems(),
              ElementsAre(StartsWith("anywire.toml:2:16: \"websocket.ping_timeout\""),
                          StartsWith("anywire.toml:3:1: unknown key \"websocket.zzz\""),
                          StartsWith("anywire.toml:5:9: \"server.loops\""),
                          StartsWith("anywire.toml:6:2: unknown table \"abc\""),
                          StartsWith("ANYWIRE_LOG_LEVEL: \"log.level\" must be"),
                          StartsWith("--log.format: \"log.format\" must be")));
}

TEST(ConfigLoader, ReportsSyntaxErrorsWithTheirPlace) {
  EXPECT_THAT(problems_in("[server]\nloops = \n"), ElementsAre(StartsWith("anywire.toml:2:")));
  EXPECT_THAT(problems_in("[server]\nloops = 1\nloops = 2\n"),
              ElementsAre(StartsWith("anywire.toml:3:")));
  EXPECT_THAT(problems_in("[server]\n[server]\n"), ElementsAre(StartsWith("anywire.toml:2:")));
  EXPECT_THAT(problems_in("\xff"), ElementsAre(StartsWith("anywire.toml:1:")));
}

TEST(ConfigLoader, KeepsEveryProblemOnOneLine) {
  for (const std::string& text :
       {std::string("[server]\n\"a\\nb\" = 1\n"), std::string("[\"x\\u001b[2J\"]\n"),
        std::string("loops = \x1b[2J\n"), std::string("[log]\nlevel = \"a\\nb\"\n"),
        std::string("[log]\nlevel = \"\"\"\n\n") + std::string(5000, 'x')}) {
    for (const std::string& problem : problems_in(text)) {
      for (const char c : problem) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << problem;
      EXPECT_LT(problem.size(), 400u);
    }
    EXPECT_FALSE(problems_in(text).empty());
  }
}

TEST(ConfigLoader, ReportsContradictions) {
  EXPECT_THAT(problems_in("[tls]\nkey = \"key.pem\"\n"), ElementsAre(HasSubstr("TLS needs both")));
}

TEST(ConfigLoader, ReportsNoContradictionWithARefusedValue) {
  EXPECT_THAT(problems_in("[websocket]\nlow_watermark = \"512KiB\"\nhigh_watermark = \"1MB\"\n"),
              ElementsAre(HasSubstr("got \"1MB\"")));
}

TEST(ConfigLoader, ReportsAFileThatCannotBeRead) {
  LoadInputs inputs = Given{}.inputs();
  inputs.read_file = [](const std::string&) -> Result<std::string> {
    return fail(ErrorCode::kIo, "No such file or directory");
  };
  const auto config = load(inputs);
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error(), ElementsAre("anywire.toml: No such file or directory"));
}

TEST(ConfigLoader, ReadsTheFileNamedInTheEnvironment) {
  LoadInputs inputs;
  std::string asked_for;
  inputs.read_file = [&](const std::string& path) -> Result<std::string> {
    asked_for = path;
    return "[server]\nloops = 7\n";
  };
  inputs.environment = {{"ANYWIRE_CONFIG", "/etc/anywire.toml"}};
  const auto config = load(inputs);
  ASSERT_TRUE(config);
  EXPECT_EQ(asked_for, "/etc/anywire.toml");
  EXPECT_EQ(config->server.loops, 7);

  inputs.config_path = "other.toml";
  ASSERT_TRUE(load(inputs));
  EXPECT_EQ(asked_for, "other.toml");
}

TEST(ConfigLoader, ReadsNoFileWhenTheVariableIsEmpty) {
  LoadInputs inputs;
  inputs.environment = {{"ANYWIRE_CONFIG", ""}};
  EXPECT_TRUE(load(inputs));
}

TEST(ConfigEnvironment, SetsEveryKind) {
  Given given{""};
  given.environment = {{"ANYWIRE_RAW_CONFORMANCE", "on"},
                       {"ANYWIRE_SERVER_LOOPS", "2"},
                       {"ANYWIRE_HTTP_HEAD_BYTES_MAX", "8KiB"},
                       {"ANYWIRE_WEBSOCKET_PING_INTERVAL", "5s"},
                       {"ANYWIRE_WEBSOCKET_COMPRESSION", "off"},
                       {"ANYWIRE_TLS_CERTIFICATE", "c.pem"},
                       {"ANYWIRE_TLS_KEY", "k.pem"},
                       {"ANYWIRE_RAW_ROOT", "echo"},
                       {"ANYWIRE_SERVER_LISTEN", "127.0.0.1:1, [::1]:2"}};
  const Config config = given.config();
  EXPECT_TRUE(config.raw.conformance);
  EXPECT_EQ(config.server.loops, 2);
  EXPECT_EQ(config.http.head_bytes_max, 8192u);
  EXPECT_EQ(config.websocket.ping_interval, 5s);
  EXPECT_EQ(config.websocket.compression, Compression::kOff);
  EXPECT_EQ(config.tls.certificate, "c.pem");
  EXPECT_EQ(config.raw.root.kind, RawRoot::Kind::kEcho);
  EXPECT_THAT(config.server.listen, ElementsAre("127.0.0.1:1", "[::1]:2"));
}

TEST(ConfigEnvironment, NamesTheVariableInErrors) {
  Given given{""};
  given.environment = {{"ANYWIRE_SERVER_LOOPS", "many"}};
  EXPECT_THAT(given.problems(),
              ElementsAre("ANYWIRE_SERVER_LOOPS: \"server.loops\" must be a whole number from 0 to "
                          "256, got \"many\""));
}

TEST(ConfigEnvironment, SuggestsTheVariableThatWasMeant) {
  Given given{""};
  given.environment = {{"ANYWIRE_SERVER_LISTENS", "x"}, {"ANYWIRE_QQQ", "x"}};
  EXPECT_THAT(given.problems(),
              ElementsAre("ANYWIRE_QQQ: no such setting",
                          "ANYWIRE_SERVER_LISTENS: no such setting; did you mean "
                          "ANYWIRE_SERVER_LISTEN?"));
}

TEST(ConfigEnvironment, KeepsStrangeNamesOnOneLine) {
  Given given{""};
  given.environment = {{"ANYWIRE_QQQQQ\nB", "x"}};
  EXPECT_THAT(given.problems(), ElementsAre("\"ANYWIRE_QQQQQ\\u000aB\": no such setting"));
}

TEST(ConfigEnvironment, LeavesOtherProgramsVariablesAlone) {
  Given given{""};
  given.environment = {{"PATH", "/bin"},
                       {"NEXT_PUBLIC_ANYWIRE_URL", "ws://x"},
                       {"ANYWIRE_URL", "ws://x"},
                       {"ANYWIRE_PORT", "tcp://10.0.0.1:3001"},
                       {"ANYWIRE_SERVICE_HOST", "10.0.0.1"},
                       {"anywire_server_loops", "many"}};
  EXPECT_THAT(given.problems(), testing::IsEmpty());
}

TEST(ConfigFlags, JoinRepeatedLists) {
  Given given{"[server]\nlisten = [\"127.0.0.1:9\"]\n"};
  given.flags = {{"server.listen", "127.0.0.1:1", "--listen"},
                 {"server.listen", "[::1]:2,127.0.0.1:3", "--listen"}};
  EXPECT_THAT(given.config().server.listen,
              ElementsAre("127.0.0.1:1", "[::1]:2", "127.0.0.1:3"));
}

TEST(ConfigFlags, TakeTheLastOfOtherKinds) {
  Given given{""};
  given.flags = {{"server.loops", "1", "--loops"}, {"server.loops", "2", "--server.loops"}};
  EXPECT_EQ(given.config().server.loops, 2);
}

TEST(ConfigFlags, AreNamedAsSpelledInErrors) {
  Given given{""};
  given.flags = {{"server.loops", "many", "--loops"},
                 {"no.such", "1", "--no.such"},
                 {"x", "", "--x"}};
  EXPECT_THAT(given.problems(),
              ElementsAre("--loops: \"server.loops\" must be a whole number from 0 to 256, got "
                          "\"many\"",
                          "--no.such: no such setting", "--x: no such setting"));
}

TEST(ConfigProcess, ShowsOnlyVariablesOfAnywire) {
  ::setenv("ANYWIRE_LOG_LEVEL", "de=bug", 1);
  ::setenv("SOMETHING_ELSE", "1", 1);
  const auto variables = process_environment();
  ::unsetenv("ANYWIRE_LOG_LEVEL");
  ::unsetenv("SOMETHING_ELSE");
  EXPECT_EQ(variables.at("ANYWIRE_LOG_LEVEL"), "de=bug");
  EXPECT_FALSE(variables.contains("SOMETHING_ELSE"));
}

class ConfigFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "anywire-config-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& text) const {
    const std::string path = folder_ + "/anywire.toml";
    std::ofstream(path) << text;
    return path;
  }
  std::string folder_;
};

TEST_F(ConfigFile, IsReadWhole) {
  const std::string text(100'000, '#');
  EXPECT_EQ(read_config_file(write(text)).value(), text);
  EXPECT_EQ(read_config_file(write("")).value(), "");
}

TEST_F(ConfigFile, IsRefusedWhenItDoesNotExist) {
  const auto text = read_config_file(folder_ + "/none.toml");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "No such file or directory");
}

TEST_F(ConfigFile, IsRefusedWhenItIsAFolder) {
  EXPECT_EQ(read_config_file(folder_).error().message, "Is a directory");
}

TEST_F(ConfigFile, IsRefusedWhenItIsAFifoNobodyWritesTo) {
  const std::string path = folder_ + "/fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(read_config_file(path).error().message, "Not a regular file");
}

TEST_F(ConfigFile, IsRefusedAboveTheLimit) {
  EXPECT_TRUE(read_config_file(write(std::string(kConfigFileBytesMax, '#'))));
  const auto text = read_config_file(write(std::string(kConfigFileBytesMax + 1, '#')));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kLimit);
}

}  // namespace
}  // namespace anywire::server
