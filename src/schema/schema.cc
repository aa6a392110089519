#include "schema/schema.h"

#include <utility>

#include "schema/compiler.h"
#include "schema/evaluator.h"
#include "schema/program.h"

namespace anywire::schema {

Schema::Schema(std::unique_ptr<const Program> program, std::vector<CompileError> hints)
    : program_(std::move(program)), hints_(std::move(hints)) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

std::expected<Schema, CompileError> Schema::compile(std::string_view json,
                                                    const CompileOptions& options) {
  codec::JsonReader reader;
  const auto document = reader.read(as_bytes(json));
  if (!document) return std::unexpected(CompileError{"", document.error().message});
  return compile(*document, options);
}

std::expected<Schema, CompileError> Schema::compile(codec::JsonValue document,
                                                    const CompileOptions& options) {
  Compiler compiler(document, options);
  auto program = compiler.run();
  if (!program) return std::unexpected(std::move(program.error()));
  return Schema(*std::move(program), compiler.take_hints());
}

std::optional<Violation> Schema::check(codec::JsonValue value) const {
  return Evaluator(*program_, kStepsMin + kStepsPerByte * value.raw().size()).run(value);
}

}  // namespace anywire::schema
