#include "base/utf8_lossy.h"

#include <gtest/gtest.h>

#include <vector>

namespace anywire {
namespace {

// The text with every broken sequence shown as '?', so that expectations stay readable.
std::string with_marks(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const LossyCharacter character = decode_lossy(text);
    EXPECT_GE(character.length, 1);
    EXPECT_LE(character.length, text.size());
    EXPECT_EQ(character.valid || character.code_point == kReplacementCharacter, true);
    if (character.valid) append_utf8(out, character.code_point);
    else out += '?';
    text.remove_prefix(character.length);
  }
  return out;
}

TEST(Utf8Lossy, RoundTripsEveryCodePoint) {
  for (char32_t code_point = 0; code_point <= 0x10ffff; ++code_point) {
    if (code_point >= 0xd800 && code_point <= 0xdfff) continue;
    std::string text;
    append_utf8(text, code_point);
    const LossyCharacter character = decode_lossy(text);
    ASSERT_TRUE(character.valid) << static_cast<std::uint32_t>(code_point);
    ASSERT_EQ(character.code_point, code_point);
    ASSERT_EQ(character.length, text.size());
  }
}

TEST(Utf8Lossy, ReplacesEachStrayByte) {
  EXPECT_EQ(with_marks("\x80"), "?");
  EXPECT_EQ(with_marks("a\xff" "b\xfe"), "a?b?");
  EXPECT_EQ(with_marks("\xf8\x88\x80\x80\x80"), "?????");
}

TEST(Utf8Lossy, ReplacesATruncatedSequenceOnce) {
  EXPECT_EQ(with_marks("\xe2\x82"), "?");
  EXPECT_EQ(with_marks("\xf0\x9f\x98"), "?");
  EXPECT_EQ(with_marks("\xf0\x9f\x98" "a"), "?a");
  EXPECT_EQ(with_marks("\xe2\x82\xe2\x82\xac"), "?€");
  EXPECT_EQ(with_marks("\xc2\n"), "?\n");
}

TEST(Utf8Lossy, TakesNoPartOfASequenceThatCannotBecomeValid) {
  EXPECT_EQ(with_marks("\xc0\x80"), "??");          // overlong NUL
  EXPECT_EQ(with_marks("\xe0\x80\x80"), "???");     // overlong
  EXPECT_EQ(with_marks("\xed\xa0\x80"), "???");     // a surrogate
  EXPECT_EQ(with_marks("\xf0\x80\x80\x80"), "????");  // overlong
  EXPECT_EQ(with_marks("\xf4\x90\x80\x80"), "????");  // above U+10FFFF
}

TEST(Utf8Lossy, AcceptsTheBordersOfEachLength) {
  for (const char* text : {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
                           "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(with_marks(text), text);
  }
}

TEST(Utf8Lossy, TellsARealReplacementCharacterFromABrokenOne) {
  EXPECT_TRUE(decode_lossy("\xef\xbf\xbd").valid);
  EXPECT_FALSE(decode_lossy("\xef\xbf").valid);
}

}  // namespace
}  // namespace anywire
