#include "server/auth_keys.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "server/config_value.h"

namespace anywire::server {
namespace {

using ReadFile = std::function<Result<std::string>(const std::string&)>;
using MakeKey = std::function<Result<auth::Key>(std::string_view)>;

// An editor ends a file with a line break, which nobody means to be part of the secret.
std::string_view without_line_break(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// The key that `make` finds in the file; what is wrong with it is said of the setting that names
// the file.
Result<auth::Key> key_of_file(const std::string& path, std::string_view setting,
                              const ReadFile& read_file, const MakeKey& make) {
  const auto in_file = [&](Error error) {
    error.message =
        fmt::format("\"{}\" ({}): {}", setting, in_quotes_short(path), error.message);
    return std::unexpected(std::move(error));
  };
  Result<std::string> text = read_file(path);
  if (!text) return in_file(text.error());
  Result<auth::Key> key = make(without_line_break(*text));
  OPENSSL_cleanse(text->data(), text->size());
  if (!key) return in_file(key.error());
  return key;
}

Result<auth::Capability> capability(const KeySection& section, std::string_view setting,
                                    std::string_view json) {
  Result<auth::Capability> parsed = auth::Capability::parse(json);
  if (parsed) return parsed;
  return fail(parsed.error().code, fmt::format("key {}: \"{}\" must {}",
                                               in_quotes_short(section.name), setting,
                                               parsed.error().message));
}

Result<auth::Key> make_key(const KeySection& section, const ReadFile& read_file) {
  const MakeKey symmetric = [&](std::string_view secret) {
    return auth::Key::symmetric(section.name, section.algorithm, secret);
  };
  const MakeKey from_pem = [&](std::string_view pem) {
    return auth::Key::from_pem(section.name, section.algorithm, pem);
  };
  if (!auth::is_symmetric(section.algorithm)) {
    return key_of_file(section.public_key_file, "keys.public_key_file", read_file, from_pem);
  }
  if (!section.secret.empty()) return symmetric(section.secret);
  return key_of_file(section.secret_file, "keys.secret_file", read_file, symmetric);
}

Result<void> add_key(auth::KeySet& keys, const KeySection& section, const ReadFile& read_file) {
  Result<auth::Key> key = make_key(section, read_file);
  if (!key) return std::unexpected(key.error());
  const auto bound = capability(section, "capability", section.capability);
  if (!bound) return std::unexpected(bound.error());
  const auto grants = capability(section, "grants", section.grants);
  if (!grants) return std::unexpected(grants.error());
  key->set_rights(*bound, *grants);
  return keys.add(*std::move(key));
}

// The short form: one key that has no name.
Result<void> add_unnamed(auth::KeySet& keys, const AuthSection& auth, const ReadFile& read_file) {
  const MakeKey make = [](std::string_view secret) { return auth::Key::hs256("", secret); };
  if (auth.hs256_secret.empty() && auth.hs256_secret_file.empty()) return {};
  Result<auth::Key> key =
      !auth.hs256_secret.empty()
          ? make(auth.hs256_secret)
          : key_of_file(auth.hs256_secret_file, "auth.hs256_secret_file", read_file, make);
  if (!key) return std::unexpected(key.error());
  return keys.add(*std::move(key));
}

}  // namespace

Result<auth::KeySet> load_auth_keys(const Config& config, const ReadFile& read_file) {
  auth::KeySet keys;
  if (auto added = add_unnamed(keys, config.auth, read_file); !added) {
    return std::unexpected(added.error());
  }
  for (const KeySection& section : config.keys) {
    if (auto added = add_key(keys, section, read_file); !added) {
      return std::unexpected(added.error());
    }
  }
  return keys;
}

auth::VerifyOptions verify_options(const AuthSection& auth) {
  return {.leeway = auth.leeway,
          .issuer = auth.issuer,
          .audience = auth.audience,
          .expiry_required = auth.expiry_required};
}

}  // namespace anywire::server
