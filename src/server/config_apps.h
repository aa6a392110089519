// Config apps: the list of [[apps]] tables, one AppEntry each: further applications that this
// process serves, each with channels, keys and limits of its own in a file of its own.
//
// Thread: start-up and reload only. Limits: kAppsMax apps.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "server/config_lists.h"

namespace anywire::server {

inline constexpr std::size_t kAppsMax = 64;
// What the application of the main file is called.
inline constexpr std::string_view kDefaultApp = "default";

inline constexpr Table kAppsTable{
    "apps",
    "Further applications in the same process, each a table `[[apps]]`. An app has channels, keys, "
    "sessions, limits and hooks of its own and shares nothing of these with the others: what it "
    "has is in a file of its own, which holds the tables `auth`, `keys`, `channels`, "
    "`limits`, `app`, "
    "`contract`, `raw`, `native`, `api` and `history`, and of `http` only `allowed_origins`. All "
    "else is the process's and stays in this file, which is also the app `default`: it has what no "
    "other app has. docs/guides/apps.md is the guide.",
    true};

const ListTable& app_list();

// Whether a file of an app may set this key; `name` may be empty for a whole table.
bool belongs_to_app(std::string_view table, std::string_view name);

// What all apps of a process have in common becomes that of `app`.
void share_process(const Config& process, Config& app);

// Contradictions in and between [[apps]], one sentence each.
void check_apps(const Config& config, std::vector<std::string>& problems);
// The same between what their files say; Config::app_configs are there.
void check_app_files(const Config& config, std::vector<std::string>& problems);

}  // namespace anywire::server
