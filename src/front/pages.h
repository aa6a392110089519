// The pages that are shown instead of the application's while its server does not answer.
//
// A browser gets HTML and everything else a line of text. What the server's address is, and what to
// do, is only said where `explain` is set (`anywire dev`): on the internet it is nobody's business.
//
// Thread: pure functions. Lifetime: nothing is kept. Limits: text from a configuration is escaped.
#pragma once

#include <string_view>

#include "front/upstream.h"
#include "http/exchange.h"

namespace anywire::front {

struct PageOptions {
  std::string_view upstream;  // as configured
  bool html = false;
  bool explain = false;
};

// One clause for the log.
std::string_view describe(UpstreamFailure failure);

// 502, or 504 for kTimeout.
http::Response failure_page(UpstreamFailure failure, std::string_view detail,
                            const PageOptions& options);

// 503: as many connections to the server as there may be.
http::Response busy_page();

}  // namespace anywire::front
