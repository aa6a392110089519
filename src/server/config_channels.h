// Config channels: the ordered list of [[channels]] tables, one hub::ChannelRule each.
//
// The keys of a rule are entries like those of any other table, about `Config::channel_defaults`: a
// rule starts as a copy of it, its keys are assigned to the copy, and the copy joins
// `Config::channels`. What a rule does not say is therefore what the defaults of `anywire serve` or
// `anywire dev` say.
//
// In the file a rule is a table with its own lines; in a variable or a flag the list is one text,
// JSON ([{"pattern":"chat:*"}]) or TOML ([{pattern = "chat:*"}]), and replaces the file's.
//
// Thread: start-up and reload only. Lifetime: arguments are read during the call.
// Limits: hub::kRulesMax rules.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/config_schema.h"

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

// Counted from 1; 0 where there is no file.
struct SourcePosition {
  std::uint32_t line = 0, column = 0;
};

// A rule as it was found, before anything about it is believed.
struct RawMember {
  std::string name;
  Value value;
  SourcePosition name_at, value_at;
  std::vector<SourcePosition> elements_at;  // of a list
};
struct RawRule {
  std::vector<RawMember> members;
  SourcePosition at;
};

struct RuleProblem {
  std::size_t rule = 0;  // counted from 1
  SourcePosition at;
  std::string text;
};

// Replaces the rules of the Config, if there is no problem with any.
std::vector<RuleProblem> store_rules(std::span<const RawRule> rules, Config& config);

// The same for a variable or a flag; each problem is one line. No problem means all is well, and
// an empty text is an empty list.
std::vector<std::string> read_rules_text(std::string_view text, Config& config);

// As a TOML list of inline tables on one line, which read_rules_text() takes.
std::string format_rules(const Config& config);

// Contradictions in and between rules, one sentence each.
void check_rules(const Config& config, std::vector<std::string>& problems);

}  // namespace anywire::server
