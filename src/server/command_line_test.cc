#include "server/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace anywire::server {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Result<std::string> no_file(const std::string&) {
  return fail(ErrorCode::kIo, "No such file or directory");
}

Command parse(const std::vector<std::string>& arguments,
              std::map<std::string, std::string> environment = {}) {
  return parse_command_line(arguments, std::move(environment), no_file);
}

Outcome run(const std::vector<std::string>& arguments,
            std::map<std::string, std::string> environment = {}) {
  return execute(parse(arguments, std::move(environment)));
}

Config config_of(const std::vector<std::string>& arguments) {
  Outcome outcome = run(arguments);
  EXPECT_TRUE(outcome.config) << outcome.err;
  return outcome.config.value_or(Config{});
}

// The message of a refused command line, without the pointer to --help that follows.
std::string refusal(const std::vector<std::string>& arguments) {
  const Outcome outcome = run(arguments);
  EXPECT_FALSE(outcome.config);
  EXPECT_EQ(outcome.exit_code, kExitUsage);
  EXPECT_THAT(outcome.out, IsEmpty());
  return outcome.err.substr(0, outcome.err.find('\n'));
}

TEST(CommandServe, StartsWithDefaults) {
  EXPECT_EQ(parse({"serve"}).kind, Command::Kind::kServe);
  const Config config = config_of({"serve"});
  EXPECT_THAT(config.server.listen, ElementsAre("127.0.0.1:3001"));
  EXPECT_EQ(config.raw.root.kind, RawRoot::Kind::kOff);
}

TEST(CommandServe, TakesItsShortFlags) {
  const Config config = config_of({"serve", "--listen", "0.0.0.0:1", "--listen", "[::]:2",
                                   "--loops", "3", "--conformance"});
  EXPECT_THAT(config.server.listen, ElementsAre("0.0.0.0:1", "[::]:2"));
  EXPECT_EQ(config.server.loops, 3);
  EXPECT_TRUE(config.raw.conformance);
}

TEST(CommandServe, TakesEveryKeyAsAFlag) {
  const Config config =
      config_of({"serve", "--websocket.ping_interval", "10s",
                 "--http.trusted_proxies=10.0.0.0/8,::1", "--raw.echo", "off", "--server.listen", "127.0.0.1:5"});
  EXPECT_EQ(config.websocket.ping_interval, 10s);
  EXPECT_THAT(config.http.trusted_proxies, ElementsAre("10.0.0.0/8", "::1"));
  EXPECT_FALSE(config.raw.echo);
  EXPECT_THAT(config.server.listen, ElementsAre("127.0.0.1:5"));
}

TEST(CommandServe, DoesNotTakeTheValueOfTheNextFlag) {
  const Config config = config_of({"serve", "--listen", "127.0.0.1:1", "--loops", "2"});
  EXPECT_THAT(config.server.listen, ElementsAre("127.0.0.1:1"));
}

TEST(CommandServe, ReadsTheConfigFile) {
  Command command = parse({"serve", "--config", "a.toml", "--loops", "2"});
  EXPECT_EQ(command.inputs.config_path, "a.toml");
  command.inputs.read_file = [](const std::string&) -> Result<std::string> {
    return "[server]\nloops = 1\nbacklog = 7\n";
  };
  const Outcome outcome = execute(command);
  ASSERT_TRUE(outcome.config);
  EXPECT_EQ(outcome.config->server.loops, 2);
  EXPECT_EQ(outcome.config->server.backlog, 7);
}

TEST(CommandServe, ReadsTheEnvironment) {
  const Outcome outcome = run({"serve"}, {{"ANYWIRE_SERVER_LOOPS", "5"}});
  ASSERT_TRUE(outcome.config);
  EXPECT_EQ(outcome.config->server.loops, 5);
}

TEST(CommandServe, ReportsEveryBadValueWithItsFlag) {
  const Outcome outcome = run({"serve", "--loops", "many", "--log.level", "loud", "--config", "x"});
  EXPECT_EQ(outcome.exit_code, kExitUsage);
  EXPECT_THAT(outcome.err, StartsWith("x: No such file or directory\n"));
  EXPECT_THAT(outcome.err, HasSubstr("\n--loops: \"server.loops\" must be"));
  EXPECT_THAT(outcome.err, HasSubstr("\n--log.level: \"log.level\" must be"));
}

