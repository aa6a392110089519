// What the calls of the HTTP API ask for, read from their bodies and queries, and all about them
// that can be checked without knowing the caller. docs/api.md.
//
// Thread: any; pure functions. Lifetime: the answers own what they hold, so the body may go.
// Limits: ApiLimits; time is linear in the body, and nothing is made that is larger than it but a
// broadcast's list, whose publications share their payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/capability.h"
#include "auth/identity.h"
#include "auth/revocations.h"
#include "broker/broker.h"
#include "codec/json_reader.h"
#include "protocol/api/problem.h"
#include "protocol/clients.h"

namespace anywire::protocol::api {

struct ApiLimits {
  std::size_t batch_max = 100;  // publications of a batch, channels of a broadcast
  std::size_t message_bytes_max = 1024 * 1024;  // of one payload
  std::size_t channel_bytes_max = 255;
  std::size_t user_bytes_max = 255;
  std::size_t client_bytes_max = 64;
  std::size_t event_bytes_max = 255;  // and names of methods
  std::size_t message_id_bytes_max = 128;
  std::size_t idempotency_key_bytes_max = 64;
  std::size_t conflation_key_bytes_max = 128;
  std::size_t tags_max = 16;
  std::size_t tag_name_bytes_max = 64;
  std::size_t tag_value_bytes_max = 256;
  std::size_t info_bytes_max = 4 * 1024;
  std::size_t reason_bytes_max = 100;  // fits a Close frame
  std::uint32_t page_max = 1000;
  std::uint32_t page_default = 100;
  Duration ticket_max{60'000};
  Duration grant_max{24LL * 3600 * 1000};
  Duration call_default{10'000};
  Duration call_max{60'000};
};

template <typename T>
using Read = std::expected<T, Problem>;

struct PublishCall {
  std::string channel;
  broker::PublishRequest request;
};

// `header_key` is the Idempotency-Key of the request, or empty.
Read<PublishCall> read_publish(codec::JsonValue body, const ApiLimits& limits,
                               std::string_view header_key);
// One answer for each entry, in their order; the outer problem is about the body as a whole. Where
// the request has a key, entry N of a batch without a key of its own has that and ":N".
Read<std::vector<Read<PublishCall>>> read_batch(codec::JsonValue body, const ApiLimits& limits,
                                                std::string_view header_key);
// The publications share one payload.
Read<std::vector<Read<PublishCall>>> read_broadcast(codec::JsonValue body,
                                                    const ApiLimits& limits,
                                                    std::string_view header_key);

struct DisconnectCall {
  Whom whom;
  std::string reason;
  bool reconnect = true;
};
Read<DisconnectCall> read_disconnect(codec::JsonValue body, const ApiLimits& limits);

struct SubscriptionCall {
  Whom whom;
  std::string channel;
};
Read<SubscriptionCall> read_subscription(codec::JsonValue body, const ApiLimits& limits);

struct GrantCall {
  Whom whom;
  auth::Capability capability;
  bool has_capability = false;  // only a withdrawal may be without: of all grants
  std::optional<Duration> expires_in;
};
Read<GrantCall> read_grant(codec::JsonValue body, const ApiLimits& limits, bool withdraws);

// `now` is what `issuedBefore` is if it is not said.
Read<auth::Revocation> read_revocation(codec::JsonValue body, const ApiLimits& limits,
                                       auth::WallTime now);

struct TicketCall {
  auth::Identity identity;  // without a time of its end
  Duration lives{0};
};
Read<TicketCall> read_ticket(codec::JsonValue body, const ApiLimits& limits);

struct RpcCallRequest {
  std::string client;
  ClientCall call;
};
Read<RpcCallRequest> read_rpc(codec::JsonValue body, const ApiLimits& limits);

struct HistoryCall {
  std::string channel;
  std::optional<std::uint64_t> epoch;
  broker::HistoryQuery query;
};
Read<HistoryCall> read_history(std::string_view query, const ApiLimits& limits);

struct PresenceCall {
  std::string channel;
  std::string after;
  std::uint32_t limit = 100;
  bool counts = false;
};
Read<PresenceCall> read_presence(std::string_view query, const ApiLimits& limits);

struct ChannelsCall {
  auth::Glob pattern;
  std::string after;
  std::uint32_t limit = 100;
};
Read<ChannelsCall> read_channels(std::string_view query, const ApiLimits& limits);

struct ConnectionsCall {
  std::string user;
};
Read<ConnectionsCall> read_connections(std::string_view query, const ApiLimits& limits);

bool is_channel_name(std::string_view name, std::size_t bytes_max);

// Positions as clients see them: an epoch is 16 hexadecimal digits; 0, which no stream has, for any
// other text.
std::string epoch_text(std::uint64_t epoch);
std::uint64_t parse_epoch(std::string_view text);

}  // namespace anywire::protocol::api
