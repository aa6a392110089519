#include "codec/delta.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace anywire::codec {
namespace {

constexpr std::size_t kBlock = 16;
constexpr int kTriesMax = 8;
// A shorter copy takes as many bytes to say as it saves.
constexpr std::size_t kCopyBytesMin = 12;
constexpr std::uint32_t kFactor = 0x01000193;
constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

void put_number(std::string& out, std::uint64_t number) {
  char digits[11];
  std::size_t count = 0;
  do {
    digits[count++] = kDigits[number & 63];
    number >>= 6;
  } while (number != 0);
  while (count > 0) out += digits[--count];
}

// The sum of all groups of four bytes, the first of each the highest.
std::uint32_t checksum(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += std::uint32_t{bytes[i]} << (24 - 8 * (i & 3));
  }
  return sum;
}

// What the byte that leaves a block was multiplied by.
constexpr std::uint32_t kHighest = [] {
  std::uint32_t power = 1;
  for (std::size_t i = 1; i < kBlock; ++i) power *= kFactor;
  return power;
}();

// Of the kBlock bytes it stands on; moves on by one byte at a constant cost.
class RollingHash {
 public:
  explicit RollingHash(const std::uint8_t* at) {
    for (std::size_t i = 0; i < kBlock; ++i) hash_ = hash_ * kFactor + at[i];
  }
  void roll(std::uint8_t out, std::uint8_t in) {
    hash_ = (hash_ - out * kHighest) * kFactor + in;
  }
  std::uint32_t value() const { return hash_ ^ hash_ >> 15; }

 private:
  std::uint32_t hash_ = 0;
};

struct Match {
  std::size_t from = 0;  // in the base
  std::size_t at = 0;    // in the target
  std::size_t bytes = 0;
};

// The blocks of a text, by their hashes.
class Blocks {
 public:
  explicit Blocks(Bytes base) : base_(base), next_(base.size() / kBlock, kNone) {
    heads_.assign(std::bit_ceil(next_.size() + 1), kNone);
    // The first of those that look alike is tried first.
    for (std::size_t i = next_.size(); i-- > 0;) {
      std::uint32_t& head = head_of(RollingHash(base.data() + i * kBlock));
      next_[i] = head;
      head = static_cast<std::uint32_t>(i);
    }
  }

  // The longest of those tried that holds the block at `at` and begins no earlier than `begin`.
  Match find(RollingHash hash, Bytes target, std::size_t begin, std::size_t at) {
    Match best;
    int tries = 0;
    for (std::uint32_t block = head_of(hash); block != kNone && tries < kTriesMax;
         block = next_[block], ++tries) {
      const Match match = grow(target, begin, at, std::size_t{block} * kBlock);
      if (match.bytes > best.bytes) best = match;
    }
    return best;
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  std::uint32_t& head_of(RollingHash hash) { return heads_[hash.value() & (heads_.size() - 1)]; }

  Match grow(Bytes target, std::size_t begin, std::size_t at, std::size_t from) const {
    if (std::memcmp(base_.data() + from, target.data() + at, kBlock) != 0) return {};
    std::size_t ahead = kBlock;
    while (from + ahead < base_.size() && at + ahead < target.size() &&
           base_[from + ahead] == target[at + ahead]) {
      ++ahead;
    }
    std::size_t behind = 0;
    while (behind < from && at - behind > begin &&
           base_[from - behind - 1] == target[at - behind - 1]) {
      ++behind;
    }
    return {from - behind, at - behind, behind + ahead};
  }

  const Bytes base_;
  std::vector<std::uint32_t> next_;
  std::vector<std::uint32_t> heads_;
};

void put_insert(std::string& out, Bytes bytes) {
  if (bytes.empty()) return;
  put_number(out, bytes.size());
  out += ':';
  out += as_text(bytes);
}

void put_copy(std::string& out, std::size_t bytes, std::size_t from) {
  put_number(out, bytes);
  out += '@';
  put_number(out, from);
  out += ',';
}

std::size_t common_prefix(Bytes a, Bytes b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

std::string delta_of(Bytes base, Bytes target) {
  std::string out;
  put_number(out, target.size());
  out += '\n';
  std::size_t done = common_prefix(base, target);
  if (done < kCopyBytesMin) {
    done = 0;
  } else {
    put_copy(out, done, 0);
  }
  if (base.size() >= kBlock && target.size() - done >= kBlock) {
    Blocks blocks(base);
    const std::size_t last = target.size() - kBlock;
    std::size_t at = done;
    RollingHash hash(target.data() + at);
    for (;;) {
      const Match match = blocks.find(hash, target, done, at);
      if (match.bytes != 0) {
        put_insert(out, target.subspan(done, match.at - done));
        put_copy(out, match.bytes, match.from);
        at = done = match.at + match.bytes;
        if (at > last) break;
        hash = RollingHash(target.data() + at);
        continue;
      }
      if (at == last) break;
      hash.roll(target[at], target[at + kBlock]);
      ++at;
    }
  }
  put_insert(out, target.subspan(done));
  put_number(out, checksum(target));
  out += ';';
  return out;
}

}  // namespace anywire::codec
