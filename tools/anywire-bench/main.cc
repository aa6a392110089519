// anywire-bench: puts load on a WebSocket server and says what it costs the server.

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/fd_limit.h"
#include "application.h"
#include "command_line.h"
#include "native.h"
#include "scenarios.h"

namespace anywire::bench {
namespace {

Result<Report> publish(Engine& engine, const Options& options) {
  if (!options.application) return run_publish(engine, options, nullptr);
  const auto application = Application::open(engine, *options.application);
  if (!application) return std::unexpected(application.error());
  return run_publish(engine, options, application->get());
}

Result<Report> run(const Options& options) {
  const auto url = parse_url(options.url);
  if (!url) return std::unexpected(url.error());
  if (auto limit = raise_fd_limit(); !limit) return std::unexpected(limit.error());
  std::unique_ptr<Native> native;
  if (options.dialect == kNativeDialectName) {
    auto made = Native::create({.secret = options.secret,
                                .channel = options.channel,
                                .presence = options.presence,
                                .subscribes = options.scenario != Scenario::kConnect &&
                                              options.scenario != Scenario::kPublish,
                                .anonymous = options.anonymous});
    if (!made) return std::unexpected(made.error());
    native = *std::move(made);
  }
  auto engine = Engine::create({.url = *url,
                                .dialect = native ? native->dialect()
                                                  : *find_dialect(options.dialect),
                                .native = native.get(),
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
    case Scenario::kStalled:
      return run_stalled(**engine, options);
    case Scenario::kStorm:
      return run_storm(**engine, options);
    case Scenario::kPublish:
      return publish(**engine, options);
    case Scenario::kHttpPublish:
      return run_http_publish(**engine, options);
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