TEST(CommandServe, HandsNegativeNumbersToTheRangeCheck) {
  EXPECT_THAT(refusal({"serve", "--loops", "-1"}), HasSubstr("got \"-1\""));
  EXPECT_THAT(refusal({"serve", "--loops=-1"}), HasSubstr("got \"-1\""));
}

TEST(CommandServe, AsksForAMissingValue) {
  EXPECT_EQ(refusal({"serve", "--loops"}), "anywire: --loops needs a value");
  EXPECT_EQ(refusal({"serve", "--tls.key"}), "anywire: --tls.key needs a value");
  EXPECT_EQ(refusal({"serve", "--config"}), "anywire: --config needs a value");
}

TEST(CommandServe, SuggestsTheFlagThatWasMeant) {
  EXPECT_EQ(refusal({"serve", "--lisen", "0.0.0.0:1"}),
            "anywire: unknown flag \"--lisen\"; did you mean \"--listen\"?");
  EXPECT_EQ(refusal({"serve", "--websocket.ping_intervall=1s"}),
            "anywire: unknown flag \"--websocket.ping_intervall\"; did you mean "
            "\"--websocket.ping_interval\"?");
  EXPECT_EQ(refusal({"serve", "--ping_interval", "1s"}),
            "anywire: unknown flag \"--ping_interval\"; did you mean "
            "\"--websocket.ping_interval\"?");
  EXPECT_EQ(refusal({"serve", "--raw.allowed_origins", "*"}),
            "anywire: unknown flag \"--raw.allowed_origins\"; moved to \"--http.allowed_origins\"");
  EXPECT_EQ(refusal({"serve", "--frobnicate"}), "anywire: unknown flag \"--frobnicate\"");
}

TEST(CommandServe, TakesNoArguments) {
  EXPECT_EQ(refusal({"serve", "now"}), "anywire: unexpected argument \"now\"");
  EXPECT_EQ(refusal({"serve", "dev"}), "anywire: unexpected argument \"dev\"");
}

TEST(CommandDev, ListensOnBothLoopbackAddresses) {
  EXPECT_EQ(parse({"dev"}).kind, Command::Kind::kDev);
  const Config config = config_of({"dev"});
  EXPECT_THAT(config.server.listen, ElementsAre("127.0.0.1:3001", "[::1]:3001"));
  EXPECT_EQ(config.raw.root.channel, "lobby");
  EXPECT_TRUE(config.raw.root_greeting);
  EXPECT_EQ(config.log.format, log::Format::kHuman);
}

TEST(CommandDev, TakesAPort) {
  EXPECT_THAT(config_of({"dev", "--port", "4000"}).server.listen,
              ElementsAre("127.0.0.1:4000", "[::1]:4000"));
  EXPECT_THAT(config_of({"dev", "--port=0"}).server.listen, ElementsAre("127.0.0.1:0", "[::1]:0"));
}

TEST(CommandDev, RefusesBadPorts) {
  for (const char* port : {"65536", "x", "3001x", "-1", ""}) {
    EXPECT_THAT(refusal({"dev", "--port", port}), HasSubstr("--port")) << port;
  }
}

TEST(CommandDev, RefusesAPortBesideAddresses) {
  EXPECT_THAT(refusal({"dev", "--port", "1", "--listen", "127.0.0.1:2"}), HasSubstr("excludes"));
}

TEST(CommandDev, LetsFlagsOverrideItsDefaults) {
  const Config config = config_of({"dev", "--raw.root", "echo", "--listen", "0.0.0.0:9"});
  EXPECT_EQ(config.raw.root.kind, RawRoot::Kind::kEcho);
  EXPECT_THAT(config.server.listen, ElementsAre("0.0.0.0:9"));
}

TEST(CommandCheck, AcceptsAGoodFile) {
  Command command = parse({"check", "a.toml"});
  ASSERT_EQ(command.kind, Command::Kind::kCheck);
  command.inputs.read_file = [](const std::string& path) -> Result<std::string> {
    EXPECT_EQ(path, "a.toml");
    return "[server]\nloops = 1\n";
  };
  const Outcome outcome = execute(command);
  EXPECT_EQ(outcome.exit_code, kExitOk);
  EXPECT_EQ(outcome.out, "a.toml: ok\n");
  EXPECT_FALSE(outcome.config);
}

