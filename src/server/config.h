// Config: everything an operator can set, as plain structs with the defaults of `anywire serve`.
//
// One member here is one entry in server/config_schema.cc, which names, checks and documents it;
// the file, the environment and the flags are all driven from there. Code below server/ takes its
// own small option structs, so nothing but the wiring reads this one.
//
// Thread: plain data. Built once at start-up and on reload, then passed by const reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "auth/key.h"
#include "base/log.h"
#include "base/time.h"
#include "base/token_bucket.h"
#include "hub/rules.h"

namespace anywire::server {

enum class TlsVersion { k12, k13 };
enum class ProxyProtocol { kOff, kV1, kV2, kAny };
// kShared compresses each message on its own, so that one compressed copy serves every member of
// a channel and no connection keeps a dictionary; kDedicated keeps a window per connection, which
// compresses better and costs about 320 KiB each (RFC 7692 7.1.1, context takeover).
enum class Compression { kOff, kShared, kDedicated };

struct ServerSection {
  // host:port, [v6]:port or unix:/path. `localhost:port` has been replaced by both loopback
  // addresses by the time load() returns.
  std::vector<std::string> listen = {"127.0.0.1:3001"};
  int loops = 0;                 // event loops, 0..256; 0 means one per core
  int backlog = 4096;            // length of the accept queue, 1..65535
  bool reuse_port = true;        // one listening socket per loop; off: the first loop accepts
  int connections_max = 0;       // 0..10,000,000; 0 means as many as descriptors allow
  int connections_per_address_max = 0;  // 0..10,000,000; 0 means no limit
  Duration drain_timeout{5'000};         // wait for closing handshakes at SIGTERM, 0..1 h
  Duration memory_trim_interval{5'000};  // give freed memory back this often, 0 (never)..1 h
  std::size_t memory_max = 0;  // resident; beyond it newcomers are refused, 0 (off)..64 TiB
  Duration loop_lag_max{0};    // a loop's delay beyond which they are, 0 (off)..1 min
};

struct TlsSection {
  std::string certificate;                // PEM file with the chain; empty means plain TCP
  std::string key;                        // PEM file with the private key
  TlsVersion min_version = TlsVersion::k12;

  bool enabled() const { return !certificate.empty(); }
};

struct HttpSection {
  std::size_t head_bytes_max = 16 * 1024;  // request line and headers together, 1 KiB..1 MiB
  int headers_max = 100;                   // header fields, 8..1,000
  Duration head_timeout{10'000};           // for a whole head, TLS included, 100 ms..5 min
  Duration keep_alive_timeout{30'000};     // between two requests, 0 (close after one)..1 h
  std::vector<std::string> trusted_proxies;  // addresses or CIDR blocks
  ProxyProtocol proxy_protocol = ProxyProtocol::kOff;  // for every listening address
  // See http::OriginList and http::HostList. A request without Origin is not from a browser's page
  // and passes.
  std::vector<std::string> allowed_origins = {"*"};
  std::vector<std::string> allowed_hosts;  // empty: any
};

struct WebSocketSection {
  std::size_t message_bytes_max = 1024 * 1024;  // whole message, decompressed, 1 B..1 GiB
  Duration idle_timeout{0};           // close without a message for so long, 0 (never)..24 h
  Duration ping_interval{25'000};     // silence before a ping is sent, 0 (never)..1 h
  Duration ping_timeout{20'000};      // wait for anything after a ping, 100 ms..10 min
  Duration close_timeout{5'000};      // wait for the peer's Close frame, 100 ms..1 min
  Compression compression = Compression::kShared;
  int compression_level = 3;          // of zlib, 1..9
  std::size_t compression_bytes_min = 256;  // smaller messages go out plain, 0..1 MiB
  int server_window_bits = 15;        // log2 of our window, 9..15
  int client_window_bits = 15;        // log2 of the peer's window, 9..15
  std::size_t low_watermark = 64 * 1024;    // unsent bytes; reading resumes at or below, 0..1 GiB
  std::size_t high_watermark = 256 * 1024;  // unsent bytes; reading pauses above, 1 KiB..1 GiB
  std::size_t queue_bytes_max = 2 * 1024 * 1024;  // unsent bytes, hard limit, 4 KiB..2 GiB
};

// What answers WebSocket connections to "/".
struct RawRoot {
  enum class Kind { kOff, kEcho, kChannel };
  Kind kind = Kind::kOff;
  std::string channel;  // with kChannel

  bool operator==(const RawRoot&) const = default;
};

// Who may use raw channels without a token. kOpen: whoever a channel's rule lets in, and everybody
// where the rule wants a capability, as if there were no tokens; kRules: whoever the rule lets in;
// kAuto: kRules as soon as there are keys.
enum class RawAccess { kAuto, kRules, kOpen };

struct RawSection {
  bool enabled = true;          // /raw/<channel>
  RawAccess access = RawAccess::kAuto;
  RawRoot root;
  bool root_greeting = false;   // send {"hello":"world"} to whoever connects to "/"
  bool echo = true;             // the /echo endpoint
  bool conformance = false;     // the /conformance/echo endpoint: every message back, unchanged
  std::size_t channel_name_bytes_max = 200;  // 1..4 KiB, percent-decoded
};

// One of [[keys]]. `kid` of tokens and user name of the HTTP API is its name.
struct KeySection {
  std::string name;                // 1..255 bytes of plain text
  auth::Algorithm algorithm = auth::Algorithm::kHs256;
  std::string secret;              // HS...: at least 32 bytes; never shown
  std::string secret_file;         // or the file it is in
  std::string public_key_file;     // the others: PEM
  std::string capability = R"({"*": ["*", "manage"]})";  // what its tokens may do at most
  std::string grants = "{}";       // what they may do though they do not say so
};

// Tokens, see auth/jwt.h. Without a key none is valid.
struct AuthSection {
  std::string hs256_secret;       // at least 32 bytes, or empty; never shown
  std::string hs256_secret_file;  // or the file it is in
  std::string issuer;             // what `iss` must be; empty: anything
  std::string audience;           // what `aud` must have; empty: anything
  Duration leeway{30'000};        // how far clocks may differ, 0..10 min
  bool expiry_required = true;    // refuse tokens without `exp`
  Duration expiry_grace{10'000};  // from `exp` to the end of the connection, 0..10 min
  std::string cookie;             // the name of a cookie that may hold the token; empty: none may
  std::string jwks_url;           // further keys; empty: none
  Duration jwks_refresh{600'000};   // how often they are fetched, 10 s..7 d
  Duration jwks_stale{86'400'000};  // how long they outlive a server that does not answer, 0..30 d
  std::string jwks_capability = R"({"*": ["*"]})";  // as those of a key, for all of them
  std::string jwks_grants = "{}";
  bool anonymous = false;         // native protocol: connections without a token
};

struct NativeSection {
  bool enabled = true;
  std::string path = "/anywire";
  Duration session_window{120'000};      // a lost session may be resumed for so long, 0..24 h
  int messages_per_frame_max = 128;      // in one frame of a client, 1..10,000
  int channels_per_connection_max = 128;     // 1..100,000
  int patterns_max = 32;                     // 1..100,000; of one connection, among its channels
  std::size_t channel_name_bytes_max = 255;  // 1..4 KiB
  Duration connect_timeout{10'000};      // from the upgrade to a valid connect, 100 ms..5 min
};

// How fast clients may do things, see protocol/limits.h; all of them off unless they are set.
// <what>_per_<whom>.
struct LimitsSection {
  Rate connects_per_user, connects_per_address, connects_per_app;
  Rate messages_per_connection, messages_per_user, messages_per_address, messages_per_app;
  Rate bytes_per_connection, bytes_per_user, bytes_per_address, bytes_per_app;
  Rate subscribes_per_connection, subscribes_per_user, subscribes_per_address, subscribes_per_app;
  Rate presence_per_connection, presence_per_user, presence_per_address, presence_per_app;
  int connections_per_user_max = 0;           // 0 (any number)..1,000,000
  int presence_channels_per_connection_max = 0;  // 0 (any number)..100,000
};

// What is served at paths that are not Anywire's own, see front/front.h.
struct FrontSection {
  std::string upstream;                // the application's server, see front/target.h; empty: none
  std::string files;                   // a folder with an exported site; empty: none
  Duration upstream_timeout{60'000};   // to the head of its answer, 0..1 h
  Duration connect_timeout{5'000};     // 10 ms..5 min
  int connections_max = 1024;          // to it, per loop, 1..1,000,000
  std::size_t body_bytes_max = 0;      // of a request, 0 (any)..1 TiB
  Duration body_timeout{60'000};       // for the next part of one, 0 (never)..1 h
  Duration send_timeout{60'000};       // a client takes nothing of an answer, 0 (never)..1 h
};

// Clients whose WebSocket is blocked, see protocol/transport/http_streams.h.
struct FallbackSection {
  Duration heartbeat{15'000};       // silence of an event stream before a comment, 100 ms..5 min
  Duration poll_hold{25'000};       // a poll without messages is answered after it, 100 ms..5 min
  Duration stream_timeout{30'000};  // nobody polls, or reads what there is, 100 ms..1 h
};

// Engine.IO, see protocol/transport/engine/options.h.
struct EngineSection {
  Duration ping_interval{25'000};    // 50 ms..5 min
  Duration ping_timeout{20'000};     // 50 ms..5 min
  Duration upgrade_timeout{10'000};  // 100 ms..5 min
  Duration connect_timeout{45'000};  // 100 ms..5 min
  std::size_t max_payload = 1'000'000;  // 1 KiB..1 GiB
  std::vector<std::string> transports{"polling", "websocket"};
  bool upgrades = true;
  std::string cookie;                // empty: none
  std::size_t compression_bytes_min = 1024;  // of an answer, 0 (never)..1 GiB
};

// The HTTP API, see protocol/api/adapter.h.
struct ApiSection {
  bool enabled = true;
  std::string path = "/api/v1";
  std::size_t body_bytes_max = 2 * 1024 * 1024;  // 1 KiB..1 GiB
  int batch_max = 100;  // publications of a batch, channels of a broadcast, 1..10,000
};

struct HistorySection {
  std::size_t memory_max = 256 * 1024 * 1024;  // of all channels together, 1 MiB..1 TiB
  std::string path;                            // SQLite file for durable channels; empty: none
  std::size_t disk_max = std::size_t{16} << 30;  // of that file, 1 MiB..8 TiB
  Duration idempotency_window{300'000};        // 0 (off)..24 h
  int idempotency_keys_max = 100'000;          // remembered at a time, 1..100,000,000
};

// The application's contract, see server/contract_file.h.
struct ContractSection {
  std::string file;  // as `npx anywire-contract` writes it; empty: none
};

// The customer's application, see docs/hooks.md.
enum class Verdict { kDeny, kAllow };

struct AppSection {
  std::string url;                  // where hooks go; empty: nobody is asked
  std::string secret;               // at least 32 bytes; never shown
  std::string secret_file;          // or the file it is in
  std::string ca_file;              // PEM; empty: what the system trusts
  std::vector<std::string> hooks;   // "connect", "rpc", "events"
  Duration timeout{5'000};          // 10 ms..1 min
  Verdict unavailable = Verdict::kDeny;
  int requests_max = 64;            // at a time, per loop, 1..10,000
  int queue_max = 1000;             // waiting behind them, per loop, 0..1,000,000
  std::size_t queue_bytes_max = 64 * 1024 * 1024;  // of all these, per loop, 64 KiB..64 GiB
};

// One of [[apps]]: a further application in this process, see server/config_apps.h.
struct AppEntry {
  std::string name;                // 1..32 of a-z, 0-9, -
  std::string config;              // the file with what it has of its own
  std::string path;                // "/shop": what its paths begin with; empty: no path is its
  std::vector<std::string> hosts;  // http::HostList; empty: no host is its
};

struct LogSection {
  log::Level level = log::Level::kInfo;
  log::Format format = log::Format::kAuto;
};

// Counted from 1; 0 where there is no file.
struct SourcePosition {
  std::uint32_t line = 0, column = 0;
};

// Where the elements of a list of tables were written, for messages about them: the channel rules,
// the keys.
struct RuleSources {
  struct Rule {
    SourcePosition at;
    std::map<std::string, SourcePosition, std::less<>> keys;  // those that are there
  };
  std::string name;         // of the file, the variable or the flag; empty when nobody knows
  std::vector<Rule> rules;  // as many as rules, or none
};

struct Config {
  ServerSection server;
  TlsSection tls;
  HttpSection http;
  WebSocketSection websocket;
  RawSection raw;
  NativeSection native;
  LimitsSection limits;
  FallbackSection fallback;
  EngineSection engine;
  ApiSection api;
  FrontSection front;
  AuthSection auth;
  HistorySection history;
  // The rules as written, and the one behind them, which is also what a rule starts from:
  // hub::Rules(config.channels, config.channel_defaults).
  std::vector<hub::ChannelRule> channels;
  hub::ChannelRule channel_defaults;
  RuleSources channel_sources;
  std::vector<KeySection> keys;
  KeySection key_defaults;
  RuleSources key_sources;
  ContractSection contract;
  AppSection app;
  LogSection log;
  std::vector<AppEntry> apps;
  AppEntry app_defaults;
  RuleSources app_sources;
  // What the files of `apps` say, one for each, with what the process has in common filled in.
  // They have no apps.
  std::vector<Config> app_configs;
};

// Whether some token may be valid.
bool has_keys(const Config& config);

// The defaults of `anywire dev`: both loopback addresses at `port`, the seed's greeting and a
// channel at "/", any origin, connections without a token that may do anything, logs for a person.
Config dev_config(int port = 3001);

// Every contradiction between fields, one sentence each, empty when there is none; about a channel
// rule with its place in front. Ranges of single fields are the schema's business and are not
// checked again here.
std::vector<std::string> validate(const Config& config);

}  // namespace anywire::server
