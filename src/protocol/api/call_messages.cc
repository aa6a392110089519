// ApiCall: publishing, history, presence and the list of channels.
#include <fmt/core.h>

#include <utility>

#include "protocol/api/call.h"

namespace anywire::protocol::api {
namespace {

std::string_view idempotency_key(const http::RequestHead& head) {
  return head.header("Idempotency-Key");
}

}  // namespace

// ---- Publishing ----

void ApiCall::publish(const http::RequestHead& head, codec::JsonValue body) {
  auto call = read_publish(body, adapter_.options().limits, idempotency_key(head));
  if (!call) return refuse(call.error());
  single_ = true;
  Calls calls;
  calls.push_back(std::move(call));
  publish_all(std::move(calls));
}

void ApiCall::publish_batch(const http::RequestHead& head, codec::JsonValue body) {
  auto calls = read_batch(body, adapter_.options().limits, idempotency_key(head));
  if (!calls) return refuse(calls.error());
  publish_all(*std::move(calls));
}

void ApiCall::broadcast(const http::RequestHead& head, codec::JsonValue body) {
  auto calls = read_broadcast(body, adapter_.options().limits, idempotency_key(head));
  if (!calls) return refuse(calls.error());
  publish_all(*std::move(calls));
}

std::optional<Problem> ApiCall::may_publish(const PublishCall& call) const {
  const hub::ChannelRule& rule = adapter_.hub().rules().find(call.channel);
  if (auto problem = may(principal_, auth::Operation::kPublish, call.channel, rule)) return problem;
  if (rule.message_bytes_max != 0 &&
      call.request.draft.payload->size() > rule.message_bytes_max) {
    return Problem{.code = Code::kTooLarge,
                   .message = fmt::format("messages of this channel have at most {} bytes",
                                          rule.message_bytes_max)};
  }
  const Validation* const validation = adapter_.services().validation;
  if (validation == nullptr) return std::nullopt;
  const broker::Draft& draft = call.request.draft;
  auto violation = validation->check(rule, {.channel = call.channel,
                                            .event = draft.event,
                                            .kind = draft.kind,
                                            .payload = as_text(draft.payload->bytes())});
  if (!violation) return std::nullopt;
  return Problem{.code = Code::kSchemaViolation,
                 .message = std::move(violation->message),
                 .path = std::move(violation->path)};
}

void ApiCall::publish_all(Calls calls) {
  publications_ = std::move(calls);
  for (Read<PublishCall>& call : publications_) {
    if (!call) continue;
    call->request.draft.user_id = principal_.user;
    if (auto problem = may_publish(*call)) call = std::unexpected(*std::move(problem));
  }
  publish_now();
}

// While the loops are behind, callers wait for their answer, and so send no more.
void ApiCall::publish_now() {
  hub::Hub& hub = adapter_.hub();
  if (hub.crowded()) {
    return hub.when_roomy(later([](ApiCall& self) { self.publish_now(); }));
  }
  Calls calls = std::move(publications_);
  publications_.clear();
  results_.resize(calls.size());
  // One more than there are, so that answers inside the calls below do not end this one.
  missing_ = calls.size() + 1;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!calls[i]) {
      on_published(i, std::unexpected(std::move(calls[i].error())));
      continue;
    }
    hub.publish(calls[i]->channel, std::move(calls[i]->request),
                later([i](ApiCall& self, const auto& result) {
                  self.on_published(i, result ? Published(*result)
                                              : std::unexpected(problem_of(result.error())));
                }));
  }
  end_publishing();
}

void ApiCall::on_published(std::size_t index, Published result) {
  results_[index] = std::move(result);
  end_publishing();
}

void ApiCall::end_publishing() {
  if (--missing_ != 0) return;
  if (!single_) return answer(encode_results(results_));
  if (!results_[0]) return refuse(results_[0].error());
  answer(encode_published(*results_[0]));
}

// ---- Reading ----

void ApiCall::read_history(const http::RequestHead& head) {
  auto call = api::read_history(head.query, adapter_.options().limits);
  if (!call) return refuse(call.error());
  const hub::ChannelRule& rule = adapter_.hub().rules().find(call->channel);
  if (const auto problem = may(principal_, auth::Operation::kHistory, call->channel, rule)) {
    return refuse(*problem);
  }
  adapter_.hub().history(
      call->channel, call->query,
      later([epoch = call->epoch, channel = call->channel](ApiCall& self, const auto& page) {
        if (!page) return self.refuse(problem_of(page.error()));
        if (epoch && *epoch != page->top.epoch) {
          return self.refuse({.code = Code::kEpochChanged,
                              .message = "the channel has begun anew: offsets mean others now"});
        }
        self.answer(encode_history(channel, *page));
      }));
}

void ApiCall::read_presence(const http::RequestHead& head) {
  auto call = api::read_presence(head.query, adapter_.options().limits);
  if (!call) return refuse(call.error());
  const std::string& channel = call->channel;
  const hub::ChannelRule& rule = adapter_.hub().rules().find(channel);
  if (const auto problem = may(principal_, auth::Operation::kPresence, channel, rule)) {
    return refuse(*problem);
  }
  if (call->counts) {
    return adapter_.hub().occupancy(
        channel, later([channel](ApiCall& self, const hub::Occupancy& occupancy) {
          self.answer(encode_counts(channel, occupancy));
        }));
  }
  adapter_.hub().members(channel, call->after, call->limit,
                         later([channel](ApiCall& self, const auto& page) {
                           if (!page) return self.refuse(problem_of(page.error()));
                           self.answer(encode_presence(channel, *page));
                         }));
}

void ApiCall::read_channels(const http::RequestHead& head) {
  auto call = api::read_channels(head.query, adapter_.options().limits);
  if (!call) return refuse(call.error());
  if (const auto problem = may_list(principal_, call->pattern)) return refuse(*problem);
  adapter_.hub().list_channels(
      {.pattern = std::move(call->pattern), .after = std::move(call->after), .limit = call->limit},
      later([](ApiCall& self, auto list) {
        if (!list) return self.refuse(problem_of(list.error()));
        std::erase_if(list->channels, [&](const auto& one) {
          return !sees(self.principal_, one.first);
        });
        self.answer(encode_channels(*list));
      }));
}

}  // namespace anywire::protocol::api
