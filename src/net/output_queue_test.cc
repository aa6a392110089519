#include "net/output_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace anywire::net {
namespace {

std::string head_of(const OutputQueue& queue, std::size_t size) {
  std::string out(size, '\0');
  queue.copy_head(reinterpret_cast<std::uint8_t*>(out.data()), size);
  return out;
}

std::string all_of(const OutputQueue& queue) { return head_of(queue, queue.bytes()); }

TEST(OutputQueue, StartsEmpty) {
  const OutputQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.buffers(), 0u);
  EXPECT_TRUE(queue.front().empty());
}

TEST(OutputQueue, JoinsSmallWritesIntoOneBuffer) {
  OutputQueue queue;
  for (int i = 0; i < 20; ++i) queue.append(as_bytes("0123456789"));
  EXPECT_EQ(queue.bytes(), 200u);
  EXPECT_EQ(queue.buffers(), 1u);
}

TEST(OutputQueue, SharesLargeBuffersWithoutCopying) {
  OutputQueue queue;
  const BufferRef shared = Buffer::copy_of(as_bytes("shared"));
  queue.append(shared);
  EXPECT_EQ(queue.front().data(), shared->data());
}

TEST(OutputQueue, OwesASlowReaderOfTinyFramesBytesAndNotPointers) {
  OutputQueue queue;
  const BufferRef tiny = Buffer::copy_of(as_bytes("ab"));
  std::string expected;
  for (int i = 0; i < 100'000; ++i) {
    queue.append(tiny);
    expected += "ab";
  }
  EXPECT_EQ(all_of(queue), expected);
  EXPECT_LT(queue.buffers(), 32u);
}

TEST(OutputQueue, NeverWritesIntoABufferSomebodyElseHolds) {
  OutputQueue queue;
  BufferRef shared = Buffer::allocate(100);
  shared->append(as_bytes("head"));
  queue.append(shared);
  queue.append(as_bytes("tail"));
  EXPECT_EQ(as_text(shared->bytes()), "head");
  EXPECT_EQ(all_of(queue), "headtail");
  EXPECT_EQ(queue.buffers(), 2u);
}

TEST(OutputQueue, NeverWritesIntoABufferSharedBetweenLoops) {
  OutputQueue queue;
  BufferRef shared = Buffer::allocate(100);
  shared->append(as_bytes("head"));
  shared->make_shared();
  queue.append(std::move(shared));
  queue.append(as_bytes("tail"));
  EXPECT_EQ(queue.buffers(), 2u);
  EXPECT_EQ(all_of(queue), "headtail");
}

TEST(OutputQueue, IgnoresEmptyWrites) {
  OutputQueue queue;
  queue.append(Bytes{});
  queue.append(Buffer::allocate(10));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.buffers(), 0u);
}

TEST(OutputQueue, ConsumesAcrossBuffers) {
  OutputQueue queue;
  queue.append(Buffer::copy_of(as_bytes("abc")));
  queue.append(Buffer::copy_of(as_bytes("def")));
  queue.consume(2);
  EXPECT_EQ(as_text(queue.front()), "c");
  queue.consume(2);
  EXPECT_EQ(as_text(queue.front()), "ef");
  EXPECT_EQ(queue.buffers(), 1u);
  queue.consume(2);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.buffers(), 0u);
}

TEST(OutputQueue, ReleasesConsumedBuffersAtOnce) {
  OutputQueue queue;
  const BufferRef shared = Buffer::copy_of(as_bytes("abc"));
  queue.append(shared);
  queue.append(as_bytes("more"));
  EXPECT_FALSE(shared->exclusive());
  queue.consume(3);
  EXPECT_TRUE(shared->exclusive());
}

TEST(OutputQueue, GathersAtMostAsManyAsAsked) {
  OutputQueue queue;
  const std::string piece(30, 'x');
  for (int i = 0; i < 20; ++i) queue.append(Buffer::copy_of(as_bytes(piece)));
  queue.consume(1);
  std::array<iovec, 8> entries{};
  ASSERT_EQ(queue.gather(entries.data(), entries.size()), 8u);
  EXPECT_EQ(entries[0].iov_len, 29u);
  EXPECT_EQ(entries[7].iov_len, 30u);
  std::array<iovec, 64> more{};
  EXPECT_EQ(queue.gather(more.data(), more.size()), 20u);
}

TEST(OutputQueueDeathTest, DiesOfConsumingMoreThanThereIs) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  OutputQueue queue;
  queue.append(as_bytes("abc"));
  EXPECT_DEATH(queue.consume(4), "size");
}

TEST(OutputQueue, BehavesLikeAString) {
  std::mt19937 random(7);
  const BufferRef shared = Buffer::copy_of(as_bytes(std::string(3000, 's')));
  for (int round = 0; round < 50; ++round) {
    OutputQueue queue;
    std::string model;
    for (int i = 0; i < 400; ++i) {
      const std::size_t size = random() % (1u << (random() % 12));
      const std::string text(size, static_cast<char>('a' + random() % 26));
      switch (random() % 5) {
        case 0: case 1:
          queue.append(as_bytes(text));
          model += text;
          break;
        case 2:
          queue.append(Buffer::copy_of(as_bytes(text)));
          model += text;
          break;
        case 3:
          queue.append(shared);
          model += as_text(shared->bytes());
          break;
        default: {
          const std::size_t taken = model.empty() ? 0 : random() % (model.size() + 1);
          queue.consume(taken);
          model.erase(0, taken);
        }
      }
      ASSERT_EQ(queue.bytes(), model.size());
      ASSERT_EQ(queue.empty(), model.empty());
      ASSERT_TRUE(all_of(queue) == model) << "round " << round << " step " << i;
    }
  }
}

}  // namespace
}  // namespace anywire::net
