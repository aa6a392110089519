// MsgpackValue: one value of a MessagePack message, with the getters of codec::JsonValue, so that
// commands are read by the same code in both forms. For command_reader.cc.
//
// Thread: any; a view. Lifetime: of the message's bytes. Limits: made only from bytes that
// MsgpackReader::read_raw has checked, so every slice in it is whole and not too deep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "codec/base64.h"
#include "codec/json_reader.h"
#include "codec/msgpack.h"
#include "codec/transcode.h"

namespace anywire::protocol::native {

class MsgpackValue {
 public:
  explicit MsgpackValue(Bytes raw) : raw_(raw) {}

  Bytes raw() const { return raw_; }
  bool is(codec::MsgpackKind kind) const { return reader().peek() == kind; }
  std::optional<std::string_view> string() const { return reader().read_string(); }
  std::optional<std::uint64_t> u64() const { return reader().read_u64(); }
  std::optional<bool> boolean() const { return reader().read_boolean(); }
  std::optional<Bytes> binary() const { return reader().read_binary(); }

 private:
  codec::MsgpackReader reader() const { return codec::MsgpackReader(raw_); }

  Bytes raw_;
};

inline bool is_object(codec::JsonValue value) { return value.kind() == codec::JsonKind::kObject; }
inline bool is_object(MsgpackValue value) { return value.is(codec::MsgpackKind::kMap); }
inline bool is_array(codec::JsonValue value) { return value.kind() == codec::JsonKind::kArray; }
inline bool is_array(MsgpackValue value) { return value.is(codec::MsgpackKind::kArray); }

// `visit(name, value)` for each member of an object, until it answers false. False if it did, and
// for a name that is no string.
template <typename Visit>
bool each_member(codec::JsonValue object, Visit&& visit) {
  for (const auto [name, value] : object.members()) {
    if (!visit(name, value)) return false;
  }
  return true;
}

template <typename Visit>
bool each_member(MsgpackValue object, Visit&& visit) {
  codec::MsgpackReader in(object.raw());
  const auto count = in.read_map();
  for (std::uint32_t i = 0; count && i < *count; ++i) {
    const auto name = in.read_string();
    if (!name) return false;
    const auto value = in.read_raw();
    if (!value || !visit(*name, MsgpackValue(*value))) return false;
  }
  return true;
}

template <typename Visit>
bool each_element(codec::JsonValue array, Visit&& visit) {
  for (const codec::JsonValue value : array.elements()) {
    if (!visit(value)) return false;
  }
  return true;
}

template <typename Visit>
bool each_element(MsgpackValue array, Visit&& visit) {
  codec::MsgpackReader in(array.raw());
  const auto count = in.read_array();
  for (std::uint32_t i = 0; count && i < *count; ++i) {
    const auto value = in.read_raw();
    if (!value || !visit(MsgpackValue(*value))) return false;
  }
  return true;
}

// A value of any kind as JSON text: the sender's own, or converted into `scratch`. Nothing if it
// holds what JSON cannot express.
inline std::optional<std::string_view> as_json(codec::JsonValue value, std::string&) {
  return value.raw();
}

inline std::optional<std::string_view> as_json(MsgpackValue value, std::string& scratch) {
  auto json = codec::msgpack_to_json(value.raw());
  if (!json) return std::nullopt;
  scratch = *std::move(json);
  return scratch;
}

// Bytes: a base64 string in JSON.
inline std::optional<std::string_view> as_binary(codec::JsonValue value, std::string& scratch) {
  const auto text = value.string();
  if (!text) return std::nullopt;
  auto bytes = codec::base64_decode(*text);
  if (!bytes) return std::nullopt;
  scratch = *std::move(bytes);
  return scratch;
}

inline std::optional<std::string_view> as_binary(MsgpackValue value, std::string&) {
  const auto bytes = value.binary();
  if (!bytes) return std::nullopt;
  return as_text(*bytes);
}

}  // namespace anywire::protocol::native
