// The command line of anywire-bench.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "options.h"

namespace anywire::bench {

// What to do: run with options, or print a text (help, or what is wrong) and end with a status.
struct Command {
  std::optional<Options> options;
  std::string text;
  int status = 0;
};

// `arguments` without the program's name. Never throws.
Command parse_command_line(std::span<const std::string> arguments);

}  // namespace anywire::bench
