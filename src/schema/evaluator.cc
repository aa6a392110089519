#include "schema/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "schema/number.h"
#include "schema/pointer.h"
#include "schema/value.h"
#include "schema/words.h"

namespace anywire::schema {

using codec::JsonKind;
using codec::JsonMember;
using codec::JsonValue;

const Property* find_property(const Shape& shape, std::string_view name) {
  const auto before = [](const Property& property, std::string_view wanted) {
    return property.name.size() != wanted.size() ? property.name.size() < wanted.size()
                                                 : property.name < wanted;
  };
  const auto found =
      std::lower_bound(shape.properties.begin(), shape.properties.end(), name, before);
  return found == shape.properties.end() || found->name != name ? nullptr : &*found;
}

void Evaluator::Seen::add(const Seen& other) {
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = places[i] || other.places[i];
}

std::optional<Violation> Evaluator::run(JsonValue value) {
  const bool holds = evaluate(0, value, Where{}, nullptr);
  if (exhausted_) {
    return Violation{.message = "takes too long to check: it is too large or too deeply nested"};
  }
  if (holds) return std::nullopt;
  return std::move(violation_);
}

bool Evaluator::evaluate(NodeId id, JsonValue value, const Where& where, Seen* seen) {
  if (!spend(1)) return false;
  if (depth_ >= kEvaluationDepthMax) {
    exhausted_ = true;
    return false;
  }
  const Node& node = program_.nodes[id];
  ++depth_;
  std::optional<Seen> own;
  if (node.has_unevaluated) own.emplace(value.size());
  bool holds = true;
  for (std::uint32_t i = 0; holds && i < node.count; ++i) {
    holds = execute(node, program_.instructions[node.first + i], value, where, own ? &*own : seen);
  }
  if (own && seen != nullptr && holds) seen->add(*own);
  --depth_;
  return holds && !exhausted_;
}

bool Evaluator::holds(NodeId id, JsonValue value, const Where& where, Seen* seen) {
  ++quiet_;
  const bool holds = evaluate(id, value, where, seen);
  --quiet_;
  return holds;
}

bool Evaluator::execute(const Node& node, const Instruction& in, JsonValue value,
                        const Where& where, Seen* seen) {
  if (!spend(1)) return false;
  switch (in.op) {
    case Op::kNever: return refuse(node, in, where);
    case Op::kType: return has_type(in.a, value) || refuse(node, in, where);
    case Op::kConst:
    case Op::kEnum: return is_constant(in, value) || refuse(node, in, where);
    case Op::kMinimum:
    case Op::kMaximum:
    case Op::kExclusiveMinimum:
    case Op::kExclusiveMaximum:
    case Op::kMultipleOf:
      return value.kind() != JsonKind::kNumber || execute_number(node, in, value, where);
    case Op::kMinLength:
    case Op::kMaxLength:
    case Op::kPattern:
    case Op::kFormat:
      return value.kind() != JsonKind::kString || execute_string(node, in, value, where);
    case Op::kMinItems:
    case Op::kMaxItems:
    case Op::kUniqueItems:
    case Op::kPrefixItems:
    case Op::kItems:
    case Op::kContains:
    case Op::kUnevaluatedItems:
      return value.kind() != JsonKind::kArray || execute_array(node, in, value, where, seen);
    case Op::kMinProperties:
    case Op::kMaxProperties:
    case Op::kObject:
    case Op::kPropertyNames:
    case Op::kDependentRequired:
    case Op::kDependentSchema:
    case Op::kUnevaluatedProperties:
      return value.kind() != JsonKind::kObject || execute_object(node, in, value, where, seen);
    case Op::kRef:
    case Op::kAllOf:
    case Op::kAnyOf:
    case Op::kOneOf:
    case Op::kNot:
    case Op::kIf: return execute_combination(node, in, value, where, seen);
  }
  return true;
}

bool Evaluator::has_type(std::uint32_t types, JsonValue value) const {
  switch (value.kind()) {
    case JsonKind::kNull: return (types & kNullBit) != 0;
    case JsonKind::kBoolean: return (types & kBooleanBit) != 0;
    case JsonKind::kString: return (types & kStringBit) != 0;
    case JsonKind::kArray: return (types & kArrayBit) != 0;
    case JsonKind::kObject: return (types & kObjectBit) != 0;
    case JsonKind::kNumber: break;
  }
  if ((types & (kNumberBit | kIntegerBit)) == 0) return false;
  const Number number = number_of(value.raw());
  return number.is_finite && ((types & kNumberBit) != 0 || number.is_integer);
}

bool Evaluator::is_constant(const Instruction& in, JsonValue value) {
  const std::uint32_t count = in.op == Op::kConst ? 1 : in.b;
  for (std::uint32_t i = 0; i < count; ++i) {
    const JsonValue constant = program_.constants[in.a + i];
    if (!spend(1)) return false;
    if (constant.kind() == value.kind() && equal(constant, value)) return true;
  }
  return false;
}

bool Evaluator::execute_number(const Node& node, const Instruction& in, JsonValue value,
                               const Where& where) {
  const BoundNumber& bound = program_.numbers[in.a];
  const long double number = number_of(value.raw()).value;
  bool holds = true;
  switch (in.op) {
    case Op::kMinimum: holds = number >= bound.value; break;
    case Op::kMaximum: holds = number <= bound.value; break;
    case Op::kExclusiveMinimum: holds = number > bound.value; break;
    case Op::kExclusiveMaximum: holds = number < bound.value; break;
    default: holds = is_multiple(value.raw(), bound.token);
  }
  return holds || refuse(node, in, where);
}

bool Evaluator::execute_string(const Node& node, const Instruction& in, JsonValue value,
                               const Where& where) {
  const std::string_view text = *value.string();
  if (!spend(text.size() / 16)) return false;
  bool holds = true;
  switch (in.op) {
    case Op::kMinLength: holds = length_of(text, program_.lengths) >= in.a; break;
    case Op::kMaxLength:
      holds = text.size() <= in.a || length_of(text, program_.lengths) <= in.a;
      break;
    case Op::kPattern: holds = program_.patterns[in.a].matches(text); break;
    default: holds = matches(static_cast<Format>(in.a), text);
  }
  return holds || refuse(node, in, where);
}

// ---- Schemas of the same value ----

bool Evaluator::execute_combination(const Node& node, const Instruction& in, JsonValue value,
                                    const Where& where, Seen* seen) {
  switch (in.op) {
    case Op::kRef: return evaluate(in.a, value, where, seen);
    case Op::kAllOf:
      for (std::uint32_t i = 0; i < in.b; ++i) {
        if (!evaluate(program_.lists[in.a + i], value, where, seen)) return false;
      }
      return true;
    case Op::kAnyOf: return any_of(node, in, value, where, seen);
    case Op::kOneOf: return one_of(node, in, value, where, seen);
    case Op::kNot: return !holds(in.a, value, where, nullptr) || refuse(node, in, where);
    default: return condition(in, value, where, seen);
  }
}

// Where somebody asks what has been looked at, all branches that hold have a say.
bool Evaluator::any_of(const Node& node, const Instruction& in, JsonValue value,
                       const Where& where, Seen* seen) {
  bool any = false;
  for (std::uint32_t i = 0; i < in.b; ++i) {
    std::optional<Seen> branch;
    if (seen != nullptr) branch.emplace(seen->places.size());
    if (!holds(program_.lists[in.a + i], value, where, branch ? &*branch : nullptr)) continue;
    if (seen == nullptr) return true;
    seen->add(*branch);
    any = true;
  }
  return any || explain_branches(node, in, value, where);
}

bool Evaluator::one_of(const Node& node, const Instruction& in, JsonValue value,
                       const Where& where, Seen* seen) {
  int count = 0;
  for (std::uint32_t i = 0; i < in.b && count < 2; ++i) {
    std::optional<Seen> branch;
    if (seen != nullptr) branch.emplace(seen->places.size());
    if (!holds(program_.lists[in.a + i], value, where, branch ? &*branch : nullptr)) continue;
    if (seen != nullptr) seen->add(*branch);
    ++count;
  }
  if (count == 0) return explain_branches(node, in, value, where);
  return count == 1 || refuse(node, in, where);
}

// Of the branches that do not hold, the one that got furthest into the value is the one that was
// meant; if there is no such one, all that can be said is that none of them holds.
bool Evaluator::explain_branches(const Node& node, const Instruction& in, JsonValue value,
                                 const Where& where) {
  if (quiet_ > 0 || violation_) return false;
  std::optional<Violation> furthest;
  std::size_t steps = 0;
  bool is_only = false;
  for (const Where* at = &where; at->above != nullptr; at = at->above) ++steps;
  for (std::uint32_t i = 0; i < in.b; ++i) {
    if (evaluate(program_.lists[in.a + i], value, where, nullptr) || !violation_) break;
    const auto slashes = static_cast<std::size_t>(
        std::ranges::count(violation_->instance_pointer, '/'));
    if (slashes > steps) {
      steps = slashes;
      furthest = std::move(violation_);
      is_only = true;
    } else if (slashes == steps) {
      is_only = false;
    }
    violation_.reset();
  }
  if (exhausted_) return false;
  if (!furthest || !is_only) return refuse(node, in, where);
  violation_ = std::move(furthest);
  return false;
}

bool Evaluator::condition(const Instruction& in, JsonValue value, const Where& where, Seen* seen) {
  std::optional<Seen> branch;
  if (seen != nullptr) branch.emplace(seen->places.size());
  const bool met = holds(in.a, value, where, branch ? &*branch : nullptr);
  if (met && seen != nullptr) seen->add(*branch);
  const NodeId next = met ? in.b : in.c;
  return next == kNone || evaluate(next, value, where, seen);
}

// ---- Verdicts ----

bool Evaluator::spend(std::size_t steps) {
  if (steps > steps_left_) exhausted_ = true;
  if (exhausted_) return false;
  steps_left_ -= steps;
  return true;
}

bool Evaluator::refuse(const Node& node, const Instruction& in, const Where& where) {
  if (quiet_ > 0 || violation_ || exhausted_) return false;
  return refuse(node, keyword_of(in.op), where, words_for(program_, in));
}

bool Evaluator::refuse(const Node& node, std::string_view keyword, const Where& where,
                       std::string message) {
  if (quiet_ > 0 || violation_ || exhausted_) return false;
  std::vector<std::string> steps;
  for (const Where* at = &where; at->above != nullptr; at = at->above) {
    steps.push_back(at->is_member ? pointer_step(at->name) : fmt::format("/{}", at->index));
  }
  Violation violation{.message = std::move(message)};
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (violation.instance_pointer.size() + step->size() > kPointerBytesMax) break;
    violation.instance_pointer += *step;
  }
  violation.keyword_pointer = node.pointer;
  if (!keyword.empty()) violation.keyword_pointer += pointer_step(keyword);
  violation_ = std::move(violation);
  return false;
}

}  // namespace anywire::schema
