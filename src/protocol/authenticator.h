// Authenticator: one loop's way to the Authority. What it adds is patience: for a token of a key
// that nobody knows yet, new keys are fetched, and who shows it waits for that.
//
// Thread: the loop's. Lifetime: outlives its loop's sessions; a callback may come when who asked
// has gone, and must bear that. Limits: kWaitingMax tokens wait at a time; further ones are judged
// at once by the keys there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string_view>

#include "auth/authority.h"
#include "base/clock.h"
#include "reactor/loop.h"

namespace anywire::protocol {

class Authenticator {
 public:
  static constexpr std::size_t kWaitingMax = 1000;

  Authenticator(reactor::Loop& loop, WallClock& wall, auth::Authority& authority)
      : loop_(loop), wall_(wall), authority_(authority) {}

  using Verdict = std::expected<auth::Token, auth::TokenError>;
  using Verified = std::move_only_function<void(Verdict)>;

  // `done` is called inside the call, or later on this loop if keys have to be fetched first.
  void verify(std::string_view token, Verified done);
  // By the keys there are.
  Verdict verify_now(std::string_view token) const { return authority_.verify(token, now()); }
  Verdict redeem(std::string_view ticket) { return authority_.redeem(ticket, now()); }

  auth::WallTime now() const { return auth::wall_time(wall_.unix_ms()); }
  std::uint64_t unix_ms() const { return wall_.unix_ms(); }
  auth::Authority& authority() const { return authority_; }

 private:
  reactor::Loop& loop_;
  WallClock& wall_;
  auth::Authority& authority_;
  std::size_t waiting_ = 0;
};

}  // namespace anywire::protocol
