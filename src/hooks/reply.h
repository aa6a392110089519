// What the customer's application answers, read strictly: a misspelt member must not allow what was
// to be refused. docs/hooks.md has the members' meaning.
//
//   {}                                            allows
//   {"allow":false,"message":"not here"}          refuses
//   {"data":{"text":"***"},"actions":[...]}       allows, changes, and wants more done
//
// Thread: any; pure functions, but the reader is the caller's and used by one at a time. Lifetime:
// what is answered owns what it holds. Limits: ReplyLimits; nesting as codec/json_reader.h has it;
// time and memory in proportion to the text.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "codec/json_reader.h"
#include "protocol/app_hook.h"

namespace anywire::hooks {

struct ReplyLimits {
  std::size_t message_bytes_max = 1024 * 1024;  // of a payload
  std::size_t text_bytes_max = 1024;            // of the message of a refusal
  std::size_t reason_bytes_max = 128;
  std::size_t channel_bytes_max = 255;
  std::size_t user_bytes_max = 255;
  std::size_t client_bytes_max = 64;
  std::size_t info_bytes_max = 4 * 1024;
  std::size_t channels_max = 128;
  std::size_t event_bytes_max = 255;
  std::size_t message_id_bytes_max = 128;
  std::size_t idempotency_key_bytes_max = 64;
  std::size_t conflation_key_bytes_max = 128;
  std::size_t tags_max = 16;
  std::size_t tag_name_bytes_max = 64;
  std::size_t tag_value_bytes_max = 256;
  std::size_t actions_max = 100;
};

template <typename Answer>
struct Reply {
  std::expected<Answer, protocol::AppRefusal> verdict;
  protocol::AppActions actions;
};

// The error is a sentence for the application's developer: what is wrong, and where.
template <typename Answer>
using ReadReply = std::expected<Reply<Answer>, std::string>;

ReadReply<protocol::ConnectAnswer> read_connect(codec::JsonReader& reader, std::string_view text,
                                                const ReplyLimits& limits = {});
ReadReply<void> read_subscribe(codec::JsonReader& reader, std::string_view text,
                               const ReplyLimits& limits = {});
ReadReply<protocol::PublishAnswer> read_publish(codec::JsonReader& reader, std::string_view text,
                                                const ReplyLimits& limits = {});
// The answer is JSON.
ReadReply<std::string> read_rpc(codec::JsonReader& reader, std::string_view text,
                                const ReplyLimits& limits = {});
// To events there is nothing to say but that they have come, and what else to do.
ReadReply<void> read_events(codec::JsonReader& reader, std::string_view text,
                            const ReplyLimits& limits = {});

}  // namespace anywire::hooks
