#include <fmt/format.h>

#include <algorithm>

#include "fleet.h"
#include "measure.h"
#include "scenarios.h"

namespace anywire::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBurst = 8;
constexpr std::uint64_t kLookNs = 50'000'000;

// Clients are numbered: first those that stop reading, then those that do not, of which the last
// publishes.
class Stalled final : private FleetHandler {
 public:
  Stalled(Engine& engine, const Options& options)
      : engine_(engine),
        options_(options),
        messages_(options.bytes / options.size),
        frame_({.payload_bytes = options.size, .text = true, .dialect = engine.options().dialect}),
        fleet_(engine, *this) {}

  Result<Report> run() {
    if (options_.pid == 0) return anywire::fail(ErrorCode::kInvalidArgument, "stalled needs --pid");
    if (!fleet_.open(options_.connections + options_.readers)) return failure();
    first_offset_ = fleet_.seats().front().offset + 1;
    engine_.run_for(options_.warmup);
    const std::uint64_t before = look();
    peak_ = before;
    Measure measure(engine_, options_.pid);
    if (!broadcast()) return failure();
    Report report(fmt::format("{} stalled x{} while {} MB are published", options_.name,
                              options_.connections, options_.bytes / 1'000'000));
    const auto growth = [before](std::uint64_t now) {
      return static_cast<double>(static_cast<std::int64_t>(now - before));
    };
    const auto once = static_cast<double>(std::min(options_.kept, messages_ * options_.size));
    report.add("growth", growth(peak_) / 1e6, "MB", 1);
    report.add("of_bytes_once", growth(peak_) / once, "x", 3);
    measure.finish(report, static_cast<double>(messages_ * options_.readers), "us/delivery",
                   "deliveries/s");
    peak_ = 0;
    if (!wake()) return failure();
    report.add("growth_waking", growth(peak_) / 1e6, "MB", 1);
    report.add("missed", static_cast<double>(missed()), "messages in all");
    fleet_.cut();
    if (engine_.failed()) return failure();
    return report;
  }

 private:
  std::unexpected<Error> failure() const { return std::unexpected(engine_error(engine_)); }

  bool broadcast() {
    if (!options_.stagger) stall(options_.connections);
    publish_burst();
    if (run_looking([this] { return published_ == messages_ && missing_ == 0; }, 120s)) return true;
    engine_.fail(fmt::format("after {} of {} messages {} deliveries to readers are missing",
                             published_, messages_, missing_));
    return false;
  }

  // So many have stopped reading then.
  void stall(std::size_t count) {
    for (; stalled_ < count; ++stalled_) fleet_.clients()[stalled_]->set_reading(false);
  }

  void publish_burst() {
    if (options_.stagger) stall(options_.connections * published_ / messages_);
    Client& publisher = *fleet_.clients().back();
    for (std::size_t i = 0; i < kBurst && published_ < messages_; ++i) {
      publisher.send(frame_, static_cast<std::uint32_t>(published_++));
      missing_ += options_.readers;
    }
  }

  bool wake() {
    const std::size_t count = std::min(options_.wake, options_.connections);
    const auto seat = [this](std::size_t i) -> const NativeSeat& { return fleet_.seats()[i]; };
    for (std::size_t i = 0; i < count; ++i) waking_ += seat(i).offset < last_offset();
    for (std::size_t i = 0; i < count; ++i) fleet_.clients()[i]->set_reading(true);
    if (run_looking([this] { return waking_ == 0; }, 120s)) return true;
    engine_.fail(
        fmt::format("{} of {} clients that read again have not caught up", waking_, count));
    return false;
  }

  std::uint64_t last_offset() const { return first_offset_ + messages_ - 1; }

  std::uint64_t missed() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < options_.connections; ++i) sum += fleet_.seats()[i].missed;
    return sum;
  }

  std::uint64_t look() {
    looked_at_ = now_ns();
    const auto memory = sample_memory(options_.pid);
    if (!memory) engine_.fail(memory.error().message);
    return memory ? memory->anonymous : 0;
  }

  // Keeps an eye on the server's memory meanwhile.
  template <typename Done>
  bool run_looking(Done done, std::chrono::nanoseconds limit) {
    const bool is_done = engine_.run_until(
        [&] {
          if (now_ns() - looked_at_ >= kLookNs) peak_ = std::max(peak_, look());
          return done();
        },
        limit);
    peak_ = std::max(peak_, look());
    return is_done;
  }

  void on_message(Client& client, const Message& message) override {
    NativeSeat& seat = fleet_.seat(client);
    const bool stalls = client.id() < options_.connections;
    const auto push = engine_.options().native->advance(as_text(message.head), seat);
    if (!push) return fail(client, push.error().message);
    if (!*push && !stalls) return fail(client, "reads, and has missed messages all the same");
    if (*push && !FrameTemplate::stamped(as_bytes((*push)->data), fleet_.clients().back()->id(),
                                         static_cast<std::uint32_t>(seat.offset - first_offset_))) {
      return fail(client, "a message is damaged");
    }
    if (stalls) {
      if (seat.offset == last_offset() && waking_ > 0) --waking_;
    } else if (--missing_ == 0) {
      publish_burst();
    }
  }

  void fail(const Client& client, std::string_view what) {
    engine_.fail(fmt::format("client {}: {}", client.id(), what));
  }

  Engine& engine_;
  const Options& options_;
  const std::size_t messages_;
  FrameTemplate frame_;
  Fleet fleet_;
  std::uint64_t first_offset_ = 0;
  std::size_t published_ = 0;
  std::size_t missing_ = 0;
  std::size_t stalled_ = 0;
  std::size_t waking_ = 0;
  std::uint64_t looked_at_ = 0;
  std::uint64_t peak_ = 0;
};

}  // namespace

Result<Report> run_stalled(Engine& engine, const Options& options) {
  return Stalled(engine, options).run();
}

}  // namespace anywire::bench
