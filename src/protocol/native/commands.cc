// NativeSession: publishing, history, ping and rpc.
#include <fmt/core.h>

#include <utility>

#include "protocol/native/encoder.h"
#include "protocol/native/session.h"

namespace anywire::protocol::native {

void NativeSession::run(std::uint64_t id, const Publish& publish) {
  const std::string_view channel = publish.channel;
  const hub::ChannelRule& rule = adapter_.hub().rules().find(channel);
  std::optional<Refusal> refusal = may(auth::Operation::kPublish, channel, rule);
  if (!refusal && rule.message_bytes_max != 0 &&
      publish.payload.bytes.size() > rule.message_bytes_max) {
    refusal = {ErrorCode::kTooLarge,
               fmt::format("messages of this channel have at most {} bytes",
                           rule.message_bytes_max)};
  }
  if (refusal) return send_error(id, *refusal, channel);
  broker::PublishRequest request;
  request.idempotency_key = publish.idempotency_key;
  broker::Draft& draft = request.draft;
  draft.kind = publish.payload.kind;
  draft.payload = Buffer::copy_of(as_bytes(publish.payload.bytes));
  draft.event = publish.event;
  draft.id = publish.message_id;
  draft.client_id = client_.text();
  draft.user_id = user();
  draft.key = publish.conflation_key;
  draft.tags = publish.tags;
  // Where nothing is kept nothing can fail that would be worth a mail back.
  if (id == 0 && rule.history_messages == 0 && request.idempotency_key.empty()) {
    return adapter_.hub().publish(channel, std::move(request));
  }
  wait(id);
  adapter_.hub().publish(
      channel, std::move(request),
      later([id](NativeSession& self,
                 const std::expected<broker::PublishResult, hub::HubError>& result) {
        if (!result) return self.reply_error(id, refusal_of(result.error()));
        if (id != 0) self.reply(id, encode_published(self.format_, id, *result));
      }));
}

void NativeSession::run(std::uint64_t id, const History& history) {
  const std::string_view channel = history.channel;
  const hub::ChannelRule& rule = adapter_.hub().rules().find(channel);
  std::optional<Refusal> refusal = may(auth::Operation::kHistory, channel, rule);
  if (!refusal && rule.history_messages == 0) refusal = refusal_of(hub::HubError::kNoHistory);
  if (refusal) return send_error(id, *refusal, channel);
  wait(id);
  adapter_.hub().history(
      channel, history.query,
      later([id, name = std::string(channel)](
                NativeSession& self,
                const std::expected<broker::HistoryPage, hub::HubError>& page) {
        if (!page) return self.reply_error(id, refusal_of(page.error()), name);
        self.reply(id, encode_history(self.format_, id, name, *page));
      }));
}

void NativeSession::run(std::uint64_t id, const Ping&) {
  send(encode_pong(format_, id, adapter_.wall().unix_ms()));
}

void NativeSession::run(std::uint64_t id, const Rpc& rpc) {
  const Refusal nobody{ErrorCode::kNoHandler, "nobody answers this method"};
  if (adapter_.app() == nullptr) return send_error(id, nobody);
  if (!rights_->grant(auth::Operation::kRpc, rpc.method)) {
    return send_error(id, forbidden(auth::Operation::kRpc, rpc.method));
  }
  wait(id);
  adapter_.app()->rpc(
      {.method = rpc.method,
       .data = rpc.data.value_or(""),
       .client_id = client_.text(),
       .user_id = user()},
      later([id, nobody](NativeSession& self, const std::expected<std::string, RpcError>& result) {
        if (result) return self.reply(id, encode_result(self.format_, id, *result));
        self.reply_error(id, result.error() == RpcError::kNoHandler
                                 ? nobody
                                 : Refusal{ErrorCode::kUnavailable,
                                           "the application does not answer"});
      }));
}

}  // namespace anywire::protocol::native
