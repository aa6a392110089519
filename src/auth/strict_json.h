// StrictJson: JSON that decides about rights, read so that nobody can read it otherwise: one
// object, well-formed to its end, no name twice at any depth. For this folder only.
//
// Thread: any. Lifetime: the object's values point into the StrictJson, which stays where it is.
// Limits: the caller bounds the text; time is O(n log n) in it, depth at most kJsonDepthMax.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <string_view>

namespace anywire::auth {

inline constexpr std::size_t kJsonDepthMax = 32;  // of arrays and objects

class StrictJson {
 public:
  StrictJson() = default;
  StrictJson(const StrictJson&) = delete;
  StrictJson& operator=(const StrictJson&) = delete;

  // False unless it is such an object.
  [[nodiscard]] bool parse(std::string_view json);

  simdjson::dom::object object() const { return object_; }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::object object_;
};

}  // namespace anywire::auth
