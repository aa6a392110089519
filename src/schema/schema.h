// Schema: a JSON Schema, compiled once and asked for every message.
//
//   auto schema = Schema::compile(R"({"type":"object","required":["text"]})");
//   if (!schema) return refuse(schema.error().pointer, schema.error().text);
//   if (const auto violation = schema->check(value)) tell(violation->instance_pointer);
//
// The dialect is 2020-12: all of its vocabularies but content, which is annotation only. Of older
// drafts the spellings that are still written are understood: `definitions`, an array in `items`
// with `additionalItems`, `dependencies`, `"$id": "#name"`. Where `$schema` names a draft before 06
// the schema is refused. References stay within the document; `$dynamicRef` goes to the one
// `$dynamicAnchor` of that name. `format` is checked for the names in schema/format.h, `pattern` is
// in schema/pattern.h. Unknown keywords are annotations; `hints()` tells of those that look like
// slips of the pen.
//
// Thread: const once compiled, and used by every loop at once. Lifetime: nothing of what it was
// compiled from is kept; values are read during the call. Limits: CompileOptions, and for a check
// kStepsMin steps and kStepsPerByte more for each byte of the value, beyond which it is refused: no
// value keeps the loop for long, whatever the schema. References that lead back to themselves
// without a step into the value are refused when compiled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json_reader.h"

namespace anywire::schema {

inline constexpr std::size_t kStepsMin = 100'000;
inline constexpr std::size_t kStepsPerByte = 4;
inline constexpr int kEvaluationDepthMax = 256;  // schemas within each other at one time
inline constexpr std::size_t kPointerBytesMax = 256;

// What minLength and maxLength count. The specification says code points; many of JavaScript's
// libraries count what `length` of a string does, and a document made from theirs says so by
// `"x-anywire-lengths": "utf-16"` at its root.
enum class Lengths : std::uint8_t { kCodePoints, kUtf16 };
inline constexpr std::string_view kLengthsKeyword = "x-anywire-lengths";

struct CompileOptions {
  std::size_t schemas_max = 10'000;  // in the document, references counted once
  std::size_t patterns_max = 1'000;
  bool formats = true;  // check them
};

// `pointer` is a JSON Pointer into the schema document; `text` a sentence without a full stop.
struct CompileError {
  std::string pointer;
  std::string text;

  bool operator==(const CompileError&) const = default;
};

// The first thing found wrong. `message` completes "the value at that place ..." and quotes the
// schema only, never the value. A pointer of more than kPointerBytesMax bytes ends at the last step
// that fits.
struct Violation {
  std::string instance_pointer;
  std::string keyword_pointer;
  std::string message;
};

struct Program;

class Schema {
 public:
  [[nodiscard]] static std::expected<Schema, CompileError> compile(
      std::string_view json, const CompileOptions& options = {});
  // `document` is the root that "#" means, wherever it stands in its message.
  [[nodiscard]] static std::expected<Schema, CompileError> compile(
      codec::JsonValue document, const CompileOptions& options = {});

  Schema(Schema&&) noexcept;
  Schema& operator=(Schema&&) noexcept;
  ~Schema();

  [[nodiscard]] std::optional<Violation> check(codec::JsonValue value) const;

  // Keywords that nobody knows but that are nearly ones.
  [[nodiscard]] const std::vector<CompileError>& hints() const { return hints_; }

 private:
  Schema(std::unique_ptr<const Program> program, std::vector<CompileError> hints);

  std::unique_ptr<const Program> program_;
  std::vector<CompileError> hints_;
};

}  // namespace anywire::schema
