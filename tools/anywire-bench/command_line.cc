#include "command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <vector>

#include "auth/key.h"
#include "dialect.h"
#include "frame_template.h"

namespace anywire::bench {
namespace {

constexpr std::size_t kConnectionsMax = 19'900;
// Of native clients, whose tokens are signed beforehand: some 60 MB.
constexpr std::size_t kSignedMax = 200'000;

struct Numbers {
  double duration = 3;
  double warmup = 1;
  double settle = 10;
};

CLI::Range count_up_to(std::size_t most) { return {std::size_t{1}, most}; }

void add_common(CLI::App& app, Options& options, Numbers& numbers) {
  app.add_option("URL", options.url, "ws://HOST:PORT/PATH, numeric host")->required();
  app.add_option("--pid", options.pid, "Server process on this machine to measure");
  app.add_option("--name", options.name, "Label for the output");
  app.add_flag("--json", options.json, "Print one JSON object");
  app.add_flag("--text", options.text, "Send text frames (default: binary)");
  app.add_flag("--plain-send", options.plain_send, "Do not use io_uring in the generator");
  app.add_option("--warmup", numbers.warmup, "Seconds not counted")->check(CLI::NonNegativeNumber);
}

void add_dialect(CLI::App& app, Options& options, std::vector<std::string> known) {
  app.add_option("--dialect", options.dialect, "What the server speaks")
      ->check(CLI::IsMember(std::move(known)));
}

void add_secret_and_channel(CLI::App& app, Options& options) {
  app.add_option("--secret", options.secret, "Native: the server's auth.hs256_secret");
  app.add_option("--channel", options.channel, "Native: the channel, of plain characters");
}

void add_native(CLI::App& app, Options& options) {
  add_secret_and_channel(app, options);
  app.add_flag("--presence", options.presence, "Native: enter the channel, too");
}

void add_size(CLI::App& app, Options& options, std::size_t preset) {
  options.size = preset;
  app.add_option("--size", options.size, "Payload bytes")
      ->check(CLI::Range(kStampBytes, std::size_t{64} << 20));
}

void add_duration(CLI::App& app, Numbers& numbers) {
  app.add_option("--duration", numbers.duration, "Seconds measured")->check(CLI::PositiveNumber);
}

void add_echo(CLI::App& app, Options& options, Numbers& numbers) {
  add_common(app, options, numbers);
  add_dialect(app, options, {"plain", "socketio"});
  add_size(app, options, 20);
  add_duration(app, numbers);
  app.add_option("--connections", options.connections, "Connections")
      ->check(count_up_to(kConnectionsMax));
  app.add_option("--depth", options.depth, "Requests in flight per connection")
      ->check(count_up_to(1024));
}

void add_fanout(CLI::App& app, Options& options, Numbers& numbers) {
  options.connections = 1000;
  add_common(app, options, numbers);
  add_dialect(app, options, {"plain", "socketio", std::string(kNativeDialectName)});
  add_native(app, options);
  add_size(app, options, 128);
  add_duration(app, numbers);
  app.add_option("--members", options.connections, "Members")->check(count_up_to(kConnectionsMax));
  app.add_option("--outstanding", options.outstanding, "Messages per burst")
      ->check(count_up_to(1024));
  app.add_flag("--compressed", options.compressed, "Ask for permessage-deflate");
  app.add_option("--placement", options.placement,
                 "Native, server with --loops 2: the publisher is on the loop that owns the "
                 "channel, the members are on the same, across on the other, or spread over both")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Placement>{{"any", Placement::kAny},
                                           {"same", Placement::kSame},
                                           {"cross", Placement::kCross},
                                           {"spread", Placement::kSpread}}));
}

void add_idle(CLI::App& app, Options& options, Numbers& numbers) {
  options.connections = 10'000;
  add_common(app, options, numbers);
  add_dialect(app, options, {"plain", "socketio", std::string(kNativeDialectName)});
  add_native(app, options);
  app.add_option("--connections", options.connections, "Connections")
      ->check(count_up_to(kConnectionsMax));
  app.add_option("--settle", numbers.settle, "Seconds from the last close to the last look");
}

void add_connect(CLI::App& app, Options& options, Numbers& numbers) {
  add_common(app, options, numbers);
  add_dialect(app, options, {"plain", "socketio", std::string(kNativeDialectName)});
  add_secret_and_channel(app, options);
  app.add_flag("--anonymous", options.anonymous, "Native: connect without a token");
  app.add_option("--total", options.total, "Cycles")->check(CLI::PositiveNumber);
  app.add_option("--concurrency", options.concurrency, "At a time")
      ->check(count_up_to(kConnectionsMax));
}

void add_stalled(CLI::App& app, Options& options, Numbers& numbers) {
  options.dialect = kNativeDialectName;
  options.connections = 1000;
  add_common(app, options, numbers);
  add_native(app, options);
  add_size(app, options, 16 * 1024);
  app.add_option("--connections", options.connections, "Clients that stop reading")
      ->check(count_up_to(kConnectionsMax / 2));
  app.add_option("--readers", options.readers, "Clients that read on")
      ->check(count_up_to(kConnectionsMax / 2));
  app.add_flag("--stagger", options.stagger, "They stop one after the other, until the end");
  app.add_option("--wake", options.wake, "Of the stalled ones, how many read again in the end");
  app.add_option("--bytes", options.bytes, "Payload that is published, such as 64MiB")
      ->transform(CLI::AsSizeValue(false));
  app.add_option("--kept", options.kept, "Payload that the channel's history can hold")
      ->transform(CLI::AsSizeValue(false));
}

