#include "server/config_toml.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

namespace anywire::server {
namespace {

namespace dom = simdjson::dom;

// Rules are two deep, their lists three; what is deeper is wrong anyhow.
constexpr std::size_t kJsonDepth = 8;

SourcePosition begin(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

Value to_list(const toml::array& list) {
  std::vector<std::string> texts;
  for (const toml::node& element : list) {
    if (!element.is_string()) return OtherType{"a list with something other than text in it"};
    texts.push_back(element.as_string()->get());
  }
  return texts;
}

RawRule to_rule(const toml::table& table) {
  RawRule rule{{}, begin(table.source())};
  for (const auto& [key, node] : table) {
    RawMember member{std::string(key.str()), to_value(node), begin(key.source()),
                     begin(node.source()), {}};
    if (const toml::array* list = node.as_array()) {
      for (const toml::node& element : *list) member.elements_at.push_back(begin(element.source()));
    }
    rule.members.push_back(std::move(member));
  }
  return rule;
}

Value to_value(dom::element value) {
  switch (value.type()) {
    case dom::element_type::BOOL: return value.get_bool().value_unsafe();
    case dom::element_type::INT64: return value.get_int64().value_unsafe();
    case dom::element_type::UINT64:  // beyond 2^63
    case dom::element_type::DOUBLE: return value.get_double().value_unsafe();
    case dom::element_type::STRING: return std::string(value.get_string().value_unsafe());
    case dom::element_type::OBJECT: return OtherType{"an object"};
    case dom::element_type::NULL_VALUE: return OtherType{"null"};
    case dom::element_type::ARRAY: break;
  }
  std::vector<std::string> texts;
  const dom::array list = value.get_array().value_unsafe();
  for (const dom::element element : list) {
    std::string_view text;
    if (element.get_string().get(text) != simdjson::SUCCESS) {
      return OtherType{"a list with something other than text in it"};
    }
    texts.emplace_back(text);
  }
  return texts;
}

// Nothing unless the text is a JSON list of objects.
std::optional<std::vector<RawRule>> parse_json(std::string_view text) {
  dom::parser parser;
  dom::element root;
  dom::array list;
  if (parser.allocate(text.size() + 1, kJsonDepth) != simdjson::SUCCESS ||
      parser.parse(simdjson::padded_string(text)).get(root) != simdjson::SUCCESS ||
      root.get_array().get(list) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  std::vector<RawRule> rules;
  for (const dom::element element : list) {
    dom::object object;
    if (element.get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
    RawRule rule;
    for (const dom::key_value_pair& member : object) {
      rule.members.push_back({std::string(member.key), to_value(member.value), {}, {}, {}});
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace

Value to_value(const toml::node& node) {
  if (const auto* value = node.as_boolean()) return value->get();
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_string()) return value->get();
  if (const auto* list = node.as_array()) return to_list(*list);
  return OtherType{node.is_table() ? "a table" : "a date or time"};
}

std::optional<std::vector<RawRule>> to_rules(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return std::nullopt;
  std::vector<RawRule> rules;
  for (const toml::node& element : *list) {
    if (!element.is_table()) return std::nullopt;
    rules.push_back(to_rule(*element.as_table()));
  }
  return rules;
}

std::expected<std::vector<RawRule>, std::string> parse_rules(std::string_view text) {
  if (auto rules = parse_json(text)) return std::move(*rules);
  try {
    const toml::table root = toml::parse(fmt::format("channels = {}", text));
    auto rules = root.size() == 1 ? to_rules(root.begin()->second) : std::nullopt;
    if (rules) return std::move(*rules);
  } catch (const toml::parse_error& error) {
    return std::unexpected(one_line(error.description()));
  }
  return std::unexpected(std::string("it is something else"));
}

std::string one_line(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

}  // namespace anywire::server
