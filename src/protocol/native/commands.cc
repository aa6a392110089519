// NativeSession: publishing, history and ping.
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
  if (!refusal && adapter_.validation() != nullptr) refusal = violation_of(rule, publish);
  if (refusal) return send_error(id, *refusal, channel);
  broker::PublishRequest request;
  request.idempotency_key = publish.idempotency_key;
  broker::Draft& draft = request.draft;
  draft.kind = publish.payload.kind;
  draft.payload = Buffer::copy_of(as_bytes(publish.payload.bytes));
  draft.event = publish.event;
  draft.id = publish.message_id;
  draft.client_id = client();
  draft.user_id = user();
  draft.key = publish.conflation_key;
  draft.tags = publish.tags;
  if (rule.publish_hook || lined_up()) {
    return line_up(id, channel, std::move(request), rule.publish_hook);
  }
  // Where nothing is kept nothing can fail that would be worth a mail back.
  if (id == 0 && rule.history_messages == 0 && request.idempotency_key.empty()) {
    adapter_.hub().publish(channel, std::move(request));
    return wait_for_room();
  }
  wait(id);
  adapter_.hub().publish(
      channel, std::move(request),
      later([id](NativeSession& self,
                 const std::expected<broker::PublishResult, hub::HubError>& result) {
        if (!result) return self.reply_error(id, refusal_of(result.error()));
        if (id != 0) self.reply(id, encode_published(self.format_, id, *result));
      }));
  wait_for_room();
}

std::optional<Refusal> NativeSession::violation_of(const hub::ChannelRule& rule,
                                                   const Publish& publish) const {
  auto violation = adapter_.validation()->check(rule, {.channel = publish.channel,
                                                       .event = publish.event,
                                                       .kind = publish.payload.kind,
                                                       .payload = publish.payload.bytes});
  if (!violation) return std::nullopt;
  return refusal_of(*std::move(violation));
}

void NativeSession::wait_for_room() {
  if (held_ || state_ == State::kEnded || !adapter_.hub().crowded()) return;
  held_ = true;
  transport_.hold_input(true);
  adapter_.hub().when_roomy(later([](NativeSession& self) { self.go_on(); }));
}

// Another one that went on before may have filled the room again.
void NativeSession::go_on() {
  held_ = false;
  if (adapter_.hub().crowded()) return wait_for_room();
  transport_.hold_input(false);
}

// Pages are large, and small commands ask for them: who does not read those it has asked for would
// be cut off for what waits. Asked again when a page comes, since those before it may have come
// meanwhile.
std::optional<Refusal> NativeSession::no_room_for_a_page() const {
  if (!transport_.congested()) return std::nullopt;
  return Refusal{ErrorCode::kOverloaded, "what was asked for before has not been read"};
}

void NativeSession::run(std::uint64_t id, const History& history) {
  const std::string_view channel = history.channel;
  const hub::ChannelRule& rule = adapter_.hub().rules().find(channel);
  std::optional<Refusal> refusal = may(auth::Operation::kHistory, channel, rule);
  if (!refusal && rule.history_messages == 0) refusal = refusal_of(hub::HubError::kNoHistory);
  if (!refusal) refusal = no_room_for_a_page();
  if (refusal) return send_error(id, *refusal, channel);
  wait(id);
  adapter_.hub().history(
      channel, history.query,
      later([id, epoch = history.epoch, name = std::string(channel)](
                NativeSession& self,
                const std::expected<broker::HistoryPage, hub::HubError>& page) {
        if (!page) return self.reply_error(id, refusal_of(page.error()), name);
        if (epoch && *epoch != page->top.epoch) {
          return self.reply_error(id, {ErrorCode::kEpochChanged, "the channel has begun anew"},
                                  name);
        }
        if (const auto full = self.no_room_for_a_page()) {
          return self.reply_error(id, *full, name);
        }
        self.reply(id, encode_history(self.format_, id, name, *page));
      }));
}

void NativeSession::run(std::uint64_t id, const AskOccupancy& occupancy) {
  const std::string_view channel = occupancy.channel;
  const hub::ChannelRule& rule = adapter_.hub().rules().find(channel);
  std::optional<Refusal> refusal = may_subscribe(channel, rule);
  if (!refusal) refusal = may_see_occupancy(rule);
  // Who may subscribe may ask, and about that the application has the last word.
  const Seat* seat = rule.subscribe_hook ? find(channel) : nullptr;
  if (!refusal && rule.subscribe_hook && (seat == nullptr || !seat->in_force)) {
    refusal = forbidden(auth::Operation::kSubscribe, channel);
  }
  if (refusal) return send_error(id, *refusal, channel);
  wait(id);
  adapter_.hub().occupancy(
      channel, later([id, presence = rule.presence, name = std::string(channel)](
                         NativeSession& self, const hub::Occupancy& answer) {
        self.reply(id, encode_occupancy(self.format_, id, name, answer, presence));
      }));
}

void NativeSession::run(std::uint64_t id, const Ping&) {
  send(encode_pong(format_, id, adapter_.wall().unix_ms()));
}

// ---- Calls of the server ----

void NativeSession::call(const ClientCall& call, CallDone done) {
  const auto refuse = [&](CallError::Code code) {
    done(std::unexpected(CallError{.kind = code, .code = {}, .message = {}}));
  };
  if (state_ != State::kConnected) return refuse(CallError::Code::kGone);
  std::unique_ptr<Calls>& calls = extras().calls;
  if (!calls) calls = std::make_unique<Calls>(adapter_.loop());
  // Who does not read what it is sent would be cut off for one more.
  if (calls->full() || transport_.congested()) {
    refuse(CallError::Code::kTooMany);
    return drop_extras();
  }
  const std::uint64_t number = calls->begin(call.timeout, std::move(done));
  send(encode_call(format_, number, call.method, call.data));
}

void NativeSession::run(std::uint64_t id, const Answer& answer) {
  if (id != 0) send(encode_ok(format_, id));
  if (!extras_ || !extras_->calls) return;
  if (answer.error) {
    extras_->calls->end(answer.call,
                        std::unexpected(CallError{.kind = CallError::Code::kRefused,
                                                  .code = std::string(answer.error->code),
                                                  .message = std::string(answer.error->message)}));
  } else {
    extras_->calls->end(answer.call, std::string(answer.data.value_or("")));
  }
  drop_extras();
}

}  // namespace anywire::protocol::native
