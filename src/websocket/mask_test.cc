#include "websocket/mask.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

namespace anywire::ws {
namespace {

using Key = std::array<std::uint8_t, 4>;

std::uint32_t native(const Key& key) {
  std::uint32_t value = 0;
  std::memcpy(&value, key.data(), 4);
  return value;
}

// RFC 6455 5.3, as it is written there.
void unmask_plainly(MutableBytes data, const Key& key, std::size_t phase) {
  for (std::size_t i = 0; i < data.size(); ++i) data[i] ^= key[(phase + i) % 4];
}

// Masks `size` bytes at `offset` of a larger array and compares all of it with the plain way, so a
// write outside the data shows, too.
void expect_exact(std::size_t size, std::size_t offset, std::size_t phase, std::mt19937& random) {
  constexpr std::size_t kMargin = 64;
  std::vector<std::uint8_t> expected(offset + size + kMargin);
  for (std::uint8_t& byte : expected) byte = static_cast<std::uint8_t>(random());
  std::vector<std::uint8_t> actual = expected;
  Key key;
  for (std::uint8_t& byte : key) byte = static_cast<std::uint8_t>(random());

  unmask_plainly(MutableBytes(expected).subspan(offset, size), key, phase);
  unmask(MutableBytes(actual).subspan(offset, size), native(key), phase);
  ASSERT_EQ(actual, expected) << "size " << size << " offset " << offset << " phase " << phase;
}

TEST(Unmask, EqualsThePlainLoopForEverySizeAlignmentAndPhase) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size <= 70; ++size) {
    for (std::size_t offset = 0; offset < 33; ++offset) {
      for (std::size_t phase = 0; phase < 4; ++phase) {
        ASSERT_NO_FATAL_FAILURE(expect_exact(size, offset, phase, random));
      }
    }
  }
}

TEST(Unmask, EqualsThePlainLoopAroundTheSizesWhereTheWideLoopTurns) {
  std::mt19937 random(2);
  for (const std::size_t middle : {128, 160, 256, 288, 384, 512, 1024, 4096, 65536}) {
    for (std::size_t size = middle - 20; size <= middle + 20; ++size) {
      ASSERT_NO_FATAL_FAILURE(expect_exact(size, size % 37, size % 4, random));
    }
  }
}

TEST(Unmask, DecodesTheExampleOfTheRfc) {
  std::array<std::uint8_t, 5> data = {0x7F, 0x9F, 0x4D, 0x51, 0x58};
  unmask(data, native({0x37, 0xFA, 0x21, 0x3D}), 0);
  EXPECT_EQ(as_text(data), "Hello");
}

TEST(Unmask, InTwoStepsEqualsOneStepAtEverySplit) {
  const std::uint32_t key = native({1, 2, 3, 4});
  std::vector<std::uint8_t> whole(300, 0x55);
  unmask(whole, key, 0);
  for (std::size_t split = 0; split <= whole.size(); ++split) {
    std::vector<std::uint8_t> halves(300, 0x55);
    unmask(MutableBytes(halves).first(split), key, 0);
    unmask(MutableBytes(halves).subspan(split), key, split);
    ASSERT_EQ(halves, whole) << split;
  }
}

TEST(Unmask, TwiceRestoresTheData) {
  std::vector<std::uint8_t> data(1000, 7);
  unmask(data, 0xDEADBEEF, 3);
  EXPECT_NE(data, std::vector<std::uint8_t>(1000, 7));
  unmask(data, 0xDEADBEEF, 3);
  EXPECT_EQ(data, std::vector<std::uint8_t>(1000, 7));
}

}  // namespace
}  // namespace anywire::ws
