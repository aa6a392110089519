#include <fmt/format.h>

#include "client.h"
#include "measure.h"
#include "native.h"
#include "scenarios.h"

namespace anywire::bench {
namespace {

using namespace std::chrono_literals;

class Connect final : private ClientHandler {
 public:
  Connect(Engine& engine, const Options& options) : engine_(engine), options_(options) {}

  Result<Report> run() {
    if (!sign()) return std::unexpected(engine_error(engine_));
    // A tenth first, for the server's caches and pools.
    if (!cycle(options_.total / 10)) return std::unexpected(engine_error(engine_));
    latency_.clear();
    Measure measure(engine_, options_.pid);
    if (!cycle(options_.total)) return std::unexpected(engine_error(engine_));
    Report report(fmt::format("{} connect{} x{} concurrency {}", options_.name,
                              options_.anonymous ? " anonymous" : "", options_.total,
                              options_.concurrency));
    measure.finish(report, static_cast<double>(options_.total), "us/connection", "connections/s");
    report.add_latency(latency_);
    return report;
  }

 private:
  // Before anything is measured, so that it is all the same to the generator who shows a token. No
  // two connections show the same one.
  bool sign() {
    if (native_ == nullptr) return true;
    const auto count = static_cast<std::uint32_t>(options_.total + options_.total / 10);
    for (std::uint32_t client = 0; client < count; ++client) {
      auto hello = native_->hello(client, {});
      if (!hello) {
        engine_.fail(hello.error().message);
        return false;
      }
      hellos_.push_back(*std::move(hello));
    }
    return true;
  }

  bool cycle(std::size_t total) {
    wanted_ = total;
    started_ = 0;
    finished_ = 0;
    clients_.resize(options_.concurrency);
    started_at_.resize(options_.concurrency);
    for (std::uint32_t slot = 0; slot < clients_.size(); ++slot) start(slot);
    if (!engine_.run_until(
            [this] {
              restart_finished();
              return finished_ == wanted_;
            },
            120s)) {
      engine_.fail(fmt::format("only {} of {} cycles ended", finished_, wanted_));
      return false;
    }
    return true;
  }

  void start(std::uint32_t slot) {
    if (started_ == wanted_ || engine_.failed()) return;
    ClientHandler& self = *this;
    clients_[slot] = std::make_unique<Client>(engine_, self, slot);
    started_at_[slot] = now_ns();
    if (auto result = clients_[slot]->connect(static_cast<std::uint32_t>(socket_++)); !result) {
      engine_.fail(result.error().message);
    }
    ++started_;
  }

  // Outside the clients' callbacks, because it destroys them.
  void restart_finished() {
    for (const std::uint32_t slot : done_) start(slot);
    done_.clear();
  }

  void on_open(Client& client) override {
    if (native_ == nullptr) return client.close();
    client.send_text(hellos_[greeted_++]);
  }
  void on_message(Client& client, const Message& message) override {
    if (native_ == nullptr) return;
    NativeSeat seat;
    const auto taken = native_->take(as_text(message.head), seat);
    if (!taken) return engine_.fail(taken.error().message);
    if (!native_->joined(seat)) {
      return engine_.fail(fmt::format("this does not answer a connect: {}",
                                      as_text(message.head).substr(0, 200)));
    }
    client.close();
  }
  void on_closed(Client& client, bool orderly) override {
    if (!orderly) return engine_.fail("a connection ended without a closing handshake");
    ++finished_;
    latency_.add(now_ns() - started_at_[client.id()]);
    done_.push_back(client.id());
  }

  Engine& engine_;
  const Options& options_;
  Native* const native_ = engine_.options().native;
  std::vector<std::string> hellos_;  // one for each connection
  std::size_t greeted_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::uint64_t> started_at_;
  std::vector<std::uint32_t> done_;
  Histogram latency_;
  std::size_t wanted_ = 0;
  std::size_t started_ = 0;
  std::size_t finished_ = 0;
  std::uint64_t socket_ = 0;
};

}  // namespace

Result<Report> run_connect(Engine& engine, const Options& options) {
  return Connect(engine, options).run();
}

}  // namespace anywire::bench
