// CommandReader: takes a frame apart into commands, in either form, and checks all that can be
// checked without knowing the session.
//
//   if (auto broken = reader.open(Format::kJson, bytes)) return close(4400, *broken);
//   while (std::optional<Incoming> one = reader.next()) handle(*one);
//
// Two kinds of faults are told apart. Bytes that are not a JSON or MessagePack value within the
// limits of nesting and number are a break of the protocol: nothing of the frame is believed. A
// message that is not a command is a Refusal of its own, and its neighbours are none the worse.
//
// Thread: the loop's; one reader per loop, since frames are handled one after the other. Lifetime:
// what `next` hands out ends with the next call of either; the frame lives until it is done with.
// Limits: CodecLimits; nesting as codec/json_reader.h and codec/msgpack.h have it. A hostile frame
// costs time in proportion to its size and makes nothing larger than twice itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "codec/json_reader.h"
#include "codec/msgpack.h"
#include "protocol/native/command.h"

namespace anywire::protocol::native {

class CommandReader {
 public:
  explicit CommandReader(const CodecLimits& limits = {}) : limits_(limits) {}

  // What breaks the protocol, fit for the reason of a Close frame (at most 123 bytes); nothing if
  // the frame can be read.
  [[nodiscard]] std::optional<std::string> open(Format format, Bytes frame);

  // The next message of the frame.
  [[nodiscard]] std::optional<Incoming> next();

  const CodecLimits& limits() const { return limits_; }

 private:
  std::optional<std::string> open_json(Bytes frame);
  std::optional<std::string> open_msgpack(Bytes frame);
  std::optional<std::string> expect(std::size_t messages);

  CodecLimits limits_;
  Format format_ = Format::kJson;
  std::size_t left_ = 0;
  codec::JsonReader json_;
  std::optional<codec::JsonValue> json_message_;  // the only one
  std::optional<codec::JsonElements::Iterator> json_at_;
  codec::MsgpackReader msgpack_{{}};
  std::string scratch_;  // what of the current command had to be converted
};

}  // namespace anywire::protocol::native
