#include "websocket/mask.h"

#include <bit>
#include <cstring>

namespace anywire::ws {

namespace {

// From this size on the wider registers pay for the check whether the processor has them.
constexpr std::size_t kWideBytesMin = 256;

constexpr bool kLittleEndian = std::endian::native == std::endian::little;

// The key as it applies from `bytes` bytes later on.
std::uint32_t rotate_key(std::uint32_t key, std::size_t bytes) {
  const int bits = static_cast<int>(bytes & 3) * 8;
  return kLittleEndian ? std::rotr(key, bits) : std::rotl(key, bits);
}

// Masks one Word of data. Written with memcpy, so any alignment will do; it compiles to a load, an
// operation and a store.
template <typename Word>
[[gnu::always_inline]] inline void mask_word(std::uint8_t* data, const Word& key) {
  Word word;
  std::memcpy(&word, data, sizeof word);
  word ^= key;
  std::memcpy(data, &word, sizeof word);
}

// Masks fewer than 16 bytes in halving steps. Stores that overlapped would need fewer branches, but
// the copy that usually follows would wait for them.
[[gnu::always_inline]] inline void mask_rest(std::uint8_t* data, std::size_t size,
                                             std::uint32_t key) {
  if ((size & 8) != 0) {
    mask_word(data, std::uint64_t{key} << 32 | key);
    data += 8;
  }
  if ((size & 4) != 0) {
    mask_word(data, key);
    data += 4;
  }
  for (std::size_t i = 0; i < (size & 3); ++i) {
    const std::uint32_t turned = rotate_key(key, i);
    data[i] ^= static_cast<std::uint8_t>(kLittleEndian ? turned : turned >> 24);
  }
}

using Vector16 [[gnu::vector_size(16)]] = std::uint32_t;

[[gnu::always_inline]] inline void mask_narrow(std::uint8_t* data, std::size_t size,
                                               std::uint32_t key) {
  const Vector16 wide_key = {key, key, key, key};
  for (; size >= 16; size -= 16, data += 16) mask_word(data, wide_key);
  mask_rest(data, size, key);
}

#if defined(__x86_64__)
using Vector32 [[gnu::vector_size(32)]] = std::uint32_t;

[[gnu::target("avx2")]] void mask_wide(std::uint8_t* data, std::size_t size, std::uint32_t key) {
  const Vector32 wide_key = {key, key, key, key, key, key, key, key};
  for (; size >= 64; size -= 64, data += 64) {
    mask_word(data, wide_key);
    mask_word(data + 32, wide_key);
  }
  mask_narrow(data, size, key);
}

bool has_wide_registers() { return __builtin_cpu_supports("avx2") != 0; }
#endif

}  // namespace

void unmask(MutableBytes data, std::uint32_t key_native, std::size_t phase) {
  const std::uint32_t key = rotate_key(key_native, phase);
#if defined(__x86_64__)
  if (data.size() >= kWideBytesMin && has_wide_registers()) {
    return mask_wide(data.data(), data.size(), key);
  }
#endif
  mask_narrow(data.data(), data.size(), key);
}

}  // namespace anywire::ws
