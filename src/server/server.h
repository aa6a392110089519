// Server: the whole thing. Opens the listening sockets, starts one worker per loop, and waits for
// signals: SIGTERM and SIGINT drain and end, SIGHUP loads the certificate, its key and the keys for
// tokens anew.
//
// Thread: the main thread, which only waits; everything else happens on the workers.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/config.h"

namespace anywire::server {

struct ServerOptions {
  bool dev = false;  // print addresses for a person, serve the welcome page
  // The configuration as it is now, or what is wrong with it; for SIGHUP. Empty: it cannot change.
  std::function<std::expected<Config, std::vector<std::string>>()> reload_config = nullptr;
};

// Blocks until told to end. The error is one line for the operator: a taken port, an unreadable
// certificate.
Result<void> run(const Config& config, const ServerOptions& options);

}  // namespace anywire::server
