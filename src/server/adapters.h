// The protocols this server speaks: the one list of them.
#pragma once

#include <memory>
#include <vector>

#include "auth/jwt.h"
#include "base/clock.h"
#include "base/result.h"
#include "hub/hub.h"
#include "protocol/adapter.h"
#include "protocol/native/session_table.h"
#include "reactor/loop.h"
#include "server/config.h"
#include "websocket/compression_pool.h"

namespace anywire::server {

// What the adapters of all loops share: whose tokens are believed, and which sessions there are.
// Made before the loops run and outlives the adapters.
struct AdapterGroup {
  // Reads the key file, if one is configured. The clock outlives the group.
  static Result<std::unique_ptr<AdapterGroup>> create(const Config& config,
                                                      const std::vector<reactor::Loop*>& loops,
                                                      WallClock& wall);

  const auth::KeySet keys;
  const auth::VerifyOptions verify;
  const std::unique_ptr<protocol::native::SessionGroup> sessions;
  WallClock& wall;
};

// What an adapter has of its loop.
struct AdapterSeat {
  reactor::Loop& loop;
  hub::Hub& hub;
  ws::CompressionPool& compression;
};

// Adapters of one loop, in the order in which they are asked.
std::vector<std::unique_ptr<protocol::Adapter>> make_adapters(const Config& config,
                                                              AdapterGroup& group,
                                                              const AdapterSeat& seat);

}  // namespace anywire::server
