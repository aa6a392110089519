#include "auth/capability_json.h"

#include "auth/strict_json.h"

namespace anywire::auth {
namespace {

namespace dom = simdjson::dom;

std::optional<Operations> read_operations(dom::element value) {
  dom::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS) return std::nullopt;
  Operations operations;
  for (const dom::element one : list) {
    std::string_view text;
    if (one.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
    const std::optional<Operations> operation = parse_operation(text);
    if (!operation) return std::nullopt;
    operations = operations | *operation;
  }
  return operations;
}

Result<Capability> read_patterns(dom::object patterns) {
  Capability capability;
  for (const dom::key_value_pair& entry : patterns) {
    const std::optional<Operations> operations = read_operations(entry.value);
    if (!operations) {
      return fail(ErrorCode::kInvalidArgument,
                  "give each pattern a list of subscribe, publish, presence, history, rpc, manage "
                  "or *");
    }
    if (!capability.add(entry.key, *operations)) {
      return fail(ErrorCode::kInvalidArgument,
                  "have at most 256 patterns of 1 to 255 bytes without control characters");
    }
  }
  return capability;
}

}  // namespace

Result<Capability> read_capability(dom::element value) {
  dom::object patterns;
  if (value.get_object().get(patterns) != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument, "be an object of patterns");
  }
  return read_patterns(patterns);
}

Result<Capability> Capability::parse(std::string_view json) {
  StrictJson document;
  if (!document.parse(json)) {
    return fail(ErrorCode::kInvalidArgument, "be an object of patterns, each of them once");
  }
  return read_patterns(document.object());
}

}  // namespace anywire::auth
