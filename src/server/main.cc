#include <cstdio>
#include <string>
#include <vector>

#include "base/log.h"
#include "server/command_line.h"
#include "server/config_loader.h"
#include "server/server.h"

int main(int argc, char** argv) {
  using namespace anywire;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const server::Command command = server::parse_command_line(
      arguments, server::process_environment(), server::read_config_file);
  const server::Outcome outcome = server::execute(command);
  std::fputs(outcome.out.c_str(), stdout);
  std::fputs(outcome.err.c_str(), stderr);
  if (!outcome.config) return outcome.exit_code;

  log::configure({.level = outcome.config->log.level, .format = outcome.config->log.format});
  const bool dev = command.kind == server::Command::Kind::kDev;
  const server::ServerOptions options{
      .dev = dev, .reload_config = [&] { return server::load(command.inputs); }};
  if (const auto ran = server::run(*outcome.config, options); !ran) {
    log::error(ran.error().message);
    return server::kExitFailure;
  }
  return server::kExitOk;
}
