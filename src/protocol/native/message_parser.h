// MessageParser: one message, already known to be well-formed, to a command. The same code for JSON
// and MessagePack; `Value` is codec::JsonValue or MsgpackValue. For command_reader.cc.
//
// Thread: any. Lifetime: of one message; what it makes are views into the message and `scratch`.
// Limits: CodecLimits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/native/command.h"
#include "protocol/native/value.h"

namespace anywire::protocol::native {

// The members that commands have. A message's are sorted into one slot each in a single pass.
enum class Field : std::uint8_t {
  kAfter,
  kAgent,
  kBefore,
  kBinary,
  kCall,
  kChannel,
  kConflationKey,
  kData,
  kDelta,
  kEpoch,
  kError,
  kEvent,
  kFilter,
  kFrom,
  kId,
  kIdempotencyKey,
  kInfo,
  kLimit,
  kMessageId,
  kMethod,
  kOccupancy,
  kOrder,
  kOwn,
  kPattern,
  kPresence,
  kRewind,
  kSession,
  kSince,
  kTags,
  kText,
  kTo,
  kToken,
  kType,
};

inline constexpr std::size_t kFields = static_cast<std::size_t>(Field::kType) + 1;

std::string_view name(Field field);
std::optional<Field> find_field(std::string_view name);

bool is_channel_name(std::string_view name, std::size_t bytes_max);

template <typename Value>
class MessageParser {
 public:
  MessageParser(const CodecLimits& limits, std::string& scratch)
      : limits_(limits), scratch_(scratch) {}

  Incoming parse(Value message);

 private:
  using Make = Command (MessageParser::*)();
  static Make find(std::string_view type);

  bool sort(Value message);
  std::uint64_t read_id(bool needed);
  Command connect();
  Command auth();
  Command subscribe();
  Command unsubscribe();
  Command publish();
  Command history();
  Command enter();
  Command leave();
  Command members();
  Command occupancy();
  Command ping();
  Command rpc();
  Command answer();

  // Readers of one member: the default if it is absent, or wrong; then the first fault is kept.
  std::optional<Value> at(Field field) const { return fields_[static_cast<std::size_t>(field)]; }
  std::string_view text(Field field, std::size_t bytes_max);
  std::string_view required_text(Field field, std::size_t bytes_max);
  std::optional<std::uint64_t> number(Field field);
  std::optional<std::uint64_t> offset(Field field);
  bool boolean(Field field, bool otherwise);
  std::optional<std::string_view> json(Field field);
  std::optional<std::string_view> info();
  std::uint32_t page();
  std::string_view channel();
  std::string_view channel_or_pattern(bool& pattern);
  std::optional<broker::Position> since();
  std::optional<std::uint64_t> epoch();
  Payload payload();
  Filter filter();
  bool add_rule(Filter& filter, std::string_view tag, Value values);
  std::vector<broker::Tag> tags();

  void refuse(ErrorCode code, std::string message);
  void wrong_type(Field field, std::string_view wanted);
  void too_large(Field field, std::size_t bytes_max);

  const CodecLimits& limits_;
  std::string& scratch_;
  std::array<std::optional<Value>, kFields> fields_;
  std::optional<Refusal> refusal_;
};

extern template class MessageParser<codec::JsonValue>;
extern template class MessageParser<MsgpackValue>;

}  // namespace anywire::protocol::native
