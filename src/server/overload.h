// Overload: what the server does when it has too much to do: it turns newcomers away (503, with a
// Retry-After that differs for each), and when memory grows on all the same, it disconnects those
// who have the most unread (1013), until there is room again. Who is connected and reads is served.
//
//   memory                           loop lag
//   >= max          newcomers        two looks in a row >= max   newcomers of that loop
//   >= 1.1 x max    slow readers     (to disconnect readers would not make a loop faster)
//   < 0.9 x max     over             a second below 0.9 x max    over
//
// Memory is what is resident, since that is what the system kills for, after what was freed was
// given back: what disconnecting has won is counted before anybody else is disconnected. Lag is how
// late a loop's timer fires: how long its turns are.
//
// Thread: Overload any; an OverloadWatch belongs to its loop. Lifetime: the Overload outlives the
// watches, and what is read and called outlives them, too. Limits: one look in kLookInterval; so
// many disconnected in a look as the excess demands, kClosedPerLookMax of a loop at most; no loop
// disconnects twice for one measurement.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/time.h"
#include "reactor/loop.h"

namespace anywire::server {

struct OverloadOptions {
  std::size_t memory_max = 0;  // 0: off
  Duration loop_lag_max{0};    // 0: off
  std::size_t loops = 1;       // that share the work

  bool enabled() const { return memory_max != 0 || loop_lag_max.count() != 0; }
};

// Of the process, in bytes; 0 when the system does not say.
std::size_t resident_bytes();

// The whole server's.
class Overload {
 public:
  enum class Memory : std::uint8_t { kEnough, kShort, kCritical };

  explicit Overload(const OverloadOptions& options) : options_(options) {}

  const OverloadOptions& options() const { return options_; }
  Memory memory() const { return memory_.load(std::memory_order_relaxed); }
  // How much has to go until it is over, for each loop; 0 unless it is critical.
  std::size_t excess_per_loop() const;

  // One loop looks. Says so when it has changed.
  void see(std::size_t resident);

  // A loop has disconnected somebody. Answers the number of that; a look that has counted as many
  // knows what it has won.
  std::uint64_t disconnected() { return disconnected_.fetch_add(1) + 1; }
  std::uint64_t disconnections() const { return disconnected_.load(); }
  void count(std::uint64_t disconnections) { counted_.store(disconnections); }
  std::uint64_t counted() const { return counted_.load(); }

 private:
  const OverloadOptions options_;
  std::atomic<Memory> memory_{Memory::kEnough};
  std::atomic<std::size_t> resident_{0};
  std::atomic<std::uint64_t> disconnected_{0};
  std::atomic<std::uint64_t> counted_{0};
};

class OverloadWatch final : private reactor::Timer {
 public:
  static constexpr Duration kLookInterval{100};
  static constexpr std::size_t kClosedPerLookMax = 256;

  struct Deeds {
    // Of loop 0 only.
    std::function<std::size_t()> resident;
    std::function<void()> give_memory_back;
    // Disconnects those with the most unread, until that many bytes or that many readers have
    // gone; answers how many.
    std::function<std::size_t(std::size_t bytes, std::size_t readers_max)> disconnect_slowest;
  };

  OverloadWatch(reactor::Loop& loop, Overload& overload, Deeds deeds);

  bool turns_newcomers_away() const {
    return lagging_ || overload_.memory() != Overload::Memory::kEnough;
  }

 private:
  void on_timer() override;
  void look_at_memory();
  void look_at_lag(Duration lag);
  void disconnect_slowest();

  reactor::Loop& loop_;
  Overload& overload_;
  const Deeds deeds_;
  TimePoint due_;
  TimePoint trimmed_at_;
  std::uint64_t disconnected_ = 0;  // the number of the last time it did
  bool lagging_ = false;
  int looks_ = 0;  // in a row that say the opposite
};

}  // namespace anywire::server