TEST(CommandCheck, ListsEveryMistake) {
  Command command = parse({"check", "a.toml"});
  command.inputs.read_file = [](const std::string&) -> Result<std::string> {
    return "[server]\nloop = 1\nbacklog = 0\n";
  };
  const Outcome outcome = execute(command);
  EXPECT_EQ(outcome.exit_code, kExitUsage);
  EXPECT_EQ(outcome.err,
            "a.toml:2:1: unknown key \"server.loop\"; did you mean \"loops\"?\n"
            "a.toml:3:11: \"server.backlog\" must be a whole number from 1 to 65535, got 0\n");
}

TEST(CommandCheck, LooksAtTheFileAlone) {
  EXPECT_THAT(parse({"check", "a.toml"}, {{"ANYWIRE_LOG_LEVEL", "x"}}).inputs.environment,
              IsEmpty());
}

TEST(CommandCheck, NeedsOneFile) {
  EXPECT_THAT(refusal({"check"}), HasSubstr("FILE is required"));
  EXPECT_EQ(refusal({"check", "a", "b"}), "anywire: unexpected argument \"b\"");
}

TEST(CommandPrint, ShowsTheVersion) {
  for (const char* argument : {"version", "--version", "-V"}) {
    const Outcome outcome = run({argument});
    EXPECT_EQ(outcome.out, std::string("anywire ") + kVersion + "\n");
    EXPECT_EQ(outcome.exit_code, kExitOk);
    EXPECT_FALSE(outcome.config);
  }
}

TEST(CommandPrint, HasTheVersionOfTheBuild) {
  std::ifstream file(std::string(ANYWIRE_SOURCE_DIR) + "/CMakeLists.txt");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_THAT(text.str(), HasSubstr(std::string("project(anywire VERSION ") + kVersion + " "));
}

TEST(CommandPrint, ShowsTheConfiguration) {
  EXPECT_THAT(run({"config"}).out, HasSubstr("\nping_interval = \"25s\"\n"));
  EXPECT_THAT(run({"config", "--markdown"}).out, StartsWith("# Configuration\n"));
  EXPECT_EQ(refusal({"config", "--markdwon"}),
            "anywire: unknown flag \"--markdwon\"; did you mean \"--markdown\"?");
}

TEST(CommandPrint, ShowsHelpWithExamples) {
  for (const char* argument : {"--help", "-h"}) {
    const Outcome outcome = run({argument});
    EXPECT_EQ(outcome.exit_code, kExitOk);
    EXPECT_THAT(outcome.out, HasSubstr("anywire dev "));
    for (const char* name : {"serve", "dev", "check", "config", "version"}) {
      EXPECT_THAT(outcome.out, HasSubstr(std::string("\n  ") + name + " "));
    }
  }
}

TEST(CommandPrint, KeepsTheHelpOfACommandShort) {
  const std::string help = run({"serve", "--help"}).out;
  EXPECT_THAT(help, HasSubstr("--listen"));
  EXPECT_THAT(help, HasSubstr("--conformance"));
  EXPECT_EQ(help.find("--websocket.ping_timeout"), help.npos);
  EXPECT_THAT(run({"dev", "--help"}).out, HasSubstr("--port"));
}

TEST(CommandLine, ExplainsItselfWithoutArguments) {
  const Outcome outcome = run({});
  EXPECT_EQ(outcome.exit_code, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("Usage: anywire"));
}

TEST(CommandLine, SuggestsTheCommandThatWasMeant) {
  EXPECT_EQ(refusal({"serv"}), "anywire: unknown command \"serv\"; did you mean \"serve\"?");
  EXPECT_EQ(refusal({"xyzzy"}), "anywire: unknown command \"xyzzy\"");
  EXPECT_EQ(refusal({"--hlep"}), "anywire: unknown flag \"--hlep\"; did you mean \"--help\"?");
}

TEST(CommandLine, SurvivesOddArguments) {
  for (const std::string& odd : {std::string(""), std::string("-"), std::string("--"),
                                 std::string("---"), std::string("\xff\n"), std::string("="),
                                 std::string(100'000, '-'), std::string(100'000, 'x'),
                                 std::string("--=x"), std::string("[]"), std::string("{}")}) {
    EXPECT_EQ(run({odd}).exit_code, kExitUsage) << odd.substr(0, 20);
    // Some of these say nothing at all behind a command; none may crash.
    const Outcome behind = run({"serve", odd});
    EXPECT_TRUE(behind.config || behind.exit_code == kExitUsage);
  }
}

}  // namespace
}  // namespace anywire::server
