#include "base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace anywire {
namespace {

thread_local Random* source_for_test = nullptr;

}  // namespace

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

Random& Random::local() {
  thread_local Random random([] {
    std::array<std::uint8_t, sizeof(std::uint64_t)> bytes;
    secure_random(bytes);
    return std::bit_cast<std::uint64_t>(bytes);
  }());
  return random;
}

std::uint64_t Random::next() {
  auto& s = state_;
  const std::uint64_t result = std::rotl(s[0] + s[3], 23) + s[0];
  const std::uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = std::rotl(s[3], 45);
  return result;
}

std::uint64_t Random::below(std::uint64_t bound) {
  AW_ASSERT(bound != 0);
  // The lowest 2^64 mod bound values would make some results more likely than others.
  const std::uint64_t reject_below = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = next();
    if (value >= reject_below) return value % bound;
  }
}

double Random::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

Duration Random::jitter(Duration max) {
  if (max.count() <= 0) return Duration(0);
  const auto bound = static_cast<std::uint64_t>(max.count()) + 1;
  return Duration(static_cast<Duration::rep>(below(bound)));
}

void Random::fill(MutableBytes out) {
  while (!out.empty()) {
    // Little-endian whatever the machine, so that a seed means the same everywhere.
    std::uint64_t word = next();
    const std::size_t count = std::min(out.size(), sizeof word);
    for (std::size_t i = 0; i < count; ++i, word >>= 8) out[i] = static_cast<std::uint8_t>(word);
    out = out.subspan(count);
  }
}

void secure_random(MutableBytes out) {
  if (source_for_test != nullptr) [[unlikely]] return source_for_test->fill(out);
  while (!out.empty()) {
    const ssize_t count = ::getrandom(out.data(), out.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    AW_ASSERT(count > 0);
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

SecureRandomForTest::SecureRandomForTest(Random& source) {
  AW_ASSERT(source_for_test == nullptr);
  source_for_test = &source;
}

SecureRandomForTest::~SecureRandomForTest() { source_for_test = nullptr; }

}  // namespace anywire
