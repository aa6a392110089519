// Commands: what a client may ask for, as the codec hands it to the session. Sections 1, 3, 5, 8
// and 10 of docs/protocol.md.
//
// Thread: plain data. Lifetime: views point into the frame and into the CommandReader that read it;
// they end with its next call. Limits: checked by the reader; see CodecLimits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/broker.h"
#include "broker/publication.h"
#include "protocol/native/errors.h"

namespace anywire::protocol::native {

// The two forms a frame may have: the subprotocol decides.
enum class Format : std::uint8_t { kJson, kMsgpack };

// Section 10. Ids are what a double holds exactly; so are the offsets a client names.
inline constexpr std::uint64_t kIdMax = (std::uint64_t{1} << 53) - 1;
inline constexpr std::uint32_t kPageMax = 1000;
inline constexpr std::uint32_t kPageDefault = 100;
inline constexpr std::size_t kAnswerErrorBytesMax = 1024;

struct CodecLimits {
  std::size_t messages_max = 128;  // of a frame
  std::size_t channel_bytes_max = 255;
  std::size_t event_bytes_max = 255;  // and names of methods
  std::size_t message_id_bytes_max = 128;
  std::size_t idempotency_key_bytes_max = 64;
  std::size_t conflation_key_bytes_max = 128;
  std::size_t tags_max = 16;
  std::size_t tag_name_bytes_max = 64;
  std::size_t tag_value_bytes_max = 256;
  std::size_t filter_tags_max = 16;
  std::size_t filter_values_max = 32;
  std::size_t info_bytes_max = 4 * 1024;
  std::size_t agent_bytes_max = 128;
};

// Which messages of a channel a subscriber wants: those that have, for each tag named here, one of
// the values. Without rules: all.
struct Filter {
  struct Rule {
    std::string tag;
    std::vector<std::string> values;

    bool operator==(const Rule&) const = default;
  };

  std::vector<Rule> rules;

  bool empty() const { return rules.empty(); }
  bool matches(std::span<const broker::Tag> tags) const;
  bool operator==(const Filter&) const = default;
};

struct Payload {
  broker::PayloadKind kind = broker::PayloadKind::kJson;
  std::string_view bytes;  // of kJson: JSON text, checked

  bool operator==(const Payload&) const = default;
};

struct Connect {
  std::optional<std::string_view> token;
  std::string_view session;  // empty: none to resume
  std::string_view agent;

  bool operator==(const Connect&) const = default;
};

struct Auth {
  std::string_view token;

  bool operator==(const Auth&) const = default;
};

struct Subscribe {
  std::string_view channel;
  bool pattern = false;  // `channel` is one
  std::optional<broker::Position> since;
  std::uint32_t rewind = 0;
  bool presence = false;
  bool occupancy = false;
  bool delta = false;
  bool own = true;
  Filter filter;
  std::optional<std::string_view> token;  // that allows it; not with a pattern

  bool operator==(const Subscribe&) const = default;
};

struct Unsubscribe {
  std::string_view channel;
  bool pattern = false;

  bool operator==(const Unsubscribe&) const = default;
};

struct Publish {
  std::string_view channel;
  Payload payload;
  std::string_view event;
  std::string_view message_id;
  std::string_view conflation_key;
  std::string_view idempotency_key;
  std::vector<broker::Tag> tags;

  bool operator==(const Publish&) const = default;
};

struct History {
  std::string_view channel;
  std::optional<std::uint64_t> epoch;  // what the offsets are of
  broker::HistoryQuery query;
};

struct Enter {
  std::string_view channel;
  std::optional<std::string_view> info;  // JSON text

  bool operator==(const Enter&) const = default;
};

struct Leave {
  std::string_view channel;

  bool operator==(const Leave&) const = default;
};

struct Members {
  std::string_view channel;
  std::string_view after;  // a client id, or empty
  std::uint32_t limit = kPageDefault;

  bool operator==(const Members&) const = default;
};

struct AskOccupancy {
  std::string_view channel;

  bool operator==(const AskOccupancy&) const = default;
};

struct Ping {
  bool operator==(const Ping&) const = default;
};

struct Rpc {
  std::string_view method;
  std::optional<std::string_view> data;  // JSON text

  bool operator==(const Rpc&) const = default;
};

// To a call that the server made.
struct Answer {
  struct Failure {
    std::string_view code;
    std::string_view message;

    bool operator==(const Failure&) const = default;
  };
  std::uint64_t call = 0;
  std::optional<std::string_view> data;  // JSON text; with an error there is none
  std::optional<Failure> error;

  bool operator==(const Answer&) const = default;
};

using Command = std::variant<Connect, Auth, Subscribe, Unsubscribe, Publish, History, Enter, Leave,
                             Members, AskOccupancy, Ping, Rpc, Answer>;

// One message of a frame.
struct Incoming {
  std::uint64_t id = 0;      // 0: there is none, or it could not be read
  std::string_view channel;  // what the message names, for the error; empty if nothing readable
  std::size_t bytes = 0;     // of the message
  std::expected<Command, Refusal> command;
};

// Positions as clients see them: an epoch is 16 hexadecimal digits.
std::string epoch_text(std::uint64_t epoch);
// 0, which no stream has, for text that is not an epoch of ours.
std::uint64_t parse_epoch(std::string_view text);

}  // namespace anywire::protocol::native
