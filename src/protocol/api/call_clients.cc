// ApiCall: reaching connected clients.
#include <utility>

#include "protocol/api/call.h"

namespace anywire::protocol::api {
namespace {

Problem problem_of(const CallError& error) {
  switch (error.kind) {
    case CallError::Code::kGone: break;
    case CallError::Code::kTimeout:
      return {.code = Code::kTimeout, .message = "the client did not answer in time"};
    case CallError::Code::kRefused:
      if (error.code == name(Code::kNoHandler).name) {
        return {.code = Code::kNoHandler, .message = "the client does not answer this method"};
      }
      return {.code = Code::kRefused, .message = error.message, .reason = error.code};
    case CallError::Code::kTooMany:
      return {.code = Code::kTooManyPending,
              .message = "too many calls wait for this client's answer",
              .retry_after = Duration{1'000}};
    case CallError::Code::kUnsupported:
      return {.code = Code::kNoHandler, .message = "this client's protocol has no calls"};
  }
  return {.code = Code::kClientGone, .message = "there is no such client, or it has gone"};
}

}  // namespace

// The answer is how many of them it had an effect on.
void ApiCall::visit(Whom whom, ClientGroup::Visit visit, std::string_view counted) {
  adapter_.services().clients.for_each(
      adapter_.loop(), std::move(whom), std::move(visit),
      later([counted](ApiCall& self, std::size_t count) {
        self.answer(encode_count(counted, count));
      }));
}

void ApiCall::read_connections(const http::RequestHead& head) {
  auto call = api::read_connections(head.query, adapter_.options().limits);
  if (!call) return refuse(call.error());
  if (const auto problem = may_manage(principal_, call->user)) return refuse(*problem);
  adapter_.services().clients.list(
      adapter_.loop(), {.user = std::move(call->user), .client = {}},
      later([](ApiCall& self, const std::vector<ClientRecord>& records) {
        self.answer(encode_connections(records));
      }));
}

void ApiCall::disconnect(const http::RequestHead&, codec::JsonValue body) {
  auto call = read_disconnect(body, adapter_.options().limits);
  if (!call) return refuse(call.error());
  if (const auto problem = may_manage(principal_, call->whom.user)) return refuse(*problem);
  visit(std::move(call->whom),
        [reason = std::move(call->reason), reconnect = call->reconnect](LiveClient& client) {
          client.disconnect(reason, reconnect);
          return true;
        },
        "disconnected");
}

void ApiCall::subscribe(const http::RequestHead&, codec::JsonValue body) {
  auto call = read_subscription(body, adapter_.options().limits);
  if (!call) return refuse(call.error());
  const auto problem = may_enter(call->whom, call->channel);
  if (problem) return refuse(*problem);
  visit(std::move(call->whom),
        [channel = std::move(call->channel)](LiveClient& client) {
          return client.subscribe(channel);
        },
        "connections");
}

void ApiCall::unsubscribe(const http::RequestHead&, codec::JsonValue body) {
  auto call = read_subscription(body, adapter_.options().limits);
  if (!call) return refuse(call.error());
  if (const auto problem = may_manage(principal_, call->whom.user)) return refuse(*problem);
  visit(std::move(call->whom),
        [channel = std::move(call->channel)](LiveClient& client) {
          return client.unsubscribe(channel);
        },
        "connections");
}

// Who lets somebody into a channel could go there: else `manage` of one user would open all.
std::optional<Problem> ApiCall::may_enter(const Whom& whom, const std::string& channel) const {
  if (auto problem = may_manage(principal_, whom.user)) return problem;
  return may(principal_, auth::Operation::kSubscribe, channel,
             adapter_.hub().rules().find(channel));
}

void ApiCall::change_grants(const http::RequestHead& head, codec::JsonValue body) {
  const bool withdraws = head.method == http::Method::kDelete;
  auto call = read_grant(body, adapter_.options().limits, withdraws);
  if (!call) return refuse(call.error());
  std::optional<Problem> problem = may_manage(principal_, call->whom.user);
  if (!problem && !withdraws) problem = may_hand_on(principal_, call->capability);
  if (problem) return refuse(*problem);
  ClientGroup::Visit work;
  if (withdraws) {
    work = [capability = std::move(call->capability),
            all = !call->has_capability](LiveClient& client) {
      return client.withdraw(all ? nullptr : &capability);
    };
  } else {
    std::optional<auth::WallTime> expires;
    if (call->expires_in) expires = now() + *call->expires_in;
    work = [capability = std::move(call->capability), expires](LiveClient& client) {
      return client.grant(capability, expires);
    };
  }
  visit(std::move(call->whom), std::move(work), "connections");
}

void ApiCall::revoke(const http::RequestHead&, codec::JsonValue body) {
  auto revocation = read_revocation(body, adapter_.options().limits, now());
  if (!revocation) return refuse(revocation.error());
  const bool user = revocation->kind == auth::Revocation::Kind::kUser;
  if (const auto problem = may_manage(principal_, user ? revocation->name : std::string_view())) {
    return refuse(*problem);
  }
  // First nobody comes in by it any more, then those go who are in.
  if (!adapter_.services().authority.revocations.add(*revocation, now())) {
    return refuse({.code = Code::kOverloaded, .message = "too many tokens have been revoked"});
  }
  adapter_.services().clients.revoke(
      adapter_.loop(), *std::move(revocation), later([](ApiCall& self, std::size_t count) {
        self.answer(encode_count("disconnected", count));
      }));
}

void ApiCall::issue_ticket(const http::RequestHead&, codec::JsonValue body) {
  auto call = read_ticket(body, adapter_.options().limits);
  if (!call) return refuse(call.error());
  std::optional<Problem> problem = may_manage(principal_, call->identity.user_id);
  if (!problem) problem = may_hand_on(principal_, call->identity.capability);
  for (const std::string& channel : call->identity.channels) {
    if (problem) break;
    problem = may(principal_, auth::Operation::kSubscribe, channel,
                  adapter_.hub().rules().find(channel));
  }
  if (problem) return refuse(*problem);
  auth::Token token;
  token.identity = std::move(call->identity);
  token.key_id = principal_.key;
  token.issued_at = now();
  const auto ticket =
      adapter_.services().authority.tickets.issue(std::move(token), call->lives, now());
  if (!ticket) {
    return refuse({.code = Code::kOverloaded, .message = "too many tickets wait to be used"});
  }
  const auth::WallTime expires = now() + call->lives;
  answer(encode_ticket(*ticket, static_cast<std::uint64_t>(expires.time_since_epoch().count())));
}

void ApiCall::call_client(const http::RequestHead&, codec::JsonValue body) {
  auto request = read_rpc(body, adapter_.options().limits);
  if (!request) return refuse(request.error());
  if (const auto problem = may_manage(principal_, {})) return refuse(*problem);
  adapter_.services().clients.call(
      adapter_.loop(), std::move(request->client), std::move(request->call),
      later([](ApiCall& self, const std::expected<std::string, CallError>& result) {
        if (!result) return self.refuse(problem_of(result.error()));
        self.answer(encode_data(*result));
      }));
}

}  // namespace anywire::protocol::api