void add_storm(CLI::App& app, Options& options, Numbers& numbers) {
  options.dialect = kNativeDialectName;
  options.connections = 10'000;
  add_common(app, options, numbers);
  add_native(app, options);
  add_size(app, options, 128);
  app.add_option("--connections", options.connections, "Clients")
      ->check(count_up_to(kConnectionsMax));
  app.add_option("--messages", options.messages, "Missed by each")->check(CLI::PositiveNumber);
}

void add_publish(CLI::App& app, Options& options, Numbers& numbers) {
  options.dialect = kNativeDialectName;
  options.connections = 32;
  add_common(app, options, numbers);
  add_dialect(app, options, {std::string(kNativeDialectName)});
  add_secret_and_channel(app, options);
  add_size(app, options, 128);
  add_duration(app, numbers);
  app.add_option("--connections", options.connections, "Connections")
      ->check(count_up_to(kConnectionsMax));
  app.add_option("--depth", options.depth, "Publications in flight per connection")
      ->check(count_up_to(1024));
  app.add_option("--application", options.application,
                 "Be the application on this port of 127.0.0.1, which the server's app.url names, "
                 "and allow what it is asked about")
      ->check(CLI::Range(1, 65'535));
}

void add_http_publish(CLI::App& app, Options& options, Numbers& numbers) {
  options.connections = 32;
  add_common(app, options, numbers);
  add_size(app, options, 128);
  add_duration(app, numbers);
  app.add_option("--secret", options.secret, "The server's auth.hs256_secret")->required();
  app.add_option("--channel", options.channel, "The channel, of plain characters");
  app.add_option("--connections", options.connections, "Connections")
      ->check(count_up_to(kConnectionsMax));
}

struct Subcommand {
  const char* name;
  const char* about;
  Scenario scenario;
  void (*add)(CLI::App&, Options&, Numbers&);
};

constexpr Subcommand kSubcommands[] = {
    {"echo", "Requests and replies", Scenario::kEcho, add_echo},
    {"fanout", "One publishes, all members receive", Scenario::kFanout, add_fanout},
    {"idle", "Memory of idle connections", Scenario::kIdle, add_idle},
    {"connect", "Connect, upgrade, close", Scenario::kConnect, add_connect},
    {"stalled", "Native clients that do not read", Scenario::kStalled, add_stalled},
    {"storm", "Native clients that all come back at once", Scenario::kStorm, add_storm},
    {"publish", "Publications of native clients, acknowledged", Scenario::kPublish, add_publish},
    {"http-publish", "Publications through the HTTP API", Scenario::kHttpPublish,
     add_http_publish},
};

Command refusal(std::string_view why) {
  return {{}, "anywire-bench: " + std::string(why) + "\n", 2};
}

std::chrono::milliseconds seconds(double value) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

Command checked(Options options, const Numbers& numbers) {
  const bool native = options.dialect == kNativeDialectName;
  if (native && options.secret.size() < auth::kSecretBytesMin) {
    return refusal("native clients need a --secret of 32 bytes at least");
  }
  if (native && options.channel.find_first_of("\"\\") != std::string::npos) {
    return refusal("--channel has to be of plain characters");
  }
  if (!native && options.placement != Placement::kAny) {
    return refusal("only native clients can be placed");
  }
  if (!native && options.anonymous) return refusal("only native clients can be anonymous");
  if (native && options.scenario == Scenario::kConnect && options.total > kSignedMax) {
    return refusal(fmt::format("--total of native clients is at most {}", kSignedMax));
  }
  if (options.bytes < options.size || options.kept < options.size) {
    return refusal("--bytes and --kept hold one message at least");
  }
  options.duration = seconds(numbers.duration);
  options.warmup = seconds(numbers.warmup);
  options.settle = seconds(numbers.settle);
  return {std::move(options), {}, 0};
}

}  // namespace

Command parse_command_line(std::span<const std::string> arguments) {
  CLI::App app("Load generator for WebSocket servers.", "anywire-bench");
  app.require_subcommand(1);
  Numbers numbers;
  std::vector<Options> options(std::size(kSubcommands));
  std::vector<CLI::App*> apps;
  for (const Subcommand& one : kSubcommands) {
    apps.push_back(app.add_subcommand(one.name, one.about));
    Options& its = options[apps.size() - 1];
    its.scenario = one.scenario;
    one.add(*apps.back(), its, numbers);
  }
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    return {{}, app.help(), 0};
  } catch (const CLI::ParseError& error) {
    return refusal(error.what());
  }
  std::size_t chosen = 0;
  while (!apps[chosen]->parsed()) ++chosen;
  return checked(std::move(options[chosen]), numbers);
}

}  // namespace anywire::bench
