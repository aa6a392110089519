// NativeAdapter: `/anywire`, the protocol anywire.v1, in JSON and MessagePack; and what all its
// sessions on one loop share.
//
// Thread: the loop's. Lifetime: outlives its sessions; what NativeServices names outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "auth/jwt.h"
#include "base/clock.h"
#include "hub/hub.h"
#include "protocol/adapter.h"
#include "protocol/app_hook.h"
#include "protocol/native/command_reader.h"
#include "protocol/native/names.h"
#include "protocol/native/session_table.h"
#include "protocol/rights.h"
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
  std::size_t pending_max = 256;      // commands of one connection that wait for their answer
  std::size_t message_bytes_max = 1024 * 1024;  // what the transports take; told to clients
  CodecLimits codec;
  std::string server = "anywire";     // name and version
};

struct NativeServices {
  reactor::Loop& loop;
  WallClock& wall;
  hub::Hub& hub;
  ws::CompressionPool& compression;
  SessionGroup& sessions;
  const auth::KeySet& keys;
  const auth::VerifyOptions& verify;
  AppHook* app = nullptr;
};

class NativeAdapter final : public Adapter, private reactor::Timer {
 public:
  // How far a client's cursor may lag behind what was left out for it.
  static constexpr Duration kAdvanceDelay{1'000};
  static constexpr std::uint64_t kAdvanceLagMax = 256;

  NativeAdapter(NativeOptions options, const NativeServices& services)
      : options_(std::move(options)), services_(services), reader_(options_.codec) {}

  std::string_view name() const override { return kName; }
  std::optional<Route> route(const http::RequestHead& request) override;

  static constexpr std::string_view kName = "native";

  const NativeOptions& options() const { return options_; }
  reactor::Loop& loop() const { return services_.loop; }
  WallClock& wall() const { return services_.wall; }
  hub::Hub& hub() const { return services_.hub; }
  ws::CompressionPool& compression() const { return services_.compression; }
  AppHook* app() const { return services_.app; }
  SessionGroup& sessions() const { return services_.sessions; }
  SessionTable& table() const { return sessions().table(loop().index()); }
  CommandReader& reader() { return reader_; }
  RightsPool& rights() { return rights_; }

  std::expected<auth::Token, auth::TokenError> verify(std::string_view token) const;
  Duration token_leeway() const { return services_.verify.leeway; }

  // Calls the session's send_advances() within kAdvanceDelay.
  void advance_later(SessionRef session);

 private:
  void on_timer() override;

  const NativeOptions options_;
  const NativeServices services_;
  CommandReader reader_;
  RightsPool rights_;
  std::vector<SessionRef> lagging_;
};

}  // namespace anywire::protocol::native
