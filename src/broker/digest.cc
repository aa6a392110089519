#include "broker/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "base/assert.h"
#include "base/bytes.h"

namespace anywire::broker {

Digest digest_of(const Draft& draft) {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  const std::uint64_t event_bytes = draft.event.size();
  // The event's length parts it from the payload, so that no byte can move from one to the other.
  std::array<std::uint8_t, 9> head{static_cast<std::uint8_t>(draft.kind)};
  for (std::size_t i = 0; i < 8; ++i) head[i + 1] = static_cast<std::uint8_t>(event_bytes >> 8 * i);
  const Bytes payload = draft.payload ? draft.payload->bytes() : Bytes{};
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> full;
  AW_ASSERT(EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  AW_ASSERT(EVP_DigestUpdate(context.get(), head.data(), head.size()) == 1);
  AW_ASSERT(EVP_DigestUpdate(context.get(), draft.event.data(), draft.event.size()) == 1);
  AW_ASSERT(EVP_DigestUpdate(context.get(), payload.data(), payload.size()) == 1);
  AW_ASSERT(EVP_DigestFinal_ex(context.get(), full.data(), nullptr) == 1);
  Digest digest;
  std::copy_n(full.begin(), digest.size(), digest.begin());
  return digest;
}

}  // namespace anywire::broker
