// That the simulation itself can be believed: each of its checkers catches the fault planted for
// it, the same seed is the same run, and a failure can be made small.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "sim/runner.h"

namespace anywire::sim {
namespace {

struct Planted {
  Fault fault;
  std::set<Check> caught_by;
};

void PrintTo(const Planted& planted, std::ostream* out) { *out << name(planted.fault); }

class FaultTest : public ::testing::TestWithParam<Planted> {};

TEST_P(FaultTest, IsCaught) {
  // Not every run brings about what the fault needs.
  constexpr std::uint64_t kSeeds = 500;
  int caught = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds && caught < 3; ++seed) {
    const Outcome outcome = run(scenario_of(seed), GetParam().fault);
    if (!outcome.violation) continue;
    EXPECT_TRUE(GetParam().caught_by.contains(outcome.violation->check))
        << "seed " << seed << ": " << name(outcome.violation->check) << ": "
        << outcome.violation->text;
    ++caught;
  }
  EXPECT_EQ(caught, 3) << "nobody noticed";
}

INSTANTIATE_TEST_SUITE_P(
    Planted, FaultTest,
    ::testing::Values(
        Planted{Fault::kDropMessage, {Check::kGap}},
        Planted{Fault::kRepeatMessage, {Check::kDuplicate}},
        Planted{Fault::kChangeContent, {Check::kOrder}},
        Planted{Fault::kSwapMessages,
                {Check::kOrder, Check::kGap, Check::kDuplicate, Check::kProtocol}},
        Planted{Fault::kFalseAdvance, {Check::kGap}},
        Planted{Fault::kFalseGap, {Check::kGap}},
        Planted{Fault::kLoseReply, {Check::kReply}},
        Planted{Fault::kRepeatReply, {Check::kReply}},
        Planted{Fault::kAckNothing, {Check::kPublish}},
        Planted{Fault::kForgetKey, {Check::kDuplicate}},
        Planted{Fault::kLoseLeave, {Check::kPresence}},
        Planted{Fault::kWrongClose, {Check::kEnd}},
        Planted{Fault::kSilentEnd, {Check::kEnd}},
        Planted{Fault::kLeakSubscriber, {Check::kMemory}},
        Planted{Fault::kLeakHistory, {Check::kMemory}}),
    [](const auto& test) {
      std::string text(name(test.param.fault));
      for (char& c : text) c = c == ' ' ? '_' : c;
      return text;
    });

TEST(Simulation, IsTheSameForTheSameSeed) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Scenario scenario = scenario_of(seed);
    const Outcome first = run(scenario, Fault::kNone, Tracing::kKeep);
    const Outcome second = run(scenario, Fault::kNone, Tracing::kKeep);
    ASSERT_GT(first.lines.size(), scenario.steps.size());
    ASSERT_EQ(first.lines, second.lines) << "seed " << seed;
  }
}

TEST(Simulation, MakesAFailureSmall) {
  const Scenario scenario = scenario_of(1);
  const Fault fault = Fault::kLeakSubscriber;
  ASSERT_TRUE(run(scenario, fault).violation);
  const Scenario small = shrink(scenario, fault, Check::kMemory, 200);
  EXPECT_TRUE(small.steps.empty()) << "it needs none of them";
}

// What the runs are for has to happen in them.
TEST(Simulation, ReachesWhatItIsMeantToReach) {
  const std::vector<std::string> wanted = {
      "\"type\":\"message\"",   "\"type\":\"advance\"",   "\"reason\":\"evicted\"",
      "\"reason\":\"epoch\"",   "\"reason\":\"slow\"",    "\"recovered\":true",
      "\"recovered\":false",    "\"resumed\":true",       "\"duplicate\":true",
      "\"code\":\"unavailable\"", "\"type\":\"history\"", "\"reason\":\"lost\"",
      "\"reason\":\"replaced\"", "\"update\":[",          "\"missed\":",
      "\"type\":\"expiring\"",  "told to close: 4452",    "\"code\":\"overloaded\""};
  std::set<std::string> missing(wanted.begin(), wanted.end());
  for (std::uint64_t seed = 1; seed <= 400 && !missing.empty(); ++seed) {
    for (const std::string& line : run(scenario_of(seed), Fault::kNone, Tracing::kKeep).lines) {
      std::erase_if(missing, [&](const std::string& one) {
        return line.find(" hears ") != line.npos || line.find(" told ") != line.npos
                   ? line.find(one) != line.npos
                   : false;
      });
    }
  }
  for (const std::string& one : missing) ADD_FAILURE() << "never: " << one;
}

}  // namespace
}  // namespace anywire::sim

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  anywire::log::configure({.level = anywire::log::Level::kError});
  return RUN_ALL_TESTS();
}
