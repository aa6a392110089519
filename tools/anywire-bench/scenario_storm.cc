#include <fmt/format.h>

#include "fleet.h"
#include "measure.h"
#include "scenarios.h"

namespace anywire::bench {
namespace {

using namespace std::chrono_literals;

class Storm final : private FleetHandler {
 public:
  Storm(Engine& engine, const Options& options)
      : engine_(engine),
        options_(options),
        frame_({.payload_bytes = options.size, .text = true, .dialect = engine.options().dialect}),
        speaker_(engine, *this),
        before_(engine, *this),
        after_(engine, *this, options.connections) {}

  Result<Report> run() {
    if (!speaker_.open(1) || !before_.open(options_.connections) || !publish_to_nobody()) {
      return std::unexpected(engine_error(engine_));
    }
    std::vector<NativeSeat> seats;
    for (const NativeSeat& seat : before_.seats()) seats.push_back(seat.successor());
    Measure measure(engine_, options_.pid);
    began_at_ = now_ns();
    if (!come_back(std::move(seats))) return std::unexpected(engine_error(engine_));
    const double seconds = static_cast<double>(now_ns() - began_at_) / 1e9;
    const auto clients = static_cast<double>(options_.connections);
    Report report(fmt::format("{} storm of {} each missing {}", options_.name,
                              options_.connections, options_.messages));
    report.add("seconds", seconds, "s", 2);
    measure.finish(report, clients, "us/reconnect", "reconnects/s");
    report.add_latency(latency_);
    report.add("resumed", static_cast<double>(resumed_) / clients * 100, "%");
    // Whatever comes now is doubled.
    engine_.run_for(200ms);
    after_.close_all();
    speaker_.close_all();
    if (engine_.failed()) return std::unexpected(engine_error(engine_));
    return report;
  }

 private:
  Client& speaker() { return *speaker_.clients().front(); }

  // The speaker stays, and gets what it publishes, so it knows when all is in the history.
  bool publish_to_nobody() {
    before_.cut();
    away_ = true;
    for (std::uint32_t i = 0; i < options_.messages; ++i) speaker().send(frame_, i);
    if (engine_.run_until([this] { return speaker().expected == options_.messages; }, 20s)) {
      return true;
    }
    engine_.fail("what was published did not come back to its publisher");
    return false;
  }

  bool come_back(std::vector<NativeSeat> seats) {
    speaking_ = false;
    if (!after_.resume(std::move(seats))) return false;
    for (const NativeSeat& seat : after_.seats()) {
      if (!seat.recovered) engine_.fail("a client was told that messages are lost");
      if (seat.resumed) ++resumed_;
    }
    if (engine_.run_until([this] { return done_ == options_.connections; }, 60s)) return true;
    engine_.fail(fmt::format("only {} of {} clients have what they missed", done_,
                             options_.connections));
    return false;
  }

  void on_message(Client& client, const Message& message) override {
    Fleet& its = speaking_ ? speaker_ : after_;
    const auto push = engine_.options().native->advance(as_text(message.head), its.seat(client));
    if (!away_ || !push || !*push ||
        !FrameTemplate::stamped(as_bytes((*push)->data), speaker().id(), client.expected)) {
      return engine_.fail(fmt::format("client {}: {}", client.id(),
                                      push ? "a message is not the one missed"
                                           : push.error().message));
    }
    if (++client.expected != options_.messages || speaking_) return;
    ++done_;
    latency_.add(now_ns() - began_at_);
  }

  Engine& engine_;
  const Options& options_;
  FrameTemplate frame_;
  Fleet speaker_;
  Fleet before_;
  Fleet after_;
  Histogram latency_;
  std::uint64_t began_at_ = 0;
  std::size_t resumed_ = 0;
  std::size_t done_ = 0;
  bool away_ = false;     // the clients are gone, so messages may come
  bool speaking_ = true;  // and go to the speaker; afterwards to the others
};

}  // namespace

Result<Report> run_storm(Engine& engine, const Options& options) {
  return Storm(engine, options).run();
}

}  // namespace anywire::bench
