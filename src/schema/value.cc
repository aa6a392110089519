#include "schema/value.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "schema/number.h"

namespace anywire::schema {
namespace {

using codec::JsonKind;
using codec::JsonValue;

// Below it a search in the other object is cheaper than to sort both.
constexpr std::size_t kSortFrom = 16;

using Sorted = std::vector<std::pair<std::string_view, JsonValue>>;

Sorted sorted_members(JsonValue object) {
  Sorted members;
  members.reserve(object.size());
  for (const auto [name, value] : object.members()) members.emplace_back(name, value);
  std::ranges::sort(members, {}, &Sorted::value_type::first);
  return members;
}

bool equal_objects(JsonValue a, JsonValue b) {
  if (a.size() < kSortFrom) {
    for (const auto [name, value] : a.members()) {
      const auto other = b.find(name);
      if (!other || !equal(value, *other)) return false;
    }
    return true;
  }
  return std::ranges::equal(sorted_members(a), sorted_members(b), [](const auto& x, const auto& y) {
    return x.first == y.first && equal(x.second, y.second);
  });
}

bool equal_arrays(JsonValue a, JsonValue b) {
  auto other = b.elements().begin();
  for (const JsonValue element : a.elements()) {
    if (!equal(element, *other)) return false;
    ++other;
  }
  return true;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t more) {
  hash ^= more + 0x9e37'79b9'7f4a'7c15 + (hash << 6) + (hash >> 2);
  hash *= 0xff51'afd7'ed55'8ccd;
  return hash ^ (hash >> 32);
}

}  // namespace

bool equal(JsonValue a, JsonValue b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case JsonKind::kNull: return true;
    case JsonKind::kBoolean: return a.boolean() == b.boolean();
    case JsonKind::kNumber:
      return a.raw() == b.raw() || number_of(a.raw()).value == number_of(b.raw()).value;
    case JsonKind::kString: return a.string() == b.string();
    case JsonKind::kArray: return a.size() == b.size() && equal_arrays(a, b);
    case JsonKind::kObject: return a.size() == b.size() && equal_objects(a, b);
  }
  return false;
}

std::uint64_t hash_of(JsonValue value) {
  const auto kind = static_cast<std::uint64_t>(value.kind());
  switch (value.kind()) {
    case JsonKind::kNull: break;
    case JsonKind::kBoolean: return mix(kind, *value.boolean() ? 1 : 0);
    case JsonKind::kNumber:
      return mix(kind, std::hash<long double>{}(number_of(value.raw()).value));
    case JsonKind::kString: return mix(kind, std::hash<std::string_view>{}(*value.string()));
    case JsonKind::kArray: {
      std::uint64_t hash = kind;
      for (const JsonValue element : value.elements()) hash = mix(hash, hash_of(element));
      return hash;
    }
    case JsonKind::kObject: {
      std::uint64_t sum = 0;  // the order of members does not count
      for (const auto [name, member] : value.members()) {
        sum += mix(std::hash<std::string_view>{}(name), hash_of(member));
      }
      return mix(kind, sum);
    }
  }
  return mix(kind, 0);
}

std::size_t length_of(std::string_view text, Lengths lengths) {
  const auto points = std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
  // What takes four bytes here takes two units there.
  const auto pairs = lengths == Lengths::kCodePoints
                         ? 0
                         : std::ranges::count_if(text, [](char c) { return (c & 0xF8) == 0xF0; });
  return static_cast<std::size_t>(points + pairs);
}

}  // namespace anywire::schema
