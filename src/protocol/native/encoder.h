// Everything the server says in the native protocol, as bytes: replies and pushes, in both forms.
// docs/protocol.md has the members' meaning.
//
// Each function answers one whole message, without a frame around it. `id` is the command's; 0
// makes an error or a `subscribed` a push. Text must be UTF-8 (all that came in was checked) and
// members with nothing to say are left out. Payloads and presence info that are JSON go into JSON
// messages as they are; for MessagePack they are converted, once.
//
// Pure functions. Thread: any. Lifetime: arguments are read during the call.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "broker/broker.h"
#include "hub/hub.h"
#include "hub/presence_view.h"
#include "hub/subscriber.h"
#include "protocol/native/command.h"
#include "websocket/compression_pool.h"

namespace anywire::protocol::native {

// ---- Replies ----

struct Connected {
  std::uint64_t id = 0;
  std::string_view client;
  std::string_view session;
  bool resumed = false;
  std::string_view user;
  std::optional<std::uint64_t> expires_ms;  // Unix time
  std::uint64_t ping_ms = 0;
  std::uint64_t session_window_ms = 0;
  std::uint64_t message_bytes_max = 0;
  std::string_view server;
};

std::string encode(Format format, const Connected& connected);

std::string encode_error(Format format, std::uint64_t id, const Refusal& refusal,
                         std::string_view channel = {});
std::string encode_ok(Format format, std::uint64_t id);
// The answer to `auth`.
std::string encode_ok(Format format, std::uint64_t id, std::optional<std::uint64_t> expires_ms);

struct Subscribed {
  std::uint64_t id = 0;
  std::string_view channel;  // or a pattern: then nothing below counts
  bool pattern = false;
  bool since = false;  // was given: `recovered` and `gap` are told
  bool delta = false;  // messages may come as differences
  hub::Joined joined;
};

std::string encode(Format format, const Subscribed& subscribed);
std::string encode_published(Format format, std::uint64_t id, const broker::PublishResult& result);
std::string encode_history(Format format, std::uint64_t id, std::string_view channel,
                           const broker::HistoryPage& page);
std::string encode_members(Format format, std::uint64_t id, std::string_view channel,
                           const hub::PresencePage& page);
// With the id 0 a push. `presence` says whether the channel has any.
std::string encode_occupancy(Format format, std::uint64_t id, std::string_view channel,
                             const hub::Occupancy& occupancy, bool presence);
std::string encode_pong(Format format, std::uint64_t id, std::uint64_t time_ms);
// `data` is JSON.
std::string encode_result(Format format, std::uint64_t id, std::string_view data);

// ---- Pushes ----

std::string encode_message(Format format, const broker::Publication& publication);
// For who has asked for differences: from `before`, the publication with the offset before, if it
// is given and the difference is smaller. Payloads that are JSON come as text, so that their bytes
// are known.
std::string encode_delta(Format format, const broker::Publication& publication,
                         const broker::Publication* before);
std::string encode_advance(Format format, std::string_view channel, std::uint64_t offset);
std::string encode_gap(Format format, std::string_view channel, const hub::Gap& gap);
// Of a pattern's messages, how many were left out.
std::string encode_missed(Format format, std::string_view pattern, std::uint64_t messages);
std::string encode_unsubscribed(Format format, std::string_view channel, bool pattern,
                                const Refusal& refusal);
// The presence of this client has ended.
std::string encode_left(Format format, std::string_view channel, const Refusal& refusal);
std::string encode_presence(Format format, std::string_view channel,
                            const hub::PresenceDiff& diff);
// `data` is JSON, empty if there is none.
std::string encode_call(Format format, std::uint64_t call, std::string_view method,
                        std::string_view data);
std::string encode_expiring(Format format, std::uint64_t expires_ms);

// ---- WebSocket frames, to be shared by all receivers of a loop ----

BufferRef frame(Format format, std::string_view message);
BufferRef compressed_frame(Format format, std::string_view message, ws::CompressionPool& pool);

}  // namespace anywire::protocol::native
