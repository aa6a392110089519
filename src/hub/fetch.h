// Fetch and Fetched: the one mail by which a loop joins a channel, recovers or catches up, and its
// answer. docs/decisions/0003-realtime-core.md. Internal to hub/.
//
// Thread: belongs to one loop at a time; handed over by mail.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "broker/publication.h"
#include "hub/subscriber.h"

namespace anywire::hub {

// Names a Reader of the asking hub; 0 is nobody.
using ReaderId = std::uint32_t;

struct Fetch {
  std::string channel;
  std::uint32_t loop = 0;
  bool join = false;          // the loop takes part in the channel from now on
  std::uint64_t joining = 0;  // comes back with the answer
  ReaderId reader = 0;        // nobody: nothing is read
  // Read from right behind this one; from the oldest if that is of another epoch.
  std::optional<broker::Position> since = std::nullopt;
  // Without `since`: read so many of the last ones.
  std::uint32_t rewind = 0;
};

struct Fetched {
  std::string channel;
  std::uint64_t joining = 0;
  ReaderId reader = 0;
  std::optional<HubError> error;  // then nothing below is set
  // What had been delivered when this was sent: whatever the asking loop receives afterwards is
  // behind it, and what it received before is not.
  broker::Position top;
  // In order, of the epoch of `top` and not beyond it.
  std::vector<broker::PublicationPtr> publications;
  // Nothing that history has up to here is missing among them.
  std::uint64_t complete_to = 0;
};

}  // namespace anywire::hub
