// Command line: what `anywire ARGUMENTS...` asks for, and everything about it that needs no server.
//
//   anywire serve [--config FILE] [--listen HOST:PORT]... [--loops N] [--conformance]
//   anywire dev [--port N]
//   anywire check FILE      anywire config [--markdown]      anywire version
//
// main() parses, executes, prints, and either exits or starts the server:
//   Command command = parse_command_line(arguments, process_environment(), read_config_file);
//   Outcome outcome = execute(command);
//   std::fputs(outcome.out.c_str(), stdout);
//   std::fputs(outcome.err.c_str(), stderr);
//   if (!outcome.config) return outcome.exit_code;
//   ... run a server with *outcome.config ...
//
// Nothing here exits, prints or throws; exceptions of the parsing library end inside.
// Thread: start-up only. For a reload, call load(command.inputs) again.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "server/config.h"
#include "server/config_loader.h"

namespace anywire::server {

inline constexpr const char* kVersion = "0.1.0";

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;  // the server could not start or failed while running
inline constexpr int kExitUsage = 2;    // the command line or the configuration is wrong

struct Command {
  enum class Kind {
    kServe,
    kDev,
    kCheck,   // of the file in inputs.config_path, alone
    kPrint,   // `text` is the answer: help, version, config
    kRefuse,  // `text` says what is wrong with the command line
  };
  Kind kind = Kind::kRefuse;
  LoadInputs inputs;  // of serve, dev and check
  std::string text;
};

// `arguments` without the program's name. The inputs' environment and reader are the ones given.
Command parse_command_line(std::span<const std::string> arguments,
                           std::map<std::string, std::string> environment,
                           std::function<Result<std::string>(const std::string&)> read_file);

struct Outcome {
  std::optional<Config> config;  // set when a server is to be run: serve and dev, all well
  int exit_code = kExitOk;       // for when it is not
  std::string out;               // for standard output, newline included
  std::string err;               // for standard error, newline included
};

Outcome execute(const Command& command);

}  // namespace anywire::server
