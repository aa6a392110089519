// Engine: the loop the generator runs on, and what all its connections have in common.
//
// Thread: one; everything here and in the clients belongs to it. Lifetime: outlives its clients.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "dialect.h"
#include "net/flush_queue.h"
#include "reactor/loop.h"
#include "url.h"

namespace anywire::bench {

class Native;

struct EngineOptions {
  Url url;
  Dialect dialect = kPlainDialect;
  Native* native = nullptr;  // speaks for every client of a Fleet; null: nobody has to
  bool offer_deflate = false;
  bool use_io_uring = true;
};

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> create(const EngineOptions& options);

  const EngineOptions& options() const { return options_; }
  reactor::Loop& loop() { return *loop_; }
  net::FlushQueue& flush_queue() { return *flush_queue_; }
  const std::string& upgrade_request() const { return upgrade_request_; }
  const std::string& expected_accept() const { return expected_accept_; }

  // The first failure ends the run: a figure of a server that loses messages is worth nothing.
  void fail(std::string message) {
    if (failure_.empty()) failure_ = std::move(message);
  }
  bool failed() const { return !failure_.empty(); }
  const std::string& failure() const { return failure_; }

  // Runs the loop until `done()`, a failure, or the limit; true if done.
  template <typename Done>
  bool run_until(Done done, std::chrono::nanoseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!failed()) {
      if (done()) return true;
      if (std::chrono::steady_clock::now() >= end) return false;
      loop_->turn(kTurnMax);
    }
    return false;
  }
  void run_for(std::chrono::nanoseconds time) {
    run_until([] { return false; }, time);
  }

  // A connected-to-be socket for the n-th client; the source address is spread over 127.1.x.y
  // where the target is IPv4 loopback, because one address has only 28,000 ports.
  Result<int> open_socket(std::uint32_t n);

 private:
  static constexpr Duration kTurnMax{2};

  explicit Engine(const EngineOptions& options) : options_(options) {}

  EngineOptions options_;
  SystemClock clock_;
  std::unique_ptr<reactor::Loop> loop_;
  std::unique_ptr<net::FlushQueue> flush_queue_;
  std::string upgrade_request_;
  std::string expected_accept_;
  std::string failure_;
};

// Nanoseconds on the steady clock.
inline std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

}  // namespace anywire::bench
