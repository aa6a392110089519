#include "protocol/api/requests.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "codec/base64.h"
#include "codec/transcode.h"
#include "protocol/api/object_reader.h"
#include "protocol/rights.h"

namespace anywire::protocol::api {
namespace {

using codec::JsonKind;
using codec::JsonValue;
using std::string_view;

constexpr std::size_t kNoLimit = SIZE_MAX;
// Unix milliseconds that a double holds exactly.
constexpr std::uint64_t kTimeMax = (std::uint64_t{1} << 53) - 1;

constexpr std::array<string_view, 10> kPublishMembers = {
    "channel", "user", "data", "text", "binary", "event", "tags", "conflationKey", "messageId",
    "idempotencyKey"};
constexpr std::array<string_view, 10> kBroadcastMembers = {
    "channels", "users", "data", "text", "binary", "event", "tags", "conflationKey", "messageId",
    "idempotencyKey"};
constexpr std::array<string_view, 1> kBatchMembers = {"publications"};
constexpr std::array<string_view, 4> kDisconnectMembers = {"user", "client", "reason", "reconnect"};
constexpr std::array<string_view, 3> kSubscriptionMembers = {"user", "client", "channel"};
constexpr std::array<string_view, 4> kGrantMembers = {"user", "client", "capability", "expiresIn"};
constexpr std::array<string_view, 3> kWithdrawalMembers = {"user", "client", "capability"};
constexpr std::array<string_view, 5> kRevocationMembers = {"token", "user", "issuedBefore", "key",
                                                           "all"};
constexpr std::array<string_view, 5> kTicketMembers = {"user", "info", "capability", "channels",
                                                       "expiresIn"};
constexpr std::array<string_view, 4> kRpcMembers = {"client", "method", "data", "timeout"};

bool has_control(string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

// ---- Parts that several bodies have ----

std::string channel(ObjectReader& in, string_view name, string_view text,
                    const ApiLimits& limits) {
  if (!is_channel_name(text, limits.channel_bytes_max)) {
    in.refuse(name, Code::kBadChannel,
              fmt::format("a channel's name has 1 to {} bytes and no control characters",
                          limits.channel_bytes_max));
  }
  return std::string(text);
}

std::string personal_channel(ObjectReader& in, string_view name, string_view user,
                             const ApiLimits& limits) {
  if (user.empty() || user.size() > limits.user_bytes_max || has_control(user)) {
    in.refuse(name, Code::kBadRequest,
              fmt::format("a user's id has 1 to {} bytes and no control characters",
                          limits.user_bytes_max));
  }
  return channel(in, name, std::string(kPersonalPrefix).append(user), limits);
}

std::string user(ObjectReader& in, const ApiLimits& limits) {
  const string_view text = in.required_text("user", limits.user_bytes_max);
  if (has_control(text)) {
    in.refuse("user", Code::kBadRequest, "a user's id has no control characters");
  }
  return std::string(text);
}

Whom whom(ObjectReader& in, const ApiLimits& limits) {
  if (in.has("user") == in.has("client")) {
    in.refuse({.code = Code::kBadRequest,
               .message = "exactly one of \"user\" and \"client\" is needed",
               .path = in.pointer()});
    return {};
  }
  if (in.has("user")) return {.user = user(in, limits), .client = {}};
  return {.user = {},
          .client = std::string(in.required_text("client", limits.client_bytes_max))};
}

std::optional<Duration> seconds(ObjectReader& in, string_view name, Duration most) {
  const auto count = in.number(name, 1, static_cast<std::uint64_t>(most.count() / 1000));
  if (!count) return std::nullopt;
  return Duration(static_cast<Duration::rep>(*count) * 1000);
}

auth::Capability capability(ObjectReader& in, string_view name) {
  const auto value = in.json(name);
  if (!value) return {};
  auto capability = auth::Capability::parse(*value);
  if (capability) return *std::move(capability);
  in.refuse(name, Code::kBadRequest,
            fmt::format("\"{}\" must {}", name, capability.error().message));
  return {};
}

// ---- Publications ----

std::vector<broker::Tag> tags(ObjectReader& in, const ApiLimits& limits) {
  std::vector<broker::Tag> tags;
  const auto value = in.find("tags");
  if (!value) return tags;
  if (value->kind() != JsonKind::kObject) {
    in.refuse("tags", Code::kBadRequest, "\"tags\" must be an object of strings");
    return tags;
  }
  for (const auto [name, content] : value->members()) {
    const auto text = content.string();
    if (!text) {
      in.refuse("tags", Code::kBadRequest, "\"tags\" must be an object of strings");
      return tags;
    }
    if (tags.size() == limits.tags_max || name.size() > limits.tag_name_bytes_max ||
        text->size() > limits.tag_value_bytes_max) {
      in.refuse("tags", Code::kTooLarge,
                fmt::format("a message has at most {} tags, with {} bytes for the name and {} for "
                            "the value",
                            limits.tags_max, limits.tag_name_bytes_max,
                            limits.tag_value_bytes_max));
      return tags;
    }
    tags.push_back({std::string(name), std::string(*text)});
  }
  return tags;
}

void payload(ObjectReader& in, const ApiLimits& limits, broker::Draft& draft) {
  if (in.has("data") + in.has("text") + in.has("binary") != 1) {
    return in.refuse({.code = Code::kBadRequest,
                      .message = "exactly one of \"data\", \"text\" and \"binary\" is needed",
                      .path = in.pointer()});
  }
  string_view name = "data";
  std::string decoded;
  string_view bytes;
  if (const auto json = in.json(name)) {
    draft.kind = broker::PayloadKind::kJson;
    bytes = *json;
  } else if (in.has("text")) {
    name = "text";
    draft.kind = broker::PayloadKind::kText;
    bytes = in.text(name, kNoLimit);
  } else {
    name = "binary";
    draft.kind = broker::PayloadKind::kBinary;
    auto binary = codec::base64_decode(in.text(name, kNoLimit));
    if (!binary) {
      return in.refuse(name, Code::kBadRequest,
                       "\"binary\" must be base64 with padding (RFC 4648 section 4)");
    }
    decoded = *std::move(binary);
    bytes = decoded;
  }
  if (bytes.size() > limits.message_bytes_max) {
    return in.refuse(name, Code::kTooLarge,
                     fmt::format("a message has at most {} bytes", limits.message_bytes_max));
  }
  draft.payload = Buffer::copy_of(as_bytes(bytes));
}

// All but the channel.
broker::PublishRequest message(ObjectReader& in, const ApiLimits& limits,
                               string_view header_key) {
  broker::PublishRequest request;
  broker::Draft& draft = request.draft;
  payload(in, limits, draft);
  draft.event = in.text("event", limits.event_bytes_max);
  draft.id = in.text("messageId", limits.message_id_bytes_max);
  draft.key = in.text("conflationKey", limits.conflation_key_bytes_max);
  draft.tags = tags(in, limits);
  request.idempotency_key = in.text("idempotencyKey", limits.idempotency_key_bytes_max);
  if (in.has("idempotencyKey") && request.idempotency_key.empty()) {
    in.refuse("idempotencyKey", Code::kBadRequest, "\"idempotencyKey\" is empty");
  }
  if (request.idempotency_key.empty()) request.idempotency_key = header_key;
  return request;
}

Read<PublishCall> read_publication(JsonValue value, const ApiLimits& limits,
                                   string_view header_key, std::string pointer) {
  ObjectReader in(value, kPublishMembers, std::move(pointer));
  PublishCall call;
  if (in.has("channel") == in.has("user")) {
    in.refuse({.code = Code::kBadRequest,
               .message = "exactly one of \"channel\" and \"user\" is needed",
               .path = in.pointer()});
  } else if (in.has("user")) {
    call.channel = personal_channel(in, "user", in.text("user", kNoLimit), limits);
  } else {
    call.channel = channel(in, "channel", in.text("channel", kNoLimit), limits);
  }
  call.request = message(in, limits, header_key);
  if (in.problem()) return std::unexpected(*in.problem());
  return call;
}

// Nothing of a request with such a header is believed; names of the limit are those of the body.
std::optional<Problem> check_key(string_view header_key, std::size_t bytes_max) {
  if (header_key.size() <= bytes_max) return std::nullopt;
  return Problem{.code = Code::kTooLarge,
                 .message = fmt::format("Idempotency-Key has at most {} bytes", bytes_max)};
}

}  // namespace

bool is_channel_name(string_view name, std::size_t bytes_max) {
  return !name.empty() && name.size() <= bytes_max && !has_control(name);
}

Read<PublishCall> read_publish(JsonValue body, const ApiLimits& limits, string_view header_key) {
  if (auto problem = check_key(header_key, limits.idempotency_key_bytes_max)) {
    return std::unexpected(*std::move(problem));
  }
  return read_publication(body, limits, header_key, {});
}

Read<std::vector<Read<PublishCall>>> read_batch(JsonValue body, const ApiLimits& limits,
                                                string_view header_key) {
  constexpr std::size_t kSuffixBytes = 6;  // ":99999"
  if (auto problem = check_key(header_key, limits.idempotency_key_bytes_max - kSuffixBytes)) {
    return std::unexpected(*std::move(problem));
  }
  ObjectReader in(body, kBatchMembers);
  const auto list = in.array("publications", limits.batch_max);
  if (!list && !in.problem()) {
    in.refuse({.code = Code::kBadRequest, .message = "\"publications\" is missing"});
  }
  if (in.problem()) return std::unexpected(*in.problem());
  std::vector<Read<PublishCall>> calls;
  for (const JsonValue one : list->elements()) {
    const std::size_t index = calls.size();
    const std::string key =
        header_key.empty() ? std::string() : fmt::format("{}:{}", header_key, index);
    calls.push_back(
        read_publication(one, limits, key, fmt::format("/publications/{}", index)));
  }
  return calls;
}

Read<std::vector<Read<PublishCall>>> read_broadcast(JsonValue body, const ApiLimits& limits,
                                                    string_view header_key) {
  if (auto problem = check_key(header_key, limits.idempotency_key_bytes_max)) {
    return std::unexpected(*std::move(problem));
  }
  ObjectReader in(body, kBroadcastMembers);
  const broker::PublishRequest request = message(in, limits, header_key);
  if (in.has("channels") == in.has("users")) {
    in.refuse({.code = Code::kBadRequest,
               .message = "exactly one of \"channels\" and \"users\" is needed"});
  }
  const bool users = in.has("users");
  const string_view name = users ? "users" : "channels";
  const auto list = in.array(name, limits.batch_max);
  if (in.problem()) return std::unexpected(*in.problem());
  // All of them are handed to loops, one after the other.
  request.draft.payload->make_shared();
  std::vector<Read<PublishCall>> calls;
  for (const JsonValue one : list->elements()) {
    const std::string place = fmt::format("{}/{}", name, calls.size());
    // Faults of one entry are its own: this reader only collects them.
    ObjectReader entry(body, kBroadcastMembers);
    const auto text = one.string();
    PublishCall call;
    if (!text) {
      entry.refuse({.code = Code::kBadRequest, .message = "this must be a string"});
    } else if (users) {
      call.channel = personal_channel(entry, name, *text, limits);
    } else {
      call.channel = channel(entry, name, *text, limits);
    }
    if (entry.problem()) {
      Problem problem = *entry.problem();
      problem.path = "/" + place;
      calls.emplace_back(std::unexpected(std::move(problem)));
      continue;
    }
    call.request = request;
    calls.emplace_back(std::move(call));
  }
  return calls;
}

// ---- Clients ----

Read<DisconnectCall> read_disconnect(JsonValue body, const ApiLimits& limits) {
  ObjectReader in(body, kDisconnectMembers);
  DisconnectCall call;
  call.whom = whom(in, limits);
  call.reason = in.text("reason", limits.reason_bytes_max);
  call.reconnect = in.boolean("reconnect", true);
  if (in.problem()) return std::unexpected(*in.problem());
  return call;
}

Read<SubscriptionCall> read_subscription(JsonValue body, const ApiLimits& limits) {
  ObjectReader in(body, kSubscriptionMembers);
  SubscriptionCall call;
  call.whom = whom(in, limits);
  const string_view name = in.required_text("channel", kNoLimit);
  if (!in.problem()) call.channel = channel(in, "channel", name, limits);
  if (in.problem()) return std::unexpected(*in.problem());
  return call;
}

Read<GrantCall> read_grant(JsonValue body, const ApiLimits& limits, bool withdraws) {
  ObjectReader in(body, withdraws ? std::span<const string_view>(kWithdrawalMembers)
                                  : std::span<const string_view>(kGrantMembers));
  GrantCall call;
  call.whom = whom(in, limits);
  call.has_capability = in.has("capability");
  call.capability = capability(in, "capability");
  if (!withdraws && call.capability.empty()) {
    in.refuse({.code = Code::kBadRequest,
               .message = call.has_capability ? "\"capability\" grants nothing"
                                              : "\"capability\" is missing",
               .path = in.pointer()});
  }
  if (!withdraws) call.expires_in = seconds(in, "expiresIn", limits.grant_max);
  if (in.problem()) return std::unexpected(*in.problem());
  return call;
}

Read<auth::Revocation> read_revocation(JsonValue body, const ApiLimits& limits,
                                       auth::WallTime now) {
  using Kind = auth::Revocation::Kind;
  ObjectReader in(body, kRevocationMembers);
  auth::Revocation revocation;
  revocation.issued_before = now;
  if (in.has("token") + in.has("user") + in.has("key") + in.has("all") != 1) {
    in.refuse({.code = Code::kBadRequest,
               .message = "exactly one of \"token\", \"user\", \"key\" and \"all\" is needed"});
  } else if (in.has("token")) {
    revocation.kind = Kind::kToken;
    revocation.name = in.required_text("token", limits.user_bytes_max);
  } else if (in.has("user")) {
    revocation.kind = Kind::kUser;
    revocation.name = user(in, limits);
  } else if (in.has("key")) {
    revocation.kind = Kind::kKey;
    revocation.name = in.required_text("key", limits.user_bytes_max);
  } else {
    revocation.kind = Kind::kAll;
    if (!in.boolean("all", true)) {
      in.refuse("all", Code::kBadRequest, "\"all\" is true or left out");
    }
  }
  if (in.has("issuedBefore") && revocation.kind != Kind::kUser && revocation.kind != Kind::kAll) {
    in.refuse("issuedBefore", Code::kBadRequest, "\"issuedBefore\" goes with \"user\" or \"all\"");
  }
  if (const auto before = in.number("issuedBefore", 0, kTimeMax)) {
    revocation.issued_before = auth::wall_time(*before);
  }
  if (in.problem()) return std::unexpected(*in.problem());
  return revocation;
}

Read<TicketCall> read_ticket(JsonValue body, const ApiLimits& limits) {
  constexpr std::size_t kChannelsMax = 128;  // as in a token
  ObjectReader in(body, kTicketMembers);
  TicketCall call;
  if (in.has("user")) call.identity.user_id = user(in, limits);
  if (const auto info = in.json("info")) {
    if (info->size() > limits.info_bytes_max) {
      in.refuse("info", Code::kTooLarge,
                fmt::format("\"info\" has at most {} bytes", limits.info_bytes_max));
    } else if (!codec::json_to_msgpack(as_bytes(*info))) {
      in.refuse("info", Code::kBadRequest, "\"info\" has a number out of range");
    }
    call.identity.info = *info;
  }
  call.identity.capability = capability(in, "capability");
  if (const auto list = in.array("channels", kChannelsMax)) {
    for (const JsonValue one : list->elements()) {
      call.identity.channels.push_back(
          channel(in, "channels", one.string().value_or(string_view()), limits));
    }
  }
  call.lives = seconds(in, "expiresIn", limits.ticket_max).value_or(limits.ticket_max / 2);
  if (in.problem()) return std::unexpected(*in.problem());
  return call;
}

Read<RpcCallRequest> read_rpc(JsonValue body, const ApiLimits& limits) {
  ObjectReader in(body, kRpcMembers);
  RpcCallRequest request;
  request.client = in.required_text("client", limits.client_bytes_max);
  request.call.method = in.required_text("method", limits.event_bytes_max);
  request.call.data = in.json("data").value_or(string_view());
  if (request.call.data.size() > limits.message_bytes_max) {
    in.refuse("data", Code::kTooLarge,
              fmt::format("\"data\" has at most {} bytes", limits.message_bytes_max));
  }
  const auto most = static_cast<std::uint64_t>(limits.call_max.count());
  const auto timeout = in.number("timeout", 1, most);
  request.call.timeout =
      timeout ? Duration(static_cast<Duration::rep>(*timeout)) : limits.call_default;
  if (in.problem()) return std::unexpected(*in.problem());
  return request;
}

}  // namespace anywire::protocol::api
