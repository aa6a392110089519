#include "server/config_schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>

#include "auth/capability.h"
#include "auth/key.h"
#include "fetch/client.h"
#include "http/host_list.h"
#include "http/origin_list.h"
#include "http/request.h"
#include "server/config_accessors.h"
#include "server/config_apps.h"
#include "server/config_channels.h"
#include "server/config_keys.h"
#include "server/config_value.h"

namespace anywire::server {
namespace {

using namespace std::chrono_literals;
using std::string_view;

constexpr std::array<string_view, 3> kRawAccesses{"auto", "rules", "open"};
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
    R"(origins as browsers send them, such as "https://example.com", "https://*.example.com" or )"
    R"("http://localhost:*" (lower case, no path, no default port), or "null", or "*")";
constexpr string_view kHosts =
    R"(names such as "example.com", "*.example.com" or "example.com:8443", addresses, or "local")";

constexpr std::array kTables{
    Table{"server", "Where the server listens and how much of the machine it takes."},
    Table{"tls", "Encryption. Without a certificate the server speaks plain TCP."},
    Table{"http", "HTTP requests before they become WebSocket connections, and proxies in front."},
    Table{"websocket", "Limits, heartbeat, compression and backpressure of every connection."},
    Table{"raw", "The raw protocol: plain WebSocket channels at `/raw/<channel>`."},
    Table{"native", "The native protocol `anywire.v1`: what `@anywire/client` speaks."},
    kLimitsTable,
    Table{"fallback",
          "Server-Sent Events and long-polling, for clients whose WebSocket is blocked."},
    kEngineTable,
    Table{"api", "The HTTP API, by which your application publishes, reads and reaches clients."},
    Table{"auth", "Who clients are. They prove it with a token (JWT) that your application signs."},
    Table{"history", "What is kept of messages, for all channels together."},
    kKeysTable,
    kChannelsTable,
    kFrontTable,
    Table{"contract", "What messages, presence info and rpc arguments must look like."},
    kAppTable,
    Table{"log", "Events on standard error."},
    kAppsTable,
};

constexpr string_view kExpectedCookie = "the name of a cookie, or empty";
constexpr string_view kExpectedUrl =
    "a URL such as \"https://idp.example/.well-known/jwks.json\", or empty";
constexpr string_view kExpectedCapability =
    R"(a JSON object of patterns with operations, such as {"room:*": ["subscribe"]})";

bool is_cookie_name(string_view text) { return text.empty() || http::is_token(text); }
bool is_fetch_url(string_view text) { return text.empty() || fetch::check_url(text).has_value(); }
bool is_capability(string_view text) { return auth::Capability::parse(text).has_value(); }

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
      {"server", "memory_max", SizeKind{at<kAt, &S::memory_max>, 0, 64 * 1024 * kGiB},
       "Resident memory of the process above which newcomers are answered with 503 and, if it "
       "grows by a tenth more, those who have the most unread are disconnected (1013), until it is "
       "below nine tenths. Set it to three quarters of what the machine or the container gives. 0 "
       "means no such limit."},
      {"server", "loop_lag_max", DurationKind{at<kAt, &S::loop_lag_max>, 0ms, 1min},
       "How late an event loop may be before it answers newcomers with 503; such as `500ms`. 0 "
       "means no such limit."},
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
      {"http", "allowed_origins",
       ListKind{at<kAt, &S::allowed_origins>, http::is_origin_pattern, kOrigins, 0},
       "Web pages that may connect, over WebSocket or not, by their origin. `https://*.example.com` "
       "means every name below, `http://localhost:*` any port, `*` anybody; `null` is the origin of "
       "sandboxed frames. Programs that are not browsers send no origin and always pass. What "
       "relies on cookies wants an origin that is named by more than `*` or `null`."},
      {"http", "allowed_hosts",
       ListKind{at<kAt, &S::allowed_hosts>, http::is_host_pattern, kHosts, 0},
       "The names this server is asked by (`Host`), on any port unless one is given; others are "
       "answered with 421. `local` means addresses and names that no page of the Internet can have "
       "(without a dot, or below `localhost`, `local`, `internal`, `home.arpa`). Empty means any."},
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
      {"raw", "access", one_of<kAt, &S::access>(kRawAccesses),
       "What a client without a token may do. `rules`: what the channel's rule allows `anyone`; "
       "`open`: that, and whatever a rule leaves to the `capability` of a token; `auto` is `open` "
       "as long as no key for tokens is configured, and `rules` then. Who shows a token may do "
       "what it allows, too."},
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
      {"native", "patterns_max", IntKind{at<kAt, &S::patterns_max>, 1, 100'000},
       "Patterns one connection may be subscribed to at a time; each counts as a channel, too."},
      {"native", "channel_name_bytes_max",
       SizeKind{at<kAt, &S::channel_name_bytes_max>, 1, 4 * kKiB},
       "Length of a channel's name in bytes."},
      {"native", "connect_timeout", DurationKind{at<kAt, &S::connect_timeout>, 100ms, 5min},
       "How long a client may take from opening the connection to saying who it is."},
  };
}

std::vector<Key> fallback_keys() {
  using S = FallbackSection;
  constexpr auto kAt = &Config::fallback;
  return {
      {"fallback", "heartbeat", DurationKind{at<kAt, &S::heartbeat>, 100ms, 5min},
       "Send a comment over an event stream that has been silent for so long. Below the idle limit "
       "of every proxy in front."},
      {"fallback", "poll_hold", DurationKind{at<kAt, &S::poll_hold>, 100ms, 5min},
       "Answer a poll after so long when there is nothing to tell. Below the idle limit of every "
       "proxy in front."},
      {"fallback", "stream_timeout", DurationKind{at<kAt, &S::stream_timeout>, 100ms, 1h},
       "Take a client for gone that has not polled for so long or, with an event stream, has read "
       "nothing for so long of what there was to read."},
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
      {"auth", "expiry_grace", DurationKind{at<kAt, &S::expiry_grace>, 0ms, 10min},
       "How long a connection lives on when its token has expired and no other one came."},
      {"auth", "cookie", TextKind{at<kAt, &S::cookie>, is_cookie_name, kExpectedCookie},
       "Name of a cookie that may hold the token. It counts only with an Origin that "
       "`http.allowed_origins` names. Empty means that cookies are not read."},
      {"auth", "jwks_url", TextKind{at<kAt, &S::jwks_url>, is_fetch_url, kExpectedUrl},
       "Where further keys are published, as a JWKS document, by who signs your users' tokens. "
       "Empty means nowhere."},
      {"auth", "jwks_refresh", DurationKind{at<kAt, &S::jwks_refresh>, 10s, 24h * 7},
       "How often that document is fetched. A token of a key that is not known has it fetched "
       "again at once, though not more than every 10 seconds."},
      {"auth", "jwks_stale", DurationKind{at<kAt, &S::jwks_stale>, 0ms, 24h * 30},
       "How long its keys stay valid while it cannot be fetched."},
      {"auth", "jwks_capability",
       TextKind{at<kAt, &S::jwks_capability>, is_capability, kExpectedCapability},
       "What tokens of those keys may do at most, as a key's `capability` says it for its own."},
      {"auth", "jwks_grants",
       TextKind{at<kAt, &S::jwks_grants>, is_capability, kExpectedCapability},
       "What all tokens of those keys may do, such as `{\"room:*\": [\"subscribe\"]}`; who signs "
       "them need not know of Anywire then."},
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
      {"history", "disk_max", SizeKind{at<kAt, &S::disk_max>, kMiB, 8 * 1024 * kGiB},
       "Size of that file. When it is reached, durable channels refuse publications until messages "
       "have had their time. Its log beside it takes up to 64 MiB more."},
      {"history", "idempotency_window", DurationKind{at<kAt, &S::idempotency_window>, 0ms, 24h},
       "How long a publication's idempotency key is remembered: a repetition within this time is "
       "answered with the position of the first. 0 means keys are ignored."},
      {"history", "idempotency_keys_max",
       IntKind{at<kAt, &S::idempotency_keys_max>, 1, 100'000'000},
       "Idempotency keys remembered at a time; beyond it the oldest are forgotten early."},
  };
}

std::vector<Key> channels_keys() {
  return {{"channels", "", RulesKind{&channel_list()}, "The whole list of channel rules."}};
}

std::vector<Key> keys_keys() {
  return {{"keys", "", RulesKind{&key_list()}, "The whole list of keys."}};
}

std::vector<Key> apps_keys() {
  return {{"apps", "", RulesKind{&app_list()}, "The whole list of apps."}};
}

std::vector<Key> contract_keys() {
  return {{"contract", "file", TextKind{at<&Config::contract, &ContractSection::file>},
           "Path of the contract that `npx anywire-contract` writes from your `define(...)`: the "
           "server refuses what its schemas refuse, and says where the fault is. See "
           "docs/validation.md. Empty means that nothing is checked."}};
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
                     limits_keys, fallback_keys, engine_keys, api_keys, auth_keys, history_keys,
                     keys_keys, channels_keys, front_keys, contract_keys, app_keys, log_keys,
                     apps_keys}) {
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

std::span<const MovedKey> moved_keys() {
  static constexpr std::array<MovedKey, 3> kMoved{{
      {"raw", "allowed_origins", "http.allowed_origins"},
      {"native", "messages_per_second", "limits.messages_per_connection"},
      {"native", "messages_burst", "limits.messages_per_connection"},
  }};
  return kMoved;
}

std::optional<string_view> moved_to(string_view table, string_view name) {
  for (const MovedKey& moved : moved_keys()) {
    if (moved.table == table && moved.name == name) return moved.now;
  }
  return std::nullopt;
}

bool is_reserved_variable(string_view variable) {
  constexpr std::array<string_view, 6> kNames{"ANYWIRE_CONFIG", "ANYWIRE_URL", "ANYWIRE_TOKEN",
                                              "ANYWIRE_KEY",    "ANYWIRE_BIN", "ANYWIRE_PORT"};
  constexpr std::array<string_view, 2> kPrefixes{"ANYWIRE_SERVICE_", "ANYWIRE_PORT_"};
  return std::find(kNames.begin(), kNames.end(), variable) != kNames.end() ||
         std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](string_view prefix) { return variable.starts_with(prefix); });
}

}  // namespace anywire::server
