// The OpenAPI 3.1 document of the HTTP API, as `GET /api/v1/openapi.json` gives it: the text of
// openapi.json beside this, put into the binary by the build. tests/api holds it against the server
// in both directions.
#pragma once

#include <string_view>

namespace anywire::protocol::api {

extern const std::string_view kOpenApiDocument;

}  // namespace anywire::protocol::api
