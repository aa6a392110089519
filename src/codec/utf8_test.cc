#include "codec/utf8.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace anywire::codec {
namespace {

// The plain rule of RFC 3629, code point by code point: what the fast code is compared with.
// Returns how many bytes can be read before the text is hopeless; text.size() if it never is.
// `complete` tells whether the readable part ends between two code points.
std::size_t hopeful_bytes(Bytes text, bool& complete) {
  std::size_t at = 0;
  complete = true;
  while (at < text.size()) {
    const unsigned lead = text[at];
    const unsigned size = lead < 0x80   ? 1
                          : lead < 0xC0 ? 0
                          : lead < 0xE0 ? 2
                          : lead < 0xF0 ? 3
                          : lead < 0xF8 ? 4
                                        : 0;
    if (size == 0) return at;
    // The smallest and largest code point the bytes seen so far can still become.
    std::uint32_t value = size == 1 ? lead : lead & (0x7FU >> size);
    const std::uint32_t least = size == 1 ? 0 : size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
    for (unsigned i = 1; i <= size; ++i) {
      const unsigned unknown_bits = 6 * (size - i);
      const std::uint32_t low = value << unknown_bits;
      const std::uint32_t high = low | ((1U << unknown_bits) - 1);
      const bool hopeless = high < least || low > 0x10FFFF || (low >= 0xD800 && high <= 0xDFFF);
      if (hopeless) return at + i - 1;
      if (i == size) break;
      if (at + i == text.size()) {
        complete = false;
        return text.size();
      }
      if ((text[at + i] & 0xC0) != 0x80) return at + i;
      value = value << 6 | (text[at + i] & 0x3FU);
    }
    at += size;
  }
  return at;
}

std::string encode(std::uint32_t point) {
  std::string out;
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 63));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 63));
    out += static_cast<char>(0x80 | (point & 63));
  } else {
    out += static_cast<char>(0xF0 | point >> 18);
    out += static_cast<char>(0x80 | (point >> 12 & 63));
    out += static_cast<char>(0x80 | (point >> 6 & 63));
    out += static_cast<char>(0x80 | (point & 63));
  }
  return out;
}

// Fed byte by byte, the validator must refuse exactly where the plain rule does; fed as a whole
// and split in two anywhere, it must come to the same verdict.
void expect_same_as_plain_rule(Bytes text) {
  bool complete = false;
  const std::size_t hopeful = hopeful_bytes(text, complete);
  const bool all_hopeful = hopeful == text.size();

  Utf8Validator by_byte;
  for (std::size_t i = 0; i < text.size(); ++i) {
    ASSERT_EQ(by_byte.feed(text.subspan(i, 1)), i < hopeful) << "byte " << i;
  }
  if (all_hopeful) {
    ASSERT_EQ(by_byte.complete(), complete);
  }
  ASSERT_EQ(is_valid_utf8(text), all_hopeful && complete);

  for (std::size_t split = 0; split <= text.size(); ++split) {
    Utf8Validator halves;
    const bool first = halves.feed(text.first(split));
    ASSERT_EQ(first, split <= hopeful);
    ASSERT_EQ(halves.feed(text.subspan(split)), all_hopeful) << "split at " << split;
    if (all_hopeful) {
      ASSERT_EQ(halves.complete(), complete);
    }
  }
}

TEST(Utf8, AcceptsEveryCodePointAndNoSurrogate) {
  for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    ASSERT_EQ(is_valid_utf8(as_bytes(encode(point))), !surrogate) << point;
  }
  EXPECT_FALSE(is_valid_utf8(as_bytes(encode(0x110000))));
}

TEST(Utf8, AgreesWithThePlainRuleOnEveryTwoBytesAndTheirContinuations) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      for (const std::string_view rest : {"", "\x80", "\x80\x80", "\xBF\xBF", "a", "\xC3"}) {
        std::string text{static_cast<char>(first), static_cast<char>(second)};
        text += rest;
        ASSERT_NO_FATAL_FAILURE(expect_same_as_plain_rule(as_bytes(text)));
      }
    }
  }
}

