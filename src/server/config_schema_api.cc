// The keys of [api]; see config_schema.h.

#include "server/config_accessors.h"
#include "server/config_schema.h"
#include "server/config_value.h"

namespace anywire::server {

std::vector<Key> api_keys() {
  using S = ApiSection;
  constexpr auto kAt = &Config::api;
  return {
      {"api", "enabled", BoolKind{at<kAt, &S::enabled>},
       "Serve the HTTP API. Whoever calls it shows a key's secret or a token, so without keys "
       "nobody can."},
      {"api", "path",
       TextKind{at<kAt, &S::path>, is_url_path, "a path such as \"/api/v1\", not \"/\" alone"},
       "Where the API begins; its document is at `openapi.json` below it."},
      {"api", "body_bytes_max", SizeKind{at<kAt, &S::body_bytes_max>, kKiB, kGiB},
       "Size of a request's body; more is answered with 413. A message that is sent as base64 "
       "takes a third more than it has."},
      {"api", "batch_max", IntKind{at<kAt, &S::batch_max>, 1, 10'000},
       "Publications in one batch, and channels of one broadcast."},
  };
}

}  // namespace anywire::server
