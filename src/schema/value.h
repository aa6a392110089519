// What JSON Schema asks of values: whether two are equal, and how long a text is (2020-12 core,
// 4.2.2; validation, 6.3).
//
// Thread: any; pure functions. Lifetime: values are read during the call. Limits: nesting is the
// reader's (codec::kJsonDepthMax). Time: n log n of what is compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codec/json_reader.h"
#include "schema/schema.h"

namespace anywire::schema {

// Numbers by value, objects whatever the order of their members.
[[nodiscard]] bool equal(codec::JsonValue a, codec::JsonValue b);

// The same for equal values.
[[nodiscard]] std::uint64_t hash_of(codec::JsonValue value);

// Of UTF-8 that was checked: in code points, or in UTF-16's units.
[[nodiscard]] std::size_t length_of(std::string_view text, Lengths lengths = Lengths::kCodePoints);

}  // namespace anywire::schema
