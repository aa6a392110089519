#include "schema/compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/suggest.h"
#include "schema/keywords.h"
#include "schema/number.h"
#include "schema/pointer.h"

namespace anywire::schema {
namespace {

using codec::JsonKind;
using codec::JsonValue;
using std::string_view;

// Where the same value is looked at again: which schemas a node leads to without a step into it.
std::vector<NodeId> in_place(const Program& program, const Instruction& instruction) {
  std::vector<NodeId> nodes;
  const auto add = [&](NodeId node) {
    if (node != kNone) nodes.push_back(node);
  };
  switch (instruction.op) {
    case Op::kRef:
    case Op::kNot: add(instruction.a); break;
    case Op::kDependentSchema: add(instruction.b); break;
    case Op::kIf:
      add(instruction.a);
      add(instruction.b);
      add(instruction.c);
      break;
    case Op::kAllOf:
    case Op::kAnyOf:
    case Op::kOneOf:
      for (std::uint32_t i = 0; i < instruction.b; ++i) add(program.lists[instruction.a + i]);
      break;
    default: break;
  }
  return nodes;
}

}  // namespace

Compiler::Compiler(JsonValue document, const CompileOptions& options)
    : options_(options),
      document_(document),
      references_(document),
      program_(std::make_unique<Program>()) {}

std::expected<std::unique_ptr<const Program>, CompileError> Compiler::run() {
  want({document_, ""});
  check_dialect();
  while (!waiting_.empty() && !failed()) {
    const auto [id, schema] = waiting_.front();
    waiting_.pop_front();
    schema_ = schema;
    compile(id);
  }
  if (!failed()) check_cycles();
  if (failed()) return std::unexpected(*std::move(error_));
  program_->constants_text = fmt::format("[{}]", fmt::join(constants_, ","));
  const auto constants = program_->constants_reader.read(as_bytes(program_->constants_text));
  if (!constants) return std::unexpected(CompileError{"", constants.error().message});
  for (const JsonValue constant : constants->elements()) program_->constants.push_back(constant);
  return std::move(program_);
}

void Compiler::check_dialect() {
  if (const auto lengths = document_.find(kLengthsKeyword)) {
    if (lengths->string() != "utf-16") return refuse(kLengthsKeyword, "must be \"utf-16\"");
    program_->lengths = Lengths::kUtf16;
  }
  const auto dialect = document_.find("$schema");
  if (!dialect) return;
  string_view uri = dialect->string().value_or("");
  if (uri.ends_with('#')) uri.remove_suffix(1);
  for (const string_view known :
       {"https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2019-09/schema",
        "http://json-schema.org/draft-07/schema", "https://json-schema.org/draft-07/schema",
        "http://json-schema.org/draft-06/schema", "http://json-schema.org/schema"}) {
    if (uri == known) return;
  }
  refuse_at("/$schema",
            "this dialect is not supported; \"https://json-schema.org/draft/2020-12/schema\" is");
}

// ---- Schemas ----

NodeId Compiler::want(Place place) {
  const auto [found, is_new] = known_.try_emplace(place.value.raw().data(),
                                                  static_cast<NodeId>(program_->nodes.size()));
  if (!is_new) return found->second;
  if (program_->nodes.size() >= options_.schemas_max) {
    refuse_at(place.pointer,
              fmt::format("a document has at most {} schemas", options_.schemas_max));
    return 0;
  }
  waiting_.emplace_back(found->second, place.value);
  program_->nodes.push_back({.pointer = std::move(place.pointer)});
  return found->second;
}

NodeId Compiler::want(string_view keyword, JsonValue value) {
  return want({value, pointer_of(keyword)});
}

NodeId Compiler::want(string_view keyword, string_view step, JsonValue value) {
  return want({value, pointer_of(keyword) + pointer_step(step)});
}

void Compiler::compile(NodeId id) {
  node_ = id;
  program_->nodes[id].first = static_cast<std::uint32_t>(program_->instructions.size());
  if (const auto verdict = schema_->boolean()) {
    if (!*verdict) emit(Op::kNever);
  } else if (schema_->kind() == JsonKind::kObject) {
    compile_keywords();
  } else {
    refuse_at(program_->nodes[id].pointer, "a schema is an object, true or false");
  }
  Node& node = program_->nodes[id];
  node.count = static_cast<std::uint32_t>(program_->instructions.size()) - node.first;
}

void Compiler::compile_keywords() {
  look_for_slips();
  compile_type();
  compile_values();
  compile_numbers();
  compile_strings();
  compile_arrays();
  compile_objects();
  compile_references();
  compile_combinations();
  compile_unevaluated();
}

void Compiler::look_for_slips() {
  for (const auto [name, value] : schema_->members()) {
    if (is_keyword(name)) continue;
    if (name == "$vocabulary") {
      refuse("$vocabulary", "schemas for schemas are not supported");
    } else if (const auto meant = suggest(name, keywords())) {
      hints_.push_back({pointer_of(name),
                        fmt::format("there is no keyword \"{}\"; did you mean \"{}\"?", name,
                                    *meant)});
    }
  }
}

// A depth-first walk with a stack of its own; grey nodes are those on the way to here.
void Compiler::check_cycles() {
  enum class Colour : std::uint8_t { kWhite, kGrey, kBlack };
  std::vector<Colour> colours(program_->nodes.size(), Colour::kWhite);
  std::vector<std::pair<NodeId, bool>> stack;
  for (NodeId root = 0; root < program_->nodes.size(); ++root) {
    stack.emplace_back(root, false);
    while (!stack.empty()) {
      const auto [id, leaving] = stack.back();
      stack.pop_back();
      if (leaving) {
        colours[id] = Colour::kBlack;
        continue;
      }
      if (colours[id] != Colour::kWhite) continue;
      colours[id] = Colour::kGrey;
      stack.emplace_back(id, true);
      const Node& node = program_->nodes[id];
      for (std::uint32_t i = 0; i < node.count; ++i) {
        for (const NodeId next : in_place(*program_, program_->instructions[node.first + i])) {
          if (colours[next] == Colour::kGrey) {
            return refuse_at(node.pointer,
                             "this leads back to itself without a step into the value");
          }
          stack.emplace_back(next, false);
        }
      }
    }
  }
}

void Compiler::compile_references() {
  for (const string_view keyword : {"$ref", "$dynamicRef"}) {
    const auto value = find(keyword, JsonKind::kString, "a string");
    if (!value) continue;
    auto place = keyword == "$ref" ? references_.resolve(*schema_, *value->string())
                                   : references_.resolve_dynamic(*schema_, *value->string());
    if (!place) {
      refuse(keyword, std::move(place.error()));
    } else {
      emit(Op::kRef, want(*std::move(place)));
    }
  }
}

void Compiler::compile_combinations() {
  compile_list("allOf", Op::kAllOf);
  compile_list("anyOf", Op::kAnyOf);
  compile_list("oneOf", Op::kOneOf);
  if (const auto value = find("not")) emit(Op::kNot, want("not", *value));
  compile_condition();
}

void Compiler::compile_condition() {
  const auto condition = find("if");
  const auto then = find("then");
  const auto otherwise = find("else");
  if (!condition || (!then && !otherwise)) return;
  emit(Op::kIf, want("if", *condition), then ? want("then", *then) : kNone,
       otherwise ? want("else", *otherwise) : kNone);
}

void Compiler::compile_list(string_view keyword, Op op) {
  const auto value = find(keyword, JsonKind::kArray, "a list of schemas, not an empty one");
  if (!value) return;
  if (value->size() == 0) return refuse(keyword, "must be a list of schemas, not an empty one");
  std::vector<std::uint32_t> nodes;
  for (const JsonValue schema : value->elements()) {
    nodes.push_back(want(keyword, std::to_string(nodes.size()), schema));
  }
  emit(op, add_list(nodes), static_cast<std::uint32_t>(nodes.size()));
}

void Compiler::compile_unevaluated() {
  for (const auto& [keyword, op] : {std::pair("unevaluatedItems", Op::kUnevaluatedItems),
                                    std::pair("unevaluatedProperties",
                                              Op::kUnevaluatedProperties)}) {
    const auto value = find(keyword);
    if (!value) continue;
    program_->nodes[node_].has_unevaluated = true;
    emit(op, want(keyword, *value));
  }
}

// ---- Parts ----

void Compiler::emit(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  program_->instructions.push_back({op, a, b, c});
}

std::uint32_t Compiler::add_constant(JsonValue value) {
  constants_.emplace_back(value.raw());
  return static_cast<std::uint32_t>(constants_.size() - 1);
}

std::optional<std::uint32_t> Compiler::add_pattern(string_view keyword, string_view text) {
  if (program_->patterns.size() >= options_.patterns_max) {
    refuse(keyword, fmt::format("a document has at most {} patterns", options_.patterns_max));
    return std::nullopt;
  }
  auto pattern = Pattern::compile(text);
  if (!pattern) {
    refuse(keyword, std::move(pattern.error()));
    return std::nullopt;
  }
  program_->patterns.push_back(*std::move(pattern));
  program_->pattern_texts.emplace_back(text);
  return static_cast<std::uint32_t>(program_->patterns.size() - 1);
}

std::uint32_t Compiler::add_name(string_view name) {
  program_->names.emplace_back(name);
  return static_cast<std::uint32_t>(program_->names.size() - 1);
}

std::uint32_t Compiler::add_list(const std::vector<std::uint32_t>& list) {
  const auto first = static_cast<std::uint32_t>(program_->lists.size());
  program_->lists.insert(program_->lists.end(), list.begin(), list.end());
  return first;
}

// A list of names that are all strings, none of them twice.
std::optional<std::uint32_t> Compiler::names(string_view keyword, JsonValue value,
                                             std::uint32_t& count) {
  std::vector<std::uint32_t> list;
  std::vector<string_view> seen;
  for (const JsonValue element : value.elements()) {
    const auto name = element.string();
    if (!name || std::ranges::find(seen, *name) != seen.end()) {
      refuse(keyword, "must be a list of names, none of them twice");
      return std::nullopt;
    }
    seen.push_back(*name);
    list.push_back(add_name(*name));
  }
  count = static_cast<std::uint32_t>(list.size());
  return add_list(list);
}

// ---- Members of the present schema ----

std::optional<JsonValue> Compiler::find(string_view keyword, JsonKind kind, string_view wanted) {
  const auto value = find(keyword);
  if (!value || value->kind() == kind) return value;
  refuse(keyword, fmt::format("must be {}", wanted));
  return std::nullopt;
}

void Compiler::refuse(string_view keyword, std::string text) {
  refuse_at(pointer_of(keyword), std::move(text));
}

void Compiler::refuse_at(std::string pointer, std::string text) {
  if (!failed()) error_ = CompileError{std::move(pointer), std::move(text)};
}

std::string Compiler::pointer_of(string_view keyword) const {
  return program_->nodes[node_].pointer + pointer_step(keyword);
}

}  // namespace anywire::schema
