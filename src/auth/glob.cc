#include "auth/glob.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "codec/utf8.h"

namespace anywire::auth {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Where the character that begins at `at` ends. What is not UTF-8 has characters too: a byte and
// the continuation bytes its lead calls for, as far as they are there.
std::size_t after_character(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  int following = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  ++at;
  while (following-- > 0 && at < text.size() &&
         (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) {
    ++at;
  }
  return at;
}

// In each run of wildcards the '?' come first and one '*' is left. So a '?' never follows a '*',
// what follows a '*' is a literal, and the search for it cannot begin inside a character.
std::string normalised(std::string_view text) {
  std::string out;
  bool star = false;
  for (const char c : text) {
    if (c == '*') {
      star = true;
      continue;
    }
    if (star && c != '?') {
      out += '*';
      star = false;
    }
    out += c;
  }
  if (star) out += '*';
  return out;
}

// All ways to match at once: bit i is set as long as what has been read may be what the first i
// bytes of the pattern take. A byte read costs the same whatever they are.
class States {
 public:
  static constexpr std::size_t kCount = kGlobBytesMax + 1;

  void set(std::size_t i) { words_[i / 64] |= std::uint64_t{1} << (i % 64); }
  bool has(std::size_t i) const { return (words_[i / 64] >> (i % 64) & 1) != 0; }

  States operator&(const States& other) const {
    States out;
    for (std::size_t i = 0; i < kWords; ++i) out.words_[i] = words_[i] & other.words_[i];
    return out;
  }
  States operator|(const States& other) const {
    States out;
    for (std::size_t i = 0; i < kWords; ++i) out.words_[i] = words_[i] | other.words_[i];
    return out;
  }
  // Each one byte of the pattern further.
  States next() const {
    States out;
    std::uint64_t carried = 0;
    for (std::size_t i = 0; i < kWords; ++i) {
      out.words_[i] = words_[i] << 1 | carried;
      carried = words_[i] >> 63;
    }
    return out;
  }

 private:
  static constexpr std::size_t kWords = kCount / 64;
  static_assert(kCount % 64 == 0);
  std::array<std::uint64_t, kWords> words_{};
};

// Says what `run<false>` says. A '?' begins where a character of the text does, since all that
// stands before it in the pattern is whole characters and stars with such behind them; so the text
// can be cut into characters beforehand.
bool run_all(std::string_view pattern, std::string_view text) {
  std::array<States, 256> literals;  // for each byte, where the pattern has it
  States stars, marks, states;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') {
      stars.set(i);
    } else if (pattern[i] == '?') {
      marks.set(i);
    } else {
      literals[static_cast<unsigned char>(pattern[i])].set(i);
    }
  }
  // No star has another behind it: one step is all that it gives away.
  const auto past_stars = [&stars](const States& at) { return at | (at & stars).next(); };
  states.set(0);
  states = past_stars(states);
  for (std::size_t t = 0; t < text.size();) {
    const States marked = (states & marks).next();
    for (const std::size_t end = after_character(text, t); t < end; ++t) {
      const States& taken = literals[static_cast<unsigned char>(text[t])];
      states = past_stars((states & taken).next() | (states & stars));
    }
    states = past_stars(states | marked);
  }
  return states.has(pattern.size());
}

// So many bytes may have been compared in vain before `run_all` is the cheaper way.
constexpr std::size_t kTolerableWaste = 512;

// The leftmost match of what stands between two stars is as good as any later one, so only the
// search for the current piece is ever taken up again: no recursion, pattern times text at most.
// Before it comes to that `run_all` takes over.
//
// With kPatterns, `text` is a pattern, too; a '*' in it stands for any number of characters, which
// is more than a '?' takes.
template <bool kPatterns>
bool run(std::string_view pattern, std::string_view text) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0, t = 0;
  std::size_t piece = kNone;  // in the pattern, behind the last star
  std::size_t retry = 0;      // in the text, where that piece was last tried
  std::size_t waste = 0;      // bytes that have been compared in vain
  while (t < text.size()) {
    if (p < pattern.size()) {
      if (pattern[p] == '*') {
        piece = ++p;
        retry = t;
        if (p == pattern.size()) return true;
        continue;
      }
      if (pattern[p] == '?' && !(kPatterns && text[t] == '*')) {
        ++p;
        t = after_character(text, t);
        continue;
      }
      if (pattern[p] != '?' && pattern[p] == text[t]) {
        ++p;
        ++t;
        continue;
      }
    }
    if (piece == kNone) return false;
    waste += p - piece;
    if (!kPatterns && waste > kTolerableWaste && pattern.size() < States::kCount) {
      return run_all(pattern, text);
    }
    p = piece;
    t = ++retry;
  }
  if (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

Result<Glob> Glob::parse(std::string_view text) {
  if (text.empty()) return fail(ErrorCode::kInvalidArgument, "a pattern must not be empty");
  if (text.size() > kGlobBytesMax) {
    return fail(ErrorCode::kLimit, "a pattern has at most 255 bytes");
  }
  if (!codec::is_valid_utf8(as_bytes(text))) {
    return fail(ErrorCode::kInvalidArgument, "a pattern must be UTF-8");
  }
  if (std::any_of(text.begin(), text.end(), is_control)) {
    return fail(ErrorCode::kInvalidArgument, "a pattern must not have control characters");
  }
  return Glob(normalised(text));
}

bool Glob::matches(std::string_view name) const { return glob_matches(pattern_, name); }

bool Glob::covers(const Glob& other) const { return glob_covers(pattern_, other.pattern_); }

std::string_view Glob::literal_prefix() const {
  return std::string_view(pattern_).substr(0, pattern_.find_first_of("*?"));
}

bool glob_matches(std::string_view pattern, std::string_view name) {
  return run<false>(pattern, name);
}

bool glob_covers(std::string_view pattern, std::string_view other) {
  return run<true>(pattern, other);
}

}  // namespace anywire::auth
