#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>

#include "application.h"
#include "fleet.h"
#include "measure.h"
#include "scenarios.h"

namespace anywire::bench {
namespace {

// Each connection has `depth` places, and keeps one publication under way in each. A publication's
// id tells its place, because answers may come in any order.
class Publish final : private FleetHandler {
 public:
  Publish(Engine& engine, const Options& options, Application* application)
      : engine_(engine),
        options_(options),
        application_(application),
        native_(*engine.options().native),
        fleet_(engine, *this),
        places_(options.connections * options.depth),
        frame_(fmt::format(R"({{"type":"publish","channel":"{}","data":"{}","id":)",
                           options.channel, std::string(options.size, 'x'))),
        id_at_(frame_.size()) {}

  Result<Report> run() {
    if (!fleet_.open(options_.connections)) return std::unexpected(engine_error(engine_));
    for (auto& client : fleet_.clients()) {
      for (std::size_t i = 0; i < options_.depth; ++i) publish(*client, i + 1);
    }
    engine_.run_for(options_.warmup);
    const std::uint64_t before = answers_;
    latency_.clear();
    Measure measure(engine_, options_.pid);
    engine_.run_for(options_.duration);
    Report report(fmt::format("{} publish {} B x{} depth {}{}", options_.name, options_.size,
                              options_.connections, options_.depth,
                              application_ ? " through the hook" : ""));
    measure.finish(report, static_cast<double>(answers_ - before), "us/publish", "publishes/s");
    report.add_latency(latency_);
    const bool idle = answers_ == before;
    stopping_ = true;
    settle();
    if (idle) engine_.fail("no publication was acknowledged in the measured time");
    fleet_.close_all();
    if (engine_.failed()) return std::unexpected(engine_error(engine_));
    return report;
  }

 private:
  struct Place {
    std::uint64_t id = 0;  // of the publication under way; 0: none
    std::uint64_t sent_at = 0;
  };

  void publish(Client& client, std::uint64_t id) {
    frame_.resize(id_at_);
    fmt::format_to(std::back_inserter(frame_), "{}}}", id);
    place_of(client, id) = {.id = id, .sent_at = now_ns()};
    ++published_;
    client.send_text(frame_);
  }

  Place& place_of(const Client& client, std::uint64_t id) {
    return places_[client.id() * options_.depth + (id - 1) % options_.depth];
  }

  void on_message(Client& client, const Message& message) override {
    const auto answer = native_.published(as_text(message.head));
    if (!answer) {
      return engine_.fail(fmt::format("client {}: {}", client.id(), answer.error().message));
    }
    Place& place = place_of(client, answer->id);
    if (place.id != answer->id) {
      return engine_.fail(fmt::format("client {}: {} is acknowledged, which is not under way",
                                      client.id(), answer->id));
    }
    ++answers_;
    offset_min_ = std::min(offset_min_, answer->offset);
    offset_max_ = std::max(offset_max_, answer->offset);
    latency_.add(now_ns() - place.sent_at);
    place.id = 0;
    if (!stopping_) publish(client, answer->id + options_.depth);
  }

  // What is still under way is waited for, and then everything has to have happened once.
  void settle() {
    if (!engine_.run_until([this] { return answers_ == published_; }, options_.patience)) {
      return engine_.fail(fmt::format("only {} of {} publications were acknowledged", answers_,
                                      published_));
    }
    if (const std::uint64_t taken = offset_max_ - offset_min_ + 1; taken != published_) {
      return engine_.fail(fmt::format("{} publications have taken {} offsets", published_, taken));
    }
    if (application_ != nullptr && application_->questions() != published_) {
      engine_.fail(fmt::format("the application was asked about {} of {} publications",
                               application_->questions(), published_));
    }
  }

  Engine& engine_;
  const Options& options_;
  Application* const application_;
  Native& native_;
  Fleet fleet_;
  std::vector<Place> places_;
  std::string frame_;         // up to `id_at_` that of all publications
  const std::size_t id_at_;
  Histogram latency_;
  std::uint64_t published_ = 0;
  std::uint64_t answers_ = 0;
  std::uint64_t offset_min_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t offset_max_ = 0;
  bool stopping_ = false;
};

}  // namespace

Result<Report> run_publish(Engine& engine, const Options& options, Application* application) {
  return Publish(engine, options, application).run();
}

}  // namespace anywire::bench
