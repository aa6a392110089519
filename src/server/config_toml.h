// Config TOML: from the nodes of the TOML library to the values of config_schema.h.
//
// Thread: start-up and reload only. For config_loader.cc and config_lists.cc; nobody else needs
// to compile the library's header.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <toml++/toml.h>
#include <vector>

#include "server/config_lists.h"
#include "server/config_schema.h"

namespace anywire::server {

Value to_value(const toml::node& node);

// Nothing unless it is a list of tables, or an empty list.
std::optional<std::vector<RawRule>> to_rules(const toml::node& node);

// A list of rules as JSON, else as TOML; or what is wrong with it, on one line.
std::expected<std::vector<RawRule>, std::string> parse_rules(std::string_view text);

// The text of a parse error on one line; it quotes its input, which may hold anything.
std::string one_line(std::string_view text);

}  // namespace anywire::server
