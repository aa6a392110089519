// The protocols this server speaks: the one list of them.
#pragma once

#include <memory>
#include <vector>

#include "hub/hub.h"
#include "protocol/adapter.h"
#include "server/config.h"
#include "websocket/compression_pool.h"

namespace anywire::server {

// Adapters of one loop, in the order in which they are asked.
std::vector<std::unique_ptr<protocol::Adapter>> make_adapters(const Config& config, hub::Hub& hub,
                                                              ws::CompressionPool& compression);

}  // namespace anywire::server
