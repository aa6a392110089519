// Any text as a token, as signed claims, as a header and as patterns: verify() answers with a token
// or a refusal and never crashes; what it accepts keeps its limits, and a token without our
// signature is never accepted.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/jwt.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "codec/base64url.h"

using namespace anywire;
using namespace anywire::auth;

namespace {

constexpr WallTime kNow{std::chrono::seconds(1'700'000'000)};

const KeySet& keys() {
  static const KeySet set = [] {
    KeySet all;
    AW_ASSERT(all.add(*Key::hs256("a", "the first secret, of some length")));
    AW_ASSERT(all.add(*Key::hs256("b", "the second secret, just as long.")));
    return all;
  }();
  return set;
}

void check(const std::expected<Token, TokenError>& result) {
  if (!result) {
    AW_ASSERT(!name(result.error().code).empty() && !result.error().text.empty());
    return;
  }
  const Identity& identity = result->identity;
  AW_ASSERT(identity.user_id.size() <= kUserIdBytesMax);
  AW_ASSERT(identity.info.size() <= kTokenBytesMax);
  AW_ASSERT(identity.channels.size() <= kTokenChannelsMax);
  for (const std::string& channel : identity.channels) {
    AW_ASSERT(!channel.empty() && channel.size() <= kTokenChannelBytesMax);
    (void)identity.capability.allows(Operation::kSubscribe, channel);
  }
  AW_ASSERT(!identity.expires_at || *identity.expires_at + Duration(30'000) > kNow);
}

std::string b64(std::string_view text) { return codec::base64url_encode(as_bytes(text)); }

std::string with_signature(const std::string& input) {
  return input + '.' + b64(keys().keys()[0].sign(input).value());
}

// The pattern up to the first line break, the names behind it.
void check_globs(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return;
  const Result<Glob> glob = Glob::parse(text.substr(0, end));
  const std::string_view rest = text.substr(end + 1);
  if (!glob) return;
  AW_ASSERT(Glob::parse(glob->pattern()).value() == *glob);
  const bool matched = glob->matches(rest);
  AW_ASSERT(!glob->literal() || matched == (rest == glob->pattern()));
  AW_ASSERT(!matched || rest.starts_with(glob->literal_prefix()));
  AW_ASSERT(glob->covers(*glob) && Glob().covers(*glob));
  if (const Result<Glob> other = Glob::parse(rest)) {
    // A pattern without wildcards is a name.
    if (other->literal()) AW_ASSERT(glob->covers(*other) == matched);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const VerifyOptions open{.expiry_required = false};

  // Nobody finds a signature by fuzzing; the corpus holds none that is right either.
  const auto raw = verify(text, keys(), open, kNow);
  check(raw);
  AW_ASSERT(!raw);

  check(verify(with_signature(b64(R"({"alg":"HS256"})") + '.' + b64(text)), keys(), open, kNow));
  const auto header = verify(with_signature(b64(text) + '.' + b64("{}")), keys(), open, kNow);
  check(header);
  AW_ASSERT(!header || text.find("HS256") != text.npos || text.find('\\') != text.npos);
  check_globs(text);
  return 0;
}
