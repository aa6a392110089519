// Evaluator: arrays and objects.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "schema/evaluator.h"
#include "schema/value.h"
#include "schema/words.h"

namespace anywire::schema {

using codec::JsonMember;
using codec::JsonValue;

// ---- Arrays ----

bool Evaluator::execute_array(const Node& node, const Instruction& in, JsonValue value,
                              const Where& where, Seen* seen) {
  switch (in.op) {
    case Op::kMinItems: return value.size() >= in.a || refuse(node, in, where);
    case Op::kMaxItems: return value.size() <= in.a || refuse(node, in, where);
    case Op::kUniqueItems: return is_unique(value) || refuse(node, in, where);
    case Op::kPrefixItems: return prefix_items(in, value, where, seen);
    case Op::kItems: return items(in, value, where, seen);
    case Op::kContains: return contains(node, in, value, where, seen);
    default: return unevaluated(in, value, where, *seen);
  }
}

// Equal items have equal hashes, so only those are compared. Who makes others collide runs out of
// steps.
bool Evaluator::is_unique(JsonValue array) {
  if (!spend(array.raw().size() / 8)) return false;
  std::vector<std::pair<std::uint64_t, JsonValue>> hashes;
  hashes.reserve(array.size());
  for (const JsonValue item : array.elements()) hashes.emplace_back(hash_of(item), item);
  std::ranges::sort(hashes, {}, &decltype(hashes)::value_type::first);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    for (std::size_t j = i + 1; j < hashes.size() && hashes[j].first == hashes[i].first; ++j) {
      if (!spend(1 + hashes[i].second.raw().size() / 8)) return false;
      if (equal(hashes[i].second, hashes[j].second)) return false;
    }
  }
  return true;
}

bool Evaluator::prefix_items(const Instruction& in, JsonValue value, const Where& where,
                             Seen* seen) {
  std::size_t index = 0;
  for (const JsonValue item : value.elements()) {
    if (index == in.b) break;
    const Where at{.above = &where, .index = index};
    if (!evaluate(program_.lists[in.a + index], item, at, nullptr)) return false;
    if (seen != nullptr) seen->places[index] = true;
    ++index;
  }
  return true;
}

bool Evaluator::items(const Instruction& in, JsonValue value, const Where& where, Seen* seen) {
  std::size_t index = 0;
  for (const JsonValue item : value.elements()) {
    const Where at{.above = &where, .index = index};
    if (index++ < in.b) continue;
    if (!evaluate(in.a, item, at, nullptr)) return false;
  }
  if (seen != nullptr) seen->add_all();
  return true;
}

bool Evaluator::contains(const Node& node, const Instruction& in, JsonValue value,
                         const Where& where, Seen* seen) {
  std::uint32_t count = 0;
  std::size_t index = 0;
  for (const JsonValue item : value.elements()) {
    const Where at{.above = &where, .index = index};
    if (holds(in.a, item, at, nullptr)) {
      ++count;
      if (seen != nullptr) seen->places[index] = true;
    }
    ++index;
    if (seen == nullptr && count >= in.b && in.c == kNone) return true;
  }
  return (count >= in.b && count <= in.c) || refuse(node, in, where);
}

// ---- Objects ----

bool Evaluator::execute_object(const Node& node, const Instruction& in, JsonValue value,
                               const Where& where, Seen* seen) {
  switch (in.op) {
    case Op::kMinProperties: return value.size() >= in.a || refuse(node, in, where);
    case Op::kMaxProperties: return value.size() <= in.a || refuse(node, in, where);
    case Op::kObject: return members(node, in, value, where, seen);
    case Op::kPropertyNames: return names(in, value, where);
    case Op::kDependentRequired: return dependencies(node, in, value, where);
    case Op::kDependentSchema:
      if (!spend(value.size() / 8)) return false;
      return !value.find(program_.names[in.a]) || evaluate(in.b, value, where, seen);
    default: return unevaluated(in, value, where, *seen);
  }
}

bool Evaluator::members(const Node& node, const Instruction& in, JsonValue value,
                        const Where& where, Seen* seen) {
  const Shape& shape = program_.shapes[in.a];
  std::uint32_t required = 0;
  std::size_t index = 0;
  for (const JsonMember each : value.members()) {
    const Property* property = find_property(shape, each.name);
    if (property != nullptr && property->required) ++required;
    bool looked_at = false;
    if (!member(shape, property, each, where, looked_at)) return false;
    if (looked_at && seen != nullptr) seen->places[index] = true;
    ++index;
  }
  return required == shape.required || missing(node, shape, value, where);
}

bool Evaluator::member(const Shape& shape, const Property* property, JsonMember member,
                       const Where& where, bool& looked_at) {
  const Where at{.above = &where, .name = member.name, .is_member = true};
  if (property != nullptr && property->schema != kNone) {
    looked_at = true;
    if (!evaluate(property->schema, member.value, at, nullptr)) return false;
  }
  for (const PatternProperty& pattern : shape.patterns) {
    if (!spend(1 + member.name.size() / 16)) return false;
    if (!program_.patterns[pattern.pattern].matches(member.name)) continue;
    looked_at = true;
    if (!evaluate(pattern.schema, member.value, at, nullptr)) return false;
  }
  if (looked_at || shape.additional == kNone) return true;
  looked_at = true;
  return evaluate(shape.additional, member.value, at, nullptr);
}

bool Evaluator::missing(const Node& node, const Shape& shape, JsonValue value,
                        const Where& where) {
  if (quiet_ > 0) return false;
  for (const Property& property : shape.properties) {
    if (!property.required) continue;
    if (!spend(value.size() / 8)) return false;
    if (value.find(property.name)) continue;
    return refuse(node, "required", where,
                  fmt::format("must have the member {}", quoted(property.name)));
  }
  return false;
}

bool Evaluator::names(const Instruction& in, JsonValue value, const Where& where) {
  const codec::JsonMembers all = value.members();
  for (auto at = all.begin(); at != all.end(); ++at) {
    const Where member{.above = &where, .name = (*at).name, .is_member = true};
    if (!evaluate(in.a, at.name_value(), member, nullptr)) return false;
  }
  return true;
}

bool Evaluator::dependencies(const Node& node, const Instruction& in, JsonValue value,
                             const Where& where) {
  if (!spend(value.size() / 8)) return false;
  if (!value.find(program_.names[in.a])) return true;
  for (std::uint32_t i = 0; i < in.c; ++i) {
    const std::string& name = program_.names[program_.lists[in.b + i]];
    if (!spend(1 + value.size() / 8)) return false;
    if (value.find(name)) continue;
    if (quiet_ > 0) return false;
    return refuse(node, "dependentRequired", where,
                  fmt::format("must have the member {}, as it has {}", quoted(name),
                              quoted(program_.names[in.a])));
  }
  return true;
}

// ---- Both ----

bool Evaluator::unevaluated(const Instruction& in, JsonValue value, const Where& where,
                            Seen& seen) {
  std::size_t index = 0;
  const auto take = [&](JsonValue child, Where at) {
    const bool looked_at = seen.places[index++];
    return looked_at || evaluate(in.a, child, at, nullptr);
  };
  if (in.op == Op::kUnevaluatedItems) {
    for (const JsonValue item : value.elements()) {
      if (!take(item, {.above = &where, .index = index})) return false;
    }
  } else {
    for (const JsonMember member : value.members()) {
      if (!take(member.value, {.above = &where, .name = member.name, .is_member = true})) {
        return false;
      }
    }
  }
  seen.add_all();
  return true;
}

}  // namespace anywire::schema
