// The tests: each drives an engine to its end and reports. On a failure the engine says why.
//
// Thread: the caller's; returns when the run is over.
#pragma once

#include "base/result.h"
#include "engine.h"
#include "options.h"
#include "report.h"

namespace anywire::bench {

class Application;

// Every connection keeps `depth` requests in flight; each reply is checked.
Result<Report> run_echo(Engine& engine, const Options& options);
// One member publishes bursts, all receive them; nothing may be lost, doubled or out of order.
Result<Report> run_fanout(Engine& engine, const Options& options);
// Native clients publish and wait for the answers. With an application, which the server has to ask
// about every publication, and about none twice.
Result<Report> run_publish(Engine& engine, const Options& options, Application* application);
// The HTTP API over kept connections, one publication at a time on each.
Result<Report> run_http_publish(Engine& engine, const Options& options);
// Connections that do nothing: what they cost in memory, and what is left after they went.
Result<Report> run_idle(Engine& engine, const Options& options);
// Connect, upgrade, closing handshake, again and again; a native client's `connect` in between.
Result<Report> run_connect(Engine& engine, const Options& options);
// Native clients of which most stop reading while much is published: what that costs the server,
// and whether they miss anything that they are not told of.
Result<Report> run_stalled(Engine& engine, const Options& options);
// All native clients lose their connection, miss messages, and come back at once.
Result<Report> run_storm(Engine& engine, const Options& options);

inline Error engine_error(const Engine& engine) {
  return {ErrorCode::kIo, engine.failure(), 0};
}

}  // namespace anywire::bench
