// StallTimer: gives a client up that takes nothing of an answer which waits for it. Such a client
// would hold a connection to the application's server, or an open file, for as long as it likes.
//
// However little a client takes, taking it is enough: slow networks are not for us to judge.
//
// Thread: the loop's. Lifetime: a member of the exchange it watches. Limits: `timeout`, which is
// noticed after twice that at the latest; 0 means never.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "http/exchange.h"
#include "reactor/loop.h"

namespace anywire::front {

class StallTimer final : private reactor::Timer {
 public:
  StallTimer(reactor::Loop& loop, http::Exchange& exchange, Duration timeout)
      : loop_(loop), exchange_(exchange), timeout_(timeout) {}

  // From now on output waits for the client. Calls `abort` and then `on_gone` of the exchange, in a
  // turn of its own, unless `stop` comes before.
  void start() {
    if (timeout_.count() == 0 || armed()) return;
    progress_ = exchange_.progress();
    loop_.arm(*this, timeout_);
  }
  void stop() { disarm(); }

 private:
  void on_timer() override {
    if (!exchange_.pending()) return;
    if (exchange_.progress() != progress_) return start();
    exchange_.abort();
    exchange_.on_gone();
  }

  reactor::Loop& loop_;
  http::Exchange& exchange_;
  Duration timeout_;
  std::uint64_t progress_ = 0;
};

}  // namespace anywire::front
