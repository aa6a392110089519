#include "hooks/actions.h"

#include <string>
#include <utility>

namespace anywire::hooks {
namespace {

using protocol::AppAction;
using protocol::LiveClient;

protocol::Whom target_of(AppAction& action, std::string_view client) {
  if (!action.user.empty()) return {.user = std::move(action.user), .client = {}};
  if (!action.client.empty()) return {.user = {}, .client = std::move(action.client)};
  return {.user = {}, .client = std::string(client)};
}

}  // namespace

void Actions::run(protocol::AppActions actions, std::string_view client) {
  for (AppAction& action : actions) run(action, client);
}

void Actions::publish(AppAction& action) {
  hub::Hub& hub = services_.hub;
  const auto broken = protocol::broken_rule(hub.rules().find(action.channel), services_.validation,
                                            action.channel, action.request.draft);
  if (!broken) return hub.publish(action.channel, std::move(action.request));
  app_.blame({.what = protocol::AppFault::What::kPublication,
              .name = action.channel,
              .rule = *broken});
}

void Actions::run(AppAction& action, std::string_view client) {
  if (action.kind == AppAction::Kind::kPublish) return publish(action);
  protocol::Whom whom = target_of(action, client);
  if (whom.user.empty() && whom.client.empty()) return;
  protocol::ClientGroup::Visit visit;
  switch (action.kind) {
    case AppAction::Kind::kSubscribe:
      visit = [channel = std::move(action.channel)](LiveClient& one) {
        return one.subscribe(channel);
      };
      break;
    case AppAction::Kind::kUnsubscribe:
      visit = [channel = std::move(action.channel)](LiveClient& one) {
        return one.unsubscribe(channel);
      };
      break;
    case AppAction::Kind::kDisconnect:
      visit = [reason = std::move(action.reason), back = action.reconnect](LiveClient& one) {
        one.disconnect(reason, back);
        return true;
      };
      break;
    case AppAction::Kind::kPublish: return;
  }
  services_.clients.for_each(services_.loop, std::move(whom), std::move(visit), [](std::size_t) {});
}

}  // namespace anywire::hooks
