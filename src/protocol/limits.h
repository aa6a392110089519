// Limits: how fast clients may do things: what (connects, messages, bytes, subscribes, changes of
// presence) per whom (connection, user, address, the whole server).
//
// A LimitGroup has the rates and everybody's buckets. A session that may be limited has a
// SessionLimits, which finds its parties once and holds them; where no limit is set there is none,
// and nothing is spent.
//
//   if (const auto hit = limits.take(Limited::kMessages, 1, loop.now())) refuse(hit->text());
//
// What one party refuses costs the others nothing. Parties are users and addresses (of IPv6 one /64
// network, from which its clients may choose). One whose last connection has gone is remembered
// until its buckets are full again, or else to reconnect would be to begin anew.
//
// Thread: a LimitGroup any; its lock is taken when a connection or a request to the API comes and
// goes, never for a message. A SessionLimits belongs to its session's loop. Lifetime: the group
// outlives what holds its parties. Limits: one party for each address and each user that is
// connected, and kRestingPartiesMax that are only remembered; the oldest go first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "base/token_bucket.h"
#include "net/address.h"

namespace anywire::protocol {

enum class Limited : std::uint8_t { kConnects, kMessages, kBytes, kSubscribes, kPresence };
enum class LimitedParty : std::uint8_t { kConnection, kUser, kAddress, kApp };
inline constexpr std::size_t kLimitedThings = 5;
inline constexpr std::size_t kLimitedParties = 4;

// The key of the configuration, such as "messages_per_user".
std::string_view limit_name(Limited what, LimitedParty whom);

struct LimitOptions {
  std::array<std::array<Rate, kLimitedParties>, kLimitedThings> rates{};
  std::uint32_t connections_per_user_max = 0;  // 0: no limit

  Rate& rate(Limited what, LimitedParty whom) {
    return rates[static_cast<std::size_t>(what)][static_cast<std::size_t>(whom)];
  }
  const Rate& rate(Limited what, LimitedParty whom) const {
    return rates[static_cast<std::size_t>(what)][static_cast<std::size_t>(whom)];
  }
};

// What stands in the way.
struct LimitHit {
  std::string_view limit;  // limit_name, or "connections_per_user_max"
  std::string text;        // for people: the limit, and how high it is
  Duration retry_after;    // the same may succeed then; 0 where nobody knows
};

// "3": for Retry-After (RFC 9110 10.2.3), in whole seconds and never 0. Beyond a minute in whole
// minutes, at most an hour. A static text.
std::string_view retry_after_seconds(Duration wait);

class LimitGroup {
 public:
  static constexpr std::size_t kRestingPartiesMax = 100'000;

  explicit LimitGroup(const LimitOptions& options);
  LimitGroup(const LimitGroup&) = delete;
  LimitGroup& operator=(const LimitGroup&) = delete;

  const LimitOptions& options() const { return options_; }
  // Sessions need a SessionLimits.
  bool limits_sessions() const { return limits_sessions_; }
  bool limits_connects() const { return limits_connects_; }

  // A connection comes from there, as yet nobody's.
  std::optional<LimitHit> admit_connect(const net::Address& client, TimePoint now);
  // A request to the HTTP API with so many bytes, by the holder of that key; nobody with none.
  std::optional<LimitHit> admit_request(const net::Address& client, std::string_view key,
                                        std::uint64_t bytes, TimePoint now);

  std::size_t parties() const;  // that are known

 private:
  friend class SessionLimits;

  using Buckets = std::array<TokenBucket, kLimitedThings>;
  struct Party;
  using Parties = std::map<std::string, Party, std::less<>>;
  struct Party {
    Buckets buckets;
    std::uint32_t holders = 0;      // all below under the lock
    std::uint32_t connections = 0;  // of a user
    std::list<Parties::iterator>::iterator rest;  // while nobody holds it
  };

  // Keeps a party; empty where nobody is meant, or no limit would ask.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept
        : group_(std::exchange(other.group_, nullptr)), at_(other.at_) {}
    Hold& operator=(Hold&& other) noexcept {
      std::swap(group_, other.group_);
      std::swap(at_, other.at_);
      return *this;
    }
    ~Hold() {
      if (group_ != nullptr) group_->release(at_);
    }

    Buckets* buckets() const { return group_ != nullptr ? &at_->second.buckets : nullptr; }

   private:
    friend class LimitGroup;
    friend class SessionLimits;
    Hold(LimitGroup& group, Parties::iterator at) : group_(&group), at_(at) {}

    LimitGroup* group_ = nullptr;
    Parties::iterator at_;
  };

  using Shapes = std::array<std::array<BucketShape, kLimitedParties>, kLimitedThings>;
  // The buckets of one who asks, by party; null where there is none.
  using Asker = std::array<Buckets*, kLimitedParties>;

  bool any(LimitedParty whom) const;
  Hold hold_user(std::string_view user, TimePoint now);
  Hold hold_address(const net::Address& client, TimePoint now);
  Hold hold(std::string key, TimePoint now);
  void release(Parties::iterator at);
  void forget_rested(TimePoint now);
  bool add_connection(Parties::iterator user);
  void remove_connection(Parties::iterator user);
  std::optional<LimitHit> take(const Shapes& shapes, const Asker& asker, Limited what,
                               std::uint64_t amount, TimePoint now);
  LimitHit hit(Limited what, LimitedParty whom, Duration wait) const;

  const LimitOptions options_;
  bool limits_sessions_ = false;
  bool limits_connects_ = false;
  Shapes shapes_;
  Shapes lenient_shapes_;  // twice the burst
  BucketShape flood_;
  Buckets app_;
  mutable std::mutex mutex_;
  Parties parties_;
  std::list<Parties::iterator> resting_;  // the longest first
};

// One session's. Not made where LimitGroup::limits_sessions() is false.
class SessionLimits {
 public:
  // How far above a limit a client must go to be thrown out.
  static constexpr int kFloodFactor = 10;

  // Where the address is unknown, no limit by address holds. `lenient`: for a client that cannot be
  // told to wait, and is thrown out instead; its bursts may be twice as large.
  SessionLimits(LimitGroup& group, const net::Address& client, TimePoint now,
                bool lenient = false);
  ~SessionLimits();
  SessionLimits(const SessionLimits&) = delete;
  SessionLimits& operator=(const SessionLimits&) = delete;

  // The session speaks for that user, who connects by it. Anonymous clients are no user. Once.
  std::optional<LimitHit> connect_as(std::string_view user, TimePoint now);
  // It is one of the user's connections from now on, unless there are too many. Until its end.
  std::optional<LimitHit> count_connection();

  // Nothing when the session may; then it has been taken from all its parties.
  std::optional<LimitHit> take(Limited what, std::uint64_t amount, TimePoint now);
  // To be asked with each message, taken or not: true when there are far too many.
  bool floods(TimePoint now);

 private:
  LimitGroup& group_;
  const LimitGroup::Shapes& shapes_;
  LimitGroup::Buckets own_;
  TokenBucket flood_;
  LimitGroup::Hold user_;
  LimitGroup::Hold address_;
  bool counted_ = false;
};

}  // namespace anywire::protocol
