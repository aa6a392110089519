#include "server/address_budget.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/assert.h"
#include "base/random.h"

namespace anywire::server {
namespace {

// The network part of an IPv6 address, or the whole of an IPv4 one. The two do not meet: of the
// IPv6 networks that begin with 32 zero bits only ::1 is in use, and its key is 0 (RFC 4291 2.5.3).
std::uint64_t key_of(const net::Address& address) {
  const std::span<const std::uint8_t> bytes = address.ip_bytes();
  std::uint64_t key = 0;
  for (const std::uint8_t byte : bytes.first(std::min<std::size_t>(bytes.size(), 8))) {
    key = key << 8 | byte;
  }
  return key;
}

std::uint64_t secret() {
  std::array<std::uint8_t, 8> bytes;
  secure_random(bytes);
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace

// The product's middle depends on all bits of both factors.
std::size_t AddressBudget::Hash::operator()(std::uint64_t key) const {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(key ^ secret) * (secret | 1);
  return static_cast<std::size_t>(product >> 32);
}

AddressBudget::AddressBudget(std::uint32_t per_address_max)
    : per_address_max_(per_address_max), counts_(0, Hash{secret()}) {}

std::optional<AddressBudget::Lease> AddressBudget::take(const net::Address& peer) {
  const net::Address address = peer.unmapped();
  if (!limited() || !address.is_ip()) return Lease();
  const std::uint64_t key = key_of(address);
  {
    const std::scoped_lock lock(mutex_);
    std::uint32_t& count = counts_[key];  // never 0 between calls, so a refusal leaves no entry
    if (count >= per_address_max_) return std::nullopt;
    ++count;
  }
  return Lease(this, [key](void* budget) { static_cast<AddressBudget*>(budget)->give_back(key); });
}

void AddressBudget::give_back(std::uint64_t key) {
  const std::scoped_lock lock(mutex_);
  const auto found = counts_.find(key);
  AW_ASSERT(found != counts_.end());
  if (--found->second == 0) counts_.erase(found);
}

std::size_t AddressBudget::addresses() const {
  const std::scoped_lock lock(mutex_);
  return counts_.size();
}

}  // namespace anywire::server
