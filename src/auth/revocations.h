// Revocations: tokens that are not to be believed any more though their signature is right and
// their time has not come: one by its id (`jti`), those of a user, of a key, or all that were
// issued before a moment.
//
// They are kept in memory only. Tokens are short-lived, and a restart forgets: who needs more
// replaces the key. A token without `iat` cannot show that it is newer, so it counts as old; one
// without `jti` is reached through its user or its key.
//
// Thread: any; a mutex guards it, and nobody waits long for it. Lifetime: outlives the verifiers.
// Limits: `entries_max` of them, each for `kept_for`; when there is no room for another, `add` says
// so and nothing is forgotten early, because that would make a revoked token good again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/identity.h"
#include "base/time.h"

namespace anywire::auth {

struct Token;

// What is kept of a token beside each connection that goes by it, to see whether a later revocation
// takes it. Of names it has hashes, so it is small; two that collide would share their fate, which
// with 64 bits nobody will live to see. All zero: there is no token.
struct TokenStamp {
  std::uint64_t id = 0;        // of `jti`; 0: it has none
  std::uint64_t key = 0;       // of the key's name
  std::uint32_t issued_s = 0;  // `iat`, Unix seconds; 0: it does not say
  bool present = false;        // there is one

  bool operator==(const TokenStamp&) const = default;
};

TokenStamp stamp_of(const Token& token);
std::uint64_t stamp_hash(std::string_view name);  // never 0

struct Revocation {
  enum class Kind : std::uint8_t { kToken, kUser, kKey, kAll };
  Kind kind = Kind::kToken;
  std::string name;                    // of the token (`jti`), the user or the key
  WallTime issued_before{};            // for kUser and kAll

  // Whether it takes a token of that user.
  bool takes(const TokenStamp& stamp, std::string_view user) const;
};

struct RevocationsOptions {
  std::size_t entries_max = 100'000;
  Duration kept_for{std::chrono::hours(24 * 30)};  // longer than any token should live
};

class Revocations {
 public:
  explicit Revocations(const RevocationsOptions& options = {}) : options_(options) {}

  // From now on. False when there is no room.
  [[nodiscard]] bool add(const Revocation& revocation, WallTime now);

  bool revoked(const TokenStamp& stamp, std::string_view user, WallTime now) const;

  std::size_t size() const;

 private:
  struct Entry {
    WallTime until{};
    WallTime issued_before{};
  };
  struct End {
    WallTime at{};
    Revocation::Kind kind{};
    std::string name;
  };
  std::size_t count() const { return tokens_.size() + keys_.size() + users_.size(); }
  void drop_old(WallTime now);
  void drop(const End& end);

  const RevocationsOptions options_;
  std::atomic<bool> any_{false};  // so that nobody pays for what was never used
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> tokens_, keys_;  // by their hashes
  std::unordered_map<std::string, Entry> users_;
  std::deque<End> ends_;  // in the order of their times
  std::optional<Entry> all_;
};

}  // namespace anywire::auth
