#include "hub/hub.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "hub/steps.h"

namespace anywire::hub {

Subscriber::~Subscriber() {
  if (channel_ != nullptr) channel_->hub.unsubscribe(*this);
}

HubGroup::HubGroup(const std::vector<HubSeat>& seats, const Rules& rules,
                   const HubOptions& options) {
  for (const HubSeat& seat : seats) {
    hubs_.push_back(std::make_unique<Hub>(*this, seat, rules, options));
  }
}

HubGroup::~HubGroup() = default;

Hub::Hub(HubGroup& group, const HubSeat& seat, const Rules& rules, const HubOptions& options)
    : group_(group),
      loop_(seat.loop),
      rules_(rules),
      owner_(*this, group, seat.loop, seat.broker, rules, options.idempotency_window),
      patterns_(pattern_owners()),
      inbox_(group.crowded_) {
  loop_.add_turn_end_hook(*this);
}

Hub::~Hub() { loop_.remove_turn_end_hook(*this); }

Patterns::Owners Hub::pattern_owners() {
  Patterns::Owners owners;
  // Any channel may match, so every loop is asked.
  owners.add = [this](const std::string& pattern, std::uint64_t joining) {
    for (std::uint32_t i = 0; i < group_.size(); ++i) {
      Hub& owner = group_.hub(i);
      owner.loop_.post([this, &owner, pattern, joining] {
        owner.owner_.add_pattern(pattern, loop_.index());
        loop_.post([this, pattern, joining] { patterns_.confirm(pattern, joining); });
      });
    }
    return group_.size();
  };
  owners.remove = [this](const std::string& pattern) {
    for (std::uint32_t i = 0; i < group_.size(); ++i) {
      Hub& owner = group_.hub(i);
      owner.loop_.post([this, &owner, pattern] {
        owner.owner_.remove_pattern(pattern, loop_.index());
      });
    }
  };
  return owners;
}

LocalChannel* Hub::find(std::string_view channel) {
  const auto found = local_.find(channel);
  return found == local_.end() ? nullptr : found->second.get();
}

LocalChannel& Hub::make(std::string_view channel) {
  auto made = std::make_unique<LocalChannel>(LocalChannel{.hub = *this,
                                                          .name = std::string(channel),
                                                          .rule = rules_.find(channel)});
  return *local_.emplace(made->name, std::move(made)).first->second;
}

void Hub::subscribe(std::string_view name, Subscriber& subscriber,
                    const SubscribeOptions& options) {
  AW_ASSERT(subscriber.channel_ == nullptr);
  LocalChannel* channel = find(name);
  if (channel != nullptr && !channel->walking && !channel->pending.empty()) {
    // What was ordered before this subscription is for the others only. They may all leave over it.
    deliver_pending(*channel);
    channel = find(name);
  }
  const bool fresh = channel == nullptr;
  if (fresh) channel = &make(name);
  subscriber.presence_ = options.presence && channel->rule.presence
                             ? Subscriber::Presence::kWanted
                             : Subscriber::Presence::kNone;
  const bool known = !fresh || join_here(*channel);
  const bool rewinds = options.rewind > 0 && channel->keeps_history();
  if (!options.since && !rewinds) {
    channel->add(subscriber);
    if (!known || (!channel->live && channel->joining == 0)) ask_to_join(*channel, !known);
    if (channel->live) tell_subscribed(subscriber, joined_at_edge(*channel));
    return;
  }
  if (channel->live && options.since && join_at_edge(*channel, subscriber, *options.since)) return;
  Reader reader{.since = options.since.has_value(),
                .rewind = options.rewind,
                .subscriber = &subscriber,
                .channel = channel};
  if (options.since) reader.cursor = *options.since;
  if (!known) channel->joining = ++joinings_;
  ask(add_reader(reader), !known);
}

// True if the owner, which is this loop, knows of us now.
bool Hub::join_here(LocalChannel& channel) {
  if (&group_.owner_of(channel.name) != this) return false;
  const broker::Position top = owner_.join(channel.name, loop_.index());
  if (top.epoch != 0) {
    channel.live = true;
    channel.delivered = top;
    return true;
  }
  ask_to_join(channel);  // the store has yet to say how far the channel is
  return true;
}

// `first`: the owner does not know of us yet.
void Hub::ask_to_join(LocalChannel& channel, bool first) {
  channel.joining = ++joinings_;
  mail(std::make_unique<Fetch>(Fetch{.channel = channel.name,
                                     .loop = loop_.index(),
                                     .join = first,
                                     .joining = channel.joining}));
}

// By mail even to ourselves: what comes of it may not happen inside a walk.
void Hub::mail(std::unique_ptr<Fetch> fetch) {
  Hub& owner = group_.owner_of(fetch->channel);
  owner.loop_.post(
      [&owner, fetch = std::move(fetch)]() mutable { owner.owner_.fetch(std::move(fetch)); });
}

// Nothing to read: the subscriber has all there is, or there is nothing that could be read.
bool Hub::join_at_edge(LocalChannel& channel, Subscriber& subscriber,
                       const broker::Position& since) {
  const bool there = since == channel.delivered;
  // Who was on another loop may have what is still on its way to this one: the owner knows.
  const bool ahead =
      since.epoch == channel.delivered.epoch && since.offset > channel.delivered.offset;
  if (!there && (ahead || channel.keeps_history())) return false;
  Joined joined = joined_at_edge(channel);
  joined.recovered = there;
  if (!there) joined.gap = gap_between(since, channel.delivered, Gap::Reason::kEvicted);
  ++(there ? counters_.recoveries : counters_.lost_joining);
  channel.add(subscriber);
  tell_subscribed(subscriber, joined);
  return true;
}

void Hub::tell_subscribed(Subscriber& subscriber, const Joined& joined) {
  if (patterns_.size() > 0) patterns_.deliver(subscriber.channel_->name, joined.position);
  subscriber.on_subscribed(joined);
  if (subscriber.presence_ == Subscriber::Presence::kWanted) ask_presence(subscriber);
}

Joined Hub::joined_at_edge(const LocalChannel& channel) const {
  return {.position = channel.delivered,
          .top = channel.top().offset,
          .recoverable = channel.keeps_history()};
}

void Hub::unsubscribe(Subscriber& subscriber) {
  LocalChannel* channel = std::exchange(subscriber.channel_, nullptr);
  if (channel == nullptr) return;
  end_presence(*channel, subscriber);
  if (subscriber.held_) forget_held(subscriber);
  if ((subscriber.index_ & Subscriber::kAside) != 0) {
    readers_.remove(subscriber.index_ & ~Subscriber::kAside);
    --channel->readers;
  } else {
    channel->remove(subscriber);
  }
  drop_if_empty(*channel);
}

void Hub::drop_if_empty(LocalChannel& channel) {
  if (channel.walking || !channel.empty()) return;
  const std::string name = channel.name;
  local_.erase(name);
  Hub& owner = group_.owner_of(name);
  if (&owner == this) {
    owner_.leave(name, loop_.index());
  } else {
    owner.loop_.post([&owner, name, loop = loop_.index()] { owner.owner_.leave(name, loop); });
  }
}

void Hub::publish(Subscriber& from, broker::Draft&& draft) {
  AW_ASSERT(from.channel_ != nullptr);
  route(from.channel_->name, {.draft = std::move(draft), .idempotency_key = {}}, {});
  // It may have left over its own message.
  if (!crowded() || from.held_ || from.channel_ == nullptr) return;
  from.held_ = true;
  held_.push_back(&from);
  from.on_hold();
}

// All loops have room again, and this one was the last: publishers of every loop may wait for it.
void Hub::tell_room() {
  for (std::uint32_t i = 0; i < group_.size(); ++i) {
    Hub& hub = group_.hub(i);
    hub.loop_.post([&hub] { hub.release_publishers(); });
  }
}

// Each may go on with input it has kept and fill the room again; then the others wait on.
void Hub::release_publishers() {
  releasing_ = std::exchange(held_, {});
  for (Subscriber*& entry : releasing_) {
    Subscriber* subscriber = std::exchange(entry, nullptr);
    if (subscriber == nullptr) continue;
    if (crowded()) {
      held_.push_back(subscriber);
      continue;
    }
    subscriber->held_ = false;
    subscriber->on_release();
  }
  releasing_.clear();
  if (crowded()) return;
  for (Task& go_on : std::exchange(waiting_, {})) go_on();
}

void Hub::forget_held(Subscriber& subscriber) {
  subscriber.held_ = false;
  std::erase(held_, &subscriber);
  std::replace(releasing_.begin(), releasing_.end(), &subscriber,
               static_cast<Subscriber*>(nullptr));
}

void Hub::publish(std::string_view channel, broker::Draft&& draft) {
  route(channel, {.draft = std::move(draft), .idempotency_key = {}}, {});
}

void Hub::publish(std::string_view channel, broker::PublishRequest&& request,
                  PublishDone done) {
  route(channel, std::move(request), std::move(done));
}

void Hub::route(std::string_view channel, broker::PublishRequest&& request, PublishDone&& done) {
  if (!request.draft.payload) request.draft.payload = Buffer::allocate(0);
  request.draft.payload->make_shared();
  Hub& owner = group_.owner_of(channel);
  if (&owner == this) return owner_.publish(channel, std::move(request), std::move(done));
  struct Mail {
    std::string channel;
    broker::PublishRequest request;
    PublishDone done;
  };
  if (done) {
    // Back to this loop.
    done = [this, done = std::move(done)](const auto& result) mutable {
      loop_.post([done = std::move(done), result]() mutable { done(result); });
    };
  }
  const std::size_t bytes = Inbox::cost_of(request.draft);
  owner.post_counted(bytes, [&owner, mail = std::make_unique<Mail>(std::string(channel),
                                                                   std::move(request),
                                                                   std::move(done))]() mutable {
    owner.owner_.publish(mail->channel, std::move(mail->request), std::move(mail->done));
  });
}

void Hub::history(std::string_view channel, const broker::HistoryQuery& query, HistoryDone done) {
  if (rules_.find(channel).history_messages == 0) {
    return done(std::unexpected(HubError::kNoHistory));
  }
  broker::HistoryQuery bounded = query;
  bounded.limit = std::clamp<std::size_t>(query.limit, 1, kHistoryMessagesMax);
  bounded.bytes_max = std::min(query.bytes_max, kHistoryBytesMax);
  Hub& owner = group_.owner_of(channel);
  if (&owner == this) return owner_.history(channel, bounded, std::move(done));
  owner.loop_.post([this, &owner, name = std::string(channel), bounded,
                    done = std::move(done)]() mutable {
    owner.owner_.history(name, bounded, [this, done = std::move(done)](auto page) mutable {
      loop_.post([done = std::move(done), page = std::move(page)]() mutable {
        done(std::move(page));
      });
    });
  });
}

void Hub::on_fetched(std::unique_ptr<Fetched> fetched) {
  LocalChannel* channel = find(fetched->channel);
  const Reader* reader = readers_.find(fetched->reader);
  const bool joins =
      channel != nullptr && fetched->joining != 0 && channel->joining == fetched->joining;
  if (!joins && reader == nullptr) return;  // they have left
  if (channel->walking) {
    // The broker has answered inside a publish of a receiver's, at a time when nobody can be added.
    if (reader != nullptr) ask(*reader);
    if (joins) ask_to_join(*channel);
    return;
  }
  if (!channel->live && !fetched->error) {
    go_live(*channel, fetched->top);
  } else if (!channel->live && joins) {
    refuse_joining(*channel, *fetched->error);
  }
  reader = readers_.find(fetched->reader);
  if (reader == nullptr) return;
  if (fetched->error) return fail(fetched->reader, *fetched->error);
  serve(fetched->reader, *fetched);
}

void Hub::go_live(LocalChannel& channel, broker::Position top) {
  channel.live = true;
  channel.delivered = top;
  // Who subscribes from here on finds the channel live and is told there.
  channel.walk([&](Subscriber& one) { tell_subscribed(one, joined_at_edge(channel)); });
  drop_if_empty(channel);
}

void Hub::refuse_joining(LocalChannel& channel, HubError error) {
  channel.walk([&](Subscriber& one) {
    unsubscribe(one);
    one.on_refused(error);
  });
  channel.joining = 0;
  if (!channel.subscribers.empty()) ask_to_join(channel);  // somebody came in between
  drop_if_empty(channel);
}

}  // namespace anywire::hub
