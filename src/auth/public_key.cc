#include "auth/public_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <string>

namespace anywire::auth {
namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using ParamBuild = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;
using PublicContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>>;

// What an algorithm is made of. `curve` is OpenSSL's name.
struct Recipe {
  enum class Kind : std::uint8_t { kNone, kRsa, kRsaPss, kEc, kEdwards };
  Kind kind = Kind::kNone;
  const char* hash = nullptr;
  const char* curve = nullptr;
  std::size_t number_bytes = 0;  // of a coordinate, and of each half of a signature
};

Recipe recipe_of(Algorithm algorithm) {
  using Kind = Recipe::Kind;
  switch (algorithm) {
    case Algorithm::kRs256: return {Kind::kRsa, "SHA256"};
    case Algorithm::kRs384: return {Kind::kRsa, "SHA384"};
    case Algorithm::kRs512: return {Kind::kRsa, "SHA512"};
    case Algorithm::kPs256: return {Kind::kRsaPss, "SHA256"};
    case Algorithm::kPs384: return {Kind::kRsaPss, "SHA384"};
    case Algorithm::kPs512: return {Kind::kRsaPss, "SHA512"};
    case Algorithm::kEs256: return {Kind::kEc, "SHA256", "prime256v1", 32};
    case Algorithm::kEs384: return {Kind::kEc, "SHA384", "secp384r1", 48};
    case Algorithm::kEs512: return {Kind::kEc, "SHA512", "secp521r1", 66};
    case Algorithm::kEdDsa: return {Kind::kEdwards};
    default: return {};
  }
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::unexpected<Error> refuse(std::string_view text) {
  // What OpenSSL has noted about it would turn up in somebody else's error.
  ERR_clear_error();
  return fail(ErrorCode::kInvalidArgument, std::string(text));
}

BigNumber number(std::string_view bytes) {
  return BigNumber(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

// Whether the key, wherever it came from, is one for this algorithm.
Result<PublicKey> check_rsa(PublicKey key) {
  if (EVP_PKEY_is_a(key.get(), "RSA") != 1) return refuse("the algorithm needs an RSA key");
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < kRsaBitsMin) return refuse("an RSA key has at least 2048 bits");
  if (bits > kRsaBitsMax) return refuse("an RSA key has at most 8192 bits");
  BIGNUM* found = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_E, &found) != 1) {
    return refuse("the RSA key has no exponent");
  }
  const BigNumber exponent(found);
  if (BN_num_bits(exponent.get()) > kRsaExponentBitsMax || BN_is_odd(exponent.get()) == 0 ||
      BN_is_one(exponent.get()) != 0) {
    return refuse("the exponent of an RSA key is odd, more than 1 and has at most 64 bits");
  }
  return key;
}

Result<PublicKey> check_ec(const Recipe& recipe, PublicKey key) {
  std::array<char, 64> curve{};
  const bool on_curve = EVP_PKEY_is_a(key.get(), "EC") == 1 &&
                        EVP_PKEY_get_group_name(key.get(), curve.data(), curve.size(),
                                                nullptr) == 1 &&
                        std::string_view(curve.data()) == recipe.curve;
  if (!on_curve) return refuse("the algorithm needs a key on another curve");
  const PublicContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (!context || EVP_PKEY_public_check(context.get()) != 1) {
    return refuse("the key is no point on its curve");
  }
  return key;
}

Result<PublicKey> check(Algorithm algorithm, PublicKey key) {
  const Recipe recipe = recipe_of(algorithm);
  switch (recipe.kind) {
    case Recipe::Kind::kNone: break;
    case Recipe::Kind::kRsa:
    case Recipe::Kind::kRsaPss: return check_rsa(std::move(key));
    case Recipe::Kind::kEc: return check_ec(recipe, std::move(key));
    case Recipe::Kind::kEdwards:
      if (EVP_PKEY_is_a(key.get(), "ED25519") == 1 || EVP_PKEY_is_a(key.get(), "ED448") == 1) {
        return key;
      }
      return refuse("the algorithm needs an Ed25519 or Ed448 key");
  }
  return refuse("the algorithm needs a secret, not a public key");
}

Result<PublicKey> key_of_params(const char* type, OSSL_PARAM_BLD* build) {
  const Params params(OSSL_PARAM_BLD_to_param(build));
  const PublicContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  const bool made = params && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) == 1;
  if (!made) return refuse("the numbers are no public key");
  return PublicKey(key, Freer<EVP_PKEY_free>());
}

