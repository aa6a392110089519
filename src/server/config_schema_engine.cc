// The keys of [engine]; see config_schema.h.

#include "http/request.h"
#include "server/config_accessors.h"
#include "server/config_schema.h"

namespace anywire::server {
namespace {

bool is_transport(std::string_view text) { return text == "polling" || text == "websocket"; }
bool is_cookie_name(std::string_view text) { return text.empty() || http::is_token(text); }

}  // namespace

std::vector<Key> engine_keys() {
  using namespace std::chrono_literals;
  using S = EngineSection;
  constexpr auto kAt = &Config::engine;
  return {
      {"engine", "ping_interval", DurationKind{at<kAt, &S::ping_interval>, 50ms, 5min},
       "Ask a client for a sign of life so long after its last one. A poll lasts no longer, so "
       "below the idle limit of every proxy in front."},
      {"engine", "ping_timeout", DurationKind{at<kAt, &S::ping_timeout>, 50ms, 5min},
       "End a session whose client has not answered for so long."},
      {"engine", "upgrade_timeout", DurationKind{at<kAt, &S::upgrade_timeout>, 100ms, 5min},
       "How long a WebSocket may take to become that of a session on polls."},
      {"engine", "connect_timeout", DurationKind{at<kAt, &S::connect_timeout>, 100ms, 5min},
       "How long a handshake may wait for its answer."},
      {"engine", "max_payload", SizeKind{at<kAt, &S::max_payload>, kKiB, kGiB},
       "Longest body of a POST, and longest WebSocket message; clients are told."},
      {"engine", "transports",
       ListKind{at<kAt, &S::transports>, is_transport, "transports, \"polling\" or \"websocket\"",
                1},
       "What clients may use."},
      {"engine", "upgrades", BoolKind{at<kAt, &S::upgrades>},
       "Whether a session on polls may go on by WebSocket."},
      {"engine", "cookie",
       TextKind{at<kAt, &S::cookie>, is_cookie_name, "the name of a cookie, or nothing"},
       "Name of a cookie that holds the session's id, for balancers that want one. Anywire does "
       "not need it: any of its loops takes any request."},
      {"engine", "compression_bytes_min", SizeKind{at<kAt, &S::compression_bytes_min>, 0, kGiB},
       "Shortest answer to a poll that is compressed, for clients that take gzip. `0` compresses "
       "none."},
  };
}

}  // namespace anywire::server
