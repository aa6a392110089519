// The scenarios of native clients against a small scripted server that speaks just enough of
// anywire.v1.json, honestly or not.
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "scenarios.h"
#include "native.h"
#include "scripted_server_for_test.h"

namespace anywire::bench {
namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kInRoom = R"("channel":"room:bench",)";

class ScriptedNative final : public ScriptedServer {
 public:
  explicit ScriptedNative(Manner manner) : ScriptedServer(true, manner) { start(); }
  ~ScriptedNative() override { stop(); }

 private:
  void answer(int fd, std::string payload) override {
    payload.starts_with('[') ? greet(fd, payload) : publish(payload);
  }
  void on_gone(int fd) override { members_.erase(fd); }

  void greet(int fd, const std::string& greeting) {
    const bool resumes = greeting.contains(R"("session":")");
    say(fd, R"({"type":"connected","id":1,"client":"c","user":"u",)"
            R"("session":"AAAAAAAAAAAA","resumed":)" +
                std::string(resumes ? "true" : "false") + "}");
    if (greeting.contains(R"("enter")")) say(fd, R"({"type":"ok","id":2})");
    const std::size_t since = greeting.find(R"("since")");
    std::size_t offset = history_.size();
    if (since != std::string::npos) {
      offset = std::stoul(greeting.substr(greeting.find(R"("offset":)", since) + 9));
    }
    const bool recovers = manner() != Manner::kForgets;
    say(fd, R"({"type":"subscribed","id":3,)" + std::string(kInRoom) + R"("epoch":"e","offset":)" +
                std::to_string(offset) + R"(,"top":0,"recovered":)" +
                (recovers ? "true}" : "false}"));
    members_.insert(fd);
    for (; offset < history_.size(); ++offset) deliver({fd}, history_[offset]);
  }

  void publish(const std::string& command) {
    const std::string data = command.substr(command.find(R"("data":)"));
    history_.push_back(R"({"type":"message",)" + std::string(kInRoom) + R"("offset":)" +
                       std::to_string(history_.size() + 1) + R"(,"time":1,)" + data);
    deliver(members_, history_.back());
  }

  void deliver(const std::set<int>& members, std::string message) {
    const bool odd = is_odd();
    if (odd && manner() == Manner::kLoses) return;
    if (odd && manner() == Manner::kDamages) message[message.find(R"("data":")") + 8] ^= 1;
    for (const int member : members) {
      if (odd && manner() == Manner::kDoubles) say(member, message);
      say(member, message);
    }
  }

  static void say(int fd, const std::string& message) {
    send(fd, frame(ws::Opcode::kText, message));
  }

  std::vector<std::string> history_;
  std::set<int> members_;
};

using RunScenario = Result<Report> (*)(Engine&, const Options&);

Result<Report> run(RunScenario scenario, Manner manner, const Options& options) {
  ScriptedNative server(manner);
  const auto native = Native::create({.secret = std::string(kSecret),
                                      .channel = options.channel,
                                      .presence = options.presence});
  auto engine = Engine::create({.url = *parse_url(server.url()),
                                .dialect = (*native)->dialect(),
                                .native = native->get()});
  EXPECT_TRUE(engine);
  return scenario(**engine, options);
}

Options quick() {
  Options options;
  options.connections = 4;
  options.readers = 2;
  options.wake = 4;
  options.size = 64;
  options.bytes = options.kept = 40 * options.size;
  options.messages = 12;
  options.outstanding = 4;
  options.presence = true;
  options.pid = ::getpid();
  options.duration = std::chrono::milliseconds(100);
  options.warmup = options.settle = std::chrono::milliseconds(0);
  return options;
}

TEST(NativeScenarios, ReportTheFiguresOfAnHonestServer) {
  const std::vector<std::pair<RunScenario, std::vector<std::string>>> scenarios = {
      {run_fanout, {"rate", "cpu_us", "p50_us"}},
      {run_idle, {"bytes_per_connection"}},
      {run_stalled, {"growth", "of_bytes_once", "growth_waking", "missed"}},
      {run_storm, {"seconds", "cpu_us", "p99_us", "resumed"}},
  };
  for (const auto& [scenario, fields] : scenarios) {
    const auto report = run(scenario, Manner::kHonest, quick());
    ASSERT_TRUE(report) << report.error().message;
    for (const std::string& field : fields) {
      EXPECT_NE(report->to_json().find("\"" + field + "\":"), std::string::npos) << field;
    }
  }
}

TEST(NativeScenarios, NoticeLostDoubledAndDamagedMessages) {
  for (const RunScenario scenario : {run_fanout, run_stalled, run_storm}) {
    for (const Manner manner : {Manner::kLoses, Manner::kDoubles, Manner::kDamages}) {
      EXPECT_FALSE(run(scenario, manner, quick())) << static_cast<int>(manner);
    }
  }
}

TEST(NativeScenarios, AStormFailsWhereNotAllIsRecovered) {
  const auto report = run(run_storm, Manner::kForgets, quick());
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("lost"), std::string::npos) << report.error().message;
}

TEST(NativeScenarios, PlacedMembersNeedAServerWithTwoLoops) {
  for (const Placement placement : {Placement::kSame, Placement::kCross, Placement::kSpread}) {
    Options options = quick();
    options.placement = placement;
    // All sessions of this server say that they are on loop 0.
    const auto report = run(run_fanout, Manner::kHonest, options);
    const bool one_loop = placement == Placement::kSame && std::hash<std::string_view>{}(
                                                               options.channel) % 2 == 0;
    EXPECT_EQ(report.has_value(), one_loop) << static_cast<int>(placement);
  }
}

TEST(NativeScenarios, ReadersMayStopOneAfterTheOther) {
  Options options = quick();
  options.stagger = true;
  const auto report = run(run_stalled, Manner::kHonest, options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_FALSE(run(run_stalled, Manner::kLoses, options));
}

TEST(NativeScenarios, StalledNeedsAProcessToWatch) {
  Options options = quick();
  options.pid = 0;
  EXPECT_FALSE(run(run_stalled, Manner::kHonest, options));
}

}  // namespace
}  // namespace anywire::bench
