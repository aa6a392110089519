#include "codec/delta.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "base/random.h"
#include "codec/testing/delta.h"

namespace anywire::codec {
namespace {

std::string delta(std::string_view base, std::string_view target) {
  return delta_of(as_bytes(base), as_bytes(target));
}

std::string random_text(Random& random, std::size_t bytes, int letters) {
  std::string text(bytes, ' ');
  for (char& c : text) {
    c = static_cast<char>('a' + random.next() % static_cast<std::uint64_t>(letters));
  }
  return text;
}

TEST(Delta, IsTheFormatOfFossil) {
  // Reckoned elsewhere: 3 bytes, inserted; their checksum is 0x61626300.
  EXPECT_EQ(delta("", "abc"), "3\n3:abc1XObC0;");
  EXPECT_EQ(delta("", ""), "0\n0;");
  const std::string base = "The quick brown fox jumps over the lazy dog.";
  EXPECT_EQ(delta(base, base), "h\nh@0,1tF1L9;");
  EXPECT_EQ(delta(base, base + "!"), "i\nh@0,1:!2PF1L9;");
}

TEST(Delta, SaysLittleAboutASmallChange) {
  std::string base = "{\"players\":[";
  for (int i = 0; i < 100; ++i) {
    base += "{\"id\":" + std::to_string(i) + ",\"x\":12.5,\"y\":99.25,\"alive\":true},";
  }
  std::string target = base;
  target.replace(target.find("\"id\":50,\"x\":12.5"), 16, "\"id\":50,\"x\":13.5");
  target.replace(target.find("\"id\":90,\"x\":12.5"), 16, "\"id\":90,\"x\":-2.25");
  const std::string change = delta(base, target);
  EXPECT_EQ(apply_delta(base, change), target);
  EXPECT_LT(change.size(), 70u) << change;
  target.erase(1000, 500);
  target.insert(2000, "something quite new");
  EXPECT_LT(delta(base, target).size(), 170u);
  EXPECT_EQ(apply_delta(base, delta(base, target)), target);
}

TEST(Delta, MakesOneTextOfAnyOther) {
  Random random(7);
  for (int i = 0; i < 3000; ++i) {
    const int letters = 1 + static_cast<int>(random.next() % 26);
    const std::string base = random_text(random, random.next() % 300, letters);
    std::string target = random.next() % 4 == 0 ? random_text(random, random.next() % 300, letters)
                                                : base;
    for (std::uint64_t edits = random.next() % 5; edits > 0; --edits) {
      const std::size_t at = random.next() % (target.size() + 1);
      switch (random.next() % 3) {
        case 0: target.erase(at, random.next() % 40); break;
        case 1: target.insert(at, random_text(random, random.next() % 40, letters)); break;
        default: target.insert(at, target.substr(random.next() % (target.size() + 1), 50)); break;
      }
    }
    const std::string change = delta(base, target);
    ASSERT_EQ(apply_delta(base, change), target) << base << "\n" << target << "\n" << change;
    EXPECT_LE(change.size(), target.size() + 32);
  }
}

TEST(Delta, IsOfItsBaseOnly) {
  Random random(3);
  const std::string base = random_text(random, 500, 26);
  const std::string change = delta(base, base + "x");
  std::string other = base;
  other[250] = '!';
  EXPECT_EQ(apply_delta(base, change), base + "x");
  EXPECT_FALSE(apply_delta(other, change)) << "the checksum is of the target";
  EXPECT_FALSE(apply_delta("", change));
}

TEST(Delta, TakesAFewTriesForBlocksThatLookAlike) {
  // A million places, each of which looks like sixty thousand others but for what comes behind.
  const std::string block = "0123456789abcdef";
  std::string base, target;
  for (int i = 0; i < 60'000; ++i) {
    base += block;
    target += block.substr(1) + (i % 2 == 0 ? "!" : "?");
  }
  const auto begin = std::chrono::steady_clock::now();
  const std::string change = delta(base, target);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(apply_delta(base, change), target);
}

}  // namespace
}  // namespace anywire::codec
