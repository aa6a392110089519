// Keys that tokens are signed with. A key knows its algorithm, and that decides: a token that names
// another one is refused whatever its signature, so nobody can choose how they are verified
// (RFC 8725 3.1). HS256 is what there is; other algorithms are further factories here.
//
// The secret lives inside OpenSSL and is wiped with the key. Nothing here prints it.
//
// Thread: a Key is const after it was made and may be used by several threads at once.
// Limits: a secret has 32 bytes to 4 KiB, an id at most 255 bytes, a set at most 16 keys.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace anywire::auth {

// RFC 7518 3.2: a key as long as the hash at least.
inline constexpr std::size_t kSecretBytesMin = 32;
inline constexpr std::size_t kSecretBytesMax = 4 * 1024;
inline constexpr std::size_t kKeyIdBytesMax = 255;
inline constexpr std::size_t kKeysMax = 16;

enum class Algorithm { kHs256 };

// As a token's header spells it.
std::string_view name(Algorithm algorithm);

class Key {
 public:
  // `id` is what tokens call the key (`kid`); a key without one is tried whatever a token says.
  // The id is plain text: no control characters, quotes or backslashes.
  [[nodiscard]] static Result<Key> hs256(std::string id, std::string_view secret);

  const std::string& id() const { return id_; }
  Algorithm algorithm() const { return algorithm_; }

  // The signature's bytes; what a verifier expects over the same input.
  [[nodiscard]] Result<std::string> sign(std::string_view input) const;

  // In time that does not depend on where the signature is wrong.
  [[nodiscard]] bool verify(std::string_view input, std::string_view signature) const;

 private:
  struct FreeMac {
    void operator()(EVP_MAC_CTX* mac) const;
  };
  using Mac = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

  Key(std::string id, Algorithm algorithm, Mac mac)
      : id_(std::move(id)), algorithm_(algorithm), mac_(std::move(mac)) {}

  std::string id_;
  Algorithm algorithm_;
  Mac mac_;  // holds the secret; copied for each use
};

// The keys of one issuer, several at a time while they are being rotated.
class KeySet {
 public:
  // Refuses an id that is there already, and more than kKeysMax keys.
  Result<void> add(Key key);

  // The key of that id, or null. An empty id finds the key without one.
  const Key* find(std::string_view id) const;

  std::span<const Key> keys() const { return keys_; }
  bool empty() const { return keys_.empty(); }

 private:
  std::vector<Key> keys_;
};

}  // namespace anywire::auth
