// Keys that tokens are signed with. A key knows its algorithm, and that decides: a token that names
// another one is refused whatever its signature, so nobody can choose how they are verified
// (RFC 8725 3.1). That a public key cannot be used as an HMAC secret follows: they are different
// keys.
//
// A key also bounds what its tokens may do, whatever they say (auth/jwt.h).
//
// Secrets live inside OpenSSL and are wiped with the last copy of the key. Nothing here prints
// them.
//
// Thread: a Key is const after it was made, cheap to copy, and may be used by several threads at
// once. Limits: a secret has 32 bytes to 4 KiB, an RSA key 2048 to 8192 bits and an exponent of at
// most 64, an id at most 255 bytes, a set at most kKeysMax keys. What a signature costs the loop,
// on one core of 2024: HS256 1 us, RS256 20 us, ES256 and Ed25519 50 to 100 us, ES512 500 us.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/capability.h"
#include "base/result.h"

namespace anywire::auth {

// As long as the hash of HS256 (RFC 7518 3.2). HS384 and HS512 are no weaker for as many bits.
inline constexpr std::size_t kSecretBytesMin = 32;
inline constexpr std::size_t kSecretBytesMax = 4 * 1024;
inline constexpr std::size_t kKeyIdBytesMax = 255;
inline constexpr std::size_t kKeysMax = 128;
inline constexpr int kRsaBitsMin = 2048;  // RFC 7518 3.3
inline constexpr int kRsaBitsMax = 8192;
inline constexpr int kRsaExponentBitsMax = 64;

// RFC 7518 3.1, RFC 8037 3.1.
enum class Algorithm : std::uint8_t {
  kHs256,
  kHs384,
  kHs512,
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEs512,
  kEdDsa,  // Ed25519 or Ed448, as the key is
};

inline constexpr int kAlgorithms = 13;

// As a token's header spells it: "HS256", ..., "EdDSA".
std::string_view name(Algorithm algorithm);
std::optional<Algorithm> parse_algorithm(std::string_view text);
// All names, in the order of the enumerators.
std::span<const std::string_view> algorithm_names();

constexpr bool is_symmetric(Algorithm algorithm) { return algorithm <= Algorithm::kHs512; }

class Key {
 public:
  // `id` is what tokens call the key (`kid`); a key without one is tried whatever a token says.
  // The id is plain text: no control characters, quotes or backslashes.
  [[nodiscard]] static Result<Key> hs256(std::string id, std::string_view secret) {
    return symmetric(std::move(id), Algorithm::kHs256, secret);
  }
  [[nodiscard]] static Result<Key> symmetric(std::string id, Algorithm algorithm,
                                             std::string_view secret);
  // A public key as PEM (SubjectPublicKeyInfo, "BEGIN PUBLIC KEY"), of the kind that the algorithm
  // wants. A private key is refused: it has no business here.
  [[nodiscard]] static Result<Key> from_pem(std::string id, Algorithm algorithm,
                                            std::string_view pem);

  // The numbers of a public key, big-endian, as a JWK has them (RFC 7518 6.2, 6.3; RFC 8037 2).
  struct RsaNumbers {
    std::string_view modulus, exponent;
  };
  struct EcPoint {
    std::string_view x, y;  // as long as the curve's field, exactly
  };
  [[nodiscard]] static Result<Key> rsa(std::string id, Algorithm algorithm,
                                       const RsaNumbers& numbers);
  // The algorithm says which curve it is on.
  [[nodiscard]] static Result<Key> ec(std::string id, Algorithm algorithm, const EcPoint& point);
  enum class EdwardsCurve : std::uint8_t { kEd25519, kEd448 };
  [[nodiscard]] static Result<Key> edwards(std::string id, EdwardsCurve curve,
                                           std::string_view bytes);

  const std::string& id() const { return id_; }
  Algorithm algorithm() const { return algorithm_; }
  // Whether a token whose header says so may be this key's: the algorithm's name, or the exact one
  // of an Edwards curve (RFC 9864).
  bool goes_by(std::string_view algorithm) const;

  // What tokens of the key may do at most, and what all of them may do though they do not say so;
  // `{sub}` in either stands for the user. Without a bound they may do what they say.
  void set_rights(Capability bound, Capability grants);
  const Capability* bound() const { return rights_ ? &rights_->bound : nullptr; }
  const Capability* grants() const { return rights_ ? &rights_->grants : nullptr; }

  // The signature's bytes. Only a symmetric key can sign.
  [[nodiscard]] Result<std::string> sign(std::string_view input) const;

  // In time that does not depend on where the signature is wrong.
  [[nodiscard]] bool verify(std::string_view input, std::string_view signature) const;

  // Whether that is the secret of this symmetric key, in time that depends on its length only: for
  // who shows the secret itself, as HTTP Basic does.
  [[nodiscard]] bool is_secret(std::string_view text) const;

 private:
  struct Rights {
    Capability bound, grants;
  };
  using Mac = std::shared_ptr<EVP_MAC_CTX>;
  using Public = std::shared_ptr<EVP_PKEY>;

  Key(std::string id, Algorithm algorithm) : id_(std::move(id)), algorithm_(algorithm) {}
  static Result<Key> asymmetric(std::string id, Algorithm algorithm, Public key);

  std::string id_;
  Algorithm algorithm_;
  Mac mac_;        // of a symmetric key: holds the secret; copied for each use
  Public public_;  // of the others
  std::shared_ptr<const Rights> rights_;
};

// The keys of one server, several at a time while they are being rotated.
class KeySet {
 public:
  // Refuses an id that is there already, and more than kKeysMax keys. Several keys may be without.
  Result<void> add(Key key);

  // The key of that id, or null. An empty id finds the first key without one.
  const Key* find(std::string_view id) const;

  std::span<const Key> keys() const { return keys_; }
  bool empty() const { return keys_.empty(); }

 private:
  std::vector<Key> keys_;
};

}  // namespace anywire::auth
