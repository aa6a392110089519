// The protocols this server speaks: the one list of them.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "auth/authority.h"
#include "base/clock.h"
#include "base/result.h"
#include "hooks/app.h"
#include "hub/hub.h"
#include "protocol/adapter.h"
#include "protocol/clients.h"
#include "protocol/limits.h"
#include "protocol/native/session_table.h"
#include "protocol/validation.h"
#include "reactor/loop.h"
#include "server/config.h"
#include "websocket/compression_pool.h"

namespace anywire::server {

// What the adapters of all loops share: whose tokens are believed, and which sessions there are.
// Made before the loops run and outlives the adapters.
struct AdapterGroup {
  // Reads the files with keys, if any are configured. The clock outlives the group.
  static Result<std::unique_ptr<AdapterGroup>> create(const Config& config,
                                                      const std::vector<reactor::Loop*>& loops,
                                                      WallClock& wall);

  const std::unique_ptr<auth::Authority> authority;
  const std::unique_ptr<protocol::ClientGroup> clients;
  const std::unique_ptr<protocol::native::SessionGroup> sessions;
  const std::unique_ptr<protocol::LimitGroup> limits;
  const std::unique_ptr<const protocol::Validation> validation;  // null: nothing is checked
  const std::optional<hooks::AppOptions> app;  // none: there is no application to be asked
  WallClock& wall;
  hooks::FaultLog faults;
  std::vector<std::unique_ptr<hooks::App>> apps;  // one for each loop that has adapters
};

// What an adapter has of its loop.
struct AdapterSeat {
  reactor::Loop& loop;
  hub::Hub& hub;
  ws::CompressionPool& compression;
  std::string_view path = {};  // in front of the app's paths; adapters do not see it
};

// Adapters of one loop, in the order in which they are asked.
std::vector<std::unique_ptr<protocol::Adapter>> make_adapters(const Config& config,
                                                              AdapterGroup& group,
                                                              const AdapterSeat& seat);

}  // namespace anywire::server
