// PatternSeat: a session's subscription to all channels that a pattern takes.
//
// Thread: the loop's. Lifetime: owned by its session; deleted at the end of a turn, since it may be
// the hub's caller.
#pragma once

#include <cstdint>
#include <utility>

#include "auth/glob.h"
#include "hub/patterns.h"
#include "protocol/native/command.h"

namespace anywire::protocol::native {

class NativeSession;

class PatternSeat final : public hub::PatternSubscriber {
 public:
  PatternSeat(NativeSession& session, auth::Glob taken, const Subscribe& subscribe,
              std::uint64_t id)
      : glob(std::move(taken)),
        filter(subscribe.filter),
        own(subscribe.own),
        reply_id(id),
        session_(session) {}

  const auth::Glob glob;
  const Filter filter;
  const bool own;
  std::uint64_t reply_id;  // of the command that is not answered yet, or 0
  bool stalled = false;    // misses messages until the client has read

 private:
  void on_subscribed() override;
  bool on_delivery(hub::Delivery& delivery) override;
  void on_missed(std::uint64_t messages) override;

  NativeSession& session_;
};

}  // namespace anywire::protocol::native
