// Evaluator: runs a Program over one value. For schema.cc.
//
// A schema within a schema is a call; calls are at most kEvaluationDepthMax deep and are counted,
// so that time and stack are bounded. Members and items that a schema has looked at are kept only
// where an `unevaluated...` above asks for them (2020-12 core, 11).
//
// Thread: any. Lifetime: of one check; program and value outlive it. Limits: those of schema.h.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json_reader.h"
#include "schema/program.h"
#include "schema/schema.h"

namespace anywire::schema {

class Evaluator {
 public:
  Evaluator(const Program& program, std::size_t steps_max)
      : program_(program), steps_left_(steps_max) {}

  [[nodiscard]] std::optional<Violation> run(codec::JsonValue value);

 private:
  using Value = codec::JsonValue;

  // Where a value is: on the stack of the calls that led there.
  struct Where {
    const Where* above = nullptr;
    std::string_view name;
    std::size_t index = 0;
    bool is_member = false;
  };

  // Which members or items of one value have been looked at, by their place.
  struct Seen {
    explicit Seen(std::size_t size) : places(size) {}
    void add(const Seen& other);
    void add_all() { places.assign(places.size(), true); }
    std::vector<bool> places;
  };

  bool evaluate(NodeId id, Value value, const Where& where, Seen* seen);
  bool execute(const Node& node, const Instruction& instruction, Value value, const Where& where,
               Seen* seen);
  bool execute_number(const Node& node, const Instruction& instruction, Value value,
                      const Where& where);
  bool execute_string(const Node& node, const Instruction& instruction, Value value,
                      const Where& where);
  bool execute_array(const Node& node, const Instruction& instruction, Value value,
                     const Where& where, Seen* seen);
  bool execute_object(const Node& node, const Instruction& instruction, Value value,
                      const Where& where, Seen* seen);
  bool execute_combination(const Node& node, const Instruction& instruction, Value value,
                           const Where& where, Seen* seen);

  bool has_type(std::uint32_t types, Value value) const;
  bool is_constant(const Instruction& instruction, Value value);
  bool is_unique(Value array);
  bool prefix_items(const Instruction& instruction, Value value, const Where& where, Seen* seen);
  bool items(const Instruction& instruction, Value value, const Where& where, Seen* seen);
  bool contains(const Node& node, const Instruction& instruction, Value value, const Where& where,
                Seen* seen);
  bool members(const Node& node, const Instruction& instruction, Value value, const Where& where,
               Seen* seen);
  bool member(const Shape& shape, const Property* property, codec::JsonMember member,
              const Where& where, bool& looked_at);
  bool missing(const Node& node, const Shape& shape, Value value, const Where& where);
  bool names(const Instruction& instruction, Value value, const Where& where);
  bool dependencies(const Node& node, const Instruction& instruction, Value value,
                    const Where& where);
  bool any_of(const Node& node, const Instruction& instruction, Value value, const Where& where,
              Seen* seen);
  bool one_of(const Node& node, const Instruction& instruction, Value value, const Where& where,
              Seen* seen);
  bool condition(const Instruction& instruction, Value value, const Where& where, Seen* seen);
  bool unevaluated(const Instruction& instruction, Value value, const Where& where, Seen& seen);
  // Whether a schema holds, without a word about why not.
  bool holds(NodeId id, Value value, const Where& where, Seen* seen);
  bool explain_branches(const Node& node, const Instruction& instruction, Value value,
                        const Where& where);

  bool spend(std::size_t steps);
  bool refuse(const Node& node, const Instruction& instruction, const Where& where);
  bool refuse(const Node& node, std::string_view keyword, const Where& where, std::string message);

  const Program& program_;
  std::size_t steps_left_;
  int depth_ = 0;
  int quiet_ = 0;           // within a schema that need not hold
  bool exhausted_ = false;  // no verdict could be had
  std::optional<Violation> violation_;
};

}  // namespace anywire::schema
