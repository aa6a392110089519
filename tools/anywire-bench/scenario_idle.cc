#include <fmt/format.h>

#include "fleet.h"
#include "scenarios.h"

namespace anywire::bench {
namespace {

using namespace std::chrono_literals;

class Silent final : public FleetHandler {
 public:
  void on_message(Client&, const Message&) override {}
};

constexpr std::size_t kWarmConnections = 16;
constexpr auto kQuiet = 1s;

Result<MemorySample> quiet_memory(Engine& engine, int pid) {
  engine.run_for(kQuiet);
  if (engine.failed()) return std::unexpected(engine_error(engine));
  return sample_memory(pid);
}

}  // namespace

Result<Report> run_idle(Engine& engine, const Options& options) {
  if (options.pid == 0) return fail(ErrorCode::kInvalidArgument, "idle needs --pid");
  Silent silent;
  Fleet fleet(engine, silent);
  // What the server makes once, on its first connections, is not the price of the ten thousandth.
  if (!fleet.open(kWarmConnections)) return std::unexpected(engine_error(engine));
  fleet.close_all();
  const auto before = quiet_memory(engine, options.pid);
  if (!before) return std::unexpected(before.error());
  if (!fleet.open(options.connections)) return std::unexpected(engine_error(engine));
  const auto full = quiet_memory(engine, options.pid);
  if (!full) return std::unexpected(full.error());
  fleet.close_all();
  engine.run_for(options.settle);
  const auto after = sample_memory(options.pid);
  if (!after) return std::unexpected(after.error());

  Report report(fmt::format("{} idle x{}", options.name, options.connections));
  const auto delta = [](std::uint64_t from, std::uint64_t to) {
    return static_cast<double>(static_cast<std::int64_t>(to - from));
  };
  const auto n = static_cast<double>(options.connections);
  report.add("bytes_per_connection", delta(before->anonymous, full->anonymous) / n, "B", 1);
  report.add("private_dirty_per_connection",
             delta(before->private_dirty, full->private_dirty) / n, "B", 1);
  report.add("rss_before", static_cast<double>(before->rss) / 1e6, "MB", 2);
  report.add("rss_full", static_cast<double>(full->rss) / 1e6, "MB", 2);
  report.add("rss_after", static_cast<double>(after->rss) / 1e6, "MB", 2);
  report.add("left_over", delta(before->anonymous, after->anonymous) / 1e6, "MB", 2);
  return report;
}

}  // namespace anywire::bench
