// Hub: who is present, asked of the owner, and those on this loop who listen to it.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "hub/hub.h"

namespace anywire::hub {
namespace {

struct MemberMail {
  std::string channel;
  MemberPtr member;
  EnterDone done;
};

}  // namespace

void Hub::enter(std::string_view channel, const MemberDraft& member, EnterDone done) {
  change_member(channel, member, &PresenceDesk::enter, std::move(done));
}

void Hub::update(std::string_view channel, const MemberDraft& member, EnterDone done) {
  change_member(channel, member, &PresenceDesk::update, std::move(done));
}

void Hub::change_member(std::string_view channel, const MemberDraft& member, DeskChange change,
                        EnterDone done) {
  if (!rules_.find(channel).presence) {
    if (done) done(std::unexpected(HubError::kNoPresence));
    return;
  }
  Hub& owner = group_.owner_of(channel);
  MemberDraft here = member;
  here.loop = loop_.index();
  if (&owner == this) {
    const auto result = (owner_.presence().*change)(channel, here);
    if (done) done(result);
    return;
  }
  auto mail = std::make_unique<MemberMail>(
      MemberMail{std::string(channel), Member::make(here), std::move(done)});
  owner.loop_.post([this, &owner, change, mail = std::move(mail)]() mutable {
    const Member& made = *mail->member;
    const auto result = (owner.owner_.presence().*change)(
        mail->channel, {.client_id = made.client_id(),
                        .user_id = made.user_id(),
                        .info = made.info(),
                        .loop = made.loop(),
                        .made = mail->member});
    if (!mail->done) return;
    loop_.post([done = std::move(mail->done), result]() mutable { done(result); });
  });
}

void Hub::leave(std::string_view channel, std::string_view client_id) {
  end_member(channel, client_id, &PresenceDesk::leave);
}

void Hub::vanish(std::string_view channel, std::string_view client_id) {
  end_member(channel, client_id, &PresenceDesk::vanish);
}

void Hub::end_member(std::string_view channel, std::string_view client_id, DeskEnd end) {
  Hub& owner = group_.owner_of(channel);
  if (&owner == this) return (owner_.presence().*end)(channel, client_id, loop_.index());
  owner.loop_.post([&owner, end, name = std::string(channel), id = std::string(client_id),
                    loop = loop_.index()] { (owner.owner_.presence().*end)(name, id, loop); });
}

void Hub::members(std::string_view channel, std::string_view after, std::size_t limit,
                  MembersDone done) {
  if (!rules_.find(channel).presence) return done(std::unexpected(HubError::kNoPresence));
  Hub& owner = group_.owner_of(channel);
  const std::size_t count = std::clamp<std::size_t>(limit, 1, kMembersMax);
  // By mail even to ourselves, so that pages come among the diffs in the owner's order.
  owner.loop_.post([this, &owner, count, name = std::string(channel), from = std::string(after),
                    done = std::move(done)]() mutable {
    loop_.post([done = std::move(done),
                page = owner.owner_.presence().page(name, from, count)]() mutable {
      done(std::move(page));
    });
  });
}

void Hub::occupancy(std::string_view channel, OccupancyDone done) {
  // Touched on this loop only; the others just carry it.
  struct Sum {
    Occupancy occupancy;
    std::size_t answers_due;
    OccupancyDone done;
  };
  auto sum = std::make_shared<Sum>(Sum{{}, group_.size(), std::move(done)});
  for (std::uint32_t i = 0; i < group_.size(); ++i) {
    Hub& asked = group_.hub(i);
    asked.loop_.post([this, &asked, sum, name = std::string(channel)] {
      const LocalChannel* local = asked.find(name);
      const std::uint64_t subscribers = local == nullptr ? 0 : local->size();
      PresenceCounts present;
      if (&group_.owner_of(name) == &asked) present = asked.owner_.presence().counts(name);
      loop_.post([sum, subscribers, present] {
        sum->occupancy.subscribers += subscribers;
        sum->occupancy.present.members += present.members;
        sum->occupancy.present.users += present.users;
        if (--sum->answers_due == 0) sum->done(sum->occupancy);
      });
    });
  }
}

void Hub::ask_presence(Subscriber& subscriber) {
  LocalChannel& channel = *subscriber.channel_;
  subscriber.presence_ = Subscriber::Presence::kAsked;
  ++channel.presence_listeners;
  if (channel.presence_ask != 0) return;  // the answer will do for this one, too
  channel.presence_ask = ++presence_asks_;
  Hub& owner = group_.owner_of(channel.name);
  owner.loop_.post([&owner, name = channel.name, loop = loop_.index(),
                    ask = channel.presence_ask] {
    owner.owner_.presence().listen(name, loop, ask);
  });
}

void Hub::end_presence(LocalChannel& channel, Subscriber& subscriber) {
  const auto was = subscriber.presence_;
  subscriber.presence_ = Subscriber::Presence::kNone;
  if (was != Subscriber::Presence::kAsked && was != Subscriber::Presence::kListening) return;
  if (--channel.presence_listeners > 0) return;
  channel.presence_ask = 0;
  Hub& owner = group_.owner_of(channel.name);
  owner.loop_.post([&owner, name = channel.name, loop = loop_.index()] {
    owner.owner_.presence().unlisten(name, loop);
  });
}

// An answer is for those who have asked; all that comes without one is for those who listen. Both
// come in the order in which the owner sent them, so what an answer says is what the next diff
// builds upon.
void Hub::on_presence(const std::string& name, const PresenceDiffPtr& diff, std::uint64_t ask) {
  LocalChannel* channel = find(name);
  if (channel == nullptr) return;
  if (ask != 0 && ask != channel->presence_ask) return;
  if (ask != 0) channel->presence_ask = 0;
  using Presence = Subscriber::Presence;
  const Presence addressed = ask != 0 ? Presence::kAsked : Presence::kListening;
  PresenceDelivery delivery(diff);
  const auto tell = [&](Subscriber& one) {
    if (one.presence_ != addressed) return;
    one.presence_ = Presence::kListening;
    one.on_presence(delivery);
  };
  std::vector<ReaderId> behind;
  if (channel->readers > 0) behind = readers_.of(*channel);
  channel->walk(tell);
  drop_if_empty(*channel);
  for (const ReaderId id : behind) {
    if (Reader* reader = readers_.find(id)) tell(*reader->subscriber);
  }
}

}  // namespace anywire::hub
