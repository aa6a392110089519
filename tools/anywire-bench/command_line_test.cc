#include "command_line.h"

#include <gtest/gtest.h>

#include <vector>

namespace anywire::bench {
namespace {

Command parse(const std::vector<std::string>& arguments) { return parse_command_line(arguments); }

TEST(CommandLine, EchoHasTheDefaultsOfTheReferenceFigures) {
  const Command command = parse({"echo", "ws://127.0.0.1:1/"});
  ASSERT_TRUE(command.options) << command.text;
  EXPECT_EQ(command.options->scenario, Scenario::kEcho);
  EXPECT_EQ(command.options->size, 20u);
  EXPECT_EQ(command.options->connections, 100u);
  EXPECT_EQ(command.options->depth, 1u);
  EXPECT_EQ(command.options->duration.count(), 3000);
  EXPECT_EQ(command.options->warmup.count(), 1000);
}

TEST(CommandLine, EachScenarioKeepsItsOwnDefaults) {
  EXPECT_EQ(parse({"fanout", "ws://h/"}).options->connections, 1000u);
  EXPECT_EQ(parse({"fanout", "ws://h/"}).options->size, 128u);
  EXPECT_EQ(parse({"idle", "ws://h/"}).options->connections, 10'000u);
  EXPECT_EQ(parse({"connect", "ws://h/"}).options->total, 20'000u);
  EXPECT_EQ(parse({"connect", "ws://h/"}).options->scenario, Scenario::kConnect);
}

TEST(CommandLine, TakesFractionsOfASecond) {
  const Command command = parse({"fanout", "ws://h/", "--duration", "0.25", "--warmup", "0"});
  ASSERT_TRUE(command.options);
  EXPECT_EQ(command.options->duration.count(), 250);
  EXPECT_EQ(command.options->warmup.count(), 0);
}

TEST(CommandLine, TakesTheFlagsOfAFanout) {
  const Command command =
      parse({"fanout", "--members", "10000", "--outstanding", "8", "--compressed", "--json",
             "--pid", "12", "--name", "ours", "--dialect", "socketio", "ws://h/x"});
  ASSERT_TRUE(command.options) << command.text;
  EXPECT_EQ(command.options->connections, 10'000u);
  EXPECT_EQ(command.options->outstanding, 8u);
  EXPECT_TRUE(command.options->compressed);
  EXPECT_TRUE(command.options->json);
  EXPECT_EQ(command.options->pid, 12);
  EXPECT_EQ(command.options->name, "ours");
  EXPECT_EQ(command.options->dialect, "socketio");
  EXPECT_EQ(command.options->url, "ws://h/x");
}

TEST(CommandLine, RefusesWhatItDoesNotUnderstand) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"echo"},
      {"dance", "ws://h/"},
      {"echo", "ws://h/", "--members", "3"},
      {"echo", "ws://h/", "--size", "15"},
      {"echo", "ws://h/", "--depth", "0"},
      {"echo", "ws://h/", "--connections", "20001"},
      {"echo", "ws://h/", "--duration", "-1"},
      {"fanout", "ws://h/", "--dialect", "xmpp"},
  };
  for (const auto& arguments : wrong) {
    const Command command = parse(arguments);
    EXPECT_FALSE(command.options);
    EXPECT_EQ(command.status, 2);
    EXPECT_TRUE(command.text.starts_with("anywire-bench: ")) << command.text;
  }
}

TEST(CommandLine, HelpIsNotAFailure) {
  const Command command = parse({"--help"});
  EXPECT_FALSE(command.options);
  EXPECT_EQ(command.status, 0);
  EXPECT_NE(command.text.find("fanout"), std::string::npos);
}

}  // namespace
}  // namespace anywire::bench
