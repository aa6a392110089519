// Program: what a schema is compiled to. A few flat arrays; indices instead of pointers. Made by
// compiler.cc, run by evaluator.cc, and private to these.
//
// Thread: const once made, and read by every loop. Lifetime: of the Schema. Limits: those of
// CompileOptions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json_reader.h"
#include "schema/format.h"
#include "schema/pattern.h"
#include "schema/schema.h"

namespace anywire::schema {

using NodeId = std::uint32_t;
inline constexpr std::uint32_t kNone = 0xffff'ffff;

// Within a node the order of evaluation: cheap ones first, what needs all others last.
enum class Op : std::uint8_t {
  kNever,                  // the schema `false`
  kType,                   // a: set of TypeBit
  kConst,                  // a: first constant
  kEnum,                   // a: first constant, b: how many
  kMinimum,                // a: number
  kMaximum,
  kExclusiveMinimum,
  kExclusiveMaximum,
  kMultipleOf,
  kMinLength,              // a: length
  kMaxLength,
  kPattern,                // a: pattern
  kFormat,                 // a: Format
  kMinItems,               // a: length
  kMaxItems,
  kUniqueItems,
  kPrefixItems,            // a: first of lists, b: how many
  kItems,                  // a: node, b: of the items from here on
  kContains,               // a: node, b: at least, c: at most
  kMinProperties,          // a: length
  kMaxProperties,
  kObject,                 // a: shape
  kPropertyNames,          // a: node
  kDependentRequired,      // a: name, b: first of lists (names), c: how many
  kDependentSchema,        // a: name, b: node
  kRef,                    // a: node
  kAllOf,                  // a: first of lists, b: how many
  kAnyOf,
  kOneOf,
  kNot,                    // a: node
  kIf,                     // a: node, b: then, c: else; kNone where there is none
  kUnevaluatedItems,       // a: node
  kUnevaluatedProperties,  // a: node
};

enum TypeBit : std::uint32_t {
  kNullBit = 1,
  kBooleanBit = 2,
  kNumberBit = 4,
  kIntegerBit = 8,
  kStringBit = 16,
  kArrayBit = 32,
  kObjectBit = 64,
};

struct Instruction {
  Op op = Op::kNever;
  std::uint32_t a = 0, b = 0, c = 0;
};

// One schema of the document.
struct Node {
  std::uint32_t first = 0, count = 0;  // of instructions
  bool has_unevaluated = false;
  std::string pointer;                 // where it stands in the document
};

struct Property {
  std::string name;
  NodeId schema = kNone;
  bool required = false;
};

struct PatternProperty {
  std::uint32_t pattern = 0;
  NodeId schema = kNone;
};

// What is said about an object's members: found in one walk over them.
struct Shape {
  std::vector<Property> properties;  // by length, then by bytes
  std::vector<PatternProperty> patterns;
  NodeId additional = kNone;
  std::uint32_t required = 0;  // how many
};

struct BoundNumber {
  long double value = 0;
  std::string token;  // as it is written
};

struct Program {
  Lengths lengths = Lengths::kCodePoints;
  std::vector<Node> nodes;  // the first one is the whole schema
  std::vector<Instruction> instructions;
  std::vector<std::uint32_t> lists;
  std::vector<Shape> shapes;
  std::vector<BoundNumber> numbers;
  std::vector<std::string> names;
  std::vector<Pattern> patterns;
  std::vector<std::string> pattern_texts;
  // The values of `const` and `enum`: views into the text, which is one array of them all.
  std::vector<codec::JsonValue> constants;
  std::string constants_text;
  codec::JsonReader constants_reader;
};

// Nothing if the schema does not mention it.
[[nodiscard]] const Property* find_property(const Shape& shape, std::string_view name);

}  // namespace anywire::schema
