#include "hooks/reply.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "codec/base64.h"
#include "protocol/api/object_reader.h"
#include "protocol/rights.h"

namespace anywire::hooks {
namespace {

using codec::JsonKind;
using codec::JsonValue;
using protocol::AppAction;
using protocol::AppActions;
using protocol::AppRefusal;
using protocol::api::Code;
using protocol::api::ObjectReader;
using protocol::api::pointer_to;
using std::string_view;

// Every reply may have these.
#define ANYWIRE_COMMON "allow", "message", "reason", "retry", "disconnect", "actions"
constexpr std::array<string_view, 11> kConnectMembers = {
    ANYWIRE_COMMON, "user", "info", "capability", "channels", "expires"};
constexpr std::array<string_view, 6> kSubscribeMembers = {ANYWIRE_COMMON};
constexpr std::array<string_view, 12> kPublishMembers = {
    ANYWIRE_COMMON, "data", "text", "binary", "event", "tags", "drop"};
constexpr std::array<string_view, 8> kRpcMembers = {ANYWIRE_COMMON, "data", "error"};
#undef ANYWIRE_COMMON
constexpr std::array<string_view, 1> kEventsMembers = {"actions"};
constexpr std::array<string_view, 3> kErrorMembers = {"code", "message", "retry"};
constexpr std::array<string_view, 14> kActionMembers = {
    "do", "channel", "user", "client", "reason", "reconnect", "data", "text", "binary", "event",
    "tags", "conflationKey", "messageId", "idempotencyKey"};

// The end of the year 5138 in seconds; so many milliseconds were over in 1973. Who is below means
// seconds.
constexpr std::uint64_t kSecondsMax = 100'000'000'000;
constexpr std::uint64_t kTimeMax = (std::uint64_t{1} << 53) - 1;

bool has_control(string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

bool is_name(string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && !has_control(text);
}

// One reply while it is read: the first fault stands.
class Reading {
 public:
  Reading(JsonValue value, std::span<const string_view> known, const ReplyLimits& limits)
      : in_(value, known), limits_(limits) {}

  ObjectReader& in() { return in_; }

  // What it says if it refuses.
  std::optional<AppRefusal> refusal() {
    const bool allow = in_.boolean("allow", true);
    for (const string_view name : {"message", "reason", "retry", "disconnect"}) {
      if (allow && in_.has(name)) {
        in_.refuse(name, Code::kBadRequest,
                   fmt::format("\"{}\" is only for a refusal, which has \"allow\": false", name));
      }
    }
    if (allow) return std::nullopt;
    AppRefusal refused{.code = AppRefusal::Code::kRefused};
    refused.message = in_.text("message", limits_.text_bytes_max);
    if (refused.message.empty()) refused.message = "the application does not allow this";
    refused.reason = in_.text("reason", limits_.reason_bytes_max);
    refused.retry = in_.boolean("retry", false);
    refused.disconnect = in_.boolean("disconnect", false);
    return refused;
  }

  std::string name_of_channel(ObjectReader& in, string_view name, string_view text) {
    if (!is_name(text, limits_.channel_bytes_max)) {
      in.refuse(name, Code::kBadChannel,
                fmt::format("a channel's name has 1 to {} bytes and no control characters",
                            limits_.channel_bytes_max));
    } else if (protocol::is_reserved(text) && !text.starts_with(protocol::kPersonalPrefix)) {
      in.refuse(name, Code::kBadChannel, "names that begin with $ are the server's own");
    }
    return std::string(text);
  }

  std::string user(ObjectReader& in) {
    const string_view text = in.text("user", limits_.user_bytes_max);
    if (!is_name(text, limits_.user_bytes_max)) {
      in.refuse("user", Code::kBadRequest,
                fmt::format("a user's id has 1 to {} bytes and no control characters",
                            limits_.user_bytes_max));
    }
    return std::string(text);
  }

  std::optional<protocol::PublishAnswer::Payload> payload(ObjectReader& in) {
    using Payload = protocol::PublishAnswer::Payload;
    const int given = in.has("data") + in.has("text") + in.has("binary");
    if (given == 0) return std::nullopt;
    if (given > 1) {
      in.refuse("data", Code::kBadRequest, "only one of \"data\", \"text\" and \"binary\" goes");
      return std::nullopt;
    }
    if (const auto json = in.json("data")) {
      return checked(in, "data", Payload{broker::PayloadKind::kJson, std::string(*json)});
    }
    if (in.has("text")) {
      return checked(in, "text",
                     Payload{broker::PayloadKind::kText,
                             std::string(in.text("text", limits_.message_bytes_max))});
    }
    auto bytes = codec::base64_decode(in.text("binary", SIZE_MAX));
    if (!bytes) {
      in.refuse("binary", Code::kBadRequest, "\"binary\" must be base64 with padding");
      return std::nullopt;
    }
    return checked(in, "binary", Payload{broker::PayloadKind::kBinary, *std::move(bytes)});
  }

  std::vector<broker::Tag> tags(ObjectReader& in) {
    std::vector<broker::Tag> tags;
    const auto value = in.find("tags");
    if (!value) return tags;
    bool good = value->kind() == JsonKind::kObject && value->size() <= limits_.tags_max;
    for (const auto [name, content] : value->members()) {
      const auto text = content.string();
      good = good && text && !name.empty() && name.size() <= limits_.tag_name_bytes_max &&
             text->size() <= limits_.tag_value_bytes_max;
      if (!good) break;
      tags.push_back({std::string(name), std::string(*text)});
    }
    if (!good) {
      in.refuse("tags", Code::kBadRequest,
                fmt::format("\"tags\" must be an object of at most {} strings, with {} bytes for "
                            "the name and {} for the value",
                            limits_.tags_max, limits_.tag_name_bytes_max,
                            limits_.tag_value_bytes_max));
    }
    return tags;
  }

  AppActions actions() {
    AppActions actions;
    const auto list = in_.array("actions", limits_.actions_max);
    if (!list) return actions;
    std::size_t index = 0;
    for (const JsonValue value : list->elements()) {
      ObjectReader one(value, kActionMembers, "/actions/" + std::to_string(index++));
      actions.push_back(action(one));
      if (one.problem()) {
        in_.refuse(*one.problem());
        break;
      }
    }
    return actions;
  }

  // After all of it has been read.
  std::optional<std::string> fault() const {
    if (!in_.problem()) return std::nullopt;
    const auto& problem = *in_.problem();
    return problem.path.empty() ? problem.message : problem.message + ", at " + problem.path;
  }

  const ReplyLimits& limits() const { return limits_; }

 private:
  template <typename Payload>
  std::optional<Payload> checked(ObjectReader& in, string_view name, Payload payload) {
    if (payload.bytes.size() <= limits_.message_bytes_max) return payload;
    in.refuse(name, Code::kTooLarge,
              fmt::format("messages have at most {} bytes", limits_.message_bytes_max));
    return std::nullopt;
  }

  AppAction action(ObjectReader& in) {
    const string_view what = in.required_text("do", 32);
    AppAction action;
    if (what == "publish") {
      publication(in, action);
      return action;
    }
    if (what == "subscribe" || what == "unsubscribe") {
      action.kind = what == "subscribe" ? AppAction::Kind::kSubscribe
                                        : AppAction::Kind::kUnsubscribe;
      action.channel = name_of_channel(in, "channel", in.text("channel", SIZE_MAX));
    } else if (what == "disconnect") {
      action.kind = AppAction::Kind::kDisconnect;
      action.reason = in.text("reason", limits_.text_bytes_max);
      action.reconnect = in.boolean("reconnect", true);
    } else {
      in.refuse("do", Code::kBadRequest,
                "\"do\" is \"publish\", \"subscribe\", \"unsubscribe\" or \"disconnect\"");
    }
    target(in, action);
    return action;
  }

  void target(ObjectReader& in, AppAction& action) {
    if (in.has("user") && in.has("client")) {
      return in.refuse("user", Code::kBadRequest, "only one of \"user\" and \"client\" goes");
    }
    if (in.has("user")) action.user = user(in);
    if (in.has("client")) action.client = in.required_text("client", limits_.client_bytes_max);
  }

  void publication(ObjectReader& in, AppAction& action) {
    if (in.has("user") == in.has("channel")) {
      return in.refuse("channel", Code::kBadRequest,
                       "exactly one of \"channel\" and \"user\" is needed");
    }
    const std::string to = in.has("user") ? std::string(protocol::kPersonalPrefix) + user(in)
                                          : std::string(in.text("channel", SIZE_MAX));
    action.channel = name_of_channel(in, in.has("user") ? "user" : "channel", to);
    broker::Draft& draft = action.request.draft;
    const auto content = payload(in);
    if (!content) {
      return in.refuse("data", Code::kBadRequest,
                       "one of \"data\", \"text\" and \"binary\" is needed");
    }
    draft.kind = content->kind;
    draft.payload = Buffer::copy_of(as_bytes(content->bytes));
    draft.event = in.text("event", limits_.event_bytes_max);
    draft.id = in.text("messageId", limits_.message_id_bytes_max);
    draft.key = in.text("conflationKey", limits_.conflation_key_bytes_max);
    draft.tags = tags(in);
    action.request.idempotency_key = in.text("idempotencyKey", limits_.idempotency_key_bytes_max);
  }

  ObjectReader in_;
  const ReplyLimits& limits_;
};

void read_capability(ObjectReader& in, protocol::ConnectAnswer& answer) {
  const auto value = in.json("capability");
  if (!value) return;
  auto capability = auth::Capability::parse(*value);
  if (!capability) {
    return in.refuse("capability", Code::kBadRequest,
                     "\"capability\" must " + capability.error().message);
  }
  answer.capability = *std::move(capability);
}

void read_channels(Reading& reading, protocol::ConnectAnswer& answer) {
  ObjectReader& in = reading.in();
  const auto list = in.find("channels");
  if (!list) return;
  std::vector<std::string> channels;
  bool good = list->kind() == JsonKind::kArray && list->size() <= reading.limits().channels_max;
  for (const JsonValue one : list->elements()) {
    const auto name = one.string();
    good = good && name && is_name(*name, reading.limits().channel_bytes_max);
    if (!good) break;
    channels.emplace_back(*name);
  }
  if (!good) {
    return in.refuse("channels", Code::kBadRequest,
                     fmt::format("\"channels\" must be an array of at most {} names of channels",
                                 reading.limits().channels_max));
  }
  answer.channels = std::move(channels);
}

protocol::ConnectAnswer connect_answer(Reading& reading) {
  ObjectReader& in = reading.in();
  protocol::ConnectAnswer answer;
  if (in.has("user")) answer.user = reading.user(in);
  if (const auto info = in.find("info")) {
    answer.info = info->is_null() ? std::string() : std::string(info->raw());
    if (answer.info->size() > reading.limits().info_bytes_max) {
      in.refuse("info", Code::kTooLarge,
                fmt::format("\"info\" has at most {} bytes", reading.limits().info_bytes_max));
    }
  }
  read_capability(in, answer);
  read_channels(reading, answer);
  answer.expires_ms = in.number("expires", 1, kTimeMax);
  if (answer.expires_ms && *answer.expires_ms < kSecondsMax) {
    in.refuse("expires", Code::kBadRequest,
              "\"expires\" is in milliseconds, as Date.now() is, and this looks like seconds");
  }
  return answer;
}

protocol::PublishAnswer publish_answer(Reading& reading) {
  ObjectReader& in = reading.in();
  protocol::PublishAnswer answer;
  answer.drop = in.boolean("drop", false);
  answer.payload = reading.payload(in);
  if (in.has("event")) answer.event = in.text("event", reading.limits().event_bytes_max);
  if (in.has("tags")) answer.tags = reading.tags(in);
  return answer;
}

std::expected<std::string, AppRefusal> rpc_answer(Reading& reading) {
  ObjectReader& in = reading.in();
  const auto error = in.find("error");
  if (!error) return std::string(in.json("data").value_or("null"));
  if (in.has("data")) {
    in.refuse("error", Code::kBadRequest, "only one of \"data\" and \"error\" goes");
  }
  ObjectReader inner(*error, kErrorMembers, pointer_to("", "error"));
  AppRefusal refused{.code = AppRefusal::Code::kRefused};
  refused.reason = inner.required_text("code", reading.limits().reason_bytes_max);
  refused.message = inner.text("message", reading.limits().text_bytes_max);
  refused.retry = inner.boolean("retry", false);
  if (refused.message.empty()) refused.message = "the application answered with an error";
  if (refused.reason == "no_handler") refused.code = AppRefusal::Code::kNoHandler;
  if (inner.problem()) in.refuse(*inner.problem());
  return std::unexpected(std::move(refused));
}

// `answer` reads what is not in every reply, when it does not refuse.
template <typename Answer, typename Read>
ReadReply<Answer> read(codec::JsonReader& reader, string_view text,
                       std::span<const string_view> known, const ReplyLimits& limits, Read answer) {
  const auto value = reader.read(as_bytes(text));
  if (!value) {
    return std::unexpected(fmt::format("it is not JSON: {}, at byte {}", value.error().message,
                                       reader.fault_at()));
  }
  Reading reading(*value, known, limits);
  if (value->kind() != JsonKind::kObject) {
    return std::unexpected(std::string("it must be an object, {} to allow"));
  }
  Reply<Answer> reply;
  if (auto refused = reading.refusal()) {
    reply.verdict = std::unexpected(*std::move(refused));
  } else if constexpr (!std::is_void_v<Answer>) {
    reply.verdict = answer(reading);
  }
  reply.actions = reading.actions();
  if (auto fault = reading.fault()) return std::unexpected(*std::move(fault));
  return reply;
}

}  // namespace

ReadReply<protocol::ConnectAnswer> read_connect(codec::JsonReader& reader, string_view text,
                                                const ReplyLimits& limits) {
  return read<protocol::ConnectAnswer>(reader, text, kConnectMembers, limits, connect_answer);
}

ReadReply<void> read_subscribe(codec::JsonReader& reader, string_view text,
                               const ReplyLimits& limits) {
  return read<void>(reader, text, kSubscribeMembers, limits, nullptr);
}

ReadReply<protocol::PublishAnswer> read_publish(codec::JsonReader& reader, string_view text,
                                                const ReplyLimits& limits) {
  return read<protocol::PublishAnswer>(reader, text, kPublishMembers, limits, publish_answer);
}

ReadReply<std::string> read_rpc(codec::JsonReader& reader, string_view text,
                                const ReplyLimits& limits) {
  return read<std::string>(reader, text, kRpcMembers, limits, rpc_answer);
}

ReadReply<void> read_events(codec::JsonReader& reader, string_view text,
                            const ReplyLimits& limits) {
  return read<void>(reader, text, kEventsMembers, limits, nullptr);
}

}  // namespace anywire::hooks
