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

constexpr const char* kSecret = "0123456789abcdef0123456789abcdef";

TEST(CommandLine, TakesTheFlagsOfNativeClients) {
  const Command fanout = parse({"fanout", "ws://h/", "--dialect", "native", "--secret", kSecret,
                                "--channel", "c", "--placement", "cross", "--presence"});
  ASSERT_TRUE(fanout.options) << fanout.text;
  EXPECT_EQ(fanout.options->dialect, "native");
  EXPECT_EQ(fanout.options->secret, kSecret);
  EXPECT_EQ(fanout.options->channel, "c");
  EXPECT_EQ(fanout.options->placement, Placement::kCross);
  EXPECT_TRUE(fanout.options->presence);
  EXPECT_EQ(fanout.options->connections, 1000u);
}

TEST(CommandLine, ConnectsNativeClientsWithATokenOrWithout) {
  const Command command = parse({"connect", "ws://h/", "--dialect", "native", "--secret", kSecret});
  ASSERT_TRUE(command.options) << command.text;
  EXPECT_EQ(command.options->dialect, "native");
  EXPECT_FALSE(command.options->anonymous);
  EXPECT_TRUE(parse({"connect", "ws://h/", "--dialect", "native", "--secret", kSecret,
                     "--anonymous"})
                  .options->anonymous);
}

TEST(CommandLine, PublishTakesThePortOfTheApplication) {
  const Command without = parse({"publish", "ws://h/anywire", "--secret", kSecret});
  ASSERT_TRUE(without.options) << without.text;
  EXPECT_EQ(without.options->scenario, Scenario::kPublish);
  EXPECT_EQ(without.options->dialect, "native");
  EXPECT_EQ(without.options->connections, 32u);
  EXPECT_EQ(without.options->size, 128u);
  EXPECT_FALSE(without.options->application);
  const Command with = parse({"publish", "ws://h/anywire", "--dialect", "native", "--secret",
                              kSecret, "--connections", "4", "--depth", "2", "--size", "64",
                              "--channel", "hooked:bench", "--application", "4000"});
  ASSERT_TRUE(with.options) << with.text;
  EXPECT_EQ(with.options->connections, 4u);
  EXPECT_EQ(with.options->depth, 2u);
  EXPECT_EQ(with.options->size, 64u);
  EXPECT_EQ(with.options->channel, "hooked:bench");
  EXPECT_EQ(with.options->application, 4000);
}

TEST(CommandLine, HttpPublishNeedsASecret) {
  const Command command =
      parse({"http-publish", "ws://h/api/v1/publish", "--secret", kSecret, "--connections", "4"});
  ASSERT_TRUE(command.options) << command.text;
  EXPECT_EQ(command.options->scenario, Scenario::kHttpPublish);
  EXPECT_EQ(command.options->connections, 4u);
  EXPECT_EQ(command.options->size, 128u);
  EXPECT_FALSE(parse({"http-publish", "ws://h/api/v1/publish"}).options);
}

TEST(CommandLine, StalledAndStormAreNativeWhateverIsSaid) {
  const Command stalled = parse({"stalled", "ws://h/", "--secret", kSecret, "--bytes", "32MiB",
                                 "--kept", "8MiB", "--readers", "3", "--wake", "5",
                                 "--stagger"});
  ASSERT_TRUE(stalled.options) << stalled.text;
  EXPECT_EQ(stalled.options->scenario, Scenario::kStalled);
  EXPECT_EQ(stalled.options->dialect, "native");
  EXPECT_EQ(stalled.options->connections, 1000u);
  EXPECT_EQ(stalled.options->size, 16384u);
  EXPECT_EQ(stalled.options->bytes, std::size_t{32} << 20);
  EXPECT_EQ(stalled.options->kept, std::size_t{8} << 20);
  EXPECT_EQ(stalled.options->readers, 3u);
  EXPECT_EQ(stalled.options->wake, 5u);
  EXPECT_TRUE(stalled.options->stagger);
  const Command storm = parse({"storm", "ws://h/", "--secret", kSecret, "--messages", "9"});
  ASSERT_TRUE(storm.options) << storm.text;
  EXPECT_EQ(storm.options->scenario, Scenario::kStorm);
  EXPECT_EQ(storm.options->connections, 10'000u);
  EXPECT_EQ(storm.options->messages, 9u);
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
      {"echo", "ws://h/", "--dialect", "native"},
      {"fanout", "ws://h/", "--dialect", "native"},
      {"storm", "ws://h/", "--secret", "short"},
      {"storm", "ws://h/", "--secret", kSecret, "--channel", "a\"b"},
      {"stalled", "ws://h/", "--secret", kSecret, "--bytes", "10"},
      {"stalled", "ws://h/", "--secret", kSecret, "--kept", "10"},
      {"fanout", "ws://h/", "--placement", "cross"},
      {"fanout", "ws://h/", "--placement", "over there"},
      {"connect", "ws://h/", "--dialect", "native"},
      {"connect", "ws://h/", "--anonymous"},
      {"connect", "ws://h/", "--dialect", "native", "--secret", kSecret, "--total", "200001"},
      {"publish", "ws://h/"},
      {"publish", "ws://h/", "--secret", kSecret, "--dialect", "plain"},
      {"publish", "ws://h/", "--secret", kSecret, "--application", "0"},
      {"publish", "ws://h/", "--secret", kSecret, "--application", "65536"},
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
