// JSON Pointers (RFC 6901).
//
// Thread: any; pure functions. Lifetime: arguments are read during the call.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/json_reader.h"

namespace anywire::schema {

// One step, escaped, with the slash in front (section 3).
[[nodiscard]] std::string pointer_step(std::string_view name);

// What a pointer leads to (section 4); nothing if it leads nowhere or is none.
[[nodiscard]] std::optional<codec::JsonValue> find_at(codec::JsonValue root,
                                                      std::string_view pointer);

}  // namespace anywire::schema
