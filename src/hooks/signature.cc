#include "hooks/signature.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <utility>

namespace anywire::hooks {
namespace {

constexpr std::size_t kDigestBytes = 32;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void Signer::FreeMac::operator()(EVP_MAC_CTX* mac) const { EVP_MAC_CTX_free(mac); }

Result<Signer> Signer::create(std::string_view secret) {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  Mac mac(hmac == nullptr ? nullptr : EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  if (!mac || EVP_MAC_init(mac.get(), octets(secret), secret.size(), params) != 1) {
    return fail(ErrorCode::kTls, "OpenSSL cannot sign with the application's secret");
  }
  return Signer(std::move(mac));
}

std::string Signer::sign(std::uint64_t unix_s, std::string_view body) const {
  const Mac mac(EVP_MAC_CTX_dup(mac_.get()));
  const std::string timestamp = std::to_string(unix_s) + ".";
  std::array<unsigned char, kDigestBytes> digest;
  std::size_t size = 0;
  if (!mac || EVP_MAC_update(mac.get(), octets(timestamp), timestamp.size()) != 1 ||
      EVP_MAC_update(mac.get(), octets(body), body.size()) != 1 ||
      EVP_MAC_final(mac.get(), digest.data(), &size, digest.size()) != 1) {
    return {};
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "v1=";
  out.reserve(out.size() + 2 * size);
  for (std::size_t i = 0; i < size; ++i) {
    out += kDigits[digest[i] >> 4];
    out += kDigits[digest[i] & 15];
  }
  return out;
}

}  // namespace anywire::hooks
