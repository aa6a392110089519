// ObjectWriter: writes an object member by member, as JSON or as MessagePack, so that each message
// is spelled out once for both. For encoder.cc.
//
// MessagePack wants the number of members first: it is counted and set at the end. Thread: any.
// Lifetime: `out` outlives the writer. Limits: kMembersMax members in an object, kLevelsMax objects
// open at once; what is written, our own messages decide.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "codec/base64.h"
#include "codec/json_writer.h"
#include "codec/msgpack.h"
#include "protocol/native/command.h"

namespace anywire::protocol::native {

class ObjectWriter {
 public:
  // A map of so many is the last that one byte can say.
  static constexpr std::uint8_t kMembersMax = 15;
  static constexpr std::size_t kLevelsMax = 4;

  ObjectWriter(Format format, std::string& out)
      : json_format_(format == Format::kJson), out_(out), json_(out), msgpack_(out) {}

  ObjectWriter& begin() {
    AW_ASSERT(level_ < kLevelsMax);
    levels_[level_++] = {out_.size(), 0};
    json_format_ ? void(json_.begin_object()) : void(msgpack_.begin_map(0));
    return *this;
  }
  // With exactly `count` members, of which there may be any number.
  ObjectWriter& begin(std::size_t count) {
    AW_ASSERT(level_ < kLevelsMax);
    levels_[level_++] = {kCounted, 0};
    json_format_ ? void(json_.begin_object())
                 : void(msgpack_.begin_map(static_cast<std::uint32_t>(count)));
    return *this;
  }
  ObjectWriter& end() {
    const Level& level = levels_[--level_];
    if (json_format_) {
      json_.end_object();
    } else if (level.at != kCounted) {
      AW_ASSERT(level.members <= kMembersMax);
      out_[level.at] = static_cast<char>(0x80 | level.members);
    }
    return *this;
  }
  ObjectWriter& begin_array(std::size_t count) {
    json_format_ ? void(json_.begin_array())
                 : void(msgpack_.begin_array(static_cast<std::uint32_t>(count)));
    return *this;
  }
  ObjectWriter& end_array() {
    if (json_format_) json_.end_array();
    return *this;
  }
  ObjectWriter& key(std::string_view name) {
    ++levels_[level_ - 1].members;
    json_format_ ? void(json_.key(name)) : void(msgpack_.string(name));
    return *this;
  }

  ObjectWriter& string(std::string_view text) {
    json_format_ ? void(json_.string(text)) : void(msgpack_.string(text));
    return *this;
  }
  ObjectWriter& u64(std::uint64_t value) {
    json_format_ ? void(json_.u64(value)) : void(msgpack_.u64(value));
    return *this;
  }
  ObjectWriter& boolean(bool value) {
    json_format_ ? void(json_.boolean(value)) : void(msgpack_.boolean(value));
    return *this;
  }
  ObjectWriter& binary(Bytes bytes) {
    json_format_ ? void(json_.string(codec::base64_encode(bytes))) : void(msgpack_.binary(bytes));
    return *this;
  }
  // A value that is in this writer's form already.
  ObjectWriter& raw(std::string_view value) {
    json_format_ ? void(json_.raw(value)) : void(msgpack_.raw(as_bytes(value)));
    return *this;
  }
  bool writes_json() const { return json_format_; }

  // A member and its value, left out if there is nothing to say.
  ObjectWriter& text(std::string_view name, std::string_view value) {
    return value.empty() ? *this : key(name).string(value);
  }
  ObjectWriter& flag(std::string_view name, bool value) {
    return value ? key(name).boolean(true) : *this;
  }

 private:
  static constexpr std::size_t kCounted = SIZE_MAX;
  struct Level {
    std::size_t at = 0;  // where the map begins, or kCounted
    std::uint32_t members = 0;
  };

  const bool json_format_;
  std::string& out_;
  codec::JsonWriter json_;
  codec::MsgpackWriter msgpack_;
  std::array<Level, kLevelsMax> levels_{};
  std::size_t level_ = 0;
};

}  // namespace anywire::protocol::native
