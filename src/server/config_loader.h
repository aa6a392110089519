// Config loader: defaults, then the file, then the environment, then the flags; the later wins.
//
// Pure: it sees the outside world only through LoadInputs, so a test or a fuzzer can play it. Every
// problem is reported at once, each as one line that says where it is, what was expected and, for
// a misspelt name, what was probably meant:
//   anywire.toml:12:1: unknown key "websocket.ping_intervall"; did you mean "ping_interval"?
//   ANYWIRE_SERVER_LOOPS: "server.loops" must be a whole number from 0 to 256, got "many"
//   --server.loops: "server.loops" must be a whole number from 0 to 256, got "many"
//
// Then the file of each of [[apps]] in the same way, from the same defaults; the environment and
// the flags are the process's and the default app's.
//
// Thread: start-up and reload only. Nothing is kept from the inputs.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/config.h"

namespace anywire::server {

// A larger file is refused; a configuration of every key is under 16 KiB.
inline constexpr std::size_t kConfigFileBytesMax = 1024 * 1024;

// One flag as given. `key` is "table.key"; `spelled` is the name for errors ("--loops").
// A list flag may be repeated, and each may hold several values with commas between.
struct FlagValue {
  std::string key;
  std::string value;
  std::string spelled;
};

struct LoadInputs {
  Config defaults;  // Config{} for serve, dev_config() for dev
  // Without a path there is no file, unless the variable ANYWIRE_CONFIG names one.
  std::optional<std::string> config_path;
  // Must be set wherever there may be a path.
  std::function<Result<std::string>(const std::string& path)> read_file;
  std::map<std::string, std::string> environment;  // other programs' variables are ignored
  std::vector<FlagValue> flags;
};

std::expected<Config, std::vector<std::string>> load(const LoadInputs& inputs);

// A read_file for production: regular files up to kConfigFileBytesMax.
Result<std::string> read_config_file(const std::string& path);

// This process' environment, as load() takes it; only variables that begin with ANYWIRE_.
std::map<std::string, std::string> process_environment();

}  // namespace anywire::server
