#include "server/adapters.h"

#include "protocol/echo/adapter.h"
#include "protocol/raw/adapter.h"

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

}  // namespace

std::vector<std::unique_ptr<protocol::Adapter>> make_adapters(const Config& config, hub::Hub& hub,
                                                              ws::CompressionPool& compression) {
  std::vector<std::unique_ptr<protocol::Adapter>> adapters;
  adapters.push_back(
      std::make_unique<protocol::raw::RawAdapter>(raw_options(config), hub, compression));
  adapters.push_back(std::make_unique<protocol::echo::EchoAdapter>(echo_options(config)));
  return adapters;
}

}  // namespace anywire::server
