// What is said of a value that breaks a rule.
//
// Thread: any; pure functions. Limits: what is quoted of a schema is cut.
#pragma once

#include <string>
#include <string_view>

#include "schema/program.h"

namespace anywire::schema {

// The name of the keyword that an instruction stands for.
[[nodiscard]] std::string_view keyword_of(Op op);

// "must be at least 3": completes "the value at that place".
[[nodiscard]] std::string words_for(const Program& program, const Instruction& instruction);

// A text of the schema in quotes, as JSON writes it, cut where it is too long.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace anywire::schema
