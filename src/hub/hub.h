// Hub: one loop's part of all channels: who on this loop listens to what, and, for the channels
// this loop owns, the order of their messages.
//
// Every channel has one owner loop, found by hashing its name. A publication goes to the owner,
// which numbers it and hands it to each loop with subscribers, one mail per loop; each loop then
// delivers to its own. So all receivers see one order, and the cost of crossing loops does not
// grow with the number of receivers.
//
// Delivery happens at the end of the turn, in one walk over a channel's subscribers that hands each
// of them everything the turn has brought: a burst touches the memory of ten thousand receivers
// once.
//
// Thread: the loop's, but for what HubGroup says. Lifetime: outlives its subscribers. Made before
// whatever sends output at the end of a turn (net::FlushQueue), so that deliveries leave in the
// turn they were made in.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/buffer.h"
#include "base/task.h"
#include "broker/publication.h"
#include "hub/backlog.h"
#include "reactor/loop.h"

namespace anywire::hub {

class Hub;
struct LocalChannel;

// A run of consecutive publications of one channel, as one walk over its subscribers hands it out,
// and its wire forms on this loop: made by the first receiver that needs one, shared by the rest.
// Each (adapter, variant) has a number of its own.
//
// Small messages of a burst share a run, so that a receiver gets all of them for one pointer.
class Delivery {
 public:
  static constexpr std::size_t kVariantsMax = 16;
  using Publications = std::span<const broker::PublicationPtr>;

  // `publications` is not empty and outlives the object.
  explicit Delivery(Publications publications) : publications_(publications) {}

  Publications publications() const { return publications_; }
  std::size_t payload_bytes_max() const;

  // `encode` makes the frame of one publication; frames of a variant may be sent back to back.
  template <typename Encode>
  const BufferRef& frame(std::size_t variant, Encode&& encode) {
    BufferRef& frame = frames_[variant];
    if (frame) return frame;
    if (publications_.size() == 1) return frame = encode(*publications_[0]);
    std::vector<BufferRef> parts;
    parts.reserve(publications_.size());
    for (const broker::PublicationPtr& one : publications_) parts.push_back(encode(*one));
    return frame = joined(parts);
  }

 private:
  static BufferRef joined(const std::vector<BufferRef>& parts);

  Publications publications_;
  std::array<BufferRef, kVariantsMax> frames_;
};

// One subscription: base of whatever wants to receive one channel's messages. Unsubscribes itself
// on destruction.
class Subscriber {
 public:
  Subscriber() = default;
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  virtual ~Subscriber();

  // The subscription is in force: every publication ordered from now on will be delivered.
  virtual void on_subscribed() = 0;
  // The next publications. May unsubscribe this and other subscribers, but not destroy them.
  virtual void on_delivery(Delivery& delivery) = 0;
  // After a `publish` for this subscriber: the loops are behind; publish no more before
  // `on_release`. What is published all the same is taken.
  virtual void on_hold() {}
  virtual void on_release() {}

  bool subscribed() const { return channel_ != nullptr; }

 private:
  friend class Hub;
  LocalChannel* channel_ = nullptr;
  std::uint32_t index_ = 0;
  bool held_ = false;
};

// All hubs of a server, one per loop. Made before the loops run and unchanged afterwards.
class HubGroup {
 public:
  explicit HubGroup(const std::vector<reactor::Loop*>& loops);
  ~HubGroup();

  Hub& hub(std::uint32_t loop) { return *hubs_[loop]; }
  Hub& owner_of(std::string_view channel) {
    return *hubs_[std::hash<std::string_view>{}(channel) % hubs_.size()];
  }
  std::size_t size() const { return hubs_.size(); }

 private:
  std::vector<std::unique_ptr<Hub>> hubs_;
};

class Hub final : public reactor::TurnEndHook {
 public:
  // `alone`: it is the only one.
  Hub(HubGroup& group, reactor::Loop& loop, bool alone);
  ~Hub();

  // `on_subscribed` comes at once if this loop has the channel already, or owns it; else after a
  // mail to the owner and back. One channel per Subscriber.
  void subscribe(std::string_view channel, Subscriber& subscriber);
  void unsubscribe(Subscriber& subscriber);

  // Publishes to the channel `from` is subscribed to. May call its `on_hold`.
  void publish(Subscriber& from, broker::PayloadKind kind, BufferRef payload);
  void publish(std::string_view channel, broker::PayloadKind kind, BufferRef payload);

  std::size_t channels() const { return local_.size(); }

 private:
  struct OwnedChannel;
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };
  template <typename T>
  using ByName = std::unordered_map<std::string, std::unique_ptr<T>, NameHash, std::equal_to<>>;

  // On the owner's loop.
  void add_loop(const std::string& channel, std::uint32_t loop);
  void remove_loop(const std::string& channel, std::uint32_t loop);
  void order(std::shared_ptr<broker::Publication> publication);
  // On a subscribing loop.
  void confirm(const std::string& channel, std::uint64_t joining);
  void receive(const broker::PublicationPtr& publication);
  void on_turn_end() override;
  void deliver_pending(LocalChannel& channel);
  void close_holes(LocalChannel& channel);
  void drop_if_empty(LocalChannel& channel);
  void release_publishers();
  void forget_held(Subscriber& subscriber);

  HubGroup& group_;
  reactor::Loop& loop_;
  ByName<LocalChannel> local_;
  ByName<OwnedChannel> owned_;
  // Channels with something pending, by name: one may vanish before its turn comes.
  std::vector<std::string> dirty_;
  std::uint64_t joinings_ = 0;
  // Null with one loop, where everything published is delivered in the same turn.
  std::shared_ptr<Backlog> backlog_;
  std::vector<Subscriber*> held_;
  std::vector<Subscriber*> releasing_;  // null where one left meanwhile
};

}  // namespace anywire::hub
