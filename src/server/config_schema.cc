#include "server/config_schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>

#include "auth/key.h"
#include "server/config_accessors.h"
#include "server/config_channels.h"
#include "server/config_value.h"

namespace anywire::server {
namespace {

using namespace std::chrono_literals;
using std::string_view;

constexpr std::array<string_view, 2> kTlsVersions{"1.2", "1.3"};
constexpr std::array<string_view, 4> kProxyProtocols{"off", "v1", "v2", "any"};
constexpr std::array<string_view, 3> kCompressions{"off", "shared", "dedicated"};
constexpr std::array<string_view, 4> kLevels{"debug", "info", "warn", "error"};
constexpr std::array<string_view, 3> kFormats{"auto", "human", "json"};

constexpr string_view kAddresses =
    R"(addresses such as "127.0.0.1:3001", "[::1]:3001", "localhost:3001" or )"
    R"("unix:/run/anywire.sock")";
constexpr string_view kCidrs =
    R"(addresses or networks such as "10.0.0.0/8" or "::1" )"
    R"((no bits set behind the prefix), or "unix")";
constexpr string_view kOrigins =
    R"(origins as browsers send them, such as "https://example.com" )"
    R"((lower case, no path, no default port), or "*")";

constexpr std::array kTables{
    Table{"server", "Where the server listens and how much of the machine it takes."},
    Table{"tls", "Encryption. Without a certificate the server speaks plain TCP."},
    Table{"http", "HTTP requests before they become WebSocket connections, and proxies in front."},
    Table{"websocket", "Limits, heartbeat, compression and backpressure of every connection."},
    Table{"raw", "The raw protocol: plain WebSocket channels at `/raw/<channel>`."},
    Table{"native", "The native protocol `anywire.v1`: what `@anywire/client` speaks."},
    Table{"auth", "Who clients are. They prove it with a token (JWT) that your application signs."},
    Table{"history", "What is kept of messages, for all channels together."},
    kChannelsTable,
    Table{"log", "Events on standard error."},
};

std::vector<Key> server_keys() {
  using S = ServerSection;
  constexpr auto kAt = &Config::server;
  return {
      {"server", "listen", ListKind{at<kAt, &S::listen>, is_listen_address, kAddresses, 1},
       "The addresses to listen on. `0.0.0.0:3001` means every IPv4 interface, `:3001` every "
       "interface; `localhost:3001` means both loopback addresses; port 0 lets the system choose."},
      {"server", "loops", IntKind{at<kAt, &S::loops>, 0, 256},
       "Event loops, each a thread with its own connections. 0 means one per core."},
      {"server", "backlog", IntKind{at<kAt, &S::backlog>, 1, 65'535},
       "Connections the system may hold ready before the server accepts them. The system's own "
       "limit (`net.core.somaxconn`) still applies."},
      {"server", "reuse_port", BoolKind{at<kAt, &S::reuse_port>},
       "Give every loop a listening socket of its own, so that the system spreads connections. "
       "Turned off, one loop accepts and hands connections on."},
      {"server", "connections_max", IntKind{at<kAt, &S::connections_max>, 0, 10'000'000},
       "Connections at the same time; further ones are closed at once. 0 means as many as the "
       "descriptor limit allows."},
      {"server", "connections_per_address_max",
       IntKind{at<kAt, &S::connections_per_address_max>, 0, 10'000'000},
       "Connections at the same time from one client address (of IPv6, one /64 network), so that "
       "nobody takes all there are; further ones are answered with 429 or, under TLS, closed at "
       "once. The PROXY protocol or a trusted proxy says who the client is; proxies themselves and "
       "Unix sockets are not counted. 0 means no limit. Offices and mobile networks share an "
       "address among many people."},
      {"server", "drain_timeout", DurationKind{at<kAt, &S::drain_timeout>, 0ms, 1h},
       "How long SIGTERM waits for clients to finish the closing handshake before cutting them "
       "off."},
      {"server", "memory_trim_interval", DurationKind{at<kAt, &S::memory_trim_interval>, 0ms, 1h},
       "How often memory that departed connections left behind goes back to the system. 0 means "
       "never."},
  };
}

std::vector<Key> tls_keys() {
  using S = TlsSection;
  constexpr auto kAt = &Config::tls;
  return {
      {"tls", "certificate", TextKind{at<kAt, &S::certificate>},
       "Path of a PEM file with the certificate and its chain. Read again on SIGHUP."},
      {"tls", "key", TextKind{at<kAt, &S::key>},
       "Path of a PEM file with the certificate's private key. Read again on SIGHUP."},
      {"tls", "min_version", one_of<kAt, &S::min_version>(kTlsVersions),
       "The oldest TLS version accepted."},
  };
}

std::vector<Key> http_keys() {
  using S = HttpSection;
  constexpr auto kAt = &Config::http;
  return {
      {"http", "head_bytes_max", SizeKind{at<kAt, &S::head_bytes_max>, kKiB, kMiB},
       "Size of a request line and its headers together; more is answered with 431."},
      {"http", "headers_max", IntKind{at<kAt, &S::headers_max>, 8, 1'000},
       "Header fields in a request; more is answered with 431."},
      {"http", "head_timeout", DurationKind{at<kAt, &S::head_timeout>, 100ms, 5min},
       "How long a client may take for a whole request head, however slowly it trickles in; for "
       "the first one counted from the accept, with the TLS handshake in it."},
      {"http", "keep_alive_timeout", DurationKind{at<kAt, &S::keep_alive_timeout>, 0ms, 1h},
       "How long a connection may rest between two requests. 0 closes it after each answer."},
      {"http", "trusted_proxies", ListKind{at<kAt, &S::trusted_proxies>, is_cidr, kCidrs, 0},
       "Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` headers are believed; from anybody "
       "else they are ignored. `unix` means every peer on a Unix socket."},
      {"http", "proxy_protocol", one_of<kAt, &S::proxy_protocol>(kProxyProtocols),
       "Require a PROXY protocol header (HAProxy, cloud load balancers) at the start of every "
       "connection, on every listening address. `any` takes version 1 or 2."},
  };
}

// Everything about the size, the age and the compression of messages.
std::vector<Key> websocket_keys() {
  using S = WebSocketSection;
  constexpr auto kAt = &Config::websocket;
  return {
      {"websocket", "message_bytes_max", SizeKind{at<kAt, &S::message_bytes_max>, 1, kGiB},
       "Size of a whole message after decompression; a larger one closes the connection with "
       "1009."},
      {"websocket", "idle_timeout", DurationKind{at<kAt, &S::idle_timeout>, 0ms, 24h},
       "Close a connection that has not sent a message for so long; pongs do not count. 0 means "
       "never."},
      {"websocket", "ping_interval", DurationKind{at<kAt, &S::ping_interval>, 0ms, 1h},
       "Send a ping after so much silence. Below the idle limit of every proxy in front (often "
       "60 s). 0 means never, and dead peers stay until TCP notices."},
      {"websocket", "ping_timeout", DurationKind{at<kAt, &S::ping_timeout>, 100ms, 10min},
       "Give a connection up when nothing at all arrives for so long after a ping."},
      {"websocket", "close_timeout", DurationKind{at<kAt, &S::close_timeout>, 100ms, 1min},
       "How long to wait for the peer's Close frame, and for it to close the connection."},
      {"websocket", "compression", one_of<kAt, &S::compression>(kCompressions),
       "permessage-deflate. `shared` compresses a message once for all its receivers and keeps no "
       "memory per connection; `dedicated` keeps a dictionary per connection, which compresses "
       "similar messages far better and costs about 320 KiB each."},
      {"websocket", "compression_level", IntKind{at<kAt, &S::compression_level>, 1, 9},
       "1 is fastest, 9 is smallest."},
      {"websocket", "compression_bytes_min",
       SizeKind{at<kAt, &S::compression_bytes_min>, 0, kMiB},
       "Smaller messages are sent uncompressed."},
      {"websocket", "server_window_bits", IntKind{at<kAt, &S::server_window_bits>, 9, 15},
       "Size of the server's compression window as a power of two. Smaller saves memory on both "
       "sides."},
      {"websocket", "client_window_bits", IntKind{at<kAt, &S::client_window_bits>, 9, 15},
       "Size of the client's compression window as a power of two, where the client lets the "
       "server choose."},
      {"websocket", "low_watermark", SizeKind{at<kAt, &S::low_watermark>, 0, kGiB},
       "Once this little is left unsent, a connection that was paused is read again."},
      {"websocket", "high_watermark", SizeKind{at<kAt, &S::high_watermark>, kKiB, kGiB},
       "When more than this waits to be sent to a peer, nothing more is read from it."},
      {"websocket", "queue_bytes_max", SizeKind{at<kAt, &S::queue_bytes_max>, 4 * kKiB, 2 * kGiB},
       "The most that may wait to be sent to one peer. A peer too slow for what it receives is "
       "disconnected, so that it knows it missed something; nothing is dropped silently."},
  };
}

std::vector<Key> raw_keys() {
  using S = RawSection;
  constexpr auto kAt = &Config::raw;
  return {
      {"raw", "enabled", BoolKind{at<kAt, &S::enabled>},
       "Serve `/raw/<channel>`: what one member sends, all members get."},
      {"raw", "root", RootKind{at<kAt, &S::root>},
       "What answers WebSocket connections to `/`: nothing, the echo service, or a channel."},
      {"raw", "root_greeting", BoolKind{at<kAt, &S::root_greeting>},
       "Greet connections to `/` with `{\"hello\":\"world\"}`."},
      {"raw", "echo", BoolKind{at<kAt, &S::echo>},
       "Serve `/echo`: a greeting, then `{\"echo\":...}` for every JSON message."},
      {"raw", "conformance", BoolKind{at<kAt, &S::conformance>},
       "Serve `/conformance/echo`: every message back unchanged, for test suites."},
      {"raw", "channel_name_bytes_max", SizeKind{at<kAt, &S::channel_name_bytes_max>, 1, 4 * kKiB},
       "Length of a channel's name in bytes, percent-encoding undone."},
      {"raw", "allowed_origins", ListKind{at<kAt, &S::allowed_origins>, is_origin, kOrigins, 0},
       "Web pages that may connect, by their origin; `*` means any. Programs that are not browsers "
       "send no origin and always pass."},
  };
}

std::vector<Key> native_keys() {
  using S = NativeSection;
  constexpr auto kAt = &Config::native;
  return {
      {"native", "enabled", BoolKind{at<kAt, &S::enabled>}, "Serve the native protocol."},
      {"native", "path",
       TextKind{at<kAt, &S::path>, is_url_path, "a path such as \"/anywire\", not \"/\" alone"},
       "Where clients connect, by WebSocket and by its fallbacks."},
      {"native", "session_window", DurationKind{at<kAt, &S::session_window>, 0ms, 24h},
       "How long a session whose connection was lost may be resumed. 0 means not at all; "
       "subscriptions then recover from their channels' history."},
      {"native", "messages_per_frame_max", IntKind{at<kAt, &S::messages_per_frame_max>, 1, 10'000},
       "Messages a client may put into one frame."},
      {"native", "channels_per_connection_max",
       IntKind{at<kAt, &S::channels_per_connection_max>, 1, 100'000},
       "Channels one connection may be subscribed to at a time."},
      {"native", "channel_name_bytes_max",
       SizeKind{at<kAt, &S::channel_name_bytes_max>, 1, 4 * kKiB},
       "Length of a channel's name in bytes."},
      {"native", "connect_timeout", DurationKind{at<kAt, &S::connect_timeout>, 100ms, 5min},
       "How long a client may take from opening the connection to saying who it is."},
  };
}

std::vector<Key> auth_keys() {
  using S = AuthSection;
  constexpr auto kAt = &Config::auth;
  return {
      {"auth", "hs256_secret", SecretKind{at<kAt, &S::hs256_secret>, auth::kSecretBytesMin},
       "The secret that tokens are signed with (HS256), known to your application and to Anywire "
       "only. Better given as a variable or in a file of its own: flags can be seen by everybody "
       "on the machine. Without a secret no token is valid."},
      {"auth", "hs256_secret_file", TextKind{at<kAt, &S::hs256_secret_file>},
       "Path of a file with the secret; a line break at its end does not count."},
      {"auth", "issuer", TextKind{at<kAt, &S::issuer>},
       "What a token's `iss` must be. Empty means anything."},
      {"auth", "audience", TextKind{at<kAt, &S::audience>},
       "What a token's `aud` must be or contain. Empty means anything."},
      {"auth", "leeway", DurationKind{at<kAt, &S::leeway>, 0ms, 10min},
       "How far the clocks of who signs tokens and of this machine may differ."},
      {"auth", "expiry_required", BoolKind{at<kAt, &S::expiry_required>},
       "Refuse tokens without `exp`, which would be valid for ever."},
      {"auth", "anonymous", BoolKind{at<kAt, &S::anonymous>},
       "Let clients of the native protocol connect without a token. They may do what channel rules "
       "allow anyone."},
  };
}

std::vector<Key> history_keys() {
  using S = HistorySection;
  constexpr auto kAt = &Config::history;
  return {
      {"history", "memory_max", SizeKind{at<kAt, &S::memory_max>, kMiB, 1024 * kGiB},
       "Memory for the history of all channels together. When it is used up, the channels that "
       "were used least recently lose theirs, and who comes back to one is told so."},
      {"history", "path", TextKind{at<kAt, &S::path>},
       "Path of the SQLite file that durable channels are kept in. Empty means no durable "
       "channels."},
      {"history", "idempotency_window", DurationKind{at<kAt, &S::idempotency_window>, 0ms, 24h},
       "How long a publication's idempotency key is remembered: a repetition within this time is "
       "answered with the position of the first. 0 means keys are ignored."},
      {"history", "idempotency_keys_max",
       IntKind{at<kAt, &S::idempotency_keys_max>, 1, 100'000'000},
       "Idempotency keys remembered at a time; beyond it the oldest are forgotten early."},
  };
}

std::vector<Key> channels_keys() {
  return {{"channels", "", RulesKind{[](Config& config) -> auto& { return config.channels; }},
           "The whole list of channel rules."}};
}

std::vector<Key> log_keys() {
  using S = LogSection;
  constexpr auto kAt = &Config::log;
  return {
      {"log", "level", one_of<kAt, &S::level>(kLevels), "The least important events to show."},
      {"log", "format", one_of<kAt, &S::format>(kFormats),
       "`human` is for reading, `json` is one object per line; `auto` is `human` on a terminal and "
       "`json` otherwise."},
  };
}

std::vector<Key> build_keys() {
  std::vector<Key> all;
  for (auto build : {server_keys, tls_keys, http_keys, websocket_keys, raw_keys, native_keys,
                     auth_keys, history_keys, channels_keys, log_keys}) {
    for (Key& key : build()) all.push_back(key);
  }
  return all;
}

std::string upper(string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace

std::string Key::path() const {
  return name.empty() ? std::string(table) : fmt::format("{}.{}", table, name);
}
std::string Key::variable() const {
  return fmt::format("ANYWIRE_{}{}{}", upper(table), name.empty() ? "" : "_", upper(name));
}
std::string Key::flag() const { return "--" + path(); }

std::span<const Table> tables() { return kTables; }

std::span<const Key> keys() {
  static const std::vector<Key> all = build_keys();
  return all;
}

const Key* find_key(string_view table, string_view name) {
  const auto all = keys();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Key& key) {
    return key.table == table && key.name == name;
  });
  return found == all.end() ? nullptr : &*found;
}

bool is_reserved_variable(string_view variable) {
  constexpr std::array<string_view, 5> kNames{"ANYWIRE_CONFIG", "ANYWIRE_URL", "ANYWIRE_TOKEN",
                                              "ANYWIRE_KEY", "ANYWIRE_PORT"};
  constexpr std::array<string_view, 2> kPrefixes{"ANYWIRE_SERVICE_", "ANYWIRE_PORT_"};
  return std::find(kNames.begin(), kNames.end(), variable) != kNames.end() ||
         std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](string_view prefix) { return variable.starts_with(prefix); });
}

}  // namespace anywire::server
