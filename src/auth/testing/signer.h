// Signer: the other side of a public key, for tests: makes a key pair and signs tokens with it, in
// ways that no honest signer would, too. Only tests include it.
//
// Thread: one at a time. Lifetime: owns its key.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "auth/key.h"
#include "base/bytes.h"
#include "codec/base64url.h"

namespace anywire::auth {

class Signer {
 public:
  // `rsa_bits` counts for RSA only.
  explicit Signer(Algorithm algorithm, unsigned rsa_bits = 2048, bool ed448 = false)
      : algorithm_(algorithm), key_(make(algorithm, rsa_bits, ed448)) {
    EXPECT_NE(key_, nullptr);
  }

  Algorithm algorithm() const { return algorithm_; }

  std::string public_pem() const {
    return written([this](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key_.get()); });
  }
  std::string private_pem() const {
    return written([this](BIO* bio) {
      return PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  Key public_key(std::string id = {}) const {
    return Key::from_pem(std::move(id), algorithm_, public_pem()).value();
  }

  // The signature as JWS has it.
  std::string sign(std::string_view input) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* options = nullptr;
    EXPECT_EQ(EVP_DigestSignInit_ex(context, &options, hash(), nullptr, nullptr, key_.get(),
                                    nullptr),
              1);
    if (algorithm_ >= Algorithm::kPs256 && algorithm_ <= Algorithm::kPs512) {
      EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt_bytes);
    }
    std::string signature(2048, '\0');
    std::size_t size = signature.size();
    EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                             reinterpret_cast<const unsigned char*>(input.data()), input.size()),
              1);
    EVP_MD_CTX_free(context);
    signature.resize(size);
    return number_bytes() == 0 ? signature : raw(signature);
  }

  // A token with this header and these claims, as they are.
  std::string token(std::string_view header, std::string_view claims) const {
    const std::string input =
        codec::base64url_encode(as_bytes(header)) + '.' + codec::base64url_encode(as_bytes(claims));
    return input + '.' + codec::base64url_encode(as_bytes(sign(input)));
  }
  std::string token(std::string_view claims) const {
    return token("{\"alg\":\"" + std::string(name(algorithm_)) + "\"}", claims);
  }

  // A JWK of the public half, without its braces: "kty":"EC",...
  std::string jwk_members() const {
    if (number_bytes() != 0) {
      static constexpr std::array<const char*, 3> kCurves{"P-256", "P-384", "P-521"};
      const auto at = static_cast<std::size_t>(algorithm_) % 3;
      return std::string(R"("kty":"EC","crv":")") + kCurves[at] + R"(","x":")" +
             number(OSSL_PKEY_PARAM_EC_PUB_X, number_bytes()) + R"(","y":")" +
             number(OSSL_PKEY_PARAM_EC_PUB_Y, number_bytes()) + '"';
    }
    if (algorithm_ == Algorithm::kEdDsa) {
      std::array<unsigned char, 64> bytes{};
      std::size_t size = bytes.size();
      EXPECT_EQ(EVP_PKEY_get_raw_public_key(key_.get(), bytes.data(), &size), 1);
      return std::string(R"("kty":"OKP","crv":")") + (size == 32 ? "Ed25519" : "Ed448") +
             R"(","x":")" + codec::base64url_encode(Bytes(bytes.data(), size)) + '"';
    }
    return R"("kty":"RSA","n":")" + number(OSSL_PKEY_PARAM_RSA_N, 0) + R"(","e":")" +
           number(OSSL_PKEY_PARAM_RSA_E, 0) + '"';
  }
  // A private number of it, in base64url.
  std::string private_number() const {
    return number(number_bytes() != 0 ? OSSL_PKEY_PARAM_PRIV_KEY : OSSL_PKEY_PARAM_RSA_D, 0);
  }
  // Of each half of an ECDSA signature; 0 for other keys.
  std::size_t number_bytes() const {
    switch (algorithm_) {
      case Algorithm::kEs256: return 32;
      case Algorithm::kEs384: return 48;
      case Algorithm::kEs512: return 66;
      default: return 0;
    }
  }

  int salt_bytes = RSA_PSS_SALTLEN_DIGEST;

 private:
  struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  using KeyPair = std::unique_ptr<EVP_PKEY, FreeKey>;

  static KeyPair make(Algorithm algorithm, unsigned rsa_bits, bool ed448) {
    switch (algorithm) {
      case Algorithm::kEs256: return KeyPair(EVP_EC_gen("P-256"));
      case Algorithm::kEs384: return KeyPair(EVP_EC_gen("P-384"));
      case Algorithm::kEs512: return KeyPair(EVP_EC_gen("P-521"));
      case Algorithm::kEdDsa:
        return KeyPair(EVP_PKEY_Q_keygen(nullptr, nullptr, ed448 ? "ED448" : "ED25519"));
      default: return KeyPair(EVP_RSA_gen(rsa_bits));
    }
  }

  const char* hash() const {
    static constexpr std::array<const char*, 3> kHashes{"SHA256", "SHA384", "SHA512"};
    if (algorithm_ == Algorithm::kEdDsa) return nullptr;
    return kHashes[static_cast<std::size_t>(algorithm_) % 3];
  }

  template <typename Write>
  static std::string written(Write&& write) {
    BIO* bio = BIO_new(BIO_s_mem());
    EXPECT_EQ(write(bio), 1);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    std::string out(text, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
  }

  std::string number(const char* parameter, std::size_t bytes) const {
    BIGNUM* number = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key_.get(), parameter, &number), 1);
    std::string out(bytes == 0 ? static_cast<std::size_t>(BN_num_bytes(number)) : bytes, '\0');
    auto* bytes_out = reinterpret_cast<unsigned char*>(out.data());
    BN_bn2binpad(number, bytes_out, static_cast<int>(out.size()));
    BN_free(number);
    return codec::base64url_encode(as_bytes(out));
  }

  std::string raw(const std::string& der) const {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* parts = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    const auto half = static_cast<int>(number_bytes());
    std::string out(2 * number_bytes(), '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(out.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(parts), bytes, half);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts), bytes + half, half);
    ECDSA_SIG_free(parts);
    return out;
  }

  Algorithm algorithm_;
  KeyPair key_;
};

}  // namespace anywire::auth
