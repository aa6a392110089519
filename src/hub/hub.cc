#include "hub/hub.h"

#include <algorithm>

#include "base/assert.h"
#include "hub/local_channel.h"

namespace anywire::hub {
namespace {

// A walk with more would take longer to reach its last receiver than it saves.
constexpr std::size_t kPendingMax = 64;
// Up to here publications are joined: a copy once per loop is cheaper than a pointer per receiver.
constexpr std::size_t kRunBytesMax = 16 * 1024;

std::vector<Delivery> in_runs(Delivery::Publications publications) {
  std::vector<Delivery> runs;
  while (!publications.empty()) {
    std::size_t count = 1;
    std::size_t bytes = publications[0]->payload->size();
    while (count < publications.size()) {
      bytes += publications[count]->payload->size();
      if (bytes > kRunBytesMax) break;
      ++count;
    }
    runs.emplace_back(publications.first(count));
    publications = publications.subspan(count);
  }
  return runs;
}

}  // namespace

// Kept by the owner loop.
struct Hub::OwnedChannel {
  std::uint64_t last_offset = 0;
  std::vector<std::uint32_t> loops;  // those with subscribers
};

std::size_t Delivery::payload_bytes_max() const {
  std::size_t most = 0;
  for (const auto& one : publications_) most = std::max(most, one->payload->size());
  return most;
}

BufferRef Delivery::joined(const std::vector<BufferRef>& parts) {
  std::size_t bytes = 0;
  for (const BufferRef& part : parts) bytes += part->size();
  BufferRef whole = Buffer::allocate(bytes);
  for (const BufferRef& part : parts) whole->append(part->bytes());
  return whole;
}

Subscriber::~Subscriber() {
  if (channel_ != nullptr) channel_->hub.unsubscribe(*this);
}

HubGroup::HubGroup(const std::vector<reactor::Loop*>& loops) {
  for (reactor::Loop* loop : loops) {
    hubs_.push_back(std::make_unique<Hub>(*this, *loop, loops.size() == 1));
  }
}

HubGroup::~HubGroup() = default;

Hub::Hub(HubGroup& group, reactor::Loop& loop, bool alone) : group_(group), loop_(loop) {
  loop_.add_turn_end_hook(*this);
  if (!alone) backlog_ = std::make_shared<Backlog>(loop_, [this] { release_publishers(); });
}

Hub::~Hub() {
  if (backlog_) backlog_->stop();
  loop_.remove_turn_end_hook(*this);
}

void Hub::subscribe(std::string_view channel, Subscriber& subscriber) {
  AW_ASSERT(subscriber.channel_ == nullptr);
  auto found = local_.find(channel);
  if (found != local_.end() && !found->second->delivering) {
    // What was ordered before this subscription is for the others only. They may all leave over it.
    deliver_pending(*found->second);
    found = local_.find(channel);
  }
  if (found == local_.end()) {
    std::string name(channel);
    auto made = std::make_unique<LocalChannel>(LocalChannel{
        .hub = *this, .name = name, .subscribers = {}, .joining = ++joinings_});
    found = local_.emplace(name, std::move(made)).first;
    Hub& owner = group_.owner_of(channel);
    if (&owner == this) {
      add_loop(name, loop_.index());
      found->second->live = true;
    } else {
      owner.loop_.post([this, &owner, name = std::move(name), joining = joinings_] {
        owner.add_loop(name, loop_.index());
        loop_.post([this, name, joining] { confirm(name, joining); });
      });
    }
  }
  LocalChannel& local = *found->second;
  subscriber.channel_ = &local;
  subscriber.index_ = static_cast<std::uint32_t>(local.subscribers.size());
  local.subscribers.push_back(&subscriber);
  if (local.live) subscriber.on_subscribed();
}

void Hub::unsubscribe(Subscriber& subscriber) {
  LocalChannel* local = std::exchange(subscriber.channel_, nullptr);
  if (local == nullptr) return;
  if (subscriber.held_) forget_held(subscriber);
  if (local->delivering) {
    local->subscribers[subscriber.index_] = nullptr;
    ++local->holes;
    return;
  }
  Subscriber* last = local->subscribers.back();
  local->subscribers[subscriber.index_] = last;
  last->index_ = subscriber.index_;
  local->subscribers.pop_back();
  // After a crowd has left, its array goes, too.
  if (local->subscribers.capacity() > 64 &&
      local->subscribers.size() < local->subscribers.capacity() / 4) {
    local->subscribers.shrink_to_fit();
  }
  drop_if_empty(*local);
}

void Hub::drop_if_empty(LocalChannel& channel) {
  if (!channel.empty()) return;
  const std::string name = channel.name;
  local_.erase(name);
  Hub& owner = group_.owner_of(name);
  if (&owner == this) {
    remove_loop(name, loop_.index());
  } else {
    owner.loop_.post([&owner, name, loop = loop_.index()] { owner.remove_loop(name, loop); });
  }
}

void Hub::publish(Subscriber& from, broker::PayloadKind kind, BufferRef payload) {
  AW_ASSERT(from.channel_ != nullptr);
  publish(from.channel_->name, kind, std::move(payload));
  // It may have left over its own message.
  if (!backlog_ || !backlog_->full() || from.held_ || from.channel_ == nullptr) return;
  from.held_ = true;
  held_.push_back(&from);
  from.on_hold();
}

// Each may go on with input it has kept and fill the room again; then the others wait on.
void Hub::release_publishers() {
  releasing_ = std::exchange(held_, {});
  for (Subscriber*& entry : releasing_) {
    Subscriber* subscriber = std::exchange(entry, nullptr);
    if (subscriber == nullptr) continue;
    if (backlog_->full()) {
      held_.push_back(subscriber);
      continue;
    }
    subscriber->held_ = false;
    subscriber->on_release();
  }
  releasing_.clear();
}

void Hub::forget_held(Subscriber& subscriber) {
  subscriber.held_ = false;
  std::erase(held_, &subscriber);
  std::replace(releasing_.begin(), releasing_.end(), &subscriber,
               static_cast<Subscriber*>(nullptr));
}

void Hub::publish(std::string_view channel, broker::PayloadKind kind, BufferRef payload) {
  auto publication = std::make_shared<CountedPublication>();
  publication->channel = channel;
  publication->kind = kind;
  if (group_.size() > 1) payload->make_shared();
  publication->payload = std::move(payload);
  if (backlog_) publication->count_in(backlog_);
  Hub& owner = group_.owner_of(channel);
  if (&owner == this) return order(std::move(publication));
  owner.loop_.post([&owner, publication = std::move(publication)]() mutable {
    owner.order(std::move(publication));
  });
}

void Hub::add_loop(const std::string& channel, std::uint32_t loop) {
  std::unique_ptr<OwnedChannel>& owned = owned_[channel];
  if (!owned) owned = std::make_unique<OwnedChannel>();
  owned->loops.push_back(loop);
}

void Hub::remove_loop(const std::string& channel, std::uint32_t loop) {
  const auto found = owned_.find(channel);
  AW_ASSERT(found != owned_.end());
  // One entry only: the loop may have come back, in mails behind this one.
  std::vector<std::uint32_t>& loops = found->second->loops;
  loops.erase(std::find(loops.begin(), loops.end(), loop));
  if (loops.empty()) owned_.erase(found);
}

void Hub::order(std::shared_ptr<broker::Publication> publication) {
  const auto found = owned_.find(publication->channel);
  if (found == owned_.end()) return;  // nobody listens any more
  publication->offset = ++found->second->last_offset;
  const broker::PublicationPtr ordered = std::move(publication);
  bool here = false;
  for (const std::uint32_t loop : found->second->loops) {
    Hub& hub = group_.hub(loop);
    if (&hub == this) {
      here = true;
    } else {
      hub.loop_.post([&hub, ordered] { hub.receive(ordered); });
    }
  }
  // Last, because it may end subscriptions, and with them the list this walks over.
  if (here) receive(ordered);
}

void Hub::confirm(const std::string& channel, std::uint64_t joining) {
  const auto found = local_.find(channel);
  if (found == local_.end() || found->second->joining != joining) return;
  LocalChannel& local = *found->second;
  local.live = true;
  local.delivering = true;
  // Who subscribes from here on finds the channel live and is told there.
  const std::size_t count = local.subscribers.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (local.subscribers[i] != nullptr) local.subscribers[i]->on_subscribed();
  }
  close_holes(local);
}

