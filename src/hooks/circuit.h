// Circuit: whether it is worth asking an application that has failed.
//
//   closed --kFailuresMax failures in a row--> open --time--> half-open --success--> closed
//                                                ^-- a failure: twice the time --'
//
// Open, nobody is asked and nobody waits. Half-open, one question is let through as a probe. An
// answer to a question asked before it opened closes it, too: the application is well.
//
// Thread: one at a time; a state machine without a clock. Limits: waits kWaitMin to kWaitMax.
#pragma once

#include <algorithm>
#include <utility>

#include "base/time.h"

namespace anywire::hooks {

class Circuit {
 public:
  static constexpr int kFailuresMax = 5;
  static constexpr Duration kWaitMin{1'000};
  static constexpr Duration kWaitMax{30'000};

  enum class Pass { kYes, kProbe, kNo };

  // Whether a question may go. After kProbe, one of the three below is called about it.
  Pass admit(TimePoint now) {
    if (!open_) return Pass::kYes;
    if (probing_ || now < retry_at_) return Pass::kNo;
    probing_ = true;
    return Pass::kProbe;
  }

  // Each answers whether the circuit has opened or closed by that.
  bool succeeded() {
    failures_ = 0;
    probing_ = false;
    wait_ = kWaitMin;
    return std::exchange(open_, false);
  }
  bool failed(TimePoint now, bool probe) {
    if (open_) {
      if (!probe) return false;
      probing_ = false;
      wait_ = std::min(2 * wait_, kWaitMax);
      retry_at_ = now + wait_;
      return false;
    }
    if (++failures_ < kFailuresMax) return false;
    open_ = true;
    retry_at_ = now + wait_;
    return true;
  }
  // The question came to nothing through no doing of the application's.
  void abandoned(bool probe) {
    if (probe) probing_ = false;
  }

  bool open() const { return open_; }
  Duration wait() const { return wait_; }

 private:
  bool open_ = false;
  bool probing_ = false;
  int failures_ = 0;
  Duration wait_ = kWaitMin;
  TimePoint retry_at_;
};

}  // namespace anywire::hooks