// Never asks anybody for a pass phrase.
int no_passphrase(char*, int, int, void*) { return 0; }

// RFC 7518 3.4: both numbers in full length, one behind the other. OpenSSL wants DER.
std::string der_signature(const Recipe& recipe, std::string_view signature) {
  if (signature.size() != 2 * recipe.number_bytes) return {};
  const EcdsaSignature parts(ECDSA_SIG_new());
  BigNumber r = number(signature.substr(0, recipe.number_bytes));
  BigNumber s = number(signature.substr(recipe.number_bytes));
  if (!parts || !r || !s || ECDSA_SIG_set0(parts.get(), r.get(), s.get()) != 1) return {};
  // They are the signature's now.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int bytes = i2d_ECDSA_SIG(parts.get(), &der);
  if (bytes <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(bytes));
  OPENSSL_free(der);
  return out;
}

// RFC 7518 3.5: the salt is as long as the hash, and the mask is made by the same hash.
bool set_pss(EVP_PKEY_CTX* context, const char* hash) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, hash, nullptr) == 1;
}

}  // namespace

Result<PublicKey> public_key_from_pem(Algorithm algorithm, std::string_view pem) {
  if (pem.size() > kPemBytesMax) return refuse("a PEM file of a key has at most 64 KiB");
  if (pem.find("PRIVATE KEY-----") != pem.npos) {
    return refuse("this is a private key; tokens are verified with its public key "
                  "(openssl pkey -pubout)");
  }
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EVP_PKEY* key =
      bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr) : nullptr;
  if (key == nullptr) return refuse("there is no public key in PEM form in it");
  return check(algorithm, PublicKey(key, Freer<EVP_PKEY_free>()));
}

Result<PublicKey> rsa_public_key(Algorithm algorithm, std::string_view modulus,
                                 std::string_view exponent) {
  // Before any arithmetic with it.
  constexpr std::size_t kLongestModulus = static_cast<std::size_t>(kRsaBitsMax) / 8 + 1;
  if (modulus.size() > kLongestModulus || exponent.size() > kLongestModulus) {
    return refuse("an RSA key has at most 8192 bits");
  }
  const BigNumber n = number(modulus);
  const BigNumber e = number(exponent);
  const ParamBuild build(OSSL_PARAM_BLD_new());
  if (!n || !e || !build ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return refuse("the numbers are no public key");
  }
  Result<PublicKey> key = key_of_params("RSA", build.get());
  if (!key) return key;
  return check(algorithm, *std::move(key));
}

Result<PublicKey> ec_public_key(Algorithm algorithm, std::string_view x, std::string_view y) {
  const Recipe recipe = recipe_of(algorithm);
  if (recipe.kind != Recipe::Kind::kEc || x.size() != recipe.number_bytes ||
      y.size() != recipe.number_bytes) {
    return refuse("a point has two coordinates of its curve's length");
  }
  std::string point(1, '\x04');  // uncompressed, SEC 1 2.3.3
  point.append(x).append(y);
  const ParamBuild build(OSSL_PARAM_BLD_new());
  if (!build ||
      OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, recipe.curve, 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return refuse("the numbers are no public key");
  }
  Result<PublicKey> key = key_of_params("EC", build.get());
  if (!key) return key;
  return check(algorithm, *std::move(key));
}

Result<PublicKey> edwards_public_key(bool is_ed448, std::string_view bytes) {
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key_ex(nullptr, is_ed448 ? "ED448" : "ED25519", nullptr,
                                                 bytes_of(bytes), bytes.size());
  if (key == nullptr) return refuse("an Ed25519 key has 32 bytes, an Ed448 key 57");
  return PublicKey(key, Freer<EVP_PKEY_free>());
}

bool verify_signature(Algorithm algorithm, EVP_PKEY* key, std::string_view input,
                      std::string_view signature) {
  const Recipe recipe = recipe_of(algorithm);
  if (recipe.kind == Recipe::Kind::kNone) return false;
  std::string der;
  if (recipe.kind == Recipe::Kind::kEc) {
    der = der_signature(recipe, signature);
    if (der.empty()) return false;
    signature = der;
  }
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  const bool good =
      context &&
      EVP_DigestVerifyInit_ex(context.get(), &options, recipe.hash, nullptr, nullptr, key,
                              nullptr) == 1 &&
      (recipe.kind != Recipe::Kind::kRsaPss || set_pss(options, recipe.hash)) &&
      EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(input),
                       input.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace anywire::auth
