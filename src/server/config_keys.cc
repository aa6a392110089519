#include "server/config_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "auth/capability.h"
#include "auth/key.h"
#include "server/config_accessors.h"
#include "server/config_value.h"

namespace anywire::server {
namespace {

using std::string_view;

constexpr string_view kExpectedName =
    "a name of 1 to 255 bytes without quotes, colons and backslashes";
constexpr string_view kExpectedCapability =
    R"(a JSON object of patterns with operations, such as {"room:*": ["subscribe"]})";

// As auth::Key wants it; and a colon would end it in the HTTP API's credentials (RFC 7617 2).
bool is_key_name(string_view text) {
  return !text.empty() && text.size() <= auth::kKeyIdBytesMax &&
         text.find_first_of("\"\\:") == text.npos;
}

bool is_capability(string_view text) { return auth::Capability::parse(text).has_value(); }

std::vector<Key> build_keys() {
  using S = KeySection;
  constexpr auto kAt = &Config::key_defaults;
  return {
      {"keys", "name", TextKind{at<kAt, &S::name>, is_key_name, kExpectedName},
       "What tokens call the key (`kid`), and the user name of the HTTP API."},
      {"keys", "algorithm", one_of<kAt, &S::algorithm>(auth::algorithm_names()),
       "The algorithm its tokens are signed with; those of any other are refused."},
      {"keys", "secret", SecretKind{at<kAt, &S::secret>, auth::kSecretBytesMin},
       "Of HS256, HS384 and HS512: the secret, known to your application and to Anywire only. "
       "Better in a file of its own."},
      {"keys", "secret_file", TextKind{at<kAt, &S::secret_file>},
       "Path of a file with the secret; a line break at its end does not count."},
      {"keys", "public_key_file", TextKind{at<kAt, &S::public_key_file>},
       "Of all other algorithms: path of a PEM file with the public key (`BEGIN PUBLIC KEY`)."},
      {"keys", "capability", TextKind{at<kAt, &S::capability>, is_capability, kExpectedCapability},
       "What tokens of the key may do at most, whatever they say; and what the key itself may do "
       "in the HTTP API. JSON; `{sub}` stands for the token's user. `manage` is not in `*` and has "
       "to be named."},
      {"keys", "grants", TextKind{at<kAt, &S::grants>, is_capability, kExpectedCapability},
       "What all tokens of the key may do though they do not say so. JSON; `{sub}` stands for the "
       "token's user."},
  };
}

std::span<const Key> key_keys() {
  static const std::vector<Key> all = build_keys();
  return all;
}

void check_key(const Config& config, std::size_t index, std::vector<std::string>& problems) {
  const KeySection& key = config.keys[index];
  const auto add = [&](string_view member, string_view text) {
    problems.push_back(fmt::format("{}key {} ({}) {}",
                                   place_in_list(config.key_sources, index, member), index + 1,
                                   in_quotes_short(key.name), text));
  };
  for (std::size_t before = 0; before < index; ++before) {
    if (config.keys[before].name == key.name) add("name", "has the name of another one");
  }
  const int secrets = (key.secret.empty() ? 0 : 1) + (key.secret_file.empty() ? 0 : 1);
  if (auth::is_symmetric(key.algorithm)) {
    if (secrets == 0) add("secret", "needs a \"secret\" or a \"secret_file\"");
    if (secrets == 2) add("secret", "has a \"secret\" and a \"secret_file\"; one of them is it");
    if (!key.public_key_file.empty()) {
      add("public_key_file", "has a \"public_key_file\", but its algorithm needs a secret");
    }
    return;
  }
  if (secrets != 0) add("secret", "has a secret, but its algorithm needs a \"public_key_file\"");
  if (key.public_key_file.empty()) add("public_key_file", "needs a \"public_key_file\"");
}

}  // namespace

const ListTable& key_list() {
  static const ListTable list{
      .table = kKeysTable,
      .element = "key",
      .name = "key",
      .required = "name",
      .example = "[{name = \"web-2026\", secret_file = \"/run/secrets/anywire\"}]",
      .most = kConfiguredKeysMax,
      .needs_more = true,
      .keys = key_keys,
      .sources = &Config::key_sources,
      .size = [](const Config& config) { return config.keys.size(); },
      .clear = [](Config& config) { config.keys.clear(); },
      .begin = [](Config& scratch, const Config& config) {
        scratch.key_defaults = config.key_defaults;
      },
      .show = [](Config& scratch, const Config& config, std::size_t index) {
        scratch.key_defaults = config.keys[index];
      },
      .add = [](Config& config, const Config& scratch) {
        config.keys.push_back(scratch.key_defaults);
      }};
  return list;
}

void check_keys(const Config& config, std::vector<std::string>& problems) {
  for (std::size_t i = 0; i < config.keys.size(); ++i) check_key(config, i, problems);
}

}  // namespace anywire::server
