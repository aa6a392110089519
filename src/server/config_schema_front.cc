// The keys of [front]; see config_schema.h.

#include "front/target.h"
#include "server/config_accessors.h"
#include "server/config_schema.h"

namespace anywire::server {

std::vector<Key> front_keys() {
  using namespace std::chrono_literals;
  using S = FrontSection;
  constexpr auto kAt = &Config::front;
  return {
      {"front", "upstream",
       TextKind{at<kAt, &S::upstream>, front::is_upstream,
                "an address such as \"http://127.0.0.1:3000\", \"http://web:3000\" or "
                "\"unix:/run/next.sock\", without a path"},
       "Your application's server, such as `next start` or `next dev`. Every request whose path is "
       "not Anywire's own goes there and its answer comes back, both as they stream; so do "
       "WebSocket upgrades. It is told who the client is in `X-Forwarded-For`, `-Proto`, `-Host` "
       "and `Forwarded`. Empty means none."},
      {"front", "files", TextKind{at<kAt, &S::files>},
       "A folder that is served as a web site, such as `out` of an exported Next.js application. "
       "Where there is an upstream, too, it gets what is not a file. Empty means none."},
      {"front", "upstream_timeout", DurationKind{at<kAt, &S::upstream_timeout>, 0ms, 1h},
       "How long the upstream may take from the end of a request to the head of its answer, or to "
       "take the next part of a request's body, before the client gets a 504. Once an answer has "
       "begun it may take any time. 0 means no limit."},
      {"front", "connect_timeout", DurationKind{at<kAt, &S::connect_timeout>, 10ms, 5min},
       "How long a connection to the upstream may take to be made, before the client gets a 502."},
      {"front", "connections_max", IntKind{at<kAt, &S::connections_max>, 1, 1'000'000},
       "Connections each loop may have to the upstream at a time, those of passed-on WebSockets "
       "counted twice; a request that would need one more is answered with 503. They count in "
       "`server.connections_max`, too."},
      {"front", "body_bytes_max", SizeKind{at<kAt, &S::body_bytes_max>, 0, 1024 * kGiB},
       "Size of a request's body on its way to the upstream; more is answered with 413. It is "
       "streamed, so its size costs no memory here. 0 means any size."},
      {"front", "body_timeout", DurationKind{at<kAt, &S::body_timeout>, 0ms, 1h},
       "How long a client may pause within such a body, before it gets a 408. 0 means no limit."},
      {"front", "send_timeout", DurationKind{at<kAt, &S::send_timeout>, 0ms, 1h},
       "How long a client may take nothing of an answer that waits for it, before its connection "
       "is ended; however little it takes is enough. Goes for the upstream's answers and for "
       "files. 0 means no limit."},
  };
}

}  // namespace anywire::server
