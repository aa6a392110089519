// Told: one message of the server, as JSON whatever form it came in, with getters that answer
// something for every member. And PresenceList's members are read through it.
//
// Lifetime: of the reader's message.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/json_reader.h"
#include "protocol/native/command.h"

namespace anywire::sim {

class Told {
 public:
  explicit Told(codec::JsonValue value) : value_(value) {}

  std::string_view type() const { return text("type"); }
  bool has(std::string_view name) const { return value_.find(name).has_value(); }
  std::string_view text(std::string_view name) const {
    const auto found = value_.find(name);
    return found ? found->string().value_or(std::string_view()) : std::string_view();
  }
  std::optional<std::uint64_t> number(std::string_view name) const {
    const auto found = value_.find(name);
    return found ? found->u64() : std::nullopt;
  }
  std::uint64_t number_or_0(std::string_view name) const { return number(name).value_or(0); }
  bool flag(std::string_view name) const {
    const auto found = value_.find(name);
    return found && found->boolean().value_or(false);
  }
  std::string_view raw(std::string_view name) const {
    const auto found = value_.find(name);
    return found ? found->raw() : std::string_view();
  }
  std::optional<Told> object(std::string_view name) const {
    const auto found = value_.find(name);
    if (!found || found->kind() != codec::JsonKind::kObject) return std::nullopt;
    return Told(*found);
  }
  template <typename Visit>
  void each(std::string_view name, Visit&& visit) const {
    const auto found = value_.find(name);
    if (!found) return;
    for (const codec::JsonValue one : found->elements()) visit(Told(one));
  }
  // The members `epoch` and `offset`.
  broker::Position position() const {
    return {protocol::native::parse_epoch(text("epoch")), number_or_0("offset")};
  }
  std::string_view shown() const { return value_.raw(); }

 private:
  codec::JsonValue value_;
};

}  // namespace anywire::sim
