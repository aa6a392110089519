#include "protocol/api/object_reader.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/suggest.h"

namespace anywire::protocol::api {
namespace {

// What is repeated of a name that somebody else made up.
constexpr std::size_t kShownBytesMax = 64;

std::string shown(std::string_view name) {
  if (name.size() <= kShownBytesMax) return std::string(name);
  std::size_t end = kShownBytesMax;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return std::string(name.substr(0, end)) + "...";
}

}  // namespace

std::string pointer_to(std::string_view parent, std::string_view name) {
  std::string pointer(parent);
  pointer += '/';
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

Problem unknown_name(std::string_view what, std::string_view name,
                     std::span<const std::string_view> known) {
  std::string text = fmt::format("unknown {} \"{}\"", what, shown(name));
  if (const auto meant = suggest(name, known)) {
    text += fmt::format("; did you mean \"{}\"?", *meant);
  }
  return {.code = Code::kBadRequest, .message = std::move(text)};
}

ObjectReader::ObjectReader(codec::JsonValue value, std::span<const std::string_view> known,
                           std::string pointer)
    : value_(value), pointer_(std::move(pointer)) {
  if (value.kind() != codec::JsonKind::kObject) {
    refuse({.code = Code::kBadRequest, .message = "this must be an object", .path = pointer_});
    return;
  }
  for (const auto [name, member] : value.members()) {
    if (std::ranges::find(known, name) != known.end()) continue;
    Problem problem = unknown_name("member", name, known);
    problem.path = pointer_to(pointer_, shown(name));
    refuse(std::move(problem));
    return;
  }
}

std::string_view ObjectReader::text(std::string_view name, std::size_t bytes_max) {
  const auto value = value_.find(name);
  if (!value) return {};
  const auto text = value->string();
  if (!text) {
    refuse(name, Code::kBadRequest, fmt::format("\"{}\" must be a string", name));
    return {};
  }
  if (text->size() > bytes_max) {
    refuse(name, Code::kTooLarge, fmt::format("\"{}\" has at most {} bytes", name, bytes_max));
    return {};
  }
  return *text;
}

std::string_view ObjectReader::required_text(std::string_view name, std::size_t bytes_max) {
  const std::string_view value = text(name, bytes_max);
  if (!has(name)) {
    refuse({.code = Code::kBadRequest,
            .message = fmt::format("\"{}\" is missing", name),
            .path = pointer_});
  } else if (value.empty()) {
    refuse(name, Code::kBadRequest, fmt::format("\"{}\" is empty", name));
  }
  return value;
}

bool ObjectReader::boolean(std::string_view name, bool otherwise) {
  const auto value = value_.find(name);
  if (!value) return otherwise;
  const auto boolean = value->boolean();
  if (!boolean) refuse(name, Code::kBadRequest, fmt::format("\"{}\" must be true or false", name));
  return boolean.value_or(otherwise);
}

std::optional<std::uint64_t> ObjectReader::number(std::string_view name, std::uint64_t least,
                                                  std::uint64_t most) {
  const auto value = value_.find(name);
  if (!value) return std::nullopt;
  const auto number = value->u64();
  if (number && *number >= least && *number <= most) return number;
  refuse(name, Code::kBadRequest,
         fmt::format("\"{}\" must be a whole number from {} to {}", name, least, most));
  return std::nullopt;
}

std::optional<std::string_view> ObjectReader::json(std::string_view name) const {
  const auto value = value_.find(name);
  if (!value) return std::nullopt;
  return value->raw();
}

std::optional<codec::JsonValue> ObjectReader::array(std::string_view name, std::size_t most) {
  const auto value = value_.find(name);
  if (!value) return std::nullopt;
  if (value->kind() != codec::JsonKind::kArray || value->size() == 0) {
    refuse(name, Code::kBadRequest, fmt::format("\"{}\" must be an array with an entry", name));
    return std::nullopt;
  }
  if (value->size() > most) {
    refuse(name, Code::kTooLarge, fmt::format("\"{}\" has at most {} entries", name, most));
    return std::nullopt;
  }
  return value;
}

void ObjectReader::refuse(std::string_view name, Code code, std::string message) {
  refuse({.code = code, .message = std::move(message), .path = pointer_to(pointer_, name)});
}

}  // namespace anywire::protocol::api
