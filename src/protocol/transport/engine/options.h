// Options: how Engine.IO 4 is spoken on one path. What its clients are told in the open packet, and
// what is asked of them.
//
// Thread: any; plain data. Lifetime: the adapter's, which outlives every session made by it.
#pragma once

#include <cstddef>
#include <string>

#include "base/time.h"

namespace anywire::protocol::engine {

struct Options {
  Duration ping_interval{25'000};    // between a pong and the next ping
  Duration ping_timeout{20'000};     // for the pong
  Duration upgrade_timeout{10'000};  // for a candidate's probe and upgrade packets, together
  Duration connect_timeout{45'000};  // for Transport::open, which answers the handshake
  std::size_t max_payload = 1'000'000;  // of a POST's body and of a WebSocket message
  bool polling = true;               // transports that may be used
  bool websocket = true;
  bool upgrades = true;              // from the one to the other
  std::string cookie;                // holds the sid, for balancers that want one; empty: none
  // Answers to polls that are compressed where the client takes gzip; 0: none.
  std::size_t compression_bytes_min = 1024;
};

}  // namespace anywire::protocol::engine
