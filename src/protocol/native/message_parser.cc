#include "protocol/native/message_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "auth/glob.h"
#include "protocol/native/names.h"

namespace anywire::protocol::native {
namespace {

constexpr std::array<std::string_view, kFields> kFieldNames = {
    member::kAfter, member::kAgent, member::kBefore,
    member::kBinary, member::kCall, member::kChannel, member::kConflationKey,
    member::kData, member::kDelta, member::kEpoch,
    member::kError, member::kEvent, member::kFilter, member::kFrom,
    member::kId, member::kIdempotencyKey, member::kInfo,
    member::kLimit, member::kMessageId, member::kMethod,
    member::kOccupancy, member::kOrder, member::kOwn,
    member::kPattern, member::kPresence, member::kRewind,
    member::kSession, member::kSince, member::kTags,
    member::kText, member::kTo, member::kToken,
    member::kType,
};
static_assert(std::ranges::is_sorted(kFieldNames));

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

// Peers' text inside our messages is cut there.
constexpr std::size_t kQuotedBytesMax = 64;

std::string_view cut(std::string_view text) {
  if (text.size() <= kQuotedBytesMax) return text;
  std::size_t end = kQuotedBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

std::string_view name(Field field) { return kFieldNames[static_cast<std::size_t>(field)]; }

std::optional<Field> find_field(std::string_view name) {
  const auto found = std::ranges::lower_bound(kFieldNames, name);
  if (found == kFieldNames.end() || *found != name) return std::nullopt;
  return static_cast<Field>(found - kFieldNames.begin());
}

bool is_channel_name(std::string_view name, std::size_t bytes_max) {
  return !name.empty() && name.size() <= bytes_max &&
         std::ranges::none_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

template <typename Value>
Incoming MessageParser<Value>::parse(Value message) {
  Incoming incoming{.id = 0, .channel = {}, .command = std::unexpected(Refusal{})};
  Command command;
  if (!is_object(message)) {
    refuse(ErrorCode::kBadMessage, "a message is an object");
  } else if (sort(message)) {
    const std::string_view wanted = required_text(Field::kType, kNoLimit);
    const bool may_lack_id = wanted == type::kPublish || wanted == type::kAnswer;
    incoming.id = read_id(!may_lack_id);
    if (const auto named = at(Field::kChannel)) {
      const std::string_view channel = named->string().value_or("");
      if (is_channel_name(channel, limits_.channel_bytes_max)) incoming.channel = channel;
    }
    const Make make = find(wanted);
    if (make == nullptr) {
      refuse(ErrorCode::kUnknownType, fmt::format("there is no command \"{}\"", cut(wanted)));
    } else if (!refusal_) {
      command = (this->*make)();
    }
  }
  if (refusal_) {
    incoming.command = std::unexpected(*std::move(refusal_));
  } else {
    incoming.command = std::move(command);
  }
  return incoming;
}

template <typename Value>
auto MessageParser<Value>::find(std::string_view wanted) -> Make {
  using Parser = MessageParser;
  static constexpr std::pair<std::string_view, Make> kCommands[] = {
      {type::kPublish, &Parser::publish},     {type::kSubscribe, &Parser::subscribe},
      {type::kUnsubscribe, &Parser::unsubscribe}, {type::kPing, &Parser::ping},
      {type::kConnect, &Parser::connect},     {type::kAuth, &Parser::auth},
      {type::kHistory, &Parser::history},     {type::kEnter, &Parser::enter},
      {type::kLeave, &Parser::leave},         {type::kMembers, &Parser::members},
      {type::kRpc, &Parser::rpc},             {type::kOccupancy, &Parser::occupancy},
      {type::kAnswer, &Parser::answer},
  };
  for (const auto& [name, make] : kCommands) {
    if (name == wanted) return make;
  }
  return nullptr;
}

// Members of other names are ignored. JSON's reader has refused repeated ones already; of
// MessagePack only those matter here that are looked at.
template <typename Value>
bool MessageParser<Value>::sort(Value message) {
  const bool named = each_member(message, [&](std::string_view name, Value value) {
    const std::optional<Field> field = find_field(name);
    if (!field) return true;
    std::optional<Value>& slot = fields_[static_cast<std::size_t>(*field)];
    if (slot) {
      refuse(ErrorCode::kBadMessage, fmt::format("\"{}\" is there twice", name));
      return false;
    }
    slot = value;
    return true;
  });
  if (!named) refuse(ErrorCode::kBadMessage, "the names of members are strings");
  return named;
}

template <typename Value>
std::uint64_t MessageParser<Value>::read_id(bool needed) {
  const std::optional<Value> value = at(Field::kId);
  if (!value && !needed) return 0;
  const std::optional<std::uint64_t> id = value ? value->u64() : std::nullopt;
  if (id && *id >= 1 && *id <= kIdMax) return *id;
  refuse(ErrorCode::kBadMessage, "\"id\" must be a whole number from 1 to 9007199254740991");
  return 0;
}

template <typename Value>
Command MessageParser<Value>::connect() {
  Connect connect;
  if (at(Field::kToken)) connect.token = text(Field::kToken, kNoLimit);
  connect.session = text(Field::kSession, kNoLimit);
  connect.agent = text(Field::kAgent, limits_.agent_bytes_max);
  return connect;
}

template <typename Value>
Command MessageParser<Value>::auth() {
  return Auth{required_text(Field::kToken, kNoLimit)};
}

template <typename Value>
Command MessageParser<Value>::subscribe() {
  Subscribe subscribe;
  subscribe.channel = channel_or_pattern(subscribe.pattern);
  subscribe.since = since();
  subscribe.rewind = static_cast<std::uint32_t>(std::min<std::uint64_t>(
      number(Field::kRewind).value_or(0), std::numeric_limits<std::uint32_t>::max()));
  subscribe.presence = boolean(Field::kPresence, false);
  subscribe.occupancy = boolean(Field::kOccupancy, false);
  subscribe.delta = boolean(Field::kDelta, false);
  subscribe.own = boolean(Field::kOwn, true);
  subscribe.filter = filter();
  if (at(Field::kToken)) subscribe.token = text(Field::kToken, kNoLimit);
  if (subscribe.pattern && subscribe.token) {
    refuse(ErrorCode::kBadMessage, "a \"token\" is for one channel, not for a pattern");
  }
  if (subscribe.pattern && (subscribe.since || at(Field::kRewind) || subscribe.presence ||
                            subscribe.occupancy)) {
    refuse(ErrorCode::kBadMessage,
           "a pattern has neither \"since\" nor \"rewind\", \"presence\" or \"occupancy\"");
  }
  if (subscribe.since && at(Field::kRewind)) {
    refuse(ErrorCode::kBadMessage, "\"rewind\" is for subscriptions without \"since\"");
  }
  return subscribe;
}

template <typename Value>
Command MessageParser<Value>::unsubscribe() {
  Unsubscribe unsubscribe;
  unsubscribe.channel = channel_or_pattern(unsubscribe.pattern);
  return unsubscribe;
}

template <typename Value>
Command MessageParser<Value>::publish() {
  Publish publish;
  publish.channel = channel();
  publish.payload = payload();
  publish.event = text(Field::kEvent, limits_.event_bytes_max);
  publish.message_id = text(Field::kMessageId, limits_.message_id_bytes_max);
  publish.conflation_key = text(Field::kConflationKey, limits_.conflation_key_bytes_max);
  publish.idempotency_key = text(Field::kIdempotencyKey, limits_.idempotency_key_bytes_max);
  publish.tags = tags();
  return publish;
}

template <typename Value>
Command MessageParser<Value>::history() {
  History history;
  history.channel = channel();
  history.epoch = epoch();
  const std::string_view order = text(Field::kOrder, kNoLimit);
  if (order == kBackward) {
    history.query.order = broker::HistoryQuery::Order::kBackward;
  } else if (at(Field::kOrder) && order != kForward) {
    refuse(ErrorCode::kBadMessage, "\"order\" is \"forward\" or \"backward\"");
  }
  history.query.after = offset(Field::kAfter);
  history.query.before = offset(Field::kBefore);
  history.query.from_ms = number(Field::kFrom);
  history.query.to_ms = number(Field::kTo);
  history.query.limit = page();
  return history;
}

template <typename Value>
Command MessageParser<Value>::enter() {
  Enter enter;
  enter.channel = channel();
  enter.info = info();
  return enter;
}

template <typename Value>
Command MessageParser<Value>::leave() {
  return Leave{channel()};
}

template <typename Value>
Command MessageParser<Value>::members() {
  Members members;
  members.channel = channel();
  members.after = text(Field::kAfter, kNoLimit);
  members.limit = page();
  return members;
}

template <typename Value>
Command MessageParser<Value>::occupancy() {
  return AskOccupancy{channel()};
}

template <typename Value>
Command MessageParser<Value>::ping() {
  return Ping{};
}

template <typename Value>
Command MessageParser<Value>::rpc() {
  Rpc rpc;
  rpc.method = required_text(Field::kMethod, limits_.event_bytes_max);
  rpc.data = json(Field::kData);
  return rpc;
}

// Of a call that this server made: by the number it gave it.
template <typename Value>
Command MessageParser<Value>::answer() {
  Answer answer;
  const std::optional<std::uint64_t> call = number(Field::kCall);
  if (!at(Field::kCall)) refuse(ErrorCode::kBadMessage, "\"call\" is missing");
  answer.call = call.value_or(0);
  answer.data = json(Field::kData);
  const std::optional<Value> error = at(Field::kError);
  if (!error) return answer;
  if (answer.data) refuse(ErrorCode::kBadMessage, "either \"data\" or \"error\", not both");
  std::optional<std::string_view> code;
  std::optional<std::string_view> message;
  each_member(*error, [&](std::string_view name, Value part) {
    if (name == member::kCode) code = part.string();
    if (name == member::kMessage) message = part.string();
    return true;
  });
  if (!code || !message) {
    refuse(ErrorCode::kBadMessage, "an \"error\" has a \"code\" and a \"message\", two strings");
  } else if (code->size() > limits_.event_bytes_max || message->size() > kAnswerErrorBytesMax) {
    too_large(Field::kError, kAnswerErrorBytesMax);
  } else {
    answer.error = Answer::Failure{*code, *message};
  }
  return answer;
}

template <typename Value>
std::string_view MessageParser<Value>::text(Field field, std::size_t bytes_max) {
  const std::optional<Value> value = at(field);
  if (!value) return {};
  const std::optional<std::string_view> text = value->string();
  if (!text) {
    wrong_type(field, "a string");
    return {};
  }
  if (text->size() > bytes_max) {
    too_large(field, bytes_max);
    return {};
  }
  return *text;
}

template <typename Value>
std::string_view MessageParser<Value>::required_text(Field field, std::size_t bytes_max) {
  if (!at(field)) {
    refuse(ErrorCode::kBadMessage, fmt::format("\"{}\" is missing", name(field)));
    return {};
  }
  return text(field, bytes_max);
}

template <typename Value>
std::optional<std::uint64_t> MessageParser<Value>::number(Field field) {
  const std::optional<Value> value = at(field);
  if (!value) return std::nullopt;
  const std::optional<std::uint64_t> number = value->u64();
  if (!number) wrong_type(field, "a whole number from 0 up");
  return number;
}

// Clients in JSON could not read what a larger one brings.
template <typename Value>
std::optional<std::uint64_t> MessageParser<Value>::offset(Field field) {
  const std::optional<std::uint64_t> offset = number(field);
  if (offset && *offset > kIdMax) wrong_type(field, "at most 9007199254740991");
  return offset;
}

template <typename Value>
bool MessageParser<Value>::boolean(Field field, bool otherwise) {
  const std::optional<Value> value = at(field);
  if (!value) return otherwise;
  const std::optional<bool> boolean = value->boolean();
  if (!boolean) wrong_type(field, "true or false");
  return boolean.value_or(otherwise);
}

template <typename Value>
std::optional<std::string_view> MessageParser<Value>::json(Field field) {
  const std::optional<Value> value = at(field);
  if (!value) return std::nullopt;
  const std::optional<std::string_view> json = as_json(*value, scratch_);
  if (!json) wrong_type(field, "a value that JSON can express");
  return json;
}

// Members are shown to peers of either form, so what only one can read is refused here. Payloads
// are not looked into for that: see append_payload in encoder.cc.
template <typename Value>
std::optional<std::string_view> MessageParser<Value>::info() {
  const std::optional<std::string_view> info = json(Field::kInfo);
  if (!info) return std::nullopt;
  if (info->size() > limits_.info_bytes_max) {
    too_large(Field::kInfo, limits_.info_bytes_max);
  } else if (!codec::json_to_msgpack(as_bytes(*info))) {
    refuse(ErrorCode::kBadMessage, "\"info\" has a number out of range");
  }
  return info;
}

template <typename Value>
std::uint32_t MessageParser<Value>::page() {
  const std::optional<std::uint64_t> limit = number(Field::kLimit);
  if (limit && (*limit < 1 || *limit > kPageMax)) {
    refuse(ErrorCode::kBadMessage, fmt::format("\"limit\" is 1 to {}", kPageMax));
    return kPageDefault;
  }
  return static_cast<std::uint32_t>(limit.value_or(kPageDefault));
}

template <typename Value>
std::string_view MessageParser<Value>::channel() {
  const std::string_view channel = required_text(Field::kChannel, kNoLimit);
  if (!is_channel_name(channel, limits_.channel_bytes_max)) {
    refuse(ErrorCode::kBadChannel,
           fmt::format("a channel's name has 1 to {} bytes and no control characters",
                       limits_.channel_bytes_max));
  }
  return channel;
}

template <typename Value>
std::string_view MessageParser<Value>::channel_or_pattern(bool& pattern) {
  pattern = at(Field::kPattern).has_value();
  if (!pattern) return channel();
  if (at(Field::kChannel)) {
    refuse(ErrorCode::kBadMessage, "either \"channel\" or \"pattern\", not both");
  }
  const std::string_view text = required_text(Field::kPattern, kNoLimit);
  if (!auth::Glob::parse(text)) {
    refuse(ErrorCode::kBadChannel,
           fmt::format("a pattern has 1 to {} bytes and no control characters",
                       auth::kGlobBytesMax));
  }
  return text;
}

template <typename Value>
std::optional<broker::Position> MessageParser<Value>::since() {
  const std::optional<Value> value = at(Field::kSince);
  if (!value) return std::nullopt;
  std::optional<std::string_view> epoch;
  std::optional<std::uint64_t> offset;
  each_member(*value, [&](std::string_view name, Value part) {
    if (name == member::kEpoch) epoch = part.string();
    if (name == member::kOffset) offset = part.u64();
    return true;
  });
  if (!epoch || !offset) {
    refuse(ErrorCode::kBadMessage,
           "\"since\" must have an \"epoch\", a string, and an \"offset\", a whole number");
    return std::nullopt;
  }
  if (*offset > kIdMax) {
    refuse(ErrorCode::kBadMessage, "the \"offset\" is at most 9007199254740991");
    return std::nullopt;
  }
  return broker::Position{parse_epoch(*epoch), *offset};
}

template <typename Value>
std::optional<std::uint64_t> MessageParser<Value>::epoch() {
  if (!at(Field::kEpoch)) return std::nullopt;
  return parse_epoch(text(Field::kEpoch, kNoLimit));
}

template <typename Value>
Payload MessageParser<Value>::payload() {
  const int forms = at(Field::kData).has_value() + at(Field::kText).has_value() +
                    at(Field::kBinary).has_value();
  if (forms != 1) {
    refuse(ErrorCode::kBadMessage, "exactly one of \"data\", \"text\" and \"binary\" is needed");
    return {};
  }
  if (const std::optional<Value> value = at(Field::kBinary)) {
    const std::optional<std::string_view> bytes = as_binary(*value, scratch_);
    if (!bytes) wrong_type(Field::kBinary, "bytes: bin in MessagePack, base64 in JSON");
    return {broker::PayloadKind::kBinary, bytes.value_or("")};
  }
  if (at(Field::kText)) return {broker::PayloadKind::kText, text(Field::kText, kNoLimit)};
  return {broker::PayloadKind::kJson, json(Field::kData).value_or("")};
}

template <typename Value>
Filter MessageParser<Value>::filter() {
  Filter filter;
  const std::optional<Value> value = at(Field::kFilter);
  if (!value) return filter;
  const bool good = is_object(*value) &&
                    each_member(*value, [&](std::string_view tag, Value values) {
                      return add_rule(filter, tag, values);
                    });
  if (!good) wrong_type(Field::kFilter, "an object of arrays of strings");
  return filter;
}

template <typename Value>
bool MessageParser<Value>::add_rule(Filter& filter, std::string_view tag, Value values) {
  if (!is_array(values)) return false;
  if (filter.rules.size() == limits_.filter_tags_max ||
      tag.size() > limits_.tag_name_bytes_max) {
    refuse(ErrorCode::kTooLarge,
           fmt::format("a filter has at most {} tags, of {} bytes each", limits_.filter_tags_max,
                       limits_.tag_name_bytes_max));
    return false;
  }
  Filter::Rule rule{std::string(tag), {}};
  const bool good = each_element(values, [&](Value value) {
    const std::optional<std::string_view> text = value.string();
    if (!text) return false;
    if (rule.values.size() == limits_.filter_values_max ||
        text->size() > limits_.tag_value_bytes_max) {
      refuse(ErrorCode::kTooLarge,
             fmt::format("a filter has at most {} values for a tag, of {} bytes each",
                         limits_.filter_values_max, limits_.tag_value_bytes_max));
      return false;
    }
    rule.values.emplace_back(*text);
    return true;
  });
  if (good) filter.rules.push_back(std::move(rule));
  return good;
}

template <typename Value>
std::vector<broker::Tag> MessageParser<Value>::tags() {
  std::vector<broker::Tag> tags;
  const std::optional<Value> value = at(Field::kTags);
  if (!value) return tags;
  const bool good =
      is_object(*value) && each_member(*value, [&](std::string_view tag, Value content) {
        const std::optional<std::string_view> text = content.string();
        if (!text) return false;
        if (tags.size() == limits_.tags_max || tag.size() > limits_.tag_name_bytes_max ||
            text->size() > limits_.tag_value_bytes_max) {
          refuse(ErrorCode::kTooLarge,
                 fmt::format("a message has at most {} tags, with {} bytes for the name and {} for "
                             "the value",
                             limits_.tags_max, limits_.tag_name_bytes_max,
                             limits_.tag_value_bytes_max));
          return false;
        }
        if (std::ranges::any_of(tags, [&](const auto& other) { return other.name == tag; })) {
          refuse(ErrorCode::kBadMessage, "a tag is there twice");
          return false;
        }
        tags.push_back({std::string(tag), std::string(*text)});
        return true;
      });
  if (!good) wrong_type(Field::kTags, "an object of strings");
  return tags;
}

template <typename Value>
void MessageParser<Value>::refuse(ErrorCode code, std::string message) {
  if (!refusal_) refusal_ = Refusal{code, std::move(message)};
}

template <typename Value>
void MessageParser<Value>::wrong_type(Field field, std::string_view wanted) {
  refuse(ErrorCode::kBadMessage, fmt::format("\"{}\" must be {}", name(field), wanted));
}

template <typename Value>
void MessageParser<Value>::too_large(Field field, std::size_t bytes_max) {
  refuse(ErrorCode::kTooLarge, fmt::format("\"{}\" has at most {} bytes", name(field), bytes_max));
}

template class MessageParser<codec::JsonValue>;
template class MessageParser<MsgpackValue>;

}  // namespace anywire::protocol::native
