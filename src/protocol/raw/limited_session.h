// LimitedSession: a raw client that shows no credential, where something is limited. Made only
// then, so that nobody else pays for it.
//
// Thread: the loop's. Lifetime: see protocol::Session.
#pragma once

#include <memory>
#include <utility>

#include "protocol/raw/session.h"

namespace anywire::protocol::raw {

class LimitedSession final : public RawSession {
 public:
  LimitedSession(RawAdapter& adapter, Transport& transport, bool heartbeat,
                 std::unique_ptr<SessionLimits> limits)
      : RawSession(adapter, transport, heartbeat), limits_(std::move(limits)) {}

 private:
  SessionLimits* limits() const override { return limits_.get(); }

  std::unique_ptr<SessionLimits> limits_;
};

}  // namespace anywire::protocol::raw
