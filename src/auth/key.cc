#include "auth/key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "codec/utf8.h"

namespace anywire::auth {
namespace {

constexpr std::size_t kSha256Bytes = 32;

struct FreeMacType {
  void operator()(EVP_MAC* type) const { EVP_MAC_free(type); }
};

bool is_key_id(std::string_view id) {
  const auto bad = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '"' || c == '\\';
  };
  return id.size() <= kKeyIdBytesMax && std::none_of(id.begin(), id.end(), bad) &&
         codec::is_valid_utf8(as_bytes(id));
}

}  // namespace

std::string_view name(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHs256: break;
  }
  return "HS256";
}

void Key::FreeMac::operator()(EVP_MAC_CTX* mac) const { EVP_MAC_CTX_free(mac); }

Result<Key> Key::hs256(std::string id, std::string_view secret) {
  if (!is_key_id(id)) return fail(ErrorCode::kInvalidArgument, "a key's id must be plain text");
  if (secret.size() < kSecretBytesMin) {
    return fail(ErrorCode::kInvalidArgument, "an HS256 secret has at least 32 bytes");
  }
  if (secret.size() > kSecretBytesMax) {
    return fail(ErrorCode::kLimit, "an HS256 secret has at most 4 KiB");
  }
  const std::unique_ptr<EVP_MAC, FreeMacType> type(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  Mac mac(type ? EVP_MAC_CTX_new(type.get()) : nullptr);
  char digest[] = "SHA256";
  const std::array<OSSL_PARAM, 2> params{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  if (!mac || EVP_MAC_init(mac.get(), reinterpret_cast<const unsigned char*>(secret.data()),
                           secret.size(), params.data()) != 1) {
    return fail(ErrorCode::kTls, "OpenSSL has no HMAC with SHA-256");
  }
  return Key(std::move(id), Algorithm::kHs256, std::move(mac));
}

Result<std::string> Key::sign(std::string_view input) const {
  const Mac mac(EVP_MAC_CTX_dup(mac_.get()));
  std::string signature(kSha256Bytes, '\0');
  std::size_t size = 0;
  const bool done =
      mac &&
      EVP_MAC_update(mac.get(), reinterpret_cast<const unsigned char*>(input.data()),
                     input.size()) == 1 &&
      EVP_MAC_final(mac.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                    signature.size()) == 1;
  if (!done || size != kSha256Bytes) return fail(ErrorCode::kTls, "OpenSSL could not sign");
  return signature;
}

bool Key::verify(std::string_view input, std::string_view signature) const {
  const Result<std::string> expected = sign(input);
  return expected && expected->size() == signature.size() &&
         CRYPTO_memcmp(expected->data(), signature.data(), signature.size()) == 0;
}

Result<void> KeySet::add(Key key) {
  if (find(key.id()) != nullptr) {
    return fail(ErrorCode::kInvalidArgument, "two keys have the same id");
  }
  if (keys_.size() >= kKeysMax) return fail(ErrorCode::kLimit, "a key set has at most 16 keys");
  keys_.push_back(std::move(key));
  return {};
}

const Key* KeySet::find(std::string_view id) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const Key& key) { return key.id() == id; });
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace anywire::auth
