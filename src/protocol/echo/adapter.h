// EchoAdapter: endpoints that answer the sender alone. `/echo` does what the minimal Node server of
// many tutorials does (a greeting, `{"echo":...}`, `invalid json`); `/conformance/echo` returns
// every message unchanged and exists for test suites.
//
// Thread: the loop's. Lifetime: outlives its sessions.
#pragma once

#include "protocol/adapter.h"

namespace anywire::protocol::echo {

struct EchoOptions {
  bool echo = true;         // /echo
  bool root = false;        // the same at /
  bool conformance = false;  // /conformance/echo, and over Engine.IO at /engine.io/
  engine::Options engine;    // of the latter
};

class EchoAdapter final : public Adapter {
 public:
  explicit EchoAdapter(const EchoOptions& options) : options_(options) {}

  std::string_view name() const override { return "echo"; }
  std::optional<Route> route(const http::RequestHead& request, const Caller& caller) override;

 private:
  EchoOptions options_;
};

}  // namespace anywire::protocol::echo
