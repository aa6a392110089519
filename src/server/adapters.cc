#include "server/adapters.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/api/adapter.h"
#include "base/assert.h"
#include "protocol/echo/adapter.h"
#include "protocol/native/adapter.h"
#include "protocol/raw/adapter.h"
#include "server/app_options.h"
#include "server/auth_keys.h"
#include "server/command_line.h"
#include "server/config_loader.h"
#include "server/contract_file.h"
#include "server/limit_options.h"

namespace anywire::server {
namespace {

protocol::engine::Options engine_options(const EngineSection& section) {
  const auto allows = [&](std::string_view transport) {
    return std::ranges::find(section.transports, transport) != section.transports.end();
  };
  return {.ping_interval = section.ping_interval,
          .ping_timeout = section.ping_timeout,
          .upgrade_timeout = section.upgrade_timeout,
          .connect_timeout = section.connect_timeout,
          .max_payload = section.max_payload,
          .polling = allows("polling"),
          .websocket = allows("websocket"),
          .upgrades = section.upgrades,
          .cookie = section.cookie,
          .compression_bytes_min = section.compression_bytes_min};
}

protocol::echo::EchoOptions echo_options(const Config& config) {
  return {.echo = config.raw.echo,
          .root = config.raw.root.kind == RawRoot::Kind::kEcho,
          .conformance = config.raw.conformance,
          .engine = engine_options(config.engine)};
}

// Who has no keys has nobody who could show a token.
bool raw_is_open(const Config& config) {
  if (config.raw.access == RawAccess::kAuto) return !has_keys(config);
  return config.raw.access == RawAccess::kOpen;
}

protocol::raw::RawOptions raw_options(const Config& config) {
  const bool channel = config.raw.root.kind == RawRoot::Kind::kChannel;
  return {.enabled = config.raw.enabled,
          .open = raw_is_open(config),
          .root_channel = channel ? config.raw.root.channel : std::string(),
          .root_greeting = config.raw.root_greeting,
          .channel_name_bytes_max = config.raw.channel_name_bytes_max,
          .cookie = config.auth.cookie,
          .expiry_grace = config.auth.expiry_grace};
}

protocol::native::NativeOptions native_options(const Config& config) {
  const NativeSection& section = config.native;
  protocol::native::NativeOptions options;
  options.enabled = section.enabled;
  options.path = section.path;
  options.anonymous = config.auth.anonymous;
  options.cookie = config.auth.cookie;
  options.expiry_grace = config.auth.expiry_grace;
  options.connect_timeout = section.connect_timeout;
  options.session_window = section.session_window;
  options.channels_max = static_cast<std::size_t>(section.channels_per_connection_max);
  options.patterns_max = static_cast<std::size_t>(section.patterns_max);
  options.message_bytes_max = config.websocket.message_bytes_max;
  options.presence_channels_max =
      static_cast<std::size_t>(config.limits.presence_channels_per_connection_max);
  options.codec.messages_max = static_cast<std::size_t>(section.messages_per_frame_max);
  options.codec.channel_bytes_max = section.channel_name_bytes_max;
  options.server = std::string("anywire/") + kVersion;
  return options;
}

protocol::api::ApiOptions api_options(const Config& config, std::string_view prefix) {
  const ApiSection& section = config.api;
  protocol::api::ApiOptions options;
  options.enabled = section.enabled;
  options.path = section.path;
  options.public_path = std::string(prefix) + section.path;
  options.body_bytes_max = section.body_bytes_max;
  options.limits.batch_max = static_cast<std::size_t>(section.batch_max);
  options.limits.message_bytes_max = config.websocket.message_bytes_max;
  options.limits.channel_bytes_max = config.native.channel_name_bytes_max;
  return options;
}

}  // namespace

Result<std::unique_ptr<AdapterGroup>> AdapterGroup::create(
    const Config& config, const std::vector<reactor::Loop*>& loops, WallClock& wall) {
  Result<auth::KeySet> keys = load_auth_keys(config, read_config_file);
  if (!keys) return std::unexpected(keys.error());
  auto sessions = protocol::native::SessionGroup::create(loops);
  if (!sessions) return std::unexpected(sessions.error());
  auto schemas = load_validation(config, read_config_file);
  if (!schemas) return fail(ErrorCode::kInvalidArgument, schemas.error().front());
  auto app = app_options(config, read_config_file);
  if (!app) return std::unexpected(app.error());
  return std::unique_ptr<AdapterGroup>(new AdapterGroup{
      .authority = std::make_unique<auth::Authority>(verify_options(config.auth), *std::move(keys)),
      .clients = std::make_unique<protocol::ClientGroup>(loops),
      .sessions = *std::move(sessions),
      .limits = std::make_unique<protocol::LimitGroup>(limit_options(config.limits)),
      .validation = std::move(schemas->validation),
      .app = *std::move(app),
      .wall = wall,
      .faults = {},
      .apps = {}});
}

namespace {

// Null where no application is configured.
hooks::App* make_app(AdapterGroup& group, const AdapterSeat& seat) {
  if (!group.app) return nullptr;
  auto made = hooks::App::create(*group.app, {.loop = seat.loop,
                                              .wall = group.wall,
                                              .hub = seat.hub,
                                              .clients = *group.clients,
                                              .faults = group.faults,
                                              .validation = group.validation.get()});
  AW_ASSERT(made.has_value());  // what may be wrong was looked at by app_options()
  group.apps.push_back(*std::move(made));
  hooks::App& app = *group.apps.back();
  if (app.tells_events()) seat.hub.observe(&app);
  return &app;
}

}  // namespace

std::vector<std::unique_ptr<protocol::Adapter>> make_adapters(const Config& config,
                                                              AdapterGroup& group,
                                                              const AdapterSeat& seat) {
  protocol::AppHook* const app = make_app(group, seat);
  std::vector<std::unique_ptr<protocol::Adapter>> adapters;
  adapters.push_back(std::make_unique<protocol::raw::RawAdapter>(
      raw_options(config),
      protocol::raw::RawServices{.loop = seat.loop,
                                 .wall = group.wall,
                                 .hub = seat.hub,
                                 .compression = seat.compression,
                                 .clients = *group.clients,
                                 .authority = *group.authority,
                                 .validation = group.validation.get(),
                                 .app = app,
                                 .limits = group.limits.get()}));
  adapters.push_back(std::make_unique<protocol::native::NativeAdapter>(
      native_options(config),
      protocol::native::NativeServices{.loop = seat.loop,
                                       .wall = group.wall,
                                       .hub = seat.hub,
                                       .compression = seat.compression,
                                       .sessions = *group.sessions,
                                       .clients = *group.clients,
                                       .authority = *group.authority,
                                       .app = app,
                                       .limits = group.limits.get(),
                                       .validation = group.validation.get()}));
  adapters.push_back(std::make_unique<protocol::api::ApiAdapter>(
      api_options(config, seat.path),
      protocol::api::ApiServices{.loop = seat.loop,
                                 .wall = group.wall,
                                 .hub = seat.hub,
                                 .clients = *group.clients,
                                 .authority = *group.authority,
                                 .limits = group.limits.get(),
                                 .validation = group.validation.get()}));
  adapters.push_back(std::make_unique<protocol::echo::EchoAdapter>(echo_options(config)));
  return adapters;
}

}  // namespace anywire::server
