// Front: what Anywire serves at paths that are not its own: files first, then the application's
// server; so that one origin is all a site needs.
//
// Thread: the loop's. Lifetime: outlives the connections it is given. Limits: those of Files and
// Proxy.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "front/files.h"
#include "front/proxy.h"

namespace anywire::front {

struct FrontOptions {
  std::string files;                  // the folder; empty: none
  std::optional<ProxyOptions> proxy;  // nothing: none
  Duration send_timeout{60'000};      // of Files
};

class Front {
 public:
  Front(net::FlushQueue& queue, const FrontOptions& options);

  // False, and nothing done, when nothing is served at this path. `lease` as Proxy::serve takes it.
  bool serve(http::Connection& connection, const http::RequestHead& head, http::Response& response,
             std::shared_ptr<void> lease = {});

  // Descriptors beside those of the clients' connections.
  std::size_t descriptors() const;
  void drain();

 private:
  bool serve_file(http::Connection& connection, const http::RequestHead& head,
                  http::Response& response);

  std::unique_ptr<Files> files_;
  std::unique_ptr<Proxy> proxy_;
};

}  // namespace anywire::front
