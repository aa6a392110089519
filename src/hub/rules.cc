#include "hub/rules.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace anywire::hub {
namespace {

Access access_to(const ChannelRule& rule, auth::Operation operation) {
  switch (operation) {
    case auth::Operation::kSubscribe: return rule.subscribe;
    case auth::Operation::kHistory: return rule.history_access;
    case auth::Operation::kPresence: return rule.presence_access;
    case auth::Operation::kPublish:
    case auth::Operation::kRpc: return rule.publish;
    // No rule gives it away.
    case auth::Operation::kManage: break;
  }
  return Access::kCapability;
}

template <typename Channel>
bool permits_any(const ChannelRule& rule, auth::Operation operation,
                 const auth::Identity& identity, const Channel& channel) {
  switch (access_to(rule, operation)) {
    case Access::kAnyone: return true;
    case Access::kUsers: return !identity.anonymous();
    case Access::kCapability: break;
  }
  return identity.capability.allows(operation, channel);
}

void settle(ChannelRule& rule) {
  if (rule.slow_consumer != SlowConsumer::kAuto) return;
  rule.slow_consumer =
      rule.history_messages > 0 ? SlowConsumer::kRecover : SlowConsumer::kDisconnect;
}

}  // namespace

bool ChannelRule::allows_protocol(std::string_view protocol) const {
  return protocols.empty() ||
         std::find(protocols.begin(), protocols.end(), protocol) != protocols.end();
}

bool permits(const ChannelRule& rule, auth::Operation operation, const auth::Identity& identity,
             std::string_view channel) {
  return permits_any(rule, operation, identity, channel);
}

bool permits(const ChannelRule& rule, auth::Operation operation, const auth::Identity& identity,
             const auth::Glob& channels) {
  return permits_any(rule, operation, identity, channels);
}

Rules::Rules(std::vector<ChannelRule> ordered, ChannelRule fallback) : rules_(std::move(ordered)) {
  AW_ASSERT(rules_.size() <= kRulesMax);
  fallback.pattern = auth::Glob();
  rules_.push_back(std::move(fallback));
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    settle(rules_[i]);
    rules_[i].index = i;
  }
}

const ChannelRule& Rules::find(std::string_view channel) const {
  const auto takes = [&](const ChannelRule& rule) { return rule.pattern.matches(channel); };
  const auto found = std::find_if(rules_.begin(), rules_.end() - 1, takes);
  return *found;
}

}  // namespace anywire::hub
