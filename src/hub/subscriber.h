// Subscriber: one subscription, base of whatever wants to receive one channel's messages, and what
// it is told. docs/decisions/0003-realtime-core.md.
//
// Thread: the loop's. Lifetime: the owner's; unsubscribes itself on destruction. No callback may
// destroy a subscriber; each may unsubscribe this and others, publish, and subscribe.
#pragma once

#include <cstdint>
#include <optional>

#include "broker/broker.h"
#include "broker/publication.h"
#include "hub/delivery.h"

namespace anywire::hub {

class Hub;
struct LocalChannel;
class PresenceDelivery;

// Why the hub says no. Adapters have a table from these to their protocol's codes.
enum class HubError : std::uint8_t {
  kUnavailable,          // the broker cannot be reached; retry
  kOverloaded,           // too much is waiting; retry
  kIdempotencyConflict,  // the key was used for another message
  kTooManyMembers,       // presence is full by the channel's rule
  kTooLarge,             // a member's info or ids are over their limits
  kNoHistory,            // the channel's rule keeps none
  kNoPresence,           // the channel's rule has none, or the member to update is not present
};

struct SubscribeOptions {
  // What the receiver has already. Deliveries go on from there if that can be done.
  std::optional<broker::Position> since = std::nullopt;
  // Without `since`: begin with so many of the last messages that history still has.
  std::uint32_t rewind = 0;
  // Wants on_presence, too.
  bool presence = false;
};

// Offsets that this receiver will not get.
struct Gap {
  enum class Reason : std::uint8_t {
    kEvicted,    // history had them no more
    kNewEpoch,   // the stream began anew; `from` is of the old epoch and `to` is 0
    kSlow,       // left out by the channel's policy for slow consumers
    kConflated,  // a later message with the same key stands for them: not a loss
  };
  std::uint64_t from = 0;
  std::uint64_t to = 0;  // inclusive
  Reason reason = Reason::kEvicted;
  // What comes next is right behind this one.
  broker::Position position = {};
};

struct Joined {
  // Deliveries begin right behind this one. All up to `top` come as fast as they are taken.
  broker::Position position;
  std::uint64_t top = 0;
  // The rule keeps history, so that positions are good for recovery.
  bool recoverable = false;
  // `since` was given and nothing behind it is lost.
  bool recovered = false;
  // `since` was given and this is lost.
  std::optional<Gap> gap = std::nullopt;
};

class Subscriber {
 public:
  Subscriber() = default;
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  virtual ~Subscriber();

  // The subscription is in force.
  virtual void on_subscribed(const Joined& joined) = 0;
  // It could not be made; the subscriber is unsubscribed.
  virtual void on_refused(HubError) {}
  // The next publications, in order, without gap or repetition. False when no more can be taken
  // now; these were. Then nothing comes until `Hub::resume`, unless the channel's policy for slow
  // consumers is to disconnect: then deliveries go on and the receiver has to end itself.
  virtual bool on_delivery(Delivery& delivery) = 0;
  // What follows is not the next one.
  virtual void on_gap(const Gap&) {}
  // Who is present: first everybody (or their number, if they are too many), some time after
  // `on_subscribed`, then each change. presence_view.h says what to do with it.
  virtual void on_presence(PresenceDelivery&) {}
  // After a `publish` for this subscriber: the loops are behind; publish no more before
  // `on_release`. What is published all the same is taken.
  virtual void on_hold() {}
  virtual void on_release() {}

  bool subscribed() const { return channel_ != nullptr; }

 private:
  friend class Hub;
  friend struct LocalChannel;
  // In the channel's array, or, with kAside set, among the hub's readers.
  static constexpr std::uint32_t kAside = 1u << 31;
  enum class Presence : std::uint8_t { kNone, kWanted, kAsked, kListening };
  LocalChannel* channel_ = nullptr;
  std::uint32_t index_ = 0;
  // One byte, and whoever derives from this may use what is left of the eight.
  Presence presence_ : 2 = Presence::kNone;
  bool held_ : 1 = false;
};

}  // namespace anywire::hub
