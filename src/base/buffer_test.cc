#include "base/buffer.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace anywire {
namespace {

TEST(Buffer, StartsEmptyWithTheRoomAskedFor) {
  BufferRef buffer = Buffer::allocate(10);
  EXPECT_EQ(buffer->size(), 0u);
  EXPECT_EQ(buffer->capacity(), 10u);
  EXPECT_EQ(buffer->room(), 10u);
  EXPECT_TRUE(buffer->exclusive());
  buffer->append(as_bytes("abc"));
  EXPECT_EQ(as_text(buffer->bytes()), "abc");
  EXPECT_EQ(buffer->room(), 7u);
  buffer->append({});
  EXPECT_EQ(buffer->size(), 3u);
}

TEST(Buffer, IsFilledInPlace) {
  BufferRef buffer = Buffer::allocate(4);
  MutableBytes space = buffer->free_space();
  ASSERT_EQ(space.size(), 4u);
  space[0] = 'h';
  space[1] = 'i';
  buffer->commit(2);
  EXPECT_EQ(as_text(buffer->bytes()), "hi");
  EXPECT_EQ(buffer->free_space().size(), 2u);
  buffer->truncate(1);
  EXPECT_EQ(as_text(buffer->bytes()), "h");
}

TEST(Buffer, CopiesOneOrTwoParts) {
  EXPECT_EQ(as_text(Buffer::copy_of(as_bytes("whole"))->bytes()), "whole");
  EXPECT_EQ(as_text(Buffer::copy_of(as_bytes("he"), as_bytes("ad"))->bytes()), "head");
  EXPECT_EQ(Buffer::copy_of({})->size(), 0u);
}

TEST(Buffer, LivesAsLongAsAnyReference) {
  BufferRef first = Buffer::copy_of(as_bytes("shared"));
  BufferRef second = first;
  EXPECT_FALSE(first->exclusive());
  first = {};
  EXPECT_FALSE(first);
  EXPECT_TRUE(second->exclusive());
  EXPECT_EQ(as_text(second->bytes()), "shared");
}

TEST(BufferRef, MovesAndAssignsWithoutLosingCount) {
  BufferRef a = Buffer::copy_of(as_bytes("a"));
  BufferRef b = std::move(a);
  EXPECT_FALSE(a);  // NOLINT: a moved-from reference is null by contract
  EXPECT_TRUE(b->exclusive());
  BufferRef& alias = b;
  b = alias;
  EXPECT_TRUE(b->exclusive());
  a = b;
  b = Buffer::copy_of(as_bytes("b"));
  EXPECT_TRUE(a->exclusive());
  EXPECT_EQ(as_text(a->bytes()), "a");
}

TEST(Buffer, AViewKeepsItsParentAlive) {
  BufferRef view;
  {
    BufferRef parent = Buffer::copy_of(as_bytes("0123456789"));
    view = Buffer::view_of(parent, 2, 5);
    EXPECT_FALSE(parent->exclusive());
  }
  EXPECT_EQ(as_text(view->bytes()), "23456");
  EXPECT_FALSE(view->exclusive()) << "others may see the same bytes";
  EXPECT_EQ(view->room(), 0u);
}

TEST(Buffer, AViewOfAViewWorks) {
  BufferRef inner = Buffer::view_of(
      Buffer::view_of(Buffer::copy_of(as_bytes("0123456789")), 2, 6), 1, 3);
  EXPECT_EQ(as_text(inner->bytes()), "345");
}

TEST(BufferRef, GrowsAnExclusiveBufferAndKeepsItsBytes) {
  BufferRef buffer = Buffer::allocate(4);
  buffer->append(as_bytes("abcd"));
  buffer.grow(100'000);
  EXPECT_EQ(as_text(buffer->bytes()), "abcd");
  EXPECT_GE(buffer->room(), 99'996u);
  buffer->append(as_bytes("efgh"));
  EXPECT_EQ(as_text(buffer->bytes()), "abcdefgh");
  buffer.grow(2);
  EXPECT_EQ(buffer->size(), 8u) << "never shrinks";
}

TEST(Buffer, NeverBecomesExclusiveAgainOnceSharedBetweenLoops) {
  BufferRef buffer = Buffer::allocate(8);
  buffer->append(as_bytes("x"));
  buffer->make_shared();
  EXPECT_FALSE(buffer->exclusive());
}

TEST(BufferDeathTest, DiesOfOverflowAndOfViewsOutOfRange) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const BufferRef buffer = Buffer::allocate(2);
  EXPECT_DEATH(buffer->append(as_bytes("abc")), "room");
  EXPECT_DEATH(Buffer::view_of(buffer, 0, 1), "size");
}

TEST(Buffer, IsCountedCorrectlyFromFourThreads) {
  BufferRef buffer = Buffer::copy_of(as_bytes("everywhere"));
  buffer->make_shared();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([mine = buffer] {
      for (int i = 0; i < 10'000; ++i) {
        const BufferRef copy = mine;
        const BufferRef view = Buffer::view_of(copy, 5, 5);
        ASSERT_EQ(view->bytes()[0], 'w');
      }
    });
  }
  buffer = {};
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace anywire
