// RawAdapter: `/raw/<channel>` for plain WebSocket clients and, if configured, a channel at `/`.
//
// Who shows a credential with its request (protocol/credentials.h) is known by it, and may do what
// its token and the channel's rule say; who shows none is anonymous.
//
// Thread: the loop's. Lifetime: outlives its sessions, and what RawServices names outlives it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/slot_table.h"
#include "base/time.h"
#include "hub/hub.h"
#include "protocol/adapter.h"
#include "protocol/app_hook.h"
#include "protocol/authenticator.h"
#include "protocol/clients.h"
#include "protocol/limits.h"
#include "protocol/rights.h"
#include "protocol/validation.h"
#include "websocket/compression_pool.h"

namespace anywire::protocol::raw {

struct RawOptions {
  bool enabled = true;
  // Where a channel's rule wants a capability, who shows no credential needs none.
  bool open = false;
  std::string root_channel;  // what "/" joins; empty = nothing
  bool root_greeting = false;
  std::size_t channel_name_bytes_max = 200;
  std::string cookie;             // its name, if one may hold the token
  Duration expiry_grace{10'000};  // from a token's end to that of the connection
};

struct RawServices {
  reactor::Loop& loop;
  WallClock& wall;
  hub::Hub& hub;
  ws::CompressionPool& compression;
  ClientGroup& clients;
  auth::Authority& authority;
  const Validation* validation = nullptr;  // null: nothing is checked
  AppHook* app = nullptr;
  LimitGroup* limits = nullptr;
};

class KnownSession;

class RawAdapter final : public Adapter {
 public:
  static constexpr std::string_view kName = "raw";

  RawAdapter(RawOptions options, const RawServices& services)
      : options_(std::move(options)),
        services_(services),
        authenticator_(services.loop, services.wall, services.authority),
        anonymous_({}, true) {}

  std::string_view name() const override { return kName; }
  std::optional<Route> route(const http::RequestHead& request, const Caller& caller) override;

  const RawOptions& options() const { return options_; }
  const RawServices& services() const { return services_; }
  reactor::Loop& loop() const { return services_.loop; }
  hub::Hub& hub() { return services_.hub; }
  ws::CompressionPool& compression() { return services_.compression; }
  const Validation* validation() const { return services_.validation; }
  Authenticator& authenticator() { return authenticator_; }
  Clients& clients() const { return services_.clients.on(services_.loop.index()); }
  SlotTable<KnownSession>& known() { return known_; }
  AppHook* app() const { return services_.app; }
  // Messages that the application has refused or could not be asked about: the client cannot be
  // told.
  void count_refused() { ++refused_; }
  std::uint64_t refused() const { return refused_; }

  // What a client from there is limited by; null where nothing is.
  std::unique_ptr<SessionLimits> make_limits(const net::Address& client) const;

  // Of somebody who has shown no credential.
  bool anyone_may(auth::Operation operation, std::string_view channel) const;
  bool may(const Rights& rights, auth::Operation operation, std::string_view channel,
           std::string_view user) const;

 private:
  const RawOptions options_;
  const RawServices services_;
  Authenticator authenticator_;
  const Rights anonymous_;
  SlotTable<KnownSession> known_;
  std::uint64_t refused_ = 0;
};

}  // namespace anywire::protocol::raw
