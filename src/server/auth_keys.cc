#include "server/auth_keys.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "server/config_value.h"

namespace anywire::server {
namespace {

// An editor ends a file with a line break, which nobody means to be part of the secret.
std::string_view without_line_break(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

Result<auth::KeySet> key_set(std::string_view secret) {
  Result<auth::Key> key = auth::Key::hs256("", secret);
  if (!key) return std::unexpected(key.error());
  auth::KeySet keys;
  if (const auto added = keys.add(std::move(*key)); !added) return std::unexpected(added.error());
  return keys;
}

}  // namespace

Result<auth::KeySet> load_auth_keys(
    const AuthSection& auth,
    const std::function<Result<std::string>(const std::string&)>& read_file) {
  if (!auth.hs256_secret.empty()) return key_set(auth.hs256_secret);
  if (auth.hs256_secret_file.empty()) return auth::KeySet();
  const auto in_file = [&](Error error) {
    error.message = fmt::format("\"auth.hs256_secret_file\" ({}): {}",
                                in_quotes_short(auth.hs256_secret_file), error.message);
    return std::unexpected(std::move(error));
  };
  Result<std::string> text = read_file(auth.hs256_secret_file);
  if (!text) return in_file(text.error());
  Result<auth::KeySet> keys = key_set(without_line_break(*text));
  OPENSSL_cleanse(text->data(), text->size());
  if (!keys) return in_file(keys.error());
  return keys;
}

auth::VerifyOptions verify_options(const AuthSection& auth) {
  return {.leeway = auth.leeway,
          .issuer = auth.issuer,
          .audience = auth.audience,
          .expiry_required = auth.expiry_required};
}

}  // namespace anywire::server
