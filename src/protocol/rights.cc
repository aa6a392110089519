#include "protocol/rights.h"

#include <algorithm>
#include <utility>

namespace anywire::protocol {

bool is_closed_to(std::string_view channel, std::string_view user) {
  if (!is_reserved(channel)) return false;
  return user.empty() || !channel.starts_with(kPersonalPrefix) ||
         channel.substr(kPersonalPrefix.size()) != user;
}

Rights::Rights(auth::Capability capability, bool anonymous) {
  if (!anonymous) bearer_.user_id.assign(1, '*');
  bearer_.capability = std::move(capability);
}

bool Rights::permit(const hub::ChannelRule& rule, auth::Operation operation,
                    std::string_view channel, std::string_view protocol,
                    std::string_view user) const {
  if (!rule.allows_protocol(protocol)) return false;
  if (!is_reserved(channel)) return hub::permits(rule, operation, bearer_, channel);
  if (operation == auth::Operation::kPublish) {
    return channel.starts_with(kPersonalPrefix) && grant(operation, channel);
  }
  return !is_closed_to(channel, user);
}

bool Rights::permit(const hub::ChannelRule& rule, auth::Operation operation,
                    const auth::Glob& channels, std::string_view protocol) const {
  return rule.allows_protocol(protocol) && hub::permits(rule, operation, bearer_, channels);
}

bool Rights::operator==(const Rights& other) const {
  return bearer_.user_id == other.bearer_.user_id &&
         bearer_.capability == other.bearer_.capability;
}

RightsPtr RightsPool::share(auth::Capability capability, bool anonymous) {
  auto rights = std::make_shared<const Rights>(std::move(capability), anonymous);
  auto found = std::ranges::find_if(recent_, [&](const RightsPtr& one) { return *one == *rights; });
  if (found == recent_.end()) {
    if (recent_.size() == kKept) recent_.pop_back();
    recent_.push_back(std::move(rights));
    found = recent_.end() - 1;
  }
  std::rotate(recent_.begin(), found, found + 1);
  return recent_.front();
}

}  // namespace anywire::protocol
