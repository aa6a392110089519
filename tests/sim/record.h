// Record: what happened in a run, and the first thing that should not have. The lines are kept only
// while tracing, since a run is the same each time: whoever wants them runs the seed again.
//
// Thread: the run's. Lifetime: the run's.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace anywire::sim {

// What is checked; each has a planted fault in sim_test.cc that proves it can fail.
enum class Check : std::uint8_t {
  kOrder,      // one order, one content per place, nothing that was not asked for
  kGap,        // whatever is missing was told, and for a reason that is true
  kDuplicate,  // nothing twice behind the cursor rule; idempotent publishes once
  kPublish,    // what was acknowledged is in the order, once, where the answer says
  kPresence,   // lists and counts are true, and the same everywhere after quiet time
  kMemory,     // bounded while it runs, nothing left when all have gone
  kReply,      // one reply for each command, of a type that fits
  kEnd,        // connections end with the code that the document says, and for a reason
  kProtocol,   // the document's shapes
};

inline constexpr std::string_view name(Check check) {
  constexpr std::string_view kNames[] = {"order",  "gap",   "duplicate", "publish", "presence",
                                         "memory", "reply", "end",       "protocol"};
  return kNames[static_cast<std::size_t>(check)];
}

struct Violation {
  Check check = Check::kOrder;
  std::string text;
};

// What becomes of the lines.
enum class Tracing : std::uint8_t {
  kOff,
  kKeep,
  kPrint,  // at once, for runs that do not come to their end
};

class Record {
 public:
  Record(ManualClock& clock, Tracing tracing) : tracing_(tracing), clock_(clock) {}

  template <typename... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    if (tracing()) write(fmt::format(format, std::forward<Args>(args)...));
  }
  // The run ends soon after; only the first one counts.
  template <typename... Args>
  void violate(Check check, fmt::format_string<Args...> format, Args&&... args) {
    if (violation_) return;
    violation_ = Violation{check, fmt::format(format, std::forward<Args>(args)...)};
    if (tracing()) write(fmt::format("!! {}: {}", name(check), violation_->text));
  }

  bool tracing() const { return tracing_ != Tracing::kOff; }
  bool failed() const { return violation_.has_value(); }
  const std::optional<Violation>& violation() const { return violation_; }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  void write(const std::string& text) {
    const auto ms = clock_.now().time_since_epoch().count();
    lines_.push_back(fmt::format("{:>8} {}", ms, text));
    if (tracing_ == Tracing::kPrint) fmt::print(stderr, "{}\n", lines_.back());
  }

  const Tracing tracing_;
  ManualClock& clock_;
  std::optional<Violation> violation_;
  std::vector<std::string> lines_;
};

}  // namespace anywire::sim
