#include "server/config_lists.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/suggest.h"
#include "server/config_apps.h"
#include "server/config_channels.h"
#include "server/config_keys.h"
#include "server/config_toml.h"
#include "server/config_value.h"

namespace anywire::server {
namespace {

using std::string_view;

std::string unknown_key(const ListTable& list, string_view name) {
  std::vector<string_view> names;
  for (const Key& key : list.keys()) names.push_back(key.name);
  const auto meant = suggest(name, names);
  return fmt::format("unknown key {}{}",
                     in_quotes_short(fmt::format("{}.{}", list.table.name, name)),
                     meant ? fmt::format("; did you mean \"{}\"?", *meant) : "");
}

// Assigns one element to the draft.
void read_element(const ListTable& list, const RawRule& element, std::size_t number,
                  Config& scratch, std::vector<RuleProblem>& problems) {
  bool has_required = false;
  std::vector<string_view> seen;
  for (const RawMember& member : element.members) {
    const Key* key = find_list_key(list, member.name);
    if (key == nullptr) {
      problems.push_back({number, member.name_at, unknown_key(list, member.name)});
      continue;
    }
    if (key->name == list.required) has_required = true;
    if (std::find(seen.begin(), seen.end(), key->name) != seen.end()) {
      problems.push_back(
          {number, member.name_at, fmt::format("\"{}\" is there twice", key->path())});
      continue;
    }
    seen.push_back(key->name);
    auto problem = assign(*key, member.value, scratch);
    if (!problem) continue;
    const bool known = problem->element && *problem->element < member.elements_at.size();
    problems.push_back({number, known ? member.elements_at[*problem->element] : member.value_at,
                        std::move(problem->text)});
  }
  if (!has_required) {
    problems.push_back(
        {number, element.at, fmt::format("a {} needs a \"{}\"", list.name, list.required)});
  }
}

}  // namespace

std::span<const ListTable* const> list_tables() {
  static const std::array<const ListTable*, 3> all{&key_list(), &channel_list(), &app_list()};
  return all;
}

const ListTable* find_list(string_view table) {
  for (const ListTable* list : list_tables()) {
    if (list->table.name == table) return list;
  }
  return nullptr;
}

const Key* find_list_key(const ListTable& list, string_view name) {
  const auto all = list.keys();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Key& key) { return key.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<RuleProblem> store_list(const ListTable& list, std::span<const RawRule> elements,
                                    string_view source, Config& config) {
  std::vector<RuleProblem> problems;
  if (elements.size() > list.most) {
    problems.push_back({list.most + 1, elements[list.most].at,
                        fmt::format("there are {} {}s; {} is the limit", elements.size(), list.name,
                                    list.most)});
    return problems;
  }
  Config scratch;
  Config stored;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    list.begin(scratch, config);
    read_element(list, elements[i], i + 1, scratch, problems);
    list.add(stored, scratch);
  }
  if (!problems.empty()) return problems;
  list.clear(config);
  RuleSources& sources = config.*list.sources;
  sources = {.name = std::string(source), .rules = {}};
  for (std::size_t i = 0; i < elements.size(); ++i) {
    list.show(scratch, stored, i);
    list.add(config, scratch);
    RuleSources::Rule& written = sources.rules.emplace_back();
    written.at = elements[i].at;
    for (const RawMember& member : elements[i].members) {
      written.keys.emplace(member.name, member.name_at);
    }
  }
  return {};
}

std::vector<std::string> read_list_text(const ListTable& list, string_view text,
                                        string_view source, Config& config) {
  const auto elements = parse_rules(text.empty() ? "[]" : text);
  if (!elements) {
    const Key* key = find_key(list.table.name, "");
    return {fmt::format("\"{}\" must be {}: {}", list.table.name, expectation(*key),
                        elements.error())};
  }
  std::vector<std::string> problems;
  for (const RuleProblem& problem : store_list(list, *elements, source, config)) {
    problems.push_back(fmt::format("{} {}: {}", list.element, problem.rule, problem.text));
  }
  return problems;
}

std::string format_list(const ListTable& list, const Config& config) {
  Config scratch;
  std::vector<std::string> elements;
  for (std::size_t i = 0; i < list.size(config); ++i) {
    list.show(scratch, config, i);
    std::vector<std::string> members;
    for (const Key& key : list.keys()) {
      members.push_back(fmt::format("{} = {}", key.name, format_value(key, scratch)));
    }
    elements.push_back(fmt::format("{{{}}}", fmt::join(members, ", ")));
  }
  return fmt::format("[{}]", fmt::join(elements, ", "));
}

std::string place_in_list(const RuleSources& sources, std::size_t index, string_view key) {
  if (sources.name.empty() || index >= sources.rules.size()) return {};
  const RuleSources::Rule& rule = sources.rules[index];
  const auto written = rule.keys.find(key);
  const SourcePosition at = written == rule.keys.end() ? rule.at : written->second;
  if (at.line == 0) return fmt::format("{}: ", sources.name);
  return fmt::format("{}:{}:{}: ", sources.name, at.line, at.column);
}

}  // namespace anywire::server
