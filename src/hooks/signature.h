// Signer: what lets the customer's application know that a request comes from its Anywire server,
// and is not an old one sent again:
//
//   Anywire-Timestamp: 1767225600
//   Anywire-Signature: v1=<hexadecimal HMAC-SHA256 of "1767225600" "." body, by the shared secret>
//
// The secret lives inside OpenSSL and is wiped with the signer. Nothing here prints it.
//
// Thread: one at a time. Lifetime: arguments are read during the call. Limits: none; the secret's
// length is the configuration's to check.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace anywire::hooks {

class Signer {
 public:
  // Fails only if OpenSSL does.
  static Result<Signer> create(std::string_view secret);

  // The value of Anywire-Signature; empty if OpenSSL fails.
  std::string sign(std::uint64_t unix_s, std::string_view body) const;

 private:
  struct FreeMac {
    void operator()(EVP_MAC_CTX* mac) const;
  };
  using Mac = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

  explicit Signer(Mac mac) : mac_(std::move(mac)) {}

  Mac mac_;  // holds the secret; copied for each use
};

}  // namespace anywire::hooks
