// Config: everything an operator can set, as plain structs with the defaults of `anywire serve`.
//
// One member here is one entry in server/config_schema.cc, which names, checks and documents it;
// the file, the environment and the flags are all driven from there. Code below server/ takes its
// own small option structs, so nothing but the wiring reads this one.
//
// Thread: plain data. Built once at start-up and on reload, then passed by const reference.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/time.h"
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

struct RawSection {
  bool enabled = true;          // /raw/<channel>
  RawRoot root;
  bool root_greeting = false;   // send {"hello":"world"} to whoever connects to "/"
  bool echo = true;             // the /echo endpoint
  bool conformance = false;     // the /conformance/echo endpoint: every message back, unchanged
  std::size_t channel_name_bytes_max = 200;  // 1..4 KiB, percent-decoded
  // Exact origins (https://example.com), or "*" for any. A request without Origin is not from a
  // browser and passes.
  std::vector<std::string> allowed_origins = {"*"};
};

// Tokens, see auth/jwt.h. Without a secret none is valid.
struct AuthSection {
  std::string hs256_secret;       // at least 32 bytes, or empty; never shown
  std::string hs256_secret_file;  // or the file it is in
  std::string issuer;             // what `iss` must be; empty: anything
  std::string audience;           // what `aud` must have; empty: anything
  Duration leeway{30'000};        // how far clocks may differ, 0..10 min
  bool expiry_required = true;    // refuse tokens without `exp`
  bool anonymous = false;         // native protocol: connections without a token
};

struct NativeSection {
  bool enabled = true;
  std::string path = "/anywire";
  Duration session_window{120'000};      // a lost session may be resumed for so long, 0..24 h
  int messages_per_frame_max = 100;      // in one frame of a client, 1..10,000
  int channels_per_connection_max = 128;     // 1..100,000
  std::size_t channel_name_bytes_max = 255;  // 1..4 KiB
  Duration connect_timeout{10'000};      // from the upgrade to a valid connect, 100 ms..5 min
};

struct HistorySection {
  std::size_t memory_max = 256 * 1024 * 1024;  // of all channels together, 1 MiB..1 TiB
  std::string path;                            // SQLite file for durable channels; empty: none
  Duration idempotency_window{300'000};        // 0 (off)..24 h
  int idempotency_keys_max = 100'000;          // remembered at a time, 1..100,000,000
};

struct LogSection {
  log::Level level = log::Level::kInfo;
  log::Format format = log::Format::kAuto;
};

struct Config {
  ServerSection server;
  TlsSection tls;
  HttpSection http;
  WebSocketSection websocket;
  RawSection raw;
  NativeSection native;
  AuthSection auth;
  HistorySection history;
  // The rules as written, and the one behind them, which is also what a rule starts from:
  // hub::Rules(config.channels, config.channel_defaults).
  std::vector<hub::ChannelRule> channels;
  hub::ChannelRule channel_defaults;
  LogSection log;
};

// The defaults of `anywire dev`: both loopback addresses at `port`, the seed's greeting and a
// channel at "/", any origin, connections without a token that may do anything, logs for a person.
Config dev_config(int port = 3001);

// Every contradiction between fields, one sentence each, empty when there is none. Ranges of single
// fields are the schema's business and are not checked again here.
std::vector<std::string> validate(const Config& config);

}  // namespace anywire::server
