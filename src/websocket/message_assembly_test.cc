#include "websocket/message_assembly.h"

#include <gtest/gtest.h>

#include <vector>

namespace anywire::ws {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

TEST(MessageAssembly, IsIdleUntilSomethingStaysBehind) {
  MessageAssembly assembly;
  EXPECT_TRUE(assembly.idle());
  assembly.in_frame = true;
  EXPECT_FALSE(assembly.idle());
  assembly.in_frame = false;
  assembly.in_message = true;
  EXPECT_FALSE(assembly.idle());
  assembly.in_message = false;
  assembly.carry = Buffer::allocate(1);
  EXPECT_FALSE(assembly.idle());
}

TEST(MessageAssembly, AllocatesWhatIsExpectedAtOnce) {
  MessageAssembly assembly;
  assembly.reserve(100, 50'000);
  EXPECT_EQ(assembly.message->capacity(), 50'000u);
  EXPECT_EQ(assembly.message_bytes(), 0u);
}

TEST(MessageAssembly, BelievesAClaimUpToOneMebibyteOnly) {
  for (const std::uint64_t claim : {std::uint64_t{kMiB}, std::uint64_t{kMiB} + 1,
                                    std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    MessageAssembly assembly;
    assembly.reserve(1, claim);
    EXPECT_EQ(assembly.message->capacity(), kMiB) << claim;
  }
}

TEST(MessageAssembly, GrowsBeyondThatWithTheBytesThatCame) {
  MessageAssembly assembly;
  const std::vector<std::uint8_t> piece(128 * 1024, 7);
  std::size_t grown = 0;
  std::size_t capacity = 0;
  for (int i = 0; i < 64; ++i) {
    assembly.reserve(piece.size(), std::uint64_t{1} << 30);
    assembly.message->append(piece);
    if (assembly.message->capacity() != capacity) ++grown;
    capacity = assembly.message->capacity();
    ASSERT_LE(capacity, std::max(kMiB, 2 * assembly.message_bytes()));
  }
  EXPECT_EQ(assembly.message_bytes(), 64u * piece.size());
  EXPECT_LE(grown, 5u) << "by doubling, not piece by piece";
}

TEST(MessageAssembly, KeepsTheBytesWhenItGrows) {
  MessageAssembly assembly;
  for (int i = 0; i < 1000; ++i) {
    assembly.reserve(1, 0);
    const std::uint8_t byte = static_cast<std::uint8_t>(i);
    assembly.message->append({&byte, 1});
  }
  ASSERT_EQ(assembly.message_bytes(), 1000u);
  for (std::size_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(assembly.message->bytes()[i], static_cast<std::uint8_t>(i));
  }
}

TEST(MessageAssembly, CountsAnInflatedMessage) {
  MessageAssembly assembly;
  assembly.inflated.resize(33);
  EXPECT_EQ(assembly.message_bytes(), 33u);
}

TEST(MessageAssembly, KnowsHowFarAFrameHasCome) {
  MessageAssembly assembly;
  assembly.frame.payload_bytes = 100;
  assembly.frame_left = 30;
  EXPECT_EQ(assembly.frame_done(), 70u);
}

}  // namespace
}  // namespace anywire::ws
