#include "protocol/native/command_reader.h"

#include <fmt/core.h>

#include <utility>

#include "protocol/native/message_parser.h"

namespace anywire::protocol::native {

std::optional<std::string> CommandReader::open(Format format, Bytes frame) {
  format_ = format;
  left_ = 0;
  json_message_.reset();
  json_at_.reset();
  return format == Format::kJson ? open_json(frame) : open_msgpack(frame);
}

std::optional<std::string> CommandReader::open_json(Bytes frame) {
  const auto value = json_.read(frame);
  if (!value) return "not JSON: " + value.error().message;
  if (!is_array(*value)) {
    json_message_ = *value;
    return expect(1);
  }
  json_at_ = value->elements().begin();
  return expect(value->size());
}

std::optional<std::string> CommandReader::open_msgpack(Bytes frame) {
  codec::MsgpackReader whole(frame);
  if (!whole.skip() || !whole.at_end()) return "not MessagePack, or too deeply nested";
  msgpack_ = codec::MsgpackReader(frame);
  const auto count = msgpack_.read_array();
  return expect(count.value_or(1));
}

std::optional<std::string> CommandReader::expect(std::size_t messages) {
  if (messages > limits_.messages_max) {
    return fmt::format("a frame has at most {} messages", limits_.messages_max);
  }
  left_ = messages;
  return std::nullopt;
}

std::optional<Incoming> CommandReader::next() {
  if (left_ == 0) return std::nullopt;
  --left_;
  if (format_ == Format::kMsgpack) {
    const auto raw = msgpack_.read_raw();
    if (!raw) return std::nullopt;
    Incoming incoming = MessageParser<MsgpackValue>(limits_, scratch_).parse(MsgpackValue(*raw));
    incoming.bytes = raw->size();
    return incoming;
  }
  const codec::JsonValue message = json_message_ ? *json_message_ : **json_at_;
  if (!json_message_) ++*json_at_;
  Incoming incoming = MessageParser<codec::JsonValue>(limits_, scratch_).parse(message);
  incoming.bytes = message.raw().size();
  return incoming;
}

}  // namespace anywire::protocol::native
