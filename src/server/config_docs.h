// Config docs: the configuration explained, generated from the schema so that it never falls
// behind.
//
// Thread: any; pure functions.
#pragma once

#include <string>

namespace anywire::server {

// A whole configuration file with every key at its default and its explanation as a comment:
// `anywire config`, and examples/config/anywire.toml.
std::string config_as_toml();

// The reference page: `anywire config --markdown`, and docs/configuration.md.
std::string config_as_markdown();

}  // namespace anywire::server
