// AddressBudget: how many connections each client address has on all loops together, and may have,
// so that no single client takes all there are.
//
// An IPv6 client usually has a whole /64 network to choose its address from, so that is what counts
// as one address. Unix sockets and unknown peers have no address and are not counted.
//
// Thread: any. It has a mutex although nothing else here does: it is taken once when a connection
// comes and once when it goes, and not at all while there is no limit. Lifetime: outlives its
// leases. Limits: one entry for each address that has a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "net/address.h"

namespace anywire::server {

class AddressBudget {
 public:
  // Stands for one connection until it is destroyed, on whatever thread. Without a type, because
  // what carries it need not know what it is.
  using Lease = std::shared_ptr<void>;

  // 0 means no limit.
  explicit AddressBudget(std::uint32_t per_address_max);
  AddressBudget(const AddressBudget&) = delete;
  AddressBudget& operator=(const AddressBudget&) = delete;

  bool limited() const { return per_address_max_ > 0; }

  // Nothing when the address has as many as it may. The lease is empty where nothing is counted.
  std::optional<Lease> take(const net::Address& address);

  // Addresses that have a connection.
  std::size_t addresses() const;

 private:
  // Clients choose their IPv6 addresses; without a secret they could choose their buckets.
  struct Hash {
    std::uint64_t secret;
    std::size_t operator()(std::uint64_t key) const;
  };

  void give_back(std::uint64_t key);

  const std::uint32_t per_address_max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::uint32_t, Hash> counts_;
};

}  // namespace anywire::server
