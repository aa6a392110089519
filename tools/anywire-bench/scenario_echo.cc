#include <fmt/format.h>

#include "fleet.h"
#include "measure.h"
#include "scenarios.h"

namespace anywire::bench {
namespace {

class Echo final : private FleetHandler {
 public:
  Echo(Engine& engine, const Options& options)
      : engine_(engine),
        options_(options),
        frame_({.payload_bytes = options.size,
                .text = options.text || engine.options().dialect.text,
                .dialect = engine.options().dialect}),
        fleet_(engine, *this),
        sent_at_(options.connections * options.depth) {}

  Result<Report> run() {
    if (!fleet_.open(options_.connections)) return std::unexpected(engine_error(engine_));
    for (auto& client : fleet_.clients()) {
      for (std::size_t i = 0; i < options_.depth; ++i) send(*client);
    }
    engine_.run_for(options_.warmup);
    replies_ = 0;
    latency_.clear();
    Measure measure(engine_, options_.pid);
    engine_.run_for(options_.duration);
    Report report(fmt::format("{} echo {} B x{} depth {}", options_.name, options_.size,
                              options_.connections, options_.depth));
    measure.finish(report, static_cast<double>(replies_), "us/message", "messages/s");
    report.add_latency(latency_);
    if (!engine_.failed() && replies_ == 0) engine_.fail("no reply came");
    stopping_ = true;
    fleet_.close_all();
    if (engine_.failed()) return std::unexpected(engine_error(engine_));
    return report;
  }

 private:
  void send(Client& client) {
    sent_at_[client.id() * options_.depth + client.sent % options_.depth] = now_ns();
    client.send(frame_, client.sent++);
  }

  void on_message(Client& client, const Message& message) override {
    if (stopping_) return;
    const std::uint32_t number = client.expected++;
    if (message.length != frame_.wire_payload_bytes() ||
        !frame_.matches(message.head, client.id(), number)) {
      return engine_.fail(fmt::format("connection {}: reply {} is not what was sent ({} bytes)",
                                      client.id(), number, message.length));
    }
    ++replies_;
    const std::uint64_t now = now_ns();
    latency_.add(now - sent_at_[client.id() * options_.depth + number % options_.depth]);
    sent_at_[client.id() * options_.depth + client.sent % options_.depth] = now;
    client.send(frame_, client.sent++);
  }

  Engine& engine_;
  const Options& options_;
  FrameTemplate frame_;
  Fleet fleet_;
  std::vector<std::uint64_t> sent_at_;
  Histogram latency_;
  std::uint64_t replies_ = 0;
  bool stopping_ = false;
};

}  // namespace

Result<Report> run_echo(Engine& engine, const Options& options) {
  return Echo(engine, options).run();
}

}  // namespace anywire::bench
