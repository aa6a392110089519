// NativeAdapter: `/anywire`, the protocol anywire.v1, in JSON and MessagePack; and what all its
// sessions on one loop share.
//
// Thread: the loop's. Lifetime: outlives its sessions; what NativeServices names outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "hub/hub.h"
#include "protocol/adapter.h"
#include "protocol/app_hook.h"
#include "protocol/authenticator.h"
#include "protocol/clients.h"
#include "protocol/limits.h"
#include "protocol/native/command_reader.h"
#include "protocol/native/delta_bases.h"
#include "protocol/native/names.h"
#include "protocol/native/occupancy_watch.h"
#include "protocol/native/session_table.h"
#include "protocol/rights.h"
#include "protocol/validation.h"
#include "websocket/compression_pool.h"

namespace anywire::protocol::native {

struct NativeOptions {
  bool enabled = true;
  std::string path{kPath};
  bool anonymous = false;             // admits connections without a token
  Duration connect_timeout{10'000};   // from the upgrade to `connect`
  Duration session_window{120'000};   // to resume a session in; 0: none can be
  Duration ping{25'000};              // what clients are told
  std::size_t channels_max = 128;     // of one connection, patterns included
  std::size_t patterns_max = 32;      // of one connection
  std::size_t pending_max = 256;      // commands of one connection that wait for their answer
  std::size_t message_bytes_max = 1024 * 1024;  // what the transports take; told to clients
  std::size_t presence_channels_max = 0;  // of one connection; 0: any number
  CodecLimits codec;
  std::string cookie;                 // its name, if one may hold the token
  Duration expiry_grace{10'000};      // from a token's end to that of the connection
  std::string server = "anywire";     // name and version
};

struct NativeServices {
  reactor::Loop& loop;
  WallClock& wall;
  hub::Hub& hub;
  ws::CompressionPool& compression;
  SessionGroup& sessions;
  ClientGroup& clients;
  auth::Authority& authority;
  AppHook* app = nullptr;
  LimitGroup* limits = nullptr;
  const Validation* validation = nullptr;  // null: nothing is checked
};

class NativeAdapter final : public Adapter, private reactor::Timer {
 public:
  // How far a client's cursor may lag behind what was left out for it.
  static constexpr Duration kAdvanceDelay{1'000};
  static constexpr std::uint64_t kAdvanceLagMax = 256;

  NativeAdapter(NativeOptions options, const NativeServices& services)
      : options_(std::move(options)),
        services_(services),
        authenticator_(services.loop, services.wall, services.authority),
        reader_(options_.codec),
        occupancy_(services.loop, services.hub, [this](SessionRef session, OccupancyNews& news) {
          tell(session, news);
        }) {}

  std::string_view name() const override { return kName; }
  std::optional<Route> route(const http::RequestHead& request, const Caller& caller) override;

  static constexpr std::string_view kName = "native";

  const NativeOptions& options() const { return options_; }
  reactor::Loop& loop() const { return services_.loop; }
  WallClock& wall() const { return services_.wall; }
  hub::Hub& hub() const { return services_.hub; }
  ws::CompressionPool& compression() const { return services_.compression; }
  AppHook* app() const { return services_.app; }
  const Validation* validation() const { return services_.validation; }
  SessionGroup& sessions() const { return services_.sessions; }
  SessionTable& table() const { return sessions().table(loop().index()); }
  Clients& clients() const { return services_.clients.on(loop().index()); }
  Authenticator& authenticator() { return authenticator_; }
  CommandReader& reader() { return reader_; }
  RightsPool& rights() { return rights_; }
  // Of the session in that slot; null where nothing is limited.
  SessionLimits* limits(std::uint32_t slot) const {
    return slot < limits_.size() ? limits_[slot].get() : nullptr;
  }
  void begin_limits(std::uint32_t slot, const net::Address& client);
  void end_limits(std::uint32_t slot) {
    if (slot < limits_.size()) limits_[slot].reset();
  }
  // Unlike any before, of what sessions ask the application.
  std::uint64_t next_question() { return ++last_question_; }
  OccupancyWatch& occupancy() { return occupancy_; }
  DeltaBases& delta_bases() { return delta_bases_; }

  // Calls the session's send_advances() within kAdvanceDelay.
  void advance_later(SessionRef session);

 private:
  void on_timer() override;
  void tell(SessionRef session, OccupancyNews& news);

  const NativeOptions options_;
  const NativeServices services_;
  Authenticator authenticator_;
  CommandReader reader_;
  RightsPool rights_;
  std::vector<std::unique_ptr<SessionLimits>> limits_;  // by slot; empty where there are none
  OccupancyWatch occupancy_;
  DeltaBases delta_bases_;
  std::vector<SessionRef> lagging_;
  std::uint64_t last_question_ = 0;
};

}  // namespace anywire::protocol::native
