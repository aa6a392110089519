#include "server/adapters.h"

#include <string>
#include <utility>

#include "protocol/echo/adapter.h"
#include "protocol/native/adapter.h"
#include "protocol/raw/adapter.h"
#include "server/auth_keys.h"
#include "server/command_line.h"
#include "server/config_loader.h"

namespace anywire::server {
namespace {

protocol::echo::EchoOptions echo_options(const Config& config) {
  return {.echo = config.raw.echo,
          .root = config.raw.root.kind == RawRoot::Kind::kEcho,
          .conformance = config.raw.conformance};
}

protocol::raw::RawOptions raw_options(const Config& config) {
  const bool channel = config.raw.root.kind == RawRoot::Kind::kChannel;
  return {.enabled = config.raw.enabled,
          .root_channel = channel ? config.raw.root.channel : std::string(),
          .root_greeting = config.raw.root_greeting,
          .channel_name_bytes_max = config.raw.channel_name_bytes_max};
}

protocol::native::NativeOptions native_options(const Config& config) {
  const NativeSection& section = config.native;
  protocol::native::NativeOptions options;
  options.enabled = section.enabled;
  options.path = section.path;
  options.anonymous = config.auth.anonymous;
  options.connect_timeout = section.connect_timeout;
  options.session_window = section.session_window;
  options.channels_max = static_cast<std::size_t>(section.channels_per_connection_max);
  options.message_bytes_max = config.websocket.message_bytes_max;
  options.codec.messages_max = static_cast<std::size_t>(section.messages_per_frame_max);
  options.codec.channel_bytes_max = section.channel_name_bytes_max;
  options.server = std::string("anywire/") + kVersion;
  return options;
}

}  // namespace

Result<std::unique_ptr<AdapterGroup>> AdapterGroup::create(
    const Config& config, const std::vector<reactor::Loop*>& loops, WallClock& wall) {
  Result<auth::KeySet> keys = load_auth_keys(config.auth, read_config_file);
  if (!keys) return std::unexpected(keys.error());
  auto sessions = protocol::native::SessionGroup::create(loops);
  if (!sessions) return std::unexpected(sessions.error());
  return std::unique_ptr<AdapterGroup>(new AdapterGroup{.keys = *std::move(keys),
                                                        .verify = verify_options(config.auth),
                                                        .sessions = *std::move(sessions),
                                                        .wall = wall});
}

std::vector<std::unique_ptr<protocol::Adapter>> make_adapters(const Config& config,
                                                              AdapterGroup& group,
                                                              const AdapterSeat& seat) {
  std::vector<std::unique_ptr<protocol::Adapter>> adapters;
  adapters.push_back(std::make_unique<protocol::raw::RawAdapter>(raw_options(config), seat.hub,
                                                                 seat.compression));
  adapters.push_back(std::make_unique<protocol::native::NativeAdapter>(
      native_options(config),
      protocol::native::NativeServices{.loop = seat.loop,
                                       .wall = group.wall,
                                       .hub = seat.hub,
                                       .compression = seat.compression,
                                       .sessions = *group.sessions,
                                       .keys = group.keys,
                                       .verify = group.verify}));
  adapters.push_back(std::make_unique<protocol::echo::EchoAdapter>(echo_options(config)));
  return adapters;
}

}  // namespace anywire::server
