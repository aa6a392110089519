// The scenarios against a small scripted server, honest and dishonest: a generator that does not
// notice a lost message would make every figure worthless.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "scenarios.h"
#include "scripted_server_for_test.h"

namespace anywire::bench {
namespace {

Options quick() {
  Options options;
  options.connections = 4;
  options.size = 64;
  options.depth = 4;
  options.outstanding = 4;
  options.total = 20;
  options.concurrency = 4;
  options.pid = ::getpid();
  options.duration = std::chrono::milliseconds(100);
  options.warmup = std::chrono::milliseconds(0);
  return options;
}

using RunScenario = Result<Report> (*)(Engine&, const Options&);

Result<Report> run(RunScenario scenario, ScriptedServer& server, const Options& options) {
  server.start();
  auto engine = Engine::create({.url = *parse_url(server.url())});
  EXPECT_TRUE(engine);
  return scenario(**engine, options);
}

TEST(EchoScenario, ReportsRateCpuAndLatencyOfAnHonestServer) {
  ScriptedServer server(false, Manner::kHonest);
  const auto report = run(run_echo, server, quick());
  ASSERT_TRUE(report) << report.error().message;
  for (const char* field : {"\"rate\":", "\"cpu_us\":", "\"p50_us\":", "\"p99_us\":"}) {
    EXPECT_NE(report->to_json().find(field), std::string::npos) << field;
  }
}

TEST(EchoScenario, ChecksLargeRepliesToo) {
  ScriptedServer server(false, Manner::kHonest);
  Options options = quick();
  options.size = 200'000;
  options.depth = 1;
  const auto report = run(run_echo, server, options);
  EXPECT_TRUE(report) << report.error().message;
}

TEST(EchoScenario, NoticesLostDoubledAndDamagedReplies) {
  for (const Manner manner : {Manner::kLoses, Manner::kDoubles, Manner::kSwaps, Manner::kDamages}) {
    ScriptedServer server(false, manner);
    const auto report = run(run_echo, server, quick());
    ASSERT_FALSE(report) << static_cast<int>(manner);
    EXPECT_NE(report.error().message.find("not what was sent"), std::string::npos)
        << report.error().message;
  }
}

TEST(FanoutScenario, CountsEveryDelivery) {
  ScriptedServer server(true, Manner::kHonest);
  const auto report = run(run_fanout, server, quick());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_NE(report->to_json().find("\"rate\":"), std::string::npos);
}

TEST(FanoutScenario, NoticesLostDoubledReorderedAndDamagedDeliveries) {
  for (const Manner manner : {Manner::kLoses, Manner::kDoubles, Manner::kSwaps, Manner::kDamages}) {
    ScriptedServer server(true, manner);
    const auto report = run(run_fanout, server, quick());
    EXPECT_FALSE(report) << static_cast<int>(manner);
  }
}

TEST(ConnectScenario, RunsTheGivenNumberOfCycles) {
  ScriptedServer server(false, Manner::kHonest);
  const auto report = run(run_connect, server, quick());
  ASSERT_TRUE(report) << report.error().message;
}

TEST(ConnectScenario, WantsAClosingHandshake) {
  ScriptedServer server(false, Manner::kNoClose);
  const auto report = run(run_connect, server, quick());
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("closing handshake"), std::string::npos);
}

TEST(IdleScenario, MeasuresAProcessAndNeedsToKnowWhich) {
  ScriptedServer server(false, Manner::kHonest);
  Options options = quick();
  options.settle = std::chrono::milliseconds(0);
  const auto report = run(run_idle, server, options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_NE(report->to_json().find("\"bytes_per_connection\":"), std::string::npos);
  options.pid = 0;
  EXPECT_FALSE(run(run_idle, server, options));
}

TEST(AnyScenario, SaysWhyTheServerDidNotUpgrade) {
  ScriptedServer server(false, Manner::kRefuses);
  for (const RunScenario scenario : {run_echo, run_fanout, run_connect}) {
    const auto report = run(scenario, server, quick());
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().message.find("403 Forbidden"), std::string::npos)
        << report.error().message;
  }
}

TEST(Scenarios, HttpPublishFailsWhereThereIsNoApi) {
  ScriptedServer server(false, Manner::kHonest);
  const auto report = run(run_http_publish, server, {.size = 16, .connections = 1});
  ASSERT_FALSE(report);
}

}  // namespace
}  // namespace anywire::bench
