// The keywords that are known, those of older drafts and pure annotations included.
//
// Thread: any; constants.
#pragma once

#include <span>
#include <string_view>

namespace anywire::schema {

[[nodiscard]] std::span<const std::string_view> keywords();
[[nodiscard]] bool is_keyword(std::string_view name);

}  // namespace anywire::schema
