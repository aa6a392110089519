// NativeSession: what the customer's application is asked before it happens.
#include <algorithm>
#include <utility>

#include "protocol/native/encoder.h"
#include "protocol/native/session.h"

namespace anywire::protocol::native {
namespace {

Refusal refusal_of_either(std::variant<AppRefusal, hub::HubError>&& why) {
  if (const auto* error = std::get_if<hub::HubError>(&why)) return refusal_of(*error);
  return refusal_of(std::move(std::get<AppRefusal>(why)));
}

bool wants_disconnect(const std::variant<AppRefusal, hub::HubError>& why) {
  const auto* refused = std::get_if<AppRefusal>(&why);
  return refused != nullptr && refused->disconnect;
}

}  // namespace

AppClientCard NativeSession::card() const {
  return {.id = std::string(client()),
          .user = std::string(user()),
          .info = std::string(token_info()),
          .protocol = std::string(protocol()),
          .address = adapter_.clients().address(*this),
          .origin = extras_ ? extras_->origin : std::string()};
}

// ---- Connecting ----

// `address` and `stamp` are what it is known by among the Clients, should it become another user.
void NativeSession::ask_to_connect(const net::Address& address, const auth::TokenStamp& stamp) {
  const AppClientCard who = card();
  const std::string token = extras_->connect_token;
  adapter_.app()->connect(
      {.client = who.view(), .token = token},
      later([address, stamp](NativeSession& self,
                             std::expected<ConnectAnswer, AppRefusal> answer) {
        if (self.state_ != State::kConnecting) return;
        if (!answer) return self.refuse_to_connect(answer.error());
        if (self.take_answer(*std::move(answer), address, stamp)) self.begin();
      }));
}

// Who was refused for good has no reason to come back, whoever could not be asked about has.
void NativeSession::refuse_to_connect(const AppRefusal& refused) {
  if (refused.code != AppRefusal::Code::kRefused) {
    return close(Close::kAppUnavailable, "the application cannot be asked at the moment");
  }
  close(refused.retry ? Close::kAppUnavailable : Close::kNotWanted, refused.message);
}

// False if the session has ended over it.
bool NativeSession::take_answer(ConnectAnswer answer, const net::Address& address,
                                const auth::TokenStamp& stamp) {
  const std::string new_user = answer.user.value_or(std::string(user()));
  const std::string info = answer.info.value_or(std::string(token_info()));
  const bool other = new_user != user();
  // Among the Clients it stands under its user's name.
  if (other) adapter_.clients().remove(*this);
  me_ = me(client(), new_user, info);
  if (other) {
    auth::TokenStamp renamed = stamp;
    adapter_.clients().add(*this, {.address = address,
                                   .unix_ms = adapter_.wall().unix_ms(),
                                   .stamp = renamed});
    if (!admit_user()) return false;
  }
  if (answer.capability || other) {
    set_rights(adapter_.rights().share(
        answer.capability ? *std::move(answer.capability) : rights_->capability(),
        new_user.empty()));
  }
  if (answer.channels) extras().token_channels = *std::move(answer.channels);
  if (answer.expires_ms) {
    expires_at_ms_ = expires_at_ms_ == 0 ? *answer.expires_ms
                                         : std::min(expires_at_ms_, *answer.expires_ms);
  }
  extras().connect_actions = std::move(answer.actions);
  return true;
}

void NativeSession::do_connect_actions() {
  if (!extras_ || extras_->connect_actions.empty() || state_ != State::kConnected) return;
  AppActions actions = std::exchange(extras_->connect_actions, {});
  drop_extras();
  adapter_.app()->act(std::move(actions), client());
}

// ---- Subscribing ----

void NativeSession::ask_to_subscribe(Seat& seat, const hub::SubscribeOptions& options) {
  const std::uint64_t number = adapter_.next_question();
  extras().asked.push_back({&seat, number});
  if (adapter_.app() == nullptr) {
    return on_subscribe_verdict(number, options, std::unexpected(AppRefusal()));
  }
  const AppClientCard who = card();
  adapter_.app()->subscribe(
      {.client = who.view(), .channel = seat.channel()},
      later([number, options](NativeSession& self, std::expected<void, AppRefusal> verdict) {
        self.on_subscribe_verdict(number, options, std::move(verdict));
      }));
}

// Nothing is done for a subscription that has been taken back meanwhile.
void NativeSession::on_subscribe_verdict(std::uint64_t number,
                                         const hub::SubscribeOptions& options,
                                         std::expected<void, AppRefusal> verdict) {
  if (!extras_) return;
  const auto found = std::ranges::find(extras_->asked, number, &Asked::number);
  if (found == extras_->asked.end()) return;
  Seat& seat = *found->seat;
  extras_->asked.erase(found);
  if (verdict) {
    adapter_.hub().subscribe(seat.channel(), seat, options);
    return drop_extras();
  }
  const bool disconnect = verdict.error().disconnect;
  const std::string message = verdict.error().message;
  leave_subscription(seat);
  unsubscribed(seat, refusal_of(std::move(verdict.error())));
  drop_extras();
  if (disconnect) close(Close::kNotWanted, message);
}

// ---- Publishing ----

void NativeSession::line_up(std::uint64_t id, std::string_view channel,
                            broker::PublishRequest&& request, bool asks) {
  if (adapter_.app() == nullptr) return send_error(id, refusal_of(AppRefusal()), channel);
  wait(id);
  std::shared_ptr<PublishLine> line = extras().line.lock();
  if (line == nullptr) {
    line = PublishLine::create(*adapter_.app(), adapter_.hub(), adapter_.validation(), card());
    extras().line = line;
  }
  const bool answered = id != 0 || !request.idempotency_key.empty() ||
                        adapter_.hub().rules().find(channel).history_messages > 0;
  PublishLine::Entry entry{
      .channel = std::string(channel),
      .request = std::move(request),
      .asks = asks,
      .published = answered,
      .done = later([id, name = std::string(channel)](NativeSession& self,
                                                      PublishLine::Outcome outcome) {
        self.on_lined_up(id, name, std::move(outcome));
      })};
  switch (line->push(std::move(entry), adapter_.options().pending_max)) {
    case PublishLine::Taken::kYes: return;
    case PublishLine::Taken::kTooMany:
      return reply_error(id, {ErrorCode::kTooManyPending,
                              "too many messages wait for the application's word"},
                         channel);
    case PublishLine::Taken::kNoRoom:
      return reply_error(id, {ErrorCode::kOverloaded,
                              "the server holds as much as it can for the application"},
                         channel);
  }
}

void NativeSession::on_lined_up(std::uint64_t id, std::string_view channel,
                                PublishLine::Outcome outcome) {
  if (outcome) {
    if (id != 0) reply(id, encode_published(format_, id, *outcome));
    return;
  }
  const bool disconnect = wants_disconnect(outcome.error());
  const Refusal refusal = refusal_of_either(std::move(outcome.error()));
  reply_error(id, refusal, channel);
  if (disconnect) close(Close::kNotWanted, refusal.message);
}

// ---- Calls ----

void NativeSession::run(std::uint64_t id, const Rpc& rpc) {
  AppHook* app = adapter_.app();
  if (app == nullptr || !app->asks_rpc()) {
    return send_error(id, {ErrorCode::kNoHandler, "nobody answers this method"});
  }
  if (!rights_->grant(auth::Operation::kRpc, rpc.method)) {
    return send_error(id, forbidden(auth::Operation::kRpc, rpc.method));
  }
  const Validation* validation = adapter_.validation();
  if (validation != nullptr) {
    auto violation = validation->check_rpc_input(rpc.method, rpc.data.value_or(""));
    if (violation) return send_error(id, refusal_of(*std::move(violation)));
  }
  wait(id);
  const AppClientCard who = card();
  app->rpc({.client = who.view(), .method = rpc.method, .data = rpc.data.value_or("")},
           later([id, method = std::string(rpc.method)](
                     NativeSession& self, std::expected<std::string, AppRefusal> result) {
             self.on_rpc_result(id, method, std::move(result));
           }));
}

void NativeSession::on_rpc_result(std::uint64_t id, std::string_view method,
                                  std::expected<std::string, AppRefusal> result) {
  const Validation* validation = adapter_.validation();
  // An answer that is not what the contract says is the application's fault, as none would be.
  if (result && validation != nullptr) {
    const auto violation = validation->check_rpc_output(method, *result);
    if (violation) {
      adapter_.app()->blame(
          {.what = AppFault::What::kResult, .name = method, .rule = violation->rule});
      result = std::unexpected(AppRefusal());
    }
  }
  if (result) return reply(id, encode_result(format_, id, *result));
  const bool disconnect = result.error().disconnect;
  const Refusal refusal = refusal_of(std::move(result.error()));
  reply_error(id, refusal);
  if (disconnect) close(Close::kNotWanted, refusal.message);
}

}  // namespace anywire::protocol::native
