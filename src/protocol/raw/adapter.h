// RawAdapter: `/raw/<channel>` for plain WebSocket clients and, if configured, a channel at `/`.
//
// Thread: the loop's. Lifetime: outlives its sessions.
#pragma once

#include <cstddef>
#include <string>

#include "hub/hub.h"
#include "protocol/adapter.h"
#include "websocket/compression_pool.h"

namespace anywire::protocol::raw {

struct RawOptions {
  bool enabled = true;
  std::string root_channel;  // what "/" joins; empty = nothing
  bool root_greeting = false;
  std::size_t channel_name_bytes_max = 200;
};

class RawAdapter final : public Adapter {
 public:
  RawAdapter(RawOptions options, hub::Hub& hub, ws::CompressionPool& compression)
      : options_(std::move(options)), hub_(hub), compression_(compression) {}

  std::string_view name() const override { return "raw"; }
  std::optional<Route> route(const http::RequestHead& request) override;

  const RawOptions& options() const { return options_; }
  hub::Hub& hub() { return hub_; }
  ws::CompressionPool& compression() { return compression_; }

 private:
  RawOptions options_;
  hub::Hub& hub_;
  ws::CompressionPool& compression_;
};

}  // namespace anywire::protocol::raw
