#include "protocol/limits.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/assert.h"

namespace anywire::protocol {
namespace {

constexpr std::array<std::array<std::string_view, kLimitedParties>, kLimitedThings> kNames = {{
    {"connects_per_connection", "connects_per_user", "connects_per_address", "connects_per_app"},
    {"messages_per_connection", "messages_per_user", "messages_per_address", "messages_per_app"},
    {"bytes_per_connection", "bytes_per_user", "bytes_per_address", "bytes_per_app"},
    {"subscribes_per_connection", "subscribes_per_user", "subscribes_per_address",
     "subscribes_per_app"},
    {"presence_per_connection", "presence_per_user", "presence_per_address", "presence_per_app"},
}};
constexpr std::string_view kConnectionsPerUser = "connections_per_user_max";

// How many parties at rest are looked at whenever one is asked for.
constexpr int kLooks = 2;

// The kinds of parties do not meet, even when they are called the same.
constexpr char kUserMark = 'u';
constexpr char kKeyMark = 'k';
constexpr char kAddressMark = 'a';
constexpr std::size_t kNetworkBytes = 8;  // of IPv6: /64

std::size_t index(Limited what) { return static_cast<std::size_t>(what); }
std::size_t index(LimitedParty whom) { return static_cast<std::size_t>(whom); }

std::string_view unit(Duration per) {
  if (per == std::chrono::hours(1)) return "hour";
  return per == std::chrono::minutes(1) ? "minute" : "second";
}

}  // namespace

std::string_view limit_name(Limited what, LimitedParty whom) {
  return kNames[index(what)][index(whom)];
}

std::string_view retry_after_seconds(Duration wait) {
  constexpr std::int64_t kMinute = 60;
  static const std::vector<std::string> texts = [] {
    std::vector<std::string> all;
    for (std::int64_t i = 0; i <= kMinute; ++i) all.push_back(std::to_string(i));
    for (std::int64_t i = 2; i <= kMinute; ++i) all.push_back(std::to_string(i * kMinute));
    return all;
  }();
  const std::int64_t seconds =
      std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(wait).count(), 1,
                               kMinute * kMinute);
  const std::int64_t at =
      seconds <= kMinute ? seconds : kMinute + (seconds + kMinute - 1) / kMinute - 1;
  return texts[static_cast<std::size_t>(at)];
}

LimitGroup::LimitGroup(const LimitOptions& options) : options_(options) {
  for (std::size_t what = 0; what < kLimitedThings; ++what) {
    for (std::size_t whom = 0; whom < kLimitedParties; ++whom) {
      const Rate& rate = options_.rates[what][whom];
      if (!rate.limited()) continue;
      shapes_[what][whom] = BucketShape(rate);
      lenient_shapes_[what][whom] = BucketShape(rate, 1, 2);
      const bool connects = what == index(Limited::kConnects);
      // A user is known to a session only.
      const bool by_session = !connects || whom == index(LimitedParty::kUser);
      (by_session ? limits_sessions_ : limits_connects_) = true;
    }
  }
  if (options_.connections_per_user_max != 0) limits_sessions_ = true;
  // The narrowest of those that are about one client.
  for (const LimitedParty whom :
       {LimitedParty::kConnection, LimitedParty::kUser, LimitedParty::kAddress}) {
    const Rate& rate = options_.rate(Limited::kMessages, whom);
    if (!rate.limited()) continue;
    flood_ = BucketShape(rate, SessionLimits::kFloodFactor, SessionLimits::kFloodFactor);
    break;
  }
}

bool LimitGroup::any(LimitedParty whom) const {
  return std::ranges::any_of(
      options_.rates, [&](const auto& rates) { return rates[index(whom)].limited(); });
}

LimitGroup::Hold LimitGroup::hold_user(std::string_view user, TimePoint now) {
  const bool wanted = any(LimitedParty::kUser) || options_.connections_per_user_max != 0;
  if (user.empty() || !wanted) return {};
  return hold(kUserMark + std::string(user), now);
}

LimitGroup::Hold LimitGroup::hold_address(const net::Address& client, TimePoint now) {
  const net::Address address = client.unmapped();
  if (!address.is_ip() || !any(LimitedParty::kAddress)) return {};
  const auto bytes = address.ip_bytes();
  const auto network = bytes.first(std::min(bytes.size(), kNetworkBytes));
  std::string key(1, kAddressMark);
  key.append(network.begin(), network.end());
  return hold(std::move(key), now);
}

LimitGroup::Hold LimitGroup::hold(std::string key, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  const auto [at, is_new] = parties_.try_emplace(std::move(key));
  Party& party = at->second;
  if (!is_new && party.holders == 0) resting_.erase(party.rest);
  ++party.holders;
  forget_rested(now);
  return Hold(*this, at);
}

void LimitGroup::release(Parties::iterator at) {
  const std::scoped_lock lock(mutex_);
  Party& party = at->second;
  if (--party.holders > 0) return;
  party.rest = resting_.insert(resting_.end(), at);
  if (resting_.size() <= kRestingPartiesMax) return;
  parties_.erase(resting_.front());
  resting_.pop_front();
}

