#include "hub/presence_desk.h"

#include <algorithm>
#include <optional>

#include "broker/memory.h"

namespace anywire::hub {
namespace {

PresenceOptions presence_options(const ChannelRule& rule) {
  return {.members_max = static_cast<std::size_t>(rule.members_max),
          .grace = rule.presence_grace};
}

HubError refused(PresenceError error) {
  switch (error) {
    case PresenceError::kTooManyMembers: return HubError::kTooManyMembers;
    case PresenceError::kInfoTooLarge:
    case PresenceError::kBadId: return HubError::kTooLarge;
    case PresenceError::kNotPresent: return HubError::kNoPresence;
  }
  return HubError::kUnavailable;
}

// What is told of a set to an observer.
class Witness final : public PresenceWitness {
 public:
  Witness(ChannelObserver& observer, std::string_view channel)
      : observer_(observer), channel_(channel) {}
  void on_joined(const Member& member) override {
    observer_.on_joined(channel_, member.client_id(), member.user_id());
  }
  void on_left(const Member& member) override {
    observer_.on_left(channel_, member.client_id(), member.user_id());
  }

 private:
  ChannelObserver& observer_;
  const std::string_view channel_;
};

PresenceDesk::Accepted accepted(const PresenceSet::Accepted& result) {
  if (result) return *result;
  return std::unexpected(refused(result.error()));
}

}  // namespace

PresenceDesk::Channel* PresenceDesk::find(std::string_view name) {
  const auto found = channels_.find(name);
  return found == channels_.end() ? nullptr : found->second.get();
}

PresenceDesk::Channel& PresenceDesk::open(std::string_view name) {
  if (Channel* channel = find(name)) return *channel;
  auto made = std::make_unique<Channel>(name, presence_options(rules_.find(name)),
                                        broker::new_epoch(nullptr));
  return *channels_.emplace(made->name, std::move(made)).first->second;
}

PresenceDesk::Accepted PresenceDesk::enter(std::string_view name, const MemberDraft& draft) {
  Channel& channel = open(name);
  const Accepted result = accepted(channel.set.enter(draft));
  // Who is refused stays as it was, but belongs to the loop that spoke for it last: the one before
  // does not know of it any more, and somebody has to end it.
  const Member* member = result ? nullptr : channel.set.find(draft.client_id);
  if (member != nullptr) {
    (void)channel.set.enter({.client_id = member->client_id(),
                             .user_id = member->user_id(),
                             .info = member->info(),
                             .loop = draft.loop});
  }
  settle(channel);
  return result;
}

PresenceDesk::Accepted PresenceDesk::update(std::string_view name, const MemberDraft& draft) {
  Channel* channel = find(name);
  if (channel == nullptr) return std::unexpected(HubError::kNoPresence);
  const Accepted result = accepted(channel->set.update(draft.client_id, draft.loop, draft.info));
  settle(*channel);
  return result;
}

void PresenceDesk::leave(std::string_view name, std::string_view client_id, std::uint32_t loop) {
  Channel* channel = find(name);
  if (channel == nullptr) return;
  channel->set.leave(client_id, loop);
  settle(*channel);
}

void PresenceDesk::vanish(std::string_view name, std::string_view client_id, std::uint32_t loop) {
  Channel* channel = find(name);
  if (channel == nullptr) return;
  channel->set.vanish(client_id, loop, loop_.now());
  settle(*channel);
}

PresencePage PresenceDesk::page(std::string_view name, std::string_view after,
                                std::size_t limit) {
  Channel& channel = open(name);
  PresencePage page = channel.set.page(after, limit);
  settle(channel);
  return page;
}

PresenceCounts PresenceDesk::counts(std::string_view name) {
  const Channel* channel = find(name);
  return channel == nullptr ? PresenceCounts() : channel->set.counts();
}

void PresenceDesk::listen(std::string_view name, std::uint32_t loop, std::uint64_t ask) {
  Channel& channel = open(name);
  if (std::ranges::find(channel.loops, loop) == channel.loops.end()) channel.loops.push_back(loop);
  send_(loop, channel.name, channel.set.everything(), ask);
}

void PresenceDesk::unlisten(std::string_view name, std::uint32_t loop) {
  Channel* channel = find(name);
  if (channel == nullptr) return;
  std::erase(channel->loops, loop);
  settle(*channel);
}

// Tells what is to be told, and sees to what comes later. The channel may be gone afterwards.
void PresenceDesk::settle(Channel& channel) {
  const TimePoint now = loop_.now();
  channel.set.expire(now);
  std::optional<Witness> witness;
  if (observer_ != nullptr) witness.emplace(*observer_, channel.name);
  while (const PresenceDiffPtr diff = channel.set.take_diff(now, witness ? &*witness : nullptr)) {
    for (const std::uint32_t loop : channel.loops) send_(loop, channel.name, diff, 0);
  }
  due_.erase({channel.due, &channel});
  if (channel.set.idle() && channel.loops.empty()) {
    channels_.erase(channels_.find(channel.name));
    return;
  }
  const std::optional<TimePoint> due = channel.set.next_due();
  if (!due) return;
  channel.due = *due;
  due_.emplace(*due, &channel);
  if (due_.begin()->second == &channel) arm_for(*due);
}

void PresenceDesk::arm_for(TimePoint at) {
  loop_.arm(*this, std::max(at - loop_.now(), Duration{1}));
}

void PresenceDesk::on_timer() {
  while (!due_.empty() && due_.begin()->first <= loop_.now()) settle(*due_.begin()->second);
  if (!due_.empty()) arm_for(due_.begin()->first);
}

}  // namespace anywire::hub
