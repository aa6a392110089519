// anywire-bench: puts load on a WebSocket server and says what it costs the server.

#include <cstdio>
#include <string>
#include <vector>

#include "base/fd_limit.h"
#include "command_line.h"
#include "scenarios.h"

namespace anywire::bench {
namespace {

Result<Report> run(const Options& options) {
  const auto url = parse_url(options.url);
  if (!url) return std::unexpected(url.error());
  if (auto limit = raise_fd_limit(); !limit) return std::unexpected(limit.error());
  auto engine = Engine::create({.url = *url,
                                .dialect = *find_dialect(options.dialect),
                                .offer_deflate = options.compressed,
                                .use_io_uring = !options.plain_send});
  if (!engine) return std::unexpected(engine.error());
  switch (options.scenario) {
    case Scenario::kEcho:
      return run_echo(**engine, options);
    case Scenario::kFanout:
      return run_fanout(**engine, options);
    case Scenario::kIdle:
      return run_idle(**engine, options);
    case Scenario::kConnect:
      return run_connect(**engine, options);
  }
  return fail(ErrorCode::kInvalidArgument, "unknown scenario");
}

}  // namespace
}  // namespace anywire::bench

int main(int argc, char** argv) {
  using namespace anywire;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bench::Command command = bench::parse_command_line(arguments);
  if (!command.options) {
    std::fputs(command.text.c_str(), command.status == 0 ? stdout : stderr);
    return command.status;
  }
  const auto report = bench::run(*command.options);
  if (!report) {
    std::fprintf(stderr, "anywire-bench: %s\n", report.error().message.c_str());
    return 1;
  }
  std::puts((command.options->json ? report->to_json() : report->to_line()).c_str());
  return 0;
}
