#include "auth/glob.h"

#include <algorithm>

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

// The leftmost match of what stands between two stars is as good as any later one, so only the
// search for the current piece is ever taken up again: no recursion, pattern times text at most.
//
// With kPatterns, `text` is a pattern, too; a '*' in it stands for any number of characters, which
// is more than a '?' takes.
template <bool kPatterns>
bool run(std::string_view pattern, std::string_view text) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0, t = 0;
  std::size_t piece = kNone;  // in the pattern, behind the last star
  std::size_t retry = 0;      // in the text, where that piece was last tried
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