TEST(Utf8, RefusesAtTheByteThatMakesTheTextHopeless) {
  struct Case {
    std::string_view name;
    std::string_view text;
    std::size_t hopeful;
  };
  const Case cases[] = {
      {"lone continuation", "ab\x80", 2},
      {"overlong slash, two bytes", "\xC0\xAF", 0},
      {"overlong slash, three bytes", "\xE0\x80\xAF", 1},
      {"overlong slash, four bytes", "\xF0\x80\x80\xAF", 1},
      {"surrogate", "\xED\xA0\x80", 1},
      {"last before the surrogates", "\xED\x9F\xBF", 3},
      {"above the last code point", "\xF4\x90\x80\x80", 1},
      {"last code point", "\xF4\x8F\xBF\xBF", 4},
      {"five-byte form", "\xF8\x88\x80\x80\x80", 0},
      {"byte FE", "\xFE", 0},
      {"sequence cut by ASCII", "\xE2\x82" "a", 2},
      {"kosme, then a surrogate", "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80", 12},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    bool complete = false;
    EXPECT_EQ(hopeful_bytes(as_bytes(test.text), complete), test.hopeful);
    expect_same_as_plain_rule(as_bytes(test.text));
  }
}

TEST(Utf8, AgreesWithThePlainRuleOnLongRandomTextAtEverySplit) {
  std::mt19937 random(1);
  const std::uint32_t limits[] = {0x80, 0x800, 0x10000, 0x110000};
  for (int round = 0; round < 300; ++round) {
    std::string text;
    while (text.size() < 150) {
      std::uint32_t point = random() % limits[random() % 4];
      if (point >= 0xD800 && point <= 0xDFFF) point = 'x';
      text += encode(point);
    }
    if (round % 3 != 0) text[random() % text.size()] = static_cast<char>(random());
    if (round % 3 == 2) text.resize(random() % text.size());
    ASSERT_NO_FATAL_FAILURE(expect_same_as_plain_rule(as_bytes(text)));
  }
}

TEST(Utf8, FindsOneBadByteAnywhereInLongAscii) {
  for (std::size_t size : {1, 7, 8, 9, 63, 64, 65, 200}) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      text[at] = '\xFF';
      EXPECT_FALSE(is_valid_utf8(as_bytes(text)));
      Utf8Validator validator;
      EXPECT_FALSE(validator.feed(as_bytes(text)));
    }
  }
}

TEST(Utf8, IsIncompleteInsideASequenceAndCompleteAfterIt) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.complete());
  EXPECT_TRUE(validator.feed(as_bytes("gr\xC3")));
  EXPECT_FALSE(validator.complete());
  EXPECT_TRUE(validator.feed({}));
  EXPECT_FALSE(validator.complete());
  EXPECT_TRUE(validator.feed(as_bytes("\xBC\xC3\x9F")));
  EXPECT_TRUE(validator.complete());
}

TEST(Utf8, StaysRefusedUntilReset) {
  Utf8Validator validator;
  EXPECT_FALSE(validator.feed(as_bytes("\xFF")));
  EXPECT_FALSE(validator.feed(as_bytes("fine")));
  EXPECT_FALSE(validator.feed({}));
  EXPECT_FALSE(validator.complete());
  validator.reset();
  EXPECT_TRUE(validator.feed(as_bytes("fine")));
  EXPECT_TRUE(validator.complete());
}

TEST(Utf8, AcceptsTheEmptyTextAndZeroBytes) {
  EXPECT_TRUE(is_valid_utf8({}));
  EXPECT_TRUE(is_valid_utf8(as_bytes(std::string_view("\0\0", 2))));
}

}  // namespace
}  // namespace anywire::codec
