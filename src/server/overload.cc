#include "server/overload.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "base/log.h"

namespace anywire::server {
namespace {

// To give memory back takes every heap's lock and walks it. After a disconnection it is done all
// the same: what has been freed would otherwise look as if it were still in use, and cost more
// readers their connections.
constexpr Duration kTrimInterval{1'000};
constexpr int kLateLooks = 2;     // until a loop is lagging
constexpr int kPunctualLooks = 10;  // until it is not

// The marks, in tenths.
std::size_t tenths(std::size_t max, std::size_t count) { return max / 10 * count; }

}  // namespace

std::size_t resident_bytes() {
  // Kept open: under pressure there may be no descriptor left.
  static const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::array<char, 128> text;
  const ssize_t size = fd < 0 ? -1 : ::pread(fd, text.data(), text.size(), 0);
  if (size <= 0) return 0;
  // "total resident ..." in pages.
  std::string_view rest(text.data(), static_cast<std::size_t>(size));
  rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
  std::size_t pages = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), pages);
  return pages * page;
}

void Overload::see(std::size_t resident) {
  if (options_.memory_max == 0 || resident == 0) return;
  resident_.store(resident, std::memory_order_relaxed);
  const std::size_t max = options_.memory_max;
  const Memory before = memory();
  Memory now = before;
  if (resident >= tenths(max, 11)) {
    now = Memory::kCritical;
  } else if (resident < tenths(max, 9)) {
    now = Memory::kEnough;
  } else if (before == Memory::kEnough && resident >= max) {
    now = Memory::kShort;
  }
  if (now == before) return;
  memory_.store(now, std::memory_order_relaxed);
  switch (now) {
    case Memory::kEnough:
      log::info("memory suffices again, newcomers are welcome", {{"resident", resident}});
      break;
    case Memory::kShort:
      log::warn("memory is short, turning newcomers away",
                {{"resident", resident}, {"memory_max", max}});
      break;
    case Memory::kCritical:
      log::error("memory is very short, disconnecting slow readers",
                 {{"resident", resident}, {"memory_max", max}});
      break;
  }
}

std::size_t Overload::excess_per_loop() const {
  if (memory() != Memory::kCritical) return 0;
  const std::size_t resident = resident_.load(std::memory_order_relaxed);
  const std::size_t wanted = tenths(options_.memory_max, 9);
  if (resident < wanted) return 0;
  return (resident - wanted) / std::max<std::size_t>(options_.loops, 1) + 1;
}

OverloadWatch::OverloadWatch(reactor::Loop& loop, Overload& overload, Deeds deeds)
    : loop_(loop), overload_(overload), deeds_(std::move(deeds)), due_(loop.now()) {
  // At once: how long it is until the loop runs for the first time is no lag.
  if (overload_.options().enabled()) loop_.arm(*this, Duration::zero());
}

void OverloadWatch::on_timer() {
  const bool is_first = trimmed_at_ == TimePoint();
  if (is_first) trimmed_at_ = loop_.now();
  if (!is_first) look_at_lag(loop_.now() - due_);
  if (overload_.options().memory_max != 0) look_at_memory();
  due_ = loop_.now() + kLookInterval;
  loop_.arm(*this, kLookInterval);
}

void OverloadWatch::look_at_lag(Duration lag) {
  const Duration max = overload_.options().loop_lag_max;
  if (max.count() == 0) return;
  const bool differs = lagging_ ? lag < max * 9 / 10 : lag >= max;
  looks_ = differs ? looks_ + 1 : 0;
  if (looks_ < (lagging_ ? kPunctualLooks : kLateLooks)) return;
  looks_ = 0;
  lagging_ = !lagging_;
  if (lagging_) {
    log::warn("the loop is late, turning newcomers away",
              {{"loop", loop_.index()}, {"lag_ms", lag}, {"loop_lag_max_ms", max}});
  } else {
    log::info("the loop is in time again, newcomers are welcome", {{"loop", loop_.index()}});
  }
}

void OverloadWatch::look_at_memory() {
  if (loop_.index() == 0) {
    std::size_t resident = deeds_.resident();
    const std::uint64_t disconnections = overload_.disconnections();
    const bool freed = disconnections != overload_.counted();
    // What is only kept for later is no reason to turn anybody away.
    if (resident >= tenths(overload_.options().memory_max, 9) &&
        (freed || loop_.now() - trimmed_at_ >= kTrimInterval)) {
      trimmed_at_ = loop_.now();
      deeds_.give_memory_back();
      resident = deeds_.resident();
    }
    overload_.see(resident);
    overload_.count(disconnections);
  }
  if (overload_.memory() == Overload::Memory::kCritical) disconnect_slowest();
}

void OverloadWatch::disconnect_slowest() {
  // Nobody knows yet what the last time has won.
  if (overload_.counted() < disconnected_) return;
  const std::size_t gone =
      deeds_.disconnect_slowest(overload_.excess_per_loop(), kClosedPerLookMax);
  if (gone == 0) return;
  disconnected_ = overload_.disconnected();
  static log::Limiter limiter(1);
  log::limited(limiter, loop_.now(), log::Level::kWarn, "slow readers disconnected",
               {{"loop", loop_.index()}, {"count", gone}});
}

}  // namespace anywire::server
