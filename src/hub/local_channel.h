// LocalChannel: the subscribers one loop has to one channel, densely, so that a broadcast walks
// over an array. Internal to hub/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/publication.h"

namespace anywire::hub {

class Hub;
class Subscriber;

struct LocalChannel {
  Hub& hub;
  std::string name;
  // Null where a subscriber left during a delivery; closed up afterwards.
  std::vector<Subscriber*> subscribers;
  // Tells the owner's answer to this joining from an answer to an earlier one, after which
  // everybody had left again.
  std::uint64_t joining = 0;
  // The owner knows of this loop: everything published from now on arrives here.
  bool live = false;
  // Ordered in this turn and not yet handed to the subscribers.
  std::vector<broker::PublicationPtr> pending;
  bool delivering = false;
  std::uint32_t holes = 0;

  bool empty() const { return subscribers.size() == holes; }
};

}  // namespace anywire::hub
