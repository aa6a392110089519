// Compiler: the keywords that assert something of one value, and those that lead into it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/suggest.h"
#include "schema/compiler.h"
#include "schema/format.h"
#include "schema/number.h"

namespace anywire::schema {
namespace {

using codec::JsonKind;
using codec::JsonValue;
using std::string_view;

constexpr std::array<string_view, 7> kTypes = {"null",   "boolean", "number", "integer",
                                               "string", "array",   "object"};  // as TypeBit

std::optional<std::uint32_t> type_bit(JsonValue value) {
  const auto found = std::ranges::find(kTypes, value.string().value_or(""));
  if (found == kTypes.end()) return std::nullopt;
  return 1u << (found - kTypes.begin());
}

std::string unknown_type(JsonValue value) {
  const auto name = value.string();
  const auto meant = name ? suggest(*name, kTypes) : std::nullopt;
  return fmt::format("must be {}{}", fmt::join(kTypes, ", "),
                     meant ? fmt::format("; did you mean \"{}\"?", *meant) : "");
}

}  // namespace

void Compiler::compile_type() {
  const auto value = find("type");
  if (!value) return;
  std::uint32_t types = 0;
  if (value->kind() == JsonKind::kArray && value->size() > 0) {
    for (const JsonValue element : value->elements()) {
      const auto bit = type_bit(element);
      if (!bit) return refuse("type", unknown_type(element));
      types |= *bit;
    }
  } else if (const auto bit = type_bit(*value)) {
    types = *bit;
  } else {
    return refuse("type", unknown_type(*value));
  }
  emit(Op::kType, types);
}

void Compiler::compile_values() {
  if (const auto value = find("const")) emit(Op::kConst, add_constant(*value));
  const auto values = find("enum", JsonKind::kArray, "a list of values");
  if (!values) return;
  const auto first = static_cast<std::uint32_t>(constants_.size());
  for (const JsonValue value : values->elements()) add_constant(value);
  emit(Op::kEnum, first, static_cast<std::uint32_t>(values->size()));
}

void Compiler::compile_bound(string_view keyword, Op op) {
  const auto value = find(keyword, JsonKind::kNumber, "a number");
  if (!value) return;
  const Number number = number_of(value->raw());
  if (!number.is_finite) return refuse(keyword, "is beyond what a number can hold");
  if (op == Op::kMultipleOf && number.value <= 0) return refuse(keyword, "must be greater than 0");
  program_->numbers.push_back({number.value, std::string(value->raw())});
  emit(op, static_cast<std::uint32_t>(program_->numbers.size() - 1));
}

void Compiler::compile_numbers() {
  compile_bound("minimum", Op::kMinimum);
  compile_bound("maximum", Op::kMaximum);
  compile_bound("exclusiveMinimum", Op::kExclusiveMinimum);
  compile_bound("exclusiveMaximum", Op::kExclusiveMaximum);
  compile_bound("multipleOf", Op::kMultipleOf);
}

// Lengths beyond 32 bits are the largest: nothing here is so long.
std::optional<std::uint32_t> Compiler::length(string_view keyword) {
  const auto value = find(keyword);
  if (!value) return std::nullopt;
  const Number number = value->kind() == JsonKind::kNumber ? number_of(value->raw()) : Number{};
  if (!number.is_integer || number.value < 0) {
    refuse(keyword, "must be a whole number from 0 up");
    return std::nullopt;
  }
  constexpr auto kMax = static_cast<long double>(std::numeric_limits<std::uint32_t>::max());
  return static_cast<std::uint32_t>(std::min(number.value, kMax));
}

void Compiler::compile_length(string_view keyword, Op op) {
  if (const auto value = length(keyword)) emit(op, *value);
}

void Compiler::compile_strings() {
  compile_length("minLength", Op::kMinLength);
  compile_length("maxLength", Op::kMaxLength);
  if (const auto value = find("format", JsonKind::kString, "a string")) {
    const auto format = find_format(*value->string());
    if (format && options_.formats) emit(Op::kFormat, static_cast<std::uint32_t>(*format));
  }
  if (const auto value = find("pattern", JsonKind::kString, "a regular expression")) {
    if (const auto pattern = add_pattern("pattern", *value->string())) {
      emit(Op::kPattern, *pattern);
    }
  }
}

// ---- Arrays ----

void Compiler::compile_arrays() {
  compile_length("minItems", Op::kMinItems);
  compile_length("maxItems", Op::kMaxItems);
  const auto unique = find("uniqueItems", JsonKind::kBoolean, "true or false");
  if (unique && *unique->boolean()) emit(Op::kUniqueItems);
  compile_items();
  compile_contains();
}

// An array in `items` is what `prefixItems` was until 2020-12; `additionalItems` is for the rest.
void Compiler::compile_items() {
  const auto items = find("items");
  const bool is_old = items && items->kind() == JsonKind::kArray;
  const string_view prefix = is_old ? "items" : "prefixItems";
  std::uint32_t count = 0;
  if (const auto list = find(prefix, JsonKind::kArray, "a list of schemas")) {
    std::vector<std::uint32_t> nodes;
    for (const JsonValue schema : list->elements()) {
      nodes.push_back(want(prefix, std::to_string(nodes.size()), schema));
    }
    count = static_cast<std::uint32_t>(nodes.size());
    if (count > 0) emit(Op::kPrefixItems, add_list(nodes), count);
  }
  const string_view rest = is_old ? "additionalItems" : "items";
  if (const auto schema = find(rest)) emit(Op::kItems, want(rest, *schema), count);
}

void Compiler::compile_contains() {
  const auto schema = find("contains");
  const auto least = length("minContains");
  const auto most = length("maxContains");
  if (!schema) return;
  emit(Op::kContains, want("contains", *schema), least.value_or(1), most.value_or(kNone));
}

// ---- Objects ----

void Compiler::compile_objects() {
  compile_length("minProperties", Op::kMinProperties);
  compile_length("maxProperties", Op::kMaxProperties);
  compile_shape();
  if (const auto schema = find("propertyNames")) {
    emit(Op::kPropertyNames, want("propertyNames", *schema));
  }
  compile_dependencies();
}

void Compiler::compile_shape() {
  Shape shape;
  if (const auto properties = find("properties", JsonKind::kObject, "an object of schemas")) {
    for (const auto [name, schema] : properties->members()) {
      shape.properties.push_back({std::string(name), want("properties", name, schema)});
    }
  }
  if (const auto patterns = find("patternProperties", JsonKind::kObject, "an object of schemas")) {
    for (const auto [name, schema] : patterns->members()) {
      const auto pattern = add_pattern("patternProperties", name);
      if (!pattern) return;
      shape.patterns.push_back({*pattern, want("patternProperties", name, schema)});
    }
  }
  if (const auto schema = find("additionalProperties")) {
    shape.additional = want("additionalProperties", *schema);
  }
  add_required(shape);
  if (shape.properties.empty() && shape.patterns.empty() && shape.additional == kNone) return;
  std::ranges::sort(shape.properties, [](const Property& a, const Property& b) {
    return a.name.size() != b.name.size() ? a.name.size() < b.name.size() : a.name < b.name;
  });
  program_->shapes.push_back(std::move(shape));
  emit(Op::kObject, static_cast<std::uint32_t>(program_->shapes.size() - 1));
}

void Compiler::add_required(Shape& shape) {
  const auto required = find("required", JsonKind::kArray, "a list of names, none of them twice");
  if (!required) return;
  for (const JsonValue element : required->elements()) {
    const auto name = element.string();
    auto property = std::ranges::find(shape.properties, name.value_or(""), &Property::name);
    if (!name || (property != shape.properties.end() && property->required)) {
      return refuse("required", "must be a list of names, none of them twice");
    }
    if (property == shape.properties.end()) {
      property = shape.properties.insert(property, {.name = std::string(*name)});
    }
    property->required = true;
    ++shape.required;
  }
}

void Compiler::compile_dependencies() {
  for (const string_view keyword : {"dependentRequired", "dependentSchemas", "dependencies"}) {
    const auto value = find(keyword, JsonKind::kObject, "an object");
    if (!value) continue;
    for (const auto [name, dependency] : value->members()) {
      compile_dependency(keyword, name, dependency);
    }
  }
}

// What `dependencies` has are both kinds.
void Compiler::compile_dependency(string_view keyword, string_view name, JsonValue value) {
  const bool is_list = value.kind() == JsonKind::kArray;
  if (keyword == "dependentRequired" && !is_list) {
    return refuse(keyword, "must be an object of lists of names");
  }
  if (!is_list || keyword == "dependentSchemas") {
    emit(Op::kDependentSchema, add_name(name), want(keyword, name, value));
    return;
  }
  std::uint32_t count = 0;
  if (const auto list = names(keyword, value, count)) {
    emit(Op::kDependentRequired, add_name(name), *list, count);
  }
}

}  // namespace anywire::schema
