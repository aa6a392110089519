#include "base/suggest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace anywire {
namespace {

constexpr std::array<std::string_view, 5> kNames{"listen", "loops", "backlog", "ping_interval",
                                                 "ping_timeout"};

std::string suggestion(std::string_view word) {
  return std::string(suggest(word, kNames).value_or("nothing"));
}

TEST(EditDistance, CountsEachKindOfMistake) {
  EXPECT_EQ(edit_distance("loops", "loops"), 0u);
  EXPECT_EQ(edit_distance("loop", "loops"), 1u);
  EXPECT_EQ(edit_distance("looops", "loops"), 1u);
  EXPECT_EQ(edit_distance("laops", "loops"), 1u);
  EXPECT_EQ(edit_distance("lopos", "loops"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(EditDistance, IgnoresCaseAndDashes) {
  EXPECT_EQ(edit_distance("Ping-Interval", "ping_interval"), 0u);
}

TEST(EditDistance, StaysSymmetric) {
  for (const auto a : kNames) {
    for (const auto b : kNames) EXPECT_EQ(edit_distance(a, b), edit_distance(b, a));
  }
}

TEST(EditDistance, ComparesWordsUpToTheLimit) {
  const std::string longest(kSuggestBytesMax, 'a');
  EXPECT_EQ(edit_distance(longest, longest), 0u);
  EXPECT_EQ(edit_distance(longest + "a", longest + "a"), kSuggestBytesMax + 1);
}

TEST(Suggest, FindsTheNearestName) {
  EXPECT_EQ(suggestion("lisen"), "listen");
  EXPECT_EQ(suggestion("loop"), "loops");
  EXPECT_EQ(suggestion("ping_intervall"), "ping_interval");
  EXPECT_EQ(suggestion("PING-TIMEOUT"), "ping_timeout");
}

TEST(Suggest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(suggestion("certificate"), "nothing");
  EXPECT_EQ(suggestion("x"), "nothing");
  EXPECT_EQ(suggestion(""), "nothing");
}

TEST(Suggest, SaysNothingWithoutCandidates) { EXPECT_FALSE(suggest("loops", {})); }

TEST(Suggest, PrefersTheEarlierOfEquals) {
  constexpr std::array<std::string_view, 2> kTwins{"aab", "aac"};
  EXPECT_EQ(suggest("aad", kTwins), "aab");
}

TEST(Suggest, IgnoresAbsurdlyLongWords) {
  EXPECT_EQ(suggestion(std::string(100'000, 'l')), "nothing");
}

}  // namespace
}  // namespace anywire
