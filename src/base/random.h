// Random numbers, of two kinds that must not be mistaken for each other.
//
// Random is fast and predictable: jitter, masks (RFC 6455 10.3 asks for strong masks only of
// browsers, where scripts are the attacker), load tests, simulation. The same seed gives the same
// sequence on every machine, so whatever takes a Random can be replayed. secure_random() is for
// whatever an attacker must not guess: epochs, ids, tickets.
//
// Thread: a Random belongs to one thread; Random::local() is the calling thread's own.
// secure_random() may be called on any thread.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/time.h"

namespace anywire {

// xoshiro256++ (Blackman and Vigna), seeded through splitmix64 so that close seeds diverge at once.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  // This thread's generator, seeded from the kernel when the thread first asks.
  static Random& local();

  std::uint64_t next();

  // Evenly distributed in [0, bound); `bound` must not be 0.
  std::uint64_t below(std::uint64_t bound);

  // Evenly distributed in [0, 1), 53 bits.
  double unit();

  // Evenly distributed in [0, max]: "full jitter". 0 when max is not positive.
  Duration jitter(Duration max);

  void fill(MutableBytes out);

 private:
  std::array<std::uint64_t, 4> state_;
};

// Fills `out` from the kernel's generator. Cannot fail after boot; if the kernel refuses, the
// process ends rather than go on with guessable bytes.
void secure_random(MutableBytes out);

// For simulations, which have to be the same each time they are run with the same seed: while one
// lives, secure_random() draws from `source` on this thread. One per thread at a time; the source
// outlives it.
class SecureRandomForTest {
 public:
  explicit SecureRandomForTest(Random& source);
  ~SecureRandomForTest();
  SecureRandomForTest(const SecureRandomForTest&) = delete;
  SecureRandomForTest& operator=(const SecureRandomForTest&) = delete;
};

}  // namespace anywire
