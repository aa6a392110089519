#include "server/config.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/app_options.h"
#include "server/config_apps.h"
#include "server/config_channels.h"
#include "server/config_keys.h"
#include "server/config_value.h"

namespace anywire::server {
namespace {

// The longest header a server puts in front of a message, RFC 6455 5.2.
constexpr std::size_t kFrameHeaderBytesMax = 10;

using Problems = std::vector<std::string>;

void check_queue(const WebSocketSection& websocket, Problems& problems) {
  if (websocket.low_watermark >= websocket.high_watermark) {
    problems.push_back(fmt::format(
        "\"websocket.low_watermark\" ({}) must be less than \"websocket.high_watermark\" ({})",
        format_size(websocket.low_watermark), format_size(websocket.high_watermark)));
  }
  if (websocket.high_watermark > websocket.queue_bytes_max) {
    problems.push_back(fmt::format(
        "\"websocket.high_watermark\" ({}) must not exceed \"websocket.queue_bytes_max\" ({})",
        format_size(websocket.high_watermark), format_size(websocket.queue_bytes_max)));
  }
  if (websocket.queue_bytes_max < websocket.message_bytes_max + kFrameHeaderBytesMax) {
    problems.push_back(fmt::format(
        "\"websocket.queue_bytes_max\" ({}) must be greater than \"websocket.message_bytes_max\" "
        "({}) by at least {} bytes, so that the largest message fits with its frame header",
        format_size(websocket.queue_bytes_max), format_size(websocket.message_bytes_max),
        kFrameHeaderBytesMax));
  }
}

void check_tls(const TlsSection& tls, Problems& problems) {
  if (!tls.certificate.empty() && tls.key.empty()) {
    problems.push_back("\"tls.certificate\" is set but \"tls.key\" is not; TLS needs both");
  }
  if (tls.certificate.empty() && !tls.key.empty()) {
    problems.push_back("\"tls.key\" is set but \"tls.certificate\" is not; TLS needs both");
  }
}

void check_raw(const RawSection& raw, Problems& problems) {
  if (raw.root.kind == RawRoot::Kind::kChannel) {
    if (!raw.enabled) {
      problems.push_back("\"raw.root\" names a channel but \"raw.enabled\" is false");
    }
    if (raw.root.channel.size() > raw.channel_name_bytes_max) {
      problems.push_back(fmt::format(
          "the channel in \"raw.root\" has {} bytes, more than \"raw.channel_name_bytes_max\" ({})",
          raw.root.channel.size(), raw.channel_name_bytes_max));
    }
  }
}

void check_auth(const AuthSection& auth, Problems& problems) {
  if (!auth.hs256_secret.empty() && !auth.hs256_secret_file.empty()) {
    problems.push_back(
        "\"auth.hs256_secret\" and \"auth.hs256_secret_file\" are both set; one of them is it");
  }
}

void check_cookie(const Config& config, Problems& problems) {
  const auto& origins = config.http.allowed_origins;
  const bool named = std::any_of(origins.begin(), origins.end(), [](const std::string& origin) {
    return origin != "*" && origin != "null";
  });
  if (config.auth.cookie.empty() || named) return;
  problems.push_back(
      "\"auth.cookie\" needs the Origins of your pages in \"http.allowed_origins\": a browser sends "
      "cookies with requests of anybody's page, so \"*\" and \"null\" are not enough");
}

void check_native(const Config& config, Problems& problems) {
  const std::string& path = config.native.path;
  if (!config.native.enabled) return;
  const bool taken = (config.raw.enabled && (path == "/raw" || path.starts_with("/raw/"))) ||
                     (config.raw.echo && path == "/echo") ||
                     (config.raw.conformance && path == "/conformance/echo");
  if (taken) {
    problems.push_back(fmt::format("\"native.path\" ({}) belongs to the raw protocol already",
                                   in_quotes_short(path)));
  }
}

void check_api(const Config& config, Problems& problems) {
  const std::string& path = config.api.path;
  if (!config.api.enabled) return;
  const bool raw = (config.raw.enabled && (path == "/raw" || path.starts_with("/raw/"))) ||
                   (config.raw.echo && path == "/echo");
  const bool native = config.native.enabled && path == config.native.path;
  if (!raw && !native) return;
  problems.push_back(fmt::format("\"api.path\" ({}) belongs to the {} protocol already",
                                 in_quotes_short(path), raw ? "raw" : "native"));
}

// Less than what the server takes by itself would turn everybody away for ever.
constexpr std::size_t kMemoryMaxLeast = 64 * 1024 * 1024;

void check_memory(const ServerSection& server, Problems& problems) {
  if (server.memory_max == 0 || server.memory_max >= kMemoryMaxLeast) return;
  problems.push_back(fmt::format("\"server.memory_max\" ({}) must be 0 (off) or at least {}",
                                 format_size(server.memory_max), format_size(kMemoryMaxLeast)));
}

void check_listen(const ServerSection& server, Problems& problems) {
  std::vector<std::string> seen;
  for (const std::string& address : server.listen) {
    // Port 0 is a fresh port each time.
    if (!address.ends_with(":0") && std::find(seen.begin(), seen.end(), address) != seen.end()) {
      problems.push_back(fmt::format("\"server.listen\" has {} twice", in_quotes_short(address)));
    }
    seen.push_back(address);
  }
}

}  // namespace

bool has_keys(const Config& config) {
  const AuthSection& auth = config.auth;
  return !config.keys.empty() || !auth.jwks_url.empty() || !auth.hs256_secret.empty() ||
         !auth.hs256_secret_file.empty();
}

Config dev_config(int port) {
  Config config;
  config.server.listen = expand_listen_address(fmt::format("localhost:{}", port));
  config.raw.root = RawRoot{RawRoot::Kind::kChannel, "lobby"};
  config.raw.root_greeting = true;
  config.http.allowed_origins = {"*"};
  // A page whose name was made to point at this machine would be of the same origin as what is
  // behind `front.upstream`, a developer's own work.
  config.http.allowed_hosts = {"local"};
  config.auth.anonymous = true;
  hub::ChannelRule& rule = config.channel_defaults;
  rule.subscribe = rule.publish = rule.history_access = rule.presence_access =
      hub::Access::kAnyone;
  // What newcomers try first, history, recovery and presence, works without a configuration.
  rule.presence = true;
  rule.history_messages = 1000;
  rule.history_ttl = std::chrono::hours(24);
  config.log.format = log::Format::kHuman;
  return config;
}

std::vector<std::string> validate(const Config& config) {
  Problems problems;
  check_listen(config.server, problems);
  check_memory(config.server, problems);
  check_tls(config.tls, problems);
  check_queue(config.websocket, problems);
  check_raw(config.raw, problems);
  check_native(config, problems);
  check_api(config, problems);
  check_auth(config.auth, problems);
  check_cookie(config, problems);
  check_keys(config, problems);
  check_app(config, problems);
  check_rules(config, problems);
  check_apps(config, problems);
  return problems;
}

}  // namespace anywire::server
