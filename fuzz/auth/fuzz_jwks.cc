// Any text as a JWKS document, as one key, as a PEM file and as a capability: what comes out keeps
// its limits, is a public key, and verifies nothing it has not signed.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/capability.h"
#include "auth/jwks.h"
#include "base/assert.h"

using namespace anywire::auth;

namespace {

void check(const Key& key) {
  AW_ASSERT(!is_symmetric(key.algorithm()));
  AW_ASSERT(key.id().size() <= kKeyIdBytesMax);
  AW_ASSERT(!key.sign("text"));
  // The lengths that signatures have, and one that none has.
  for (const std::size_t bytes : {std::size_t{64}, std::size_t{96}, std::size_t{132},
                                  std::size_t{114}, std::size_t{256}, std::size_t{7}}) {
    AW_ASSERT(!key.verify("text", std::string(bytes, '\0')));
  }
}

void check_capability(std::string_view text) {
  const auto capability = Capability::parse(text);
  if (!capability) return;
  AW_ASSERT(capability->within(*capability) == *capability || !capability->empty());
  AW_ASSERT(capability->within({}).empty());
  const Capability cut = capability->within(Capability::everything());
  AW_ASSERT(!cut.allows(Operation::kManage, "a"));
  (void)capability->for_user("ann").allows(Operation::kPublish, "user:ann");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto found = read_jwks(text, Capability::everything(), {})) {
    AW_ASSERT(found->keys.keys().size() + found->skipped <= kJwksKeysMax);
    for (const Key& key : found->keys.keys()) check(key);
  }
  if (const auto key = read_jwk(text)) check(*key);
  for (const Algorithm algorithm : {Algorithm::kRs256, Algorithm::kEs256, Algorithm::kEdDsa}) {
    if (const auto key = Key::from_pem("", algorithm, text)) check(*key);
  }
  check_capability(text);
  return 0;
}
