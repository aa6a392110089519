// Compiler: from a schema document to a Program. For schema.cc.
//
// Every schema of the document that can be reached becomes a node, once, found by a queue rather
// than by recursion, so that a long chain of references costs no stack.
//
// Thread: any. Lifetime: of one compilation; the document outlives it. Limits: CompileOptions.
#pragma once

#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "codec/json_reader.h"
#include "schema/program.h"
#include "schema/references.h"
#include "schema/schema.h"

namespace anywire::schema {

class Compiler {
 public:
  Compiler(codec::JsonValue document, const CompileOptions& options);

  [[nodiscard]] std::expected<std::unique_ptr<const Program>, CompileError> run();
  std::vector<CompileError> take_hints() { return std::move(hints_); }

 private:
  using Value = codec::JsonValue;

  // Schemas.
  NodeId want(Place place);
  NodeId want(std::string_view keyword, Value value);
  NodeId want(std::string_view keyword, std::string_view step, Value value);
  void compile(NodeId id);
  void compile_keywords();
  void look_for_slips();
  void check_dialect();
  void check_cycles();

  // Keywords, in groups: each reads what it needs of the present schema.
  void compile_type();
  void compile_values();
  void compile_numbers();
  void compile_strings();
  void compile_arrays();
  void compile_items();
  void compile_contains();
  void compile_objects();
  void compile_shape();
  void add_required(Shape& shape);
  void compile_dependencies();
  void compile_dependency(std::string_view keyword, std::string_view name, Value value);
  void compile_references();
  void compile_combinations();
  void compile_condition();
  void compile_unevaluated();
  void compile_list(std::string_view keyword, Op op);
  void compile_bound(std::string_view keyword, Op op);
  void compile_length(std::string_view keyword, Op op);

  // Parts of the program.
  void emit(Op op, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0);
  std::uint32_t add_constant(Value value);
  std::optional<std::uint32_t> add_pattern(std::string_view keyword, std::string_view text);
  std::uint32_t add_name(std::string_view name);
  std::uint32_t add_list(const std::vector<std::uint32_t>& list);
  std::optional<std::uint32_t> names(std::string_view keyword, Value value, std::uint32_t& count);
  std::optional<std::uint32_t> length(std::string_view keyword);

  // Members of the present schema.
  std::optional<Value> find(std::string_view keyword) const { return schema_->find(keyword); }
  std::optional<Value> find(std::string_view keyword, codec::JsonKind kind,
                            std::string_view wanted);
  void refuse(std::string_view keyword, std::string text);
  void refuse_at(std::string pointer, std::string text);
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  [[nodiscard]] std::string pointer_of(std::string_view keyword) const;

  const CompileOptions& options_;
  const Value document_;
  References references_;
  std::unique_ptr<Program> program_;
  std::unordered_map<const char*, NodeId> known_;  // by where a schema begins in the document
  std::deque<std::pair<NodeId, Value>> waiting_;
  std::vector<std::string> constants_;
  std::optional<Value> schema_;  // the present one
  NodeId node_ = 0;
  std::optional<CompileError> error_;
  std::vector<CompileError> hints_;
};

}  // namespace anywire::schema
