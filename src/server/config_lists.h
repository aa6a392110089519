// Config lists: keys of the configuration that are lists of tables: [[channels]], [[keys]] and
// [[apps]].
//
// The keys of an element are entries like those of any other table, about a draft in the Config: an
// element starts as a copy of the defaults, its keys are assigned to the copy, and the copy joins
// the list. What an element does not say is therefore what the defaults say.
//
// In the file an element is a table with its own lines; in a variable or a flag the list is one
// text, JSON ([{"pattern":"chat:*"}]) or TOML ([{pattern = "chat:*"}]), and replaces the file's.
//
// Thread: start-up and reload only. Lifetime: arguments are read during the call.
// Limits: ListTable::most elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/config_schema.h"

namespace anywire::server {

struct ListTable {
  const Table& table;
  std::string_view element;   // "rule", in front of its number
  std::string_view name;      // "channel rule"
  std::string_view required;  // the key that every element has
  std::string_view example;   // of the whole list, as TOML
  std::size_t most;
  // The defaults alone make no element: in the complete example it is a comment.
  bool needs_more;
  std::span<const Key> (*keys)();
  RuleSources Config::* sources;
  std::size_t (*size)(const Config& config);
  void (*clear)(Config& config);
  // The draft of `scratch` becomes the defaults of `config`, or element number `index` of it.
  void (*begin)(Config& scratch, const Config& config);
  void (*show)(Config& scratch, const Config& config, std::size_t index);
  // The draft of `scratch` joins the list of `config`.
  void (*add)(Config& config, const Config& scratch);
};

// All of them. Null if there is no list of that name.
std::span<const ListTable* const> list_tables();
const ListTable* find_list(std::string_view table);
const Key* find_list_key(const ListTable& list, std::string_view name);

// An element as it was found, before anything about it is believed.
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

// Replaces the list of the Config, if there is no problem with any element. `source` is the name of
// the file, the variable or the flag they come from.
std::vector<RuleProblem> store_list(const ListTable& list, std::span<const RawRule> elements,
                                    std::string_view source, Config& config);

// The same for a variable or a flag; each problem is one line. No problem means all is well, and
// an empty text is an empty list.
std::vector<std::string> read_list_text(const ListTable& list, std::string_view text,
                                        std::string_view source, Config& config);

// As a TOML list of inline tables on one line, which read_list_text() takes, but for secrets.
std::string format_list(const ListTable& list, const Config& config);

// "anywire.toml:12:1: " or "ANYWIRE_CHANNELS: ", as far as it is known where the key was written.
std::string place_in_list(const RuleSources& sources, std::size_t index, std::string_view key);

}  // namespace anywire::server
