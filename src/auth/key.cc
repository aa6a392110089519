#include "auth/key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

#include "auth/public_key.h"
#include "base/bytes.h"
#include "codec/utf8.h"

namespace anywire::auth {
namespace {

constexpr std::array<std::string_view, kAlgorithms> kNames{
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
    "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"};
constexpr std::size_t kLongestHashBytes = 64;

struct FreeMacType {
  void operator()(EVP_MAC* type) const { EVP_MAC_free(type); }
};
struct FreeMac {
  void operator()(EVP_MAC_CTX* mac) const { EVP_MAC_CTX_free(mac); }
};
using MacCopy = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool is_key_id(std::string_view id) {
  const auto bad = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '"' || c == '\\';
  };
  return id.size() <= kKeyIdBytesMax && std::none_of(id.begin(), id.end(), bad) &&
         codec::is_valid_utf8(as_bytes(id));
}

std::unexpected<Error> bad_id() {
  return fail(ErrorCode::kInvalidArgument, "a key's id must be plain text");
}

const char* hash_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHs384: return "SHA384";
    case Algorithm::kHs512: return "SHA512";
    default: return "SHA256";
  }
}

}  // namespace

std::string_view name(Algorithm algorithm) { return kNames[static_cast<std::size_t>(algorithm)]; }

std::optional<Algorithm> parse_algorithm(std::string_view text) {
  const auto found = std::find(kNames.begin(), kNames.end(), text);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Algorithm>(found - kNames.begin());
}

std::span<const std::string_view> algorithm_names() { return kNames; }

Result<Key> Key::symmetric(std::string id, Algorithm algorithm, std::string_view secret) {
  if (!is_key_id(id)) return bad_id();
  if (!is_symmetric(algorithm)) {
    return fail(ErrorCode::kInvalidArgument, "this algorithm needs a public key, not a secret");
  }
  if (secret.size() < kSecretBytesMin) {
    return fail(ErrorCode::kInvalidArgument, "a secret has at least 32 bytes");
  }
  if (secret.size() > kSecretBytesMax) {
    return fail(ErrorCode::kLimit, "a secret has at most 4 KiB");
  }
  const std::unique_ptr<EVP_MAC, FreeMacType> type(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  MacCopy mac(type ? EVP_MAC_CTX_new(type.get()) : nullptr);
  std::string digest = hash_of(algorithm);
  const std::array<OSSL_PARAM, 2> params{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  if (!mac || EVP_MAC_init(mac.get(), bytes_of(secret), secret.size(), params.data()) != 1) {
    return fail(ErrorCode::kTls, "OpenSSL has no HMAC with this hash");
  }
  Key key(std::move(id), algorithm);
  key.mac_ = std::shared_ptr<EVP_MAC_CTX>(mac.release(), FreeMac());
  return key;
}

Result<Key> Key::asymmetric(std::string id, Algorithm algorithm, Public key) {
  Key made(std::move(id), algorithm);
  made.public_ = std::move(key);
  return made;
}

Result<Key> Key::from_pem(std::string id, Algorithm algorithm, std::string_view pem) {
  if (!is_key_id(id)) return bad_id();
  Result<PublicKey> key = public_key_from_pem(algorithm, pem);
  if (!key) return std::unexpected(key.error());
  return asymmetric(std::move(id), algorithm, *std::move(key));
}

Result<Key> Key::rsa(std::string id, Algorithm algorithm, const RsaNumbers& numbers) {
  if (!is_key_id(id)) return bad_id();
  Result<PublicKey> key = rsa_public_key(algorithm, numbers.modulus, numbers.exponent);
  if (!key) return std::unexpected(key.error());
  return asymmetric(std::move(id), algorithm, *std::move(key));
}

Result<Key> Key::ec(std::string id, Algorithm algorithm, const EcPoint& point) {
  if (!is_key_id(id)) return bad_id();
  Result<PublicKey> key = ec_public_key(algorithm, point.x, point.y);
  if (!key) return std::unexpected(key.error());
  return asymmetric(std::move(id), algorithm, *std::move(key));
}

Result<Key> Key::edwards(std::string id, EdwardsCurve curve, std::string_view bytes) {
  if (!is_key_id(id)) return bad_id();
  Result<PublicKey> key = edwards_public_key(curve == EdwardsCurve::kEd448, bytes);
  if (!key) return std::unexpected(key.error());
  return asymmetric(std::move(id), Algorithm::kEdDsa, *std::move(key));
}

bool Key::goes_by(std::string_view algorithm) const {
  if (algorithm == name(algorithm_)) return true;
  if (algorithm_ != Algorithm::kEdDsa) return false;
  return algorithm == (EVP_PKEY_is_a(public_.get(), "ED448") == 1 ? "Ed448" : "Ed25519");
}

void Key::set_rights(Capability bound, Capability grants) {
  rights_ = std::make_shared<const Rights>(Rights{std::move(bound), std::move(grants)});
}

Result<std::string> Key::sign(std::string_view input) const {
  if (!mac_) return fail(ErrorCode::kInvalidArgument, "a public key cannot sign");
  const MacCopy mac(EVP_MAC_CTX_dup(mac_.get()));
  std::string signature(kLongestHashBytes, '\0');
  std::size_t size = 0;
  const bool done =
      mac && EVP_MAC_update(mac.get(), bytes_of(input), input.size()) == 1 &&
      EVP_MAC_final(mac.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                    signature.size()) == 1;
  if (!done) return fail(ErrorCode::kTls, "OpenSSL could not sign");
  signature.resize(size);
  return signature;
}

bool Key::verify(std::string_view input, std::string_view signature) const {
  if (!mac_) return verify_signature(algorithm_, public_.get(), input, signature);
  const Result<std::string> expected = sign(input);
  return expected && expected->size() == signature.size() &&
         CRYPTO_memcmp(expected->data(), signature.data(), signature.size()) == 0;
}

// The secret itself is within OpenSSL. Two keys that sign alike are the same key.
bool Key::is_secret(std::string_view text) const {
  constexpr std::string_view kProbe = "anywire secret comparison";
  if (!mac_) return false;
  const Result<Key> shown = symmetric({}, algorithm_, text);
  const Result<std::string> signature = shown ? shown->sign(kProbe) : sign("");
  return signature && verify(kProbe, *signature);
}

Result<void> KeySet::add(Key key) {
  if (!key.id().empty() && find(key.id()) != nullptr) {
    return fail(ErrorCode::kInvalidArgument, "two keys have the same id");
  }
  if (keys_.size() >= kKeysMax) return fail(ErrorCode::kLimit, "a key set has at most 128 keys");
  keys_.push_back(std::move(key));
  return {};
}

const Key* KeySet::find(std::string_view id) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const Key& key) { return key.id() == id; });
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace anywire::auth
