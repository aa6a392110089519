// FaultLog: tells the operator what the application says that breaks a rule: a line for each kind
// of fault, not for each fault, since an application that is wrong is wrong at every message. A
// kind is what was said, the rule, and for calls the method; of channels, which may be as many as
// there are users, the line names the first. A fault that lasts is told again after kInterval, with
// how often it came meanwhile.
//
// Thread: any; one for all loops, whose lock is taken for faults only. Limits: kKindsMax kinds, and
// all that come beyond them are one more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/time.h"
#include "protocol/app_fault.h"

namespace anywire::hooks {

class FaultLog {
 public:
  static constexpr Duration kInterval{3'600'000};
  static constexpr std::size_t kKindsMax = 100;

  // `app` is where the application is.
  void tell(const protocol::AppFault& fault, std::string_view app, TimePoint now);

 private:
  struct Kind {
    TimePoint told_at;
    std::uint64_t suppressed = 0;
  };
  struct Verdict {
    bool tell = false;
    std::uint64_t suppressed = 0;
  };
  Verdict admit(std::string kind, TimePoint now);

  std::mutex mutex_;
  std::map<std::string, Kind> kinds_;
};

}  // namespace anywire::hooks
