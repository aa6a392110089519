// Config keys: the list of [[keys]] tables, one KeySection each: keys that tokens are signed with.
//
// Thread: start-up and reload only. Limits: kConfiguredKeysMax keys.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "server/config_lists.h"

namespace anywire::server {

inline constexpr std::size_t kConfiguredKeysMax = 16;

inline constexpr Table kKeysTable{
    "keys",
    "Keys that tokens may be signed with, each a table `[[keys]]` with a `name`; several are valid "
    "at a time, so that one can be replaced by another. Read again on SIGHUP, with the files they "
    "name. In the variable `ANYWIRE_KEYS` or the flag `--keys` the whole list is one text in JSON "
    "or TOML and replaces the file's. docs/authentication.md is the guide.",
    true};

const ListTable& key_list();

// Contradictions in and between keys, one sentence each.
void check_keys(const Config& config, std::vector<std::string>& problems);

}  // namespace anywire::server
