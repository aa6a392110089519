#include "auth/glob.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace anywire::auth {
namespace {

Glob glob(std::string_view text) {
  Result<Glob> parsed = Glob::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Glob());
}

bool matches(std::string_view pattern, std::string_view name) {
  return glob(pattern).matches(name);
}

// What the header says, by plain recursion and without normalising: ASCII only.
bool naive(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    return naive(pattern.substr(1), name) || (!name.empty() && naive(pattern, name.substr(1)));
  }
  return !name.empty() && (pattern[0] == '?' || pattern[0] == name[0]) &&
         naive(pattern.substr(1), name.substr(1));
}

// The next character's bytes, as the header has it.
std::size_t character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t most = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  std::size_t length = 1;
  while (length < most && length < text.size() &&
         (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) {
    ++length;
  }
  return length;
}

// By looking for each piece between stars again and again: plain, and slow at its worst.
bool retrying(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, piece = std::string_view::npos, retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      piece = ++p;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t += character(text.substr(t));
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (piece == std::string_view::npos) {
      return false;
    } else {
      p = piece;
      t = ++retry;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// All texts over an alphabet up to a length.
std::vector<std::string> all_texts(std::string_view alphabet, std::size_t length_max) {
  std::vector<std::string> all{""};
  for (std::size_t i = 0; i < all.size() && all[i].size() < length_max; ++i) {
    for (const char c : alphabet) all.push_back(all[i] + c);
  }
  return all;
}

TEST(Glob, ComparesLiteralsByteByByte) {
  EXPECT_TRUE(matches("chat:1", "chat:1"));
  EXPECT_FALSE(matches("chat:1", "chat:10"));
  EXPECT_FALSE(matches("chat:1", "chat:"));
  EXPECT_FALSE(matches("chat:1", "Chat:1"));
  EXPECT_FALSE(matches("chat", ""));
}

TEST(Glob, LetsAStarTakeAnyRun) {
  for (const char* name : {"", "a", "chat:eu:7", "a/b/c", "*", "\xc3\xa9"}) {
    EXPECT_TRUE(matches("*", name)) << name;
  }
  EXPECT_TRUE(matches("chat:*", "chat:"));
  EXPECT_TRUE(matches("chat:*", "chat:eu:7/x"));
  EXPECT_FALSE(matches("chat:*", "chat"));
  EXPECT_TRUE(matches("*:log", "a:b:log"));
  EXPECT_FALSE(matches("*:log", "a:b:logs"));
  EXPECT_TRUE(matches("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(matches("a*b*c", "a-c-b"));
  EXPECT_FALSE(matches("ab*ba", "aba")) << "the ends may not overlap";
}

TEST(Glob, LetsAQuestionMarkTakeOneCharacter) {
  EXPECT_TRUE(matches("room-?", "room-7"));
  EXPECT_FALSE(matches("room-?", "room-"));
  EXPECT_FALSE(matches("room-?", "room-42"));
  EXPECT_TRUE(matches("?", "\xc3\xa9")) << "two bytes";
  EXPECT_TRUE(matches("a?b", "a\xf0\x9f\x98\x80" "b")) << "four bytes";
  EXPECT_FALSE(matches("??", "\xc3\xa9"));
  EXPECT_FALSE(matches("*??", "\xc3\xa9"));
  EXPECT_TRUE(matches("*?x", "\xc3\xa9x"));
}

TEST(Glob, HasNoOtherSpecialCharacters) {
  EXPECT_TRUE(matches("[ab]", "[ab]"));
  EXPECT_FALSE(matches("[ab]", "a"));
  EXPECT_TRUE(matches("a\\*", "a\\b"));
  EXPECT_FALSE(matches("a\\*", "a*"));
  EXPECT_TRUE(matches("{a,b}.+^$", "{a,b}.+^$"));
}

TEST(Glob, RefusesWhatIsNoPattern) {
  EXPECT_FALSE(Glob::parse(""));
  EXPECT_FALSE(Glob::parse("a\nb"));
  EXPECT_FALSE(Glob::parse(std::string_view("a\0b", 3)));
  EXPECT_FALSE(Glob::parse("a\x7f"));
  EXPECT_FALSE(Glob::parse("\xff"));
  EXPECT_FALSE(Glob::parse("\xc3")) << "half a character";
}

TEST(Glob, EndsAt255Bytes) {
  EXPECT_TRUE(Glob::parse(std::string(kGlobBytesMax, '*')));
  EXPECT_TRUE(Glob::parse(std::string(kGlobBytesMax, 'a')));
  const auto longer = Glob::parse(std::string(kGlobBytesMax + 1, 'a'));
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, ErrorCode::kLimit);
}

TEST(Glob, HasANormalForm) {
  EXPECT_EQ(glob("a**b").pattern(), "a*b");
  EXPECT_EQ(glob("***").pattern(), "*");
  EXPECT_EQ(glob("*?*?").pattern(), "??*");
  EXPECT_EQ(glob("a*?b?*").pattern(), "a?*b?*");
  EXPECT_EQ(glob("*?*"), glob("?**"));
  for (const std::string& text : all_texts("a*?", 5)) {
    if (text.empty()) continue;
    const Glob once = glob(text);
    EXPECT_EQ(glob(once.pattern()), once) << text;
  }
}

TEST(Glob, TellsItsLiteralPrefix) {
  EXPECT_EQ(glob("chat:*").literal_prefix(), "chat:");
  EXPECT_EQ(glob("a?b").literal_prefix(), "a");
  EXPECT_EQ(glob("abc").literal_prefix(), "abc");
  EXPECT_EQ(glob("*").literal_prefix(), "");
  EXPECT_TRUE(glob("abc").literal());
  EXPECT_FALSE(glob("abc*").literal());
  EXPECT_TRUE(Glob().matches_all());
  EXPECT_FALSE(glob("?*").matches_all());
  EXPECT_TRUE(has_wildcard("a*"));
  EXPECT_TRUE(has_wildcard("?"));
  EXPECT_FALSE(has_wildcard("a.b"));
}

// Every pattern up to five characters against every name up to six.
TEST(Glob, AgreesWithTheNaiveMatcherOnAllSmallTexts) {
  const std::vector<std::string> names = all_texts("ab", 6);
  for (const std::string& pattern : all_texts("ab*?", 5)) {
    if (pattern.empty()) continue;
    const Glob compiled = glob(pattern);
    for (const std::string& name : names) {
      ASSERT_EQ(compiled.matches(name), naive(pattern, name)) << pattern << " against " << name;
    }
  }
}

TEST(Glob, AgreesWithTheNaiveMatcherOnRandomTexts) {
  std::mt19937 random(20'240'511);
  const auto text = [&](std::string_view alphabet, std::size_t length_max) {
    std::string out(random() % (length_max + 1), ' ');
    for (char& c : out) c = alphabet[random() % alphabet.size()];
    return out;
  };
  int matched = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::string pattern = text("aab:*?", 10), name = text("aab:", 14);
    if (pattern.empty()) continue;
    const bool expected = naive(pattern, name);
    matched += expected;
    ASSERT_EQ(matches(pattern, name), expected) << pattern << " against " << name;
  }
  EXPECT_GT(matched, 1'000);
}

// Long and repetitive, so that most are decided by trying all ways at once; some names are not
// UTF-8, and some patterns are as long as they may be.
TEST(Glob, AgreesWithTheRetryingMatcherOnLongTexts) {
  std::mt19937 random(20'261'123);
  const auto text = [&](const std::vector<std::string>& parts, std::size_t bytes) {
    std::string out;
    for (;;) {
      const std::string& part = parts[random() % parts.size()];
      if (out.size() + part.size() > bytes) return out;
      out += part;
    }
  };
  const std::vector<std::vector<std::string>> patterns{
      {"a", "a", "a", "a", "b", "*"},
      {"a", "a", "a", "a", "a", "a", "a", "?", "*"},
      {"a", "Ã©", "a", "?", "?*", "*", "ð"},
      {"aaaaaaaaaaaa", "*", "aaaaaaab"},
      {"aaaaaaaaaaaaaaaaaa?", "*a", "b"}};
  const std::vector<std::vector<std::string>> names{
      {"a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "b"},
      {"aaaaaaaaaaaaaaa", "aaaaaaab", "b"},
      {"a", "Ã©", "ð", "a"},
      {"a", "a", "Ã", "©", "ð", "", "ÿ"}};
  std::size_t matched = 0, differed = 0;
  for (int i = 0; i < 40'000; ++i) {
    const std::size_t bytes = i % 8 == 0 ? kGlobBytesMax : 2 + random() % 60;
    const std::string pattern = text(patterns[random() % patterns.size()], bytes);
    if (pattern.empty()) continue;
    const std::string name = text(names[random() % names.size()], 400 + random() % 200);
    const Glob compiled = glob(pattern);
    const bool expected = retrying(compiled.pattern(), name);
    ++(expected ? matched : differed);
    ASSERT_EQ(compiled.matches(name), expected) << compiled.pattern() << " against " << name;
  }
  EXPECT_GT(matched, 1'000u);
  EXPECT_GT(differed, 1'000u);
}

// Exponential matchers never come back from these, and retrying takes 255 * 4,096 steps each.
TEST(Glob, TakesBoundedTimeWhateverThePattern) {
  const std::string name(4'096, 'a');
  std::string stars;
  while (stars.size() + 2 < kGlobBytesMax) stars += "a*";
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(matches(stars + "b", name));
    EXPECT_FALSE(matches("*" + std::string(200, 'a') + "b", name));
    EXPECT_FALSE(matches("*a" + std::string(200, '?') + "b", name));
    EXPECT_FALSE(matches(std::string(250, '*') + "b", name));
    EXPECT_TRUE(matches(stars + "a", name));
  }
}

TEST(GlobCovers, SaysWhichRightIncludesWhich) {
  EXPECT_TRUE(glob("*").covers(glob("room-*")));
  EXPECT_TRUE(glob("room-*").covers(glob("room-*")));
  EXPECT_TRUE(glob("room-*").covers(glob("room-eu-*")));
  EXPECT_TRUE(glob("room-*").covers(glob("room-?")));
  EXPECT_TRUE(glob("room-?").covers(glob("room-7")));
  EXPECT_TRUE(glob("?*").covers(glob("*?")));
  EXPECT_FALSE(glob("room-eu-*").covers(glob("room-*")));
  EXPECT_FALSE(glob("room-?").covers(glob("room-*"))) << "a star is more than one character";
  EXPECT_FALSE(glob("?*").covers(glob("*"))) << "a star may be nothing";
  EXPECT_FALSE(glob("room-1").covers(glob("room-?")));
}

// No pattern is said to cover another that takes a name the first does not.
TEST(GlobCovers, NeverGrantsTooMuch) {
  const std::vector<std::string> names = all_texts("ab", 6);
  std::vector<Glob> patterns;
  for (const std::string& text : all_texts("ab*?", 3)) {
    if (!text.empty() && glob(text).pattern() == text) patterns.push_back(glob(text));
  }
  int covered = 0;
  for (const Glob& wide : patterns) {
    for (const Glob& narrow : patterns) {
      if (!wide.covers(narrow)) continue;
      ++covered;
      for (const std::string& name : names) {
        ASSERT_TRUE(!narrow.matches(name) || wide.matches(name))
            << wide.pattern() << " does not cover " << narrow.pattern() << ": " << name;
      }
    }
  }
  EXPECT_GT(covered, 200);
}

}  // namespace
}  // namespace anywire::auth
