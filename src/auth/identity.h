// Identity: who a connection speaks for and what that one may do; what a verified token, a key or
// the absence of both comes down to. Adapters get one from their credentials and hand it to the
// hub; nothing behind them knows tokens.
//
// Thread: any; plain data. Lifetime: owns everything. Limits: those of the token it came from.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "auth/capability.h"
#include "base/time.h"

namespace anywire::auth {

// Time of day, for what was agreed on with other machines. Everything that merely waits uses the
// steady clock (base/time.h).
using WallTime = std::chrono::sys_time<Duration>;

// As base/clock.h's WallClock counts.
inline WallTime wall_time(std::uint64_t unix_ms) {
  return WallTime(Duration(static_cast<Duration::rep>(unix_ms)));
}

struct Identity {
  std::string user_id;                 // empty: nobody in particular
  std::string info;                    // JSON shown to others with presence, or empty
  Capability capability;
  std::optional<WallTime> expires_at;  // none: never
  std::vector<std::string> channels;   // to be subscribed to by the server at once

  bool anonymous() const { return user_id.empty(); }
};

}  // namespace anywire::auth