// A few each time are enough: no more come to rest than are asked for.
void LimitGroup::forget_rested(TimePoint now) {
  for (int i = 0; i < kLooks && !resting_.empty(); ++i) {
    const Parties::iterator at = resting_.front();
    const bool full = std::ranges::all_of(at->second.buckets,
                                          [&](const auto& bucket) { return bucket.full(now); });
    if (!full) {
      resting_.splice(resting_.end(), resting_, resting_.begin());
      continue;
    }
    resting_.pop_front();
    parties_.erase(at);
  }
}

std::size_t LimitGroup::parties() const {
  const std::scoped_lock lock(mutex_);
  return parties_.size();
}

bool LimitGroup::add_connection(Parties::iterator user) {
  const std::scoped_lock lock(mutex_);
  if (user->second.connections >= options_.connections_per_user_max) return false;
  ++user->second.connections;
  return true;
}

void LimitGroup::remove_connection(Parties::iterator user) {
  const std::scoped_lock lock(mutex_);
  AW_ASSERT(user->second.connections > 0);
  --user->second.connections;
}

std::optional<LimitHit> LimitGroup::take(const Shapes& shapes, const Asker& asker, Limited what,
                                         std::uint64_t amount, TimePoint now) {
  const auto& of_what = shapes[index(what)];
  for (std::size_t whom = 0; whom < kLimitedParties; ++whom) {
    if (!of_what[whom].limited() || asker[whom] == nullptr) continue;
    const auto wait = (*asker[whom])[index(what)].take(of_what[whom], amount, now);
    if (!wait) continue;
    for (std::size_t before = 0; before < whom; ++before) {
      if (!of_what[before].limited() || asker[before] == nullptr) continue;
      (*asker[before])[index(what)].give_back(of_what[before], amount);
    }
    return hit(what, static_cast<LimitedParty>(whom), *wait);
  }
  return std::nullopt;
}

LimitHit LimitGroup::hit(Limited what, LimitedParty whom, Duration wait) const {
  const Rate& rate = options_.rate(what, whom);
  const std::string_view name = limit_name(what, whom);
  std::string text =
      fmt::format("over the limit {}: {} in a {}", name, rate.amount, unit(rate.per));
  if (rate.burst != 0) text += fmt::format(", {} at once", rate.burst);
  return {name, std::move(text), wait};
}

std::optional<LimitHit> LimitGroup::admit_connect(const net::Address& client, TimePoint now) {
  if (!limits_connects_) return std::nullopt;
  const Hold address = hold_address(client, now);
  return take(shapes_, {nullptr, nullptr, address.buckets(), &app_}, Limited::kConnects, 1, now);
}

std::optional<LimitHit> LimitGroup::admit_request(const net::Address& client, std::string_view key,
                                                  std::uint64_t bytes, TimePoint now) {
  if (!limits_sessions_) return std::nullopt;
  const bool by_key = !key.empty() && any(LimitedParty::kUser);
  const Hold holder = by_key ? hold(kKeyMark + std::string(key), now) : Hold();
  const Hold address = hold_address(client, now);
  const Asker asker{nullptr, holder.buckets(), address.buckets(), &app_};
  if (auto hit = take(shapes_, asker, Limited::kMessages, 1, now)) return hit;
  return take(shapes_, asker, Limited::kBytes, bytes, now);
}

SessionLimits::SessionLimits(LimitGroup& group, const net::Address& client, TimePoint now,
                             bool lenient)
    : group_(group),
      shapes_(lenient ? group.lenient_shapes_ : group.shapes_),
      address_(group.hold_address(client, now)) {}

SessionLimits::~SessionLimits() {
  if (counted_) group_.remove_connection(user_.at_);
}

std::optional<LimitHit> SessionLimits::connect_as(std::string_view user, TimePoint now) {
  user_ = group_.hold_user(user, now);
  return group_.take(group_.shapes_, {nullptr, user_.buckets(), nullptr, nullptr},
                     Limited::kConnects, 1, now);
}

std::optional<LimitHit> SessionLimits::count_connection() {
  const std::uint32_t max = group_.options_.connections_per_user_max;
  if (max == 0 || counted_ || user_.buckets() == nullptr) return std::nullopt;
  counted_ = group_.add_connection(user_.at_);
  if (counted_) return std::nullopt;
  return LimitHit{
      kConnectionsPerUser, fmt::format("over the limit {}: {}", kConnectionsPerUser, max), {}};
}

std::optional<LimitHit> SessionLimits::take(Limited what, std::uint64_t amount, TimePoint now) {
  return group_.take(shapes_, {&own_, user_.buckets(), address_.buckets(), &group_.app_}, what,
                     amount, now);
}

bool SessionLimits::floods(TimePoint now) {
  return group_.flood_.limited() && flood_.take(group_.flood_, 1, now).has_value();
}

}  // namespace anywire::protocol
