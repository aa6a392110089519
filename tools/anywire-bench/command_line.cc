#include "command_line.h"

#include <CLI/CLI.hpp>
#include <vector>

#include "dialect.h"
#include "frame_template.h"

namespace anywire::bench {
namespace {

struct Numbers {
  double duration = 3;
  double warmup = 1;
  double settle = 10;
};

void add_common(CLI::App& app, Options& options, Numbers& numbers) {
  app.add_option("URL", options.url, "ws://HOST:PORT/PATH, numeric host")->required();
  app.add_option("--pid", options.pid, "Server process on this machine to measure");
  app.add_option("--name", options.name, "Label for the output");
  app.add_option("--dialect", options.dialect, "plain or socketio")
      ->check(CLI::IsMember({"plain", "socketio"}));
  app.add_flag("--json", options.json, "Print one JSON object");
  app.add_flag("--text", options.text, "Send text frames (default: binary)");
  app.add_flag("--plain-send", options.plain_send, "Do not use io_uring in the generator");
  app.add_option("--warmup", numbers.warmup, "Seconds not counted")->check(CLI::NonNegativeNumber);
}

void add_size(CLI::App& app, Options& options, std::size_t preset) {
  options.size = preset;
  app.add_option("--size", options.size, "Payload bytes")
      ->check(CLI::Range(kStampBytes, std::size_t{64} << 20));
}

void add_duration(CLI::App& app, Numbers& numbers) {
  app.add_option("--duration", numbers.duration, "Seconds measured")->check(CLI::PositiveNumber);
}

std::chrono::milliseconds seconds(double value) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

}  // namespace

Command parse_command_line(std::span<const std::string> arguments) {
  CLI::App app("Load generator for WebSocket servers.", "anywire-bench");
  app.require_subcommand(1);
  Numbers numbers;
  const auto count = CLI::Range(1, 19'900);

  Options echo;
  CLI::App* echo_app = app.add_subcommand("echo", "Requests and replies");
  add_common(*echo_app, echo, numbers);
  add_size(*echo_app, echo, 20);
  add_duration(*echo_app, numbers);
  echo_app->add_option("--connections", echo.connections, "Connections")->check(count);
  echo_app->add_option("--depth", echo.depth, "Requests in flight per connection")
      ->check(CLI::Range(1, 1024));

  Options fanout;
  fanout.scenario = Scenario::kFanout;
  fanout.connections = 1000;
  CLI::App* fanout_app = app.add_subcommand("fanout", "One publishes, all members receive");
  add_common(*fanout_app, fanout, numbers);
  add_size(*fanout_app, fanout, 128);
  add_duration(*fanout_app, numbers);
  fanout_app->add_option("--members", fanout.connections, "Members")->check(count);
  fanout_app->add_option("--outstanding", fanout.outstanding, "Messages per burst")
      ->check(CLI::Range(1, 1024));
  fanout_app->add_flag("--compressed", fanout.compressed, "Ask for permessage-deflate");

  Options idle;
  idle.scenario = Scenario::kIdle;
  idle.connections = 10'000;
  CLI::App* idle_app = app.add_subcommand("idle", "Memory of idle connections");
  add_common(*idle_app, idle, numbers);
  idle_app->add_option("--connections", idle.connections, "Connections")->check(count);
  idle_app->add_option("--settle", numbers.settle, "Seconds from the last close to the last look");

  Options connect;
  connect.scenario = Scenario::kConnect;
  CLI::App* connect_app = app.add_subcommand("connect", "Connect, upgrade, close");
  add_common(*connect_app, connect, numbers);
  connect_app->add_option("--total", connect.total, "Cycles")->check(CLI::PositiveNumber);
  connect_app->add_option("--concurrency", connect.concurrency, "At a time")->check(count);

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    return {{}, app.help(), 0};
  } catch (const CLI::ParseError& error) {
    return {{}, std::string("anywire-bench: ") + error.what() + "\n", 2};
  }
  Options options = echo_app->parsed()     ? echo
                    : fanout_app->parsed() ? fanout
                    : idle_app->parsed()   ? idle
                                           : connect;
  options.duration = seconds(numbers.duration);
  options.warmup = seconds(numbers.warmup);
  options.settle = seconds(numbers.settle);
  return {options, {}, 0};
}

}  // namespace anywire::bench
