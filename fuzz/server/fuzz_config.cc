// Any text as a configuration file, as a variable and as a flag: the loader answers with a
// configuration or with one-line problems, and never crashes.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "server/config_loader.h"
#include "server/config_schema.h"

namespace {

using namespace anywire::server;

void require(bool condition) {
  if (!condition) std::abort();
}

void require_one_line_each(const std::vector<std::string>& problems) {
  require(!problems.empty());
  for (const std::string& problem : problems) {
    require(!problem.empty());
    for (const char c : problem) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
}

void check(const LoadInputs& inputs) {
  const auto config = load(inputs);
  if (!config) {
    require_one_line_each(config.error());
    return;
  }
  // Whatever was accepted is valid, and its own spelling is accepted again.
  require(validate(*config).empty());
  std::string text;
  for (const Key& key : keys()) {
    text += key.path() + " = " + format_value(key, *config) + "\n";
  }
  LoadInputs again;
  again.config_path = "again.toml";
  again.read_file = [&](const std::string&) -> anywire::Result<std::string> { return text; };
  require(load(again).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  LoadInputs file;
  file.config_path = "anywire.toml";
  file.read_file = [&](const std::string&) -> anywire::Result<std::string> { return text; };
  check(file);

  // The first byte picks a key for the rest as its value, once from each side.
  if (size == 0) return 0;
  const auto all = keys();
  const Key& key = all[data[0] % all.size()];
  const std::string value = text.substr(1);
  LoadInputs outside;
  outside.read_file = file.read_file;
  outside.environment = {{key.variable(), value}};
  check(outside);
  outside.environment = {{"ANYWIRE_" + value, "x"}};
  check(outside);
  outside.environment.clear();
  outside.flags = {{key.path(), value, key.flag()}, {value, "x", "--flag"}};
  check(outside);
  return 0;
}