void Hub::receive(const broker::PublicationPtr& publication) {
  const auto found = local_.find(publication->channel);
  // What was sent to an earlier joining must not come before the answer to this one.
  if (found == local_.end() || !found->second->live) return;
  LocalChannel& channel = *found->second;
  if (channel.pending.empty()) dirty_.push_back(channel.name);
  channel.pending.push_back(publication);
  if (channel.pending.size() >= kPendingMax && !channel.delivering) deliver_pending(channel);
}

void Hub::on_turn_end() {
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    const auto found = local_.find(dirty_[i]);
    if (found != local_.end()) deliver_pending(*found->second);
  }
  dirty_.clear();
}

void Hub::deliver_pending(LocalChannel& channel) {
  if (channel.pending.empty()) return;
  const std::vector<broker::PublicationPtr> publications = std::exchange(channel.pending, {});
  std::vector<Delivery> deliveries = in_runs(publications);
  // A receiver that publishes in answer is served in the next walk, so everybody sees one order.
  AW_ASSERT(!channel.delivering);
  channel.delivering = true;
  const std::size_t count = channel.subscribers.size();
  for (std::size_t i = 0; i < count; ++i) {
    for (Delivery& delivery : deliveries) {
      Subscriber* subscriber = channel.subscribers[i];  // may leave in between
      if (subscriber == nullptr) break;
      subscriber->on_delivery(delivery);
    }
  }
  close_holes(channel);
}

void Hub::close_holes(LocalChannel& channel) {
  channel.delivering = false;
  if (channel.holes == 0) return;
  std::erase(channel.subscribers, nullptr);
  channel.holes = 0;
  for (std::size_t i = 0; i < channel.subscribers.size(); ++i) {
    channel.subscribers[i]->index_ = static_cast<std::uint32_t>(i);
  }
  drop_if_empty(channel);
}

}  // namespace anywire::hub
