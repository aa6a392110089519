// Tickets: credentials for a URL, where a browser's EventSource or WebSocket can carry no header. A
// ticket stands for an identity that somebody entitled has written down, works once and for some
// seconds, so that one that is read in a log is worth nothing.
//
//   const auto ticket = tickets.issue(token, 30s, now);   // text of 22 characters
//   std::optional<Token> token = tickets.redeem(text, now);
//
// 128 random bits each; kept as their SHA-256, so that nobody who sees the memory has one.
//
// Thread: any; a mutex guards it. Lifetime: outlives who redeems.
// Limits: kTicketsMax at a time; then no more are issued until some have been used or have expired.
// Each lives kTicketTimeMax at most.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "auth/jwt.h"
#include "base/result.h"

namespace anywire::auth {

inline constexpr std::size_t kTicketsMax = 100'000;
inline constexpr Duration kTicketTimeMax{60'000};
inline constexpr std::size_t kTicketChars = 22;

class Tickets {
 public:
  // `token` is what the bearer will be as if it had shown it: an identity, and the key on whose
  // word it is, so that a revocation finds it. kInvalidArgument when the time is not 1 ms to
  // kTicketTimeMax, kLimit when there are too many.
  Result<std::string> issue(Token token, Duration time, WallTime now);

  // What it stands for, once; nothing if there is no such ticket, or not any more.
  std::optional<Token> redeem(std::string_view ticket, WallTime now);

  std::size_t size() const;

 private:
  using Digest = std::array<std::uint8_t, 32>;
  struct Kept {
    Token token;
    WallTime until{};
  };

  static Digest digest_of(std::string_view ticket);
  void drop_expired(WallTime now);

  mutable std::mutex mutex_;
  // Found by its digest, which tells nobody anything about the ticket that was looked for.
  std::map<Digest, Kept> kept_;
  std::set<std::pair<WallTime, Digest>> ends_;
};

}  // namespace anywire::auth
