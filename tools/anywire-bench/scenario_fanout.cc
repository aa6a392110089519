#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "fleet.h"
#include "measure.h"
#include "scenarios.h"
#include "websocket/deflate.h"

namespace anywire::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSurplus = 200;

class Fanout final : private FleetHandler {
 public:
  Fanout(Engine& engine, const Options& options)
      : engine_(engine),
        options_(options),
        frame_({.payload_bytes = options.size,
                .text = options.text || options.compressed || engine.options().dialect.text,
                .json_like = options.compressed,
                .dialect = engine.options().dialect}),
        fleet_(engine, *this),
        published_at_(options.outstanding) {}

  Result<Report> run() {
    if (!open_members()) return std::unexpected(engine_error(engine_));
    if (!probe()) return std::unexpected(engine_error(engine_));
    running_ = true;
    publish_burst();
    engine_.run_for(options_.warmup);
    deliveries_ = 0;
    latency_.clear();
    Measure measure(engine_, options_.pid);
    engine_.run_for(options_.duration);
    Report report(fmt::format("{} {}fanout {}{} B to {} outstanding {}", options_.name,
                              engine_.options().native != nullptr ? "native " : "",
                              options_.compressed ? "compressed " : "", options_.size,
                              options_.connections, options_.outstanding));
    measure.finish(report, static_cast<double>(deliveries_), "us/delivery", "deliveries/s");
    report.add_latency(latency_);
    if (options_.compressed) report.add("wire_bytes", static_cast<double>(compressed_.size()), "B");
    if (!engine_.failed() && deliveries_ == 0) engine_.fail("nothing was delivered");
    drain();
    fleet_.close_all();
    if (engine_.failed()) return std::unexpected(engine_error(engine_));
    return report;
  }

 private:
  Client& publisher() { return *fleet_.clients().front(); }

  bool open_members() {
    if (options_.placement == Placement::kAny) return fleet_.open(options_.connections);
    // The system spreads connections over the loops, more or less evenly; the surplus goes again.
    return fleet_.open(2 * options_.connections + kSurplus) && place_members();
  }

  // Keeps so many members on the right loops, the publisher first of all.
  bool place_members() {
    const auto loop_of = [this](const Client& client) {
      return loop_of_session(fleet_.seat(client).session).value_or(0);
    };
    // As hub::HubGroup finds the owner, of two loops.
    const auto owner =
        static_cast<std::uint32_t>(std::hash<std::string_view>{}(options_.channel) % 2);
    std::array<std::size_t, 2> room{};
    room[owner] = options_.placement == Placement::kSame     ? options_.connections
                  : options_.placement == Placement::kSpread ? options_.connections / 2
                                                             : 1;
    room[1 - owner] = options_.connections - room[owner];
    fleet_.keep([&](const Client& client) {
      const std::uint32_t loop = loop_of(client);
      return loop < room.size() && room[loop] > 0 && room[loop]-- > 0;
    });
    auto& members = fleet_.clients();
    const auto first = std::ranges::find_if(
        members, [&](const auto& client) { return loop_of(*client) == owner; });
    if (members.size() != options_.connections || first == members.end()) {
      engine_.fail("too few connections on one of the loops; the server needs --loops 2");
      return false;
    }
    std::swap(*first, members.front());
    return true;
  }

  // A member may still be on its way into the channel when its handshake is over; so single
  // messages go out until one of them has reached everybody. From there on counting is strict.
  bool probe() {
    // Each waits longer: a crowded machine may need seconds for ten thousand members.
    for (auto patience = 500ms; patience <= 16s; patience *= 2) {
      probed_ = 0;
      publisher().send(frame_, next_++);
      if (engine_.run_until([this] { return probed_ == fleet_.clients().size(); }, patience)) {
        for (auto& client : fleet_.clients()) client->expected = next_;
        return true;
      }
      if (engine_.failed()) return false;
    }
    engine_.fail(fmt::format("a message reached only {} of {} members", probed_,
                             fleet_.clients().size()));
    return false;
  }

  void publish_burst() {
    const std::uint64_t now = now_ns();
    missing_ = fleet_.clients().size() * options_.outstanding;
    for (std::size_t i = 0; i < options_.outstanding; ++i) {
      published_at_[next_ % options_.outstanding] = now;
      publisher().send(frame_, next_++);
    }
  }

  // The last burst is waited for, so that a loss in it is found as well.
  void drain() {
    running_ = false;
    if (!engine_.run_until([this] { return missing_ == 0; }, 20s)) {
      engine_.fail(fmt::format("{} deliveries of the last burst were lost", missing_));
    }
  }

  void on_message(Client& client, const Message& message) override {
    const bool probing = !running_ && missing_ == 0;
    const std::uint32_t number = probing ? next_ - 1 : client.expected;
    const bool right = engine_.options().native != nullptr ? native_matches(client, message, number)
                                                           : plain_matches(client, message, number);
    if (probing) {
      if (right) ++probed_;
      return;
    }
    if (!right) return fail(client, "is lost, doubled, out of order or damaged");
    latency_.add(now_ns() - published_at_[client.expected % options_.outstanding]);
    ++client.expected;
    ++deliveries_;
    if (--missing_ == 0 && running_) publish_burst();
  }

  bool plain_matches(Client& client, const Message& message, std::uint32_t number) {
    if (options_.compressed && !message.compressed) fail(client, "came uncompressed");
    const Bytes payload = message.compressed ? inflate(message) : message.head;
    const std::uint64_t length = message.compressed ? payload.size() : message.length;
    return length == frame_.wire_payload_bytes() &&
           frame_.matches(payload, publisher().id(), number);
  }

  // Here the offset says as well whether anything is missing.
  bool native_matches(Client& client, const Message& message, std::uint32_t number) {
    const auto push = engine_.options().native->advance(as_text(message.head), fleet_.seat(client));
    if (!push) fail(client, push.error().message);
    if (!push || !*push) return false;
    const std::string_view data = (*push)->data;
    return data.size() == options_.size &&
           FrameTemplate::stamped(as_bytes(data), publisher().id(), number);
  }

  void fail(Client& client, std::string_view what) {
    engine_.fail(fmt::format("member {}: message {} {}", client.id(), client.expected, what));
  }

  // Without context takeover all members get the same bytes, so that the first one's inflated
  // payload serves for all.
  Bytes inflate(const Message& message) {
    if (std::equal(message.head.begin(), message.head.end(), compressed_.begin(),
                   compressed_.end())) {
      return inflated_;
    }
    compressed_.assign(message.head.begin(), message.head.end());
    inflated_.clear();
    inflater_.reset();
    if (inflater_.inflate(message.head, true, 1 << 20, inflated_) != ws::InflateStatus::kOk) {
      engine_.fail("a compressed message cannot be inflated");
    }
    return inflated_;
  }

  Engine& engine_;
  const Options& options_;
  FrameTemplate frame_;
  Fleet fleet_;
  std::vector<std::uint64_t> published_at_;
  Histogram latency_;
  ws::Inflater inflater_;
  std::vector<std::uint8_t> compressed_;
  std::vector<std::uint8_t> inflated_;
  std::uint64_t deliveries_ = 0;
  std::size_t missing_ = 0;
  std::size_t probed_ = 0;
  std::uint32_t next_ = 0;
  bool running_ = false;
};

}  // namespace

Result<Report> run_fanout(Engine& engine, const Options& options) {
  return Fanout(engine, options).run();
}

}  // namespace anywire::bench
