// ObjectReader: reads one JSON object of a request strictly, member by member, and keeps the first
// fault with the place it is at.
//
//   ObjectReader in(value, kMembers, "/publications/3");
//   const std::string_view channel = in.required_text("channel", 255);
//   if (in.problem()) return *in.problem();
//
// Members that are not in the list are refused, with the nearest name that is. A getter answers
// nothing (or the default) for a member that is absent or wrong; asked for after a fault, too, so
// that callers look once, at the end.
//
// Thread: any. Lifetime: of the JsonReader's message; the list of names outlives the reader.
// Limits: those its callers name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codec/json_reader.h"
#include "protocol/api/problem.h"

namespace anywire::protocol::api {

// The JSON Pointer (RFC 6901) of what `name` is in `parent`.
std::string pointer_to(std::string_view parent, std::string_view name);

// An unknown name, refused with the one that was probably meant. `what` is "member" or
// "parameter".
Problem unknown_name(std::string_view what, std::string_view name,
                     std::span<const std::string_view> known);

class ObjectReader {
 public:
  ObjectReader(codec::JsonValue value, std::span<const std::string_view> known,
               std::string pointer = {});

  bool has(std::string_view name) const { return value_.find(name).has_value(); }
  std::optional<codec::JsonValue> find(std::string_view name) const { return value_.find(name); }

  // At most so many bytes.
  std::string_view text(std::string_view name, std::size_t bytes_max);
  std::string_view required_text(std::string_view name, std::size_t bytes_max);
  bool boolean(std::string_view name, bool otherwise);
  std::optional<std::uint64_t> number(std::string_view name, std::uint64_t least,
                                      std::uint64_t most);
  // Any value, as the sender wrote it.
  std::optional<std::string_view> json(std::string_view name) const;
  // An array of 1 to `most` values; nothing if it is absent.
  std::optional<codec::JsonValue> array(std::string_view name, std::size_t most);

  void refuse(std::string_view name, Code code, std::string message);
  void refuse(Problem problem) {
    if (!problem_) problem_ = std::move(problem);
  }
  const std::optional<Problem>& problem() const { return problem_; }
  const std::string& pointer() const { return pointer_; }

 private:
  codec::JsonValue value_;
  std::string pointer_;
  std::optional<Problem> problem_;
};

}  // namespace anywire::protocol::api
