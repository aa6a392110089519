// Resolver: names to addresses by the system's resolver, which blocks, on a thread of its own for
// each look-up, so that no loop waits.
//
// Thread: the loop's; only the look-up itself runs elsewhere. Lifetime: a resolver may go while a
// look-up is under way, whose answer is then dropped. The loop outlives the resolver.
// Limits: one look-up at a time; how long it takes is up to the system (resolv.conf(5)).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "reactor/loop.h"

namespace anywire::net {

class Resolver {
 public:
  // In the order in which the system wants them tried (RFC 6724), never empty.
  using Answer = Result<std::vector<Address>>;
  using Done = std::move_only_function<void(Answer)>;

  explicit Resolver(reactor::Loop& loop);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  bool busy() const { return busy_; }
  // While not busy. `done` is called on the loop, never from here.
  void resolve(std::string name, std::uint16_t port, Done done);

 private:
  struct Shared;
  void finish(Answer answer);

  std::shared_ptr<Shared> shared_;
  Done done_;
  bool busy_ = false;
};

}  // namespace anywire::net
