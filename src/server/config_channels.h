// Config channels: the ordered list of [[channels]] tables, one hub::ChannelRule each. The draft of
// a rule is `Config::channel_defaults`; server/config_lists.h says how lists are read.
//
// Thread: start-up and reload only. Lifetime: arguments are read during the call.
// Limits: hub::kRulesMax rules.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/config_lists.h"

namespace anywire::server {

inline constexpr Table kChannelsTable{
    "channels",
    "Rules for channels, each a table `[[channels]]` with a `pattern`; the first that matches a "
    "channel's name decides, and a channel that none matches has the defaults below. In the "
    "variable `ANYWIRE_CHANNELS` or the flag `--channels` the whole list is one text in JSON or "
    "TOML, such as `[{\"pattern\": \"chat:*\", \"history_messages\": 100}]`, and replaces the "
    "file's.",
    true};

std::span<const Key> rule_keys();  // "pattern" is the first
const Key* find_rule_key(std::string_view name);

const ListTable& channel_list();

// Contradictions in and between rules, one sentence each.
void check_rules(const Config& config, std::vector<std::string>& problems);

}  // namespace anywire::server
