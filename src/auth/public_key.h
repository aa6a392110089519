// Public keys and their signatures, by OpenSSL's EVP: RSA with PKCS #1 1.5 and PSS padding, ECDSA
// on the NIST curves, EdDSA. For auth/key.cc; everybody else has Key.
//
// A key is made only if it is of the kind that its algorithm wants, on its curve and neither weak
// nor absurdly large, so that nobody's key costs a loop more than auth/key.h says. Signatures of
// ECDSA are as JWS has them, two numbers of fixed length (RFC 7518 3.4), not DER.
//
// Thread: any; a key is only read. Lifetime: arguments are read during the call.
// Limits: PEM of at most kPemBytesMax; see auth/key.h. Error texts name neither key nor file.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string_view>

#include "auth/key.h"
#include "base/result.h"

namespace anywire::auth {

inline constexpr std::size_t kPemBytesMax = 64 * 1024;

using PublicKey = std::shared_ptr<EVP_PKEY>;

Result<PublicKey> public_key_from_pem(Algorithm algorithm, std::string_view pem);
Result<PublicKey> rsa_public_key(Algorithm algorithm, std::string_view modulus,
                                 std::string_view exponent);
Result<PublicKey> ec_public_key(Algorithm algorithm, std::string_view x, std::string_view y);
Result<PublicKey> edwards_public_key(bool is_ed448, std::string_view bytes);

// False for whatever is not that key's signature, in whatever way.
bool verify_signature(Algorithm algorithm, EVP_PKEY* key, std::string_view input,
                      std::string_view signature);

}  // namespace anywire::auth
