#include "schema/words.h"

#include <fmt/format.h>

#include <array>

#include "codec/json_writer.h"

namespace anywire::schema {
namespace {

constexpr std::size_t kQuotedBytesMax = 80;
constexpr std::size_t kChoicesBytesMax = 160;

// Not within a character of UTF-8.
std::string cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  while (bytes_max > 0 && (text[bytes_max] & 0xC0) == 0x80) --bytes_max;
  return std::string(text.substr(0, bytes_max)) + "...";
}

std::string types(std::uint32_t set) {
  constexpr std::array<std::string_view, 7> kNames = {
      "null", "true or false", "a number", "a whole number", "a text", "a list", "an object"};
  std::string out;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if ((set >> i & 1) == 0) continue;
    if (!out.empty()) out += " or ";
    out += kNames[i];
  }
  return out;
}

std::string choices(const Program& program, const Instruction& instruction) {
  std::string out;
  for (std::uint32_t i = 0; i < instruction.b; ++i) {
    if (i > 0) out += ", ";
    out += program.constants[instruction.a + i].raw();
    if (out.size() > kChoicesBytesMax) break;
  }
  return cut(out, kChoicesBytesMax);
}

std::string count(std::string_view words, std::uint32_t number, std::string_view noun) {
  return fmt::format("{} {} {}{}", words, number, noun, number == 1 ? "" : "s");
}

}  // namespace

std::string_view keyword_of(Op op) {
  switch (op) {
    case Op::kNever: return "";
    case Op::kType: return "type";
    case Op::kConst: return "const";
    case Op::kEnum: return "enum";
    case Op::kMinimum: return "minimum";
    case Op::kMaximum: return "maximum";
    case Op::kExclusiveMinimum: return "exclusiveMinimum";
    case Op::kExclusiveMaximum: return "exclusiveMaximum";
    case Op::kMultipleOf: return "multipleOf";
    case Op::kMinLength: return "minLength";
    case Op::kMaxLength: return "maxLength";
    case Op::kPattern: return "pattern";
    case Op::kFormat: return "format";
    case Op::kMinItems: return "minItems";
    case Op::kMaxItems: return "maxItems";
    case Op::kUniqueItems: return "uniqueItems";
    case Op::kPrefixItems: return "prefixItems";
    case Op::kItems: return "items";
    case Op::kContains: return "contains";
    case Op::kMinProperties: return "minProperties";
    case Op::kMaxProperties: return "maxProperties";
    case Op::kObject: return "required";
    case Op::kPropertyNames: return "propertyNames";
    case Op::kDependentRequired: return "dependentRequired";
    case Op::kDependentSchema: return "dependentSchemas";
    case Op::kRef: return "$ref";
    case Op::kAllOf: return "allOf";
    case Op::kAnyOf: return "anyOf";
    case Op::kOneOf: return "oneOf";
    case Op::kNot: return "not";
    case Op::kIf: return "if";
    case Op::kUnevaluatedItems: return "unevaluatedItems";
    case Op::kUnevaluatedProperties: return "unevaluatedProperties";
  }
  return "";
}

std::string quoted(std::string_view text) {
  std::string out;
  codec::append_json_string(out, cut(text, kQuotedBytesMax));
  return out;
}

std::string words_for(const Program& program, const Instruction& in) {
  const auto number = [&] { return cut(program.numbers[in.a].token, kQuotedBytesMax); };
  const auto constant = [&] { return cut(program.constants[in.a].raw(), kQuotedBytesMax); };
  switch (in.op) {
    case Op::kNever: return "is not allowed";
    case Op::kType: return "must be " + types(in.a);
    case Op::kConst: return "must be " + constant();
    case Op::kEnum: return "must be one of " + choices(program, in);
    case Op::kMinimum: return "must be at least " + number();
    case Op::kMaximum: return "must be at most " + number();
    case Op::kExclusiveMinimum: return "must be more than " + number();
    case Op::kExclusiveMaximum: return "must be less than " + number();
    case Op::kMultipleOf: return "must be a multiple of " + number();
    case Op::kMinLength: return count("must have at least", in.a, "character");
    case Op::kMaxLength: return count("must have at most", in.a, "character");
    case Op::kPattern: return "must match " + quoted(program.pattern_texts[in.a]);
    case Op::kFormat: {
      return fmt::format("must be {}", words_for(static_cast<Format>(in.a)));
    }
    case Op::kMinItems: return count("must have at least", in.a, "item");
    case Op::kMaxItems: return count("must have at most", in.a, "item");
    case Op::kUniqueItems: return "must not have the same item twice";
    case Op::kMinProperties: return count("must have at least", in.a, "member");
    case Op::kMaxProperties: return count("must have at most", in.a, "member");
    case Op::kAnyOf: return "must have one of the forms that are allowed";
    case Op::kOneOf: return "must have exactly one of the forms that are allowed";
    case Op::kNot: return "must not have this form";
    case Op::kContains: {
      if (in.c != kNone && in.b > 0) return "must have the right number of items of a certain form";
      return in.c == kNone ? count("must have at least", in.b, "item") + " of a certain form"
                           : count("must have at most", in.c, "item") + " of a certain form";
    }
    default: return "does not fit";
  }
}

}  // namespace anywire::schema
