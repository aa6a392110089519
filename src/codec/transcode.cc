#include "codec/transcode.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "codec/json_writer.h"
#include "codec/msgpack.h"

namespace anywire::codec {
namespace {

bool write_number(MsgpackWriter& out, JsonValue value) {
  if (const auto whole = value.u64()) {
    out.u64(*whole);
  } else if (const auto negative = value.i64()) {
    out.i64(*negative);
  } else if (const auto number = value.number()) {
    out.number(*number);
  } else {
    return false;
  }
  return true;
}

// Recursion is bounded: the reader has refused what is deeper than kJsonDepthMax.
bool write(MsgpackWriter& out, JsonValue value) {
  switch (value.kind()) {
    case JsonKind::kNull: out.nil(); return true;
    case JsonKind::kBoolean: out.boolean(*value.boolean()); return true;
    case JsonKind::kNumber: return write_number(out, value);
    case JsonKind::kString: out.string(*value.string()); return true;
    case JsonKind::kArray:
      out.begin_array(static_cast<std::uint32_t>(value.size()));
      for (const JsonValue element : value.elements()) {
        if (!write(out, element)) return false;
      }
      return true;
    case JsonKind::kObject:
      out.begin_map(static_cast<std::uint32_t>(value.size()));
      for (const auto [name, member] : value.members()) {
        out.string(name);
        if (!write(out, member)) return false;
      }
      return true;
  }
  return false;
}

class ToJson {
 public:
  explicit ToJson(Bytes msgpack) : in_(msgpack), json_(out_) {
    out_.reserve(msgpack.size() * 2);
    names_.reserve(std::min<std::size_t>(msgpack.size() / 2, 32));
  }

  std::optional<std::string> run() {
    if (!value(0) || !in_.at_end()) return std::nullopt;
    return std::move(out_);
  }

 private:
  bool value(int depth);
  bool integer();
  bool number();
  bool array(int depth);
  bool map(int depth);
  bool has_repeated_key(std::size_t first);

  MsgpackReader in_;
  std::string out_;
  JsonWriter json_;
  std::vector<std::string_view> names_;  // of the maps open now, the innermost's last
};

bool ToJson::value(int depth) {
  const std::optional<MsgpackKind> kind = in_.peek();
  if (!kind) return false;
  switch (*kind) {
    case MsgpackKind::kNil: json_.null(); return in_.read_nil();
    case MsgpackKind::kBoolean: json_.boolean(*in_.read_boolean()); return true;
    case MsgpackKind::kInteger: return integer();
    case MsgpackKind::kFloat: return number();
    case MsgpackKind::kString:
      if (const auto text = in_.read_string()) {
        json_.string(*text);
        return true;
      }
      return false;
    case MsgpackKind::kArray: return depth < kJsonDepthMax && array(depth);
    case MsgpackKind::kMap: return depth < kJsonDepthMax && map(depth);
    case MsgpackKind::kBinary:
    case MsgpackKind::kExtension: return false;
  }
  return false;
}

bool ToJson::integer() {
  if (const auto whole = in_.read_u64()) {
    json_.u64(*whole);
  } else if (const auto negative = in_.read_i64()) {
    json_.i64(*negative);
  } else {
    return false;
  }
  return true;
}

bool ToJson::number() {
  const std::optional<double> number = in_.read_number();
  if (!number || !std::isfinite(*number)) return false;
  json_.number(*number);
  return true;
}

bool ToJson::array(int depth) {
  const std::optional<std::uint32_t> count = in_.read_array();
  if (!count) return false;
  json_.begin_array();
  for (std::uint32_t i = 0; i < *count; ++i) {
    if (!value(depth + 1)) return false;
  }
  json_.end_array();
  return true;
}

bool ToJson::map(int depth) {
  const std::optional<std::uint32_t> count = in_.read_map();
  if (!count) return false;
  const std::size_t first_name = names_.size();
  json_.begin_object();
  for (std::uint32_t i = 0; i < *count; ++i) {
    const std::optional<std::string_view> name = in_.read_string();
    if (!name) return false;
    json_.key(*name);
    names_.push_back(*name);
    if (!value(depth + 1)) return false;
  }
  json_.end_object();
  return !has_repeated_key(first_name);
}

// Closes the scope of a map's names, which begin at `first`.
bool ToJson::has_repeated_key(std::size_t first) {
  if (names_.size() - first < 2) {
    names_.resize(first);
    return false;
  }
  const auto begin = names_.begin() + static_cast<std::ptrdiff_t>(first);
  std::sort(begin, names_.end(), [](std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  const bool repeated = std::adjacent_find(begin, names_.end()) != names_.end();
  names_.resize(first);
  return repeated;
}

}  // namespace

bool append_msgpack(std::string& out, JsonValue value) {
  const std::size_t before = out.size();
  MsgpackWriter writer(out);
  if (write(writer, value)) return true;
  out.resize(before);
  return false;
}

std::optional<std::string> json_to_msgpack(Bytes json) {
  static thread_local JsonReader reader;
  const auto value = reader.read(json);
  if (!value) return std::nullopt;
  std::string out;
  out.reserve(json.size());
  if (!append_msgpack(out, *value)) return std::nullopt;
  return out;
}

std::optional<std::string> msgpack_to_json(Bytes msgpack) {
  // Reading on while refusing is bounded by the input, since every value takes a byte of it.
  return ToJson(msgpack).run();
}

}  // namespace anywire::codec
