#include "auth/strict_json.h"

#include <algorithm>
#include <vector>

namespace anywire::auth {
namespace {

namespace dom = simdjson::dom;

// A name that is there twice means one thing to us and another to somebody else. Depth is bounded
// by the parser.
bool has_duplicates(dom::element value) {
  dom::array array;
  if (value.get_array().get(array) == simdjson::SUCCESS) {
    return std::any_of(array.begin(), array.end(), has_duplicates);
  }
  dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return false;
  std::vector<std::string_view> names;
  for (const dom::key_value_pair& member : object) {
    names.push_back(member.key);
    if (has_duplicates(member.value)) return true;
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

}  // namespace

bool StrictJson::parse(std::string_view json) {
  dom::element root;
  return parser_.allocate(json.size() + 1, kJsonDepthMax) == simdjson::SUCCESS &&
         parser_.parse(simdjson::padded_string(json)).get(root) == simdjson::SUCCESS &&
         root.get_object().get(object_) == simdjson::SUCCESS && !has_duplicates(root);
}

}  // namespace anywire::auth
