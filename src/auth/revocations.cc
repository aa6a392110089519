#include "auth/revocations.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "auth/jwt.h"

namespace anywire::auth {

std::uint64_t stamp_hash(std::string_view name) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(name.data(), name.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < sizeof hash; ++i) hash = hash << 8 | digest[i];
  return std::max<std::uint64_t>(hash, 1);
}

TokenStamp stamp_of(const Token& token) {
  TokenStamp stamp{.present = true};
  if (!token.id.empty()) stamp.id = stamp_hash(token.id);
  stamp.key = stamp_hash(token.key_id);
  if (token.issued_at) {
    const auto seconds = token.issued_at->time_since_epoch().count() / 1000;
    stamp.issued_s = static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 1, UINT32_MAX));
  }
  return stamp;
}

namespace {

// Of two dates in one second it cannot be said which was first, so the token is old.
bool is_older(const TokenStamp& stamp, WallTime moment) {
  return std::int64_t{stamp.issued_s} * 1000 < moment.time_since_epoch().count();
}

}  // namespace

bool Revocation::takes(const TokenStamp& stamp, std::string_view user) const {
  if (!stamp.present) return false;
  switch (kind) {
    case Kind::kToken: return stamp.id == stamp_hash(name);
    case Kind::kUser: return user == name && is_older(stamp, issued_before);
    case Kind::kKey: return stamp.key == stamp_hash(name);
    case Kind::kAll: return is_older(stamp, issued_before);
  }
  return false;
}

bool Revocations::add(const Revocation& revocation, WallTime now) {
  const std::lock_guard lock(mutex_);
  drop_old(now);
  Entry* entry = nullptr;
  const bool full = count() >= options_.entries_max;
  using Kind = Revocation::Kind;
  const auto at = [&](auto& entries, const auto& key) -> Entry* {
    if (full && !entries.contains(key)) return nullptr;
    return &entries[key];
  };
  switch (revocation.kind) {
    case Kind::kToken: entry = at(tokens_, stamp_hash(revocation.name)); break;
    case Kind::kKey: entry = at(keys_, stamp_hash(revocation.name)); break;
    case Kind::kUser: entry = at(users_, revocation.name); break;
    case Kind::kAll: entry = &(all_ ? *all_ : all_.emplace(Entry{})); break;
  }
  if (entry == nullptr) return false;
  entry->until = now + options_.kept_for;
  entry->issued_before = std::max(entry->issued_before, revocation.issued_before);
  if (revocation.kind != Kind::kAll) {
    ends_.push_back({entry->until, revocation.kind, revocation.name});
  }
  any_.store(true, std::memory_order_release);
  return true;
}

bool Revocations::revoked(const TokenStamp& stamp, std::string_view user, WallTime now) const {
  if (!stamp.present || !any_.load(std::memory_order_acquire)) return false;
  const std::lock_guard lock(mutex_);
  const auto holds = [&](const auto& entries, const auto& key) {
    const auto found = entries.find(key);
    return found != entries.end() && now < found->second.until;
  };
  if (stamp.id != 0 && holds(tokens_, stamp.id)) return true;
  if (holds(keys_, stamp.key)) return true;
  if (all_ && is_older(stamp, all_->issued_before)) return true;
  if (user.empty()) return false;
  const auto found = users_.find(std::string(user));
  return found != users_.end() && now < found->second.until &&
         is_older(stamp, found->second.issued_before);
}

std::size_t Revocations::size() const {
  const std::lock_guard lock(mutex_);
  return count() + (all_ ? 1 : 0);
}

void Revocations::drop_old(WallTime now) {
  while (!ends_.empty() && ends_.front().at <= now) {
    drop(ends_.front());
    ends_.pop_front();
  }
}

// One that was renewed has a later end besides.
void Revocations::drop(const End& end) {
  const auto drop_from = [&](auto& entries, const auto& key) {
    const auto found = entries.find(key);
    if (found != entries.end() && found->second.until <= end.at) entries.erase(found);
  };
  switch (end.kind) {
    case Revocation::Kind::kToken: return drop_from(tokens_, stamp_hash(end.name));
    case Revocation::Kind::kKey: return drop_from(keys_, stamp_hash(end.name));
    case Revocation::Kind::kUser: return drop_from(users_, end.name);
    case Revocation::Kind::kAll: return;
  }
}

}  // namespace anywire::auth
