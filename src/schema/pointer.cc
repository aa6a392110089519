#include "schema/pointer.h"

#include <algorithm>
#include <charconv>

namespace anywire::schema {
namespace {

using codec::JsonKind;
using codec::JsonValue;

// Nothing for a tilde that is not one of the two escapes.
std::optional<std::string> unescape(std::string_view step) {
  std::string out;
  for (std::size_t i = 0; i < step.size(); ++i) {
    if (step[i] != '~') {
      out += step[i];
      continue;
    }
    if (++i == step.size() || (step[i] != '0' && step[i] != '1')) return std::nullopt;
    out += step[i] == '1' ? '/' : '~';
  }
  return out;
}

std::optional<JsonValue> step_into(JsonValue value, std::string_view step) {
  if (value.kind() == JsonKind::kObject) {
    const auto name = unescape(step);
    return name ? value.find(*name) : std::nullopt;
  }
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  if (error != std::errc() || end != step.data() + step.size()) return std::nullopt;
  if (step.size() > 1 && step.front() == '0') return std::nullopt;
  for (const JsonValue element : value.elements()) {
    if (index-- == 0) return element;
  }
  return std::nullopt;
}

}  // namespace

std::string pointer_step(std::string_view name) {
  std::string out = "/";
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<JsonValue> find_at(JsonValue root, std::string_view pointer) {
  std::optional<JsonValue> at = root;
  while (at && !pointer.empty()) {
    if (pointer.front() != '/') return std::nullopt;
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    at = step_into(*at, pointer.substr(0, end));
    pointer.remove_prefix(end);
  }
  return at;
}

}  // namespace anywire::schema
