// LocalChannel: the subscribers one loop has to one channel, densely, so that a broadcast walks
// over an array, and how far they are. Those that are not at the live edge are Readers, kept apart.
// Internal to hub/.
//
// Thread: the loop's. Lifetime: the Hub's, as long as it has anybody.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/publication.h"
#include "hub/rules.h"
#include "hub/subscriber.h"

namespace anywire::hub {

class Hub;

struct LocalChannel {
  Hub& hub;
  const std::string name;
  const ChannelRule& rule;
  // Null where a subscriber left during a walk; closed up afterwards.
  std::vector<Subscriber*> subscribers = {};
  std::uint32_t holes = 0;
  std::uint32_t readers = 0;
  // Somebody walks over `subscribers`: nobody may be moved, the channel may not go.
  bool walking = false;
  // The owner knows of this loop: everything published from now on arrives here.
  bool live = false;
  // The question under way, or 0. Tells its answer from an answer to an earlier one, after which
  // everybody had left again.
  std::uint64_t joining = 0;
  // Subscribers that listen to presence or wait to. The question under way for those, or 0.
  std::uint32_t presence_listeners = 0;
  std::uint64_t presence_ask = 0;
  // What everybody in `subscribers` has, or will have when the walk is over. Behind it comes what
  // has been received and not yet handed out.
  broker::Position delivered = {};
  std::vector<broker::PublicationPtr> pending = {};

  std::size_t size() const { return subscribers.size() - holes + readers; }
  bool empty() const { return size() == 0; }
  broker::Position top() const { return pending.empty() ? delivered : pending.back()->position(); }
  bool keeps_history() const { return rule.history_messages > 0; }

  void add(Subscriber& subscriber);
  void remove(Subscriber& subscriber);
  void end_walk();

  // Calls `visit(Subscriber&)` for those who are there now; it may do anything to the channel.
  template <typename Visit>
  void walk(Visit&& visit) {
    walking = true;
    const std::size_t count = subscribers.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (subscribers[i] != nullptr) visit(*subscribers[i]);
    }
    end_walk();
  }
};

}  // namespace anywire::hub
