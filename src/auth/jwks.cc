#include "auth/jwks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "auth/strict_json.h"
#include "base/bytes.h"
#include "codec/base64url.h"

namespace anywire::auth {
namespace {

using std::string_view;
namespace dom = simdjson::dom;

// Members that hold what only the owner of a key may know, RFC 7518 6.2.2, 6.3.2 and 6.4.
constexpr std::array<const char*, 7> kPrivateMembers{"d", "p", "q", "dp", "dq", "qi", "k"};

std::unexpected<Error> refuse(string_view text) {
  return fail(ErrorCode::kInvalidArgument, std::string(text));
}

bool has(dom::object object, const char* name) {
  return object.at_key(name).error() == simdjson::SUCCESS;
}

// Nothing if it is not there, or no text.
std::optional<string_view> text_of(dom::object object, const char* name) {
  string_view text;
  if (object.at_key(name).get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

// A number or a key in base64url; empty if it is none.
std::string bytes_of(dom::object object, const char* name) {
  const std::optional<string_view> text = text_of(object, name);
  if (!text) return {};
  return codec::base64url_decode(*text).value_or("");
}

bool is_private(dom::object jwk) {
  return text_of(jwk, "kty") == "oct" ||
         std::ranges::any_of(kPrivateMembers, [&](const char* name) { return has(jwk, name); });
}

// RFC 7517 4.2, 4.3: those two may each say that it is for something else.
bool verifies(dom::object jwk) {
  if (has(jwk, "use") && text_of(jwk, "use") != "sig") return false;
  if (!has(jwk, "key_ops")) return true;
  dom::array operations;
  if (jwk.at_key("key_ops").get_array().get(operations) != simdjson::SUCCESS) return false;
  return std::any_of(operations.begin(), operations.end(), [](dom::element one) {
    string_view text;
    return one.get_string().get(text) == simdjson::SUCCESS && text == "verify";
  });
}

Result<Key> read_rsa(dom::object jwk, std::string id, std::optional<Algorithm> algorithm) {
  return Key::rsa(std::move(id), algorithm.value_or(Algorithm::kRs256),
                  {.modulus = bytes_of(jwk, "n"), .exponent = bytes_of(jwk, "e")});
}

Result<Key> read_ec(dom::object jwk, std::string id, std::optional<Algorithm> algorithm) {
  const string_view curve = text_of(jwk, "crv").value_or("");
  std::optional<Algorithm> of_curve;
  if (curve == "P-256") of_curve = Algorithm::kEs256;
  if (curve == "P-384") of_curve = Algorithm::kEs384;
  if (curve == "P-521") of_curve = Algorithm::kEs512;
  if (!of_curve) return refuse("the key is on a curve that is not known here");
  if (algorithm && *algorithm != *of_curve) return refuse("the algorithm needs another curve");
  return Key::ec(std::move(id), *of_curve, {.x = bytes_of(jwk, "x"), .y = bytes_of(jwk, "y")});
}

Result<Key> read_okp(dom::object jwk, std::string id, std::optional<Algorithm> algorithm) {
  const string_view curve = text_of(jwk, "crv").value_or("");
  if (algorithm && *algorithm != Algorithm::kEdDsa) {
    return refuse("the algorithm needs another key");
  }
  if (curve != "Ed25519" && curve != "Ed448") {
    return refuse("the key is on a curve that is not known here");
  }
  return Key::edwards(std::move(id),
                      curve == "Ed448" ? Key::EdwardsCurve::kEd448 : Key::EdwardsCurve::kEd25519,
                      bytes_of(jwk, "x"));
}

// `alg`, if it is there; the exact names of the Edwards curves (RFC 9864) are EdDSA's. False when
// it names something that is not known here.
bool read_algorithm(dom::object jwk, std::optional<Algorithm>& algorithm) {
  if (!has(jwk, "alg")) return true;
  const string_view name = text_of(jwk, "alg").value_or("");
  const bool exact = (name == "Ed25519" || name == "Ed448") && text_of(jwk, "crv") == name;
  algorithm = exact ? Algorithm::kEdDsa : parse_algorithm(name);
  return algorithm.has_value();
}

Result<Key> read_key(dom::object jwk) {
  if (is_private(jwk)) return refuse("the key is a secret or has private numbers");
  if (!verifies(jwk)) return refuse("the key is not for verifying signatures");
  std::string id;
  if (has(jwk, "kid")) {
    const std::optional<string_view> text = text_of(jwk, "kid");
    if (!text) return refuse("kid must be text");
    id = *text;
  }
  std::optional<Algorithm> algorithm;
  if (!read_algorithm(jwk, algorithm)) return refuse("the algorithm is not known here");
  const string_view type = text_of(jwk, "kty").value_or("");
  if (type == "RSA") return read_rsa(jwk, std::move(id), algorithm);
  if (type == "EC") return read_ec(jwk, std::move(id), algorithm);
  if (type == "OKP") return read_okp(jwk, std::move(id), algorithm);
  return refuse("the key is of a type that is not known here");
}

}  // namespace

Result<Jwks> read_jwks(string_view json, const Capability& bound, const Capability& grants) {
  if (json.size() > kJwksBytesMax) return refuse("a JWKS document has at most 256 KiB");
  StrictJson document;
  dom::array entries;
  if (!document.parse(json) ||
      document.object().at_key("keys").get_array().get(entries) != simdjson::SUCCESS) {
    return refuse("this is not a JWKS document: a JSON object with a list \"keys\"");
  }
  if (entries.size() > kJwksKeysMax) return refuse("a JWKS document has at most 100 keys");
  Jwks found;
  for (const dom::element entry : entries) {
    dom::object jwk;
    // RFC 7517 5: what is not understood is ignored.
    const bool is_object = entry.get_object().get(jwk) == simdjson::SUCCESS;
    Result<Key> key = is_object ? read_key(jwk) : Result<Key>(refuse("a key is an object"));
    if (key) key->set_rights(bound, grants);
    if (key && found.keys.add(*std::move(key))) continue;
    ++found.skipped;
    if (is_object && is_private(jwk)) ++found.refused;
  }
  return found;
}

Result<Key> read_jwk(string_view json) {
  StrictJson document;
  if (json.size() > kJwksBytesMax || !document.parse(json)) {
    return refuse("this is not a JWK: a JSON object of distinct names");
  }
  return read_key(document.object());
}

}  // namespace anywire::auth
