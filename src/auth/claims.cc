#include "auth/claims.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace anywire::auth {
namespace {

using std::string_view;
namespace dom = simdjson::dom;
using Code = TokenErrorCode;

// The end of the year 9999. A larger number is milliseconds, or an attempt.
constexpr double kSecondsMax = 253'402'300'799.0;

// Claims are read one after the other; the first fault stands, and the steps behind it see that
// they need not bother.
using Fault = std::optional<TokenError>;

Fault fault(Code code, string_view text) { return TokenError{code, text}; }

bool is_plain(string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

// A name that is there twice means one thing to us and another to somebody else. Depth is bounded
// by the parser.
bool has_duplicates(dom::element value) {
  dom::array array;
  if (value.get_array().get(array) == simdjson::SUCCESS) {
    return std::any_of(array.begin(), array.end(), has_duplicates);
  }
  dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return false;
  std::vector<string_view> names;
  for (const dom::key_value_pair& member : object) {
    names.push_back(member.key);
    if (has_duplicates(member.value)) return true;
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

// The text of the value of member number `index` of an object that is known to be valid, without
// white space. As written: numbers keep digits that a double would lose.
std::string member_text(string_view object, std::size_t index) {
  std::string out;
  bool in_string = false, escaped = false, wanted = false;
  std::size_t depth = 0, member = 0;
  for (const char c : object) {
    if (in_string) {
      if (wanted) out += c;
      in_string = c != '"' || escaped;
      escaped = c == '\\' && !escaped;
      continue;
    }
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    if (depth == 1 && c == ':') {
      wanted = member == index;
      continue;
    }
    if (depth == 1 && c == ',') {
      wanted = false;
      ++member;
      continue;
    }
    if ((c == '}' || c == ']') && --depth == 0) break;
    if (c == '{' || c == '[') ++depth;
    if (wanted) out += c;
    in_string = c == '"';
  }
  return out;
}

// One JSON object and the parser its values live in, and point into: it stays where it is.
class Document {
 public:
  Document() = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // False unless it is one object, well-formed to its end and without duplicate names.
  [[nodiscard]] bool parse(string_view json) {
    dom::element root;
    return parser_.allocate(json.size() + 1, kClaimDepthMax) == simdjson::SUCCESS &&
           parser_.parse(simdjson::padded_string(json)).get(root) == simdjson::SUCCESS &&
           root.get_object().get(object_) == simdjson::SUCCESS && !has_duplicates(root);
  }

  dom::object object() const { return object_; }

 private:
  dom::parser parser_;
  dom::object object_;
};

class ClaimsReader {
 public:
  ClaimsReader(string_view json, const VerifyOptions& options, WallTime now)
      : json_(json), options_(options), now_(now) {}

  std::expected<Token, TokenError> read(dom::object claims) {
    std::size_t index = 0;
    for (const dom::key_value_pair& member : claims) {
      if (const Fault found = read_claim(member, index++)) return std::unexpected(*found);
    }
    if (const Fault found = check()) return std::unexpected(*found);
    token_.identity.expires_at = expires_at_;
    return std::move(token_);
  }

 private:
  Fault read_claim(const dom::key_value_pair& member, std::size_t index) {
    const string_view claim = member.key;
    const dom::element value = member.value;
    if (claim == "exp") return read_time(value, expires_at_, "exp must be seconds since 1970");
    if (claim == "nbf") return read_time(value, not_before_, "nbf must be seconds since 1970");
    if (claim == "iat") {
      return read_time(value, token_.issued_at, "iat must be seconds since 1970");
    }
    if (claim == "iss") return read_issuer(value);
    if (claim == "aud") return read_audience(value);
    if (claim == "jti") {
      return read_text(value, kTokenIdBytesMax, token_.id, "jti must be text of 1 to 255 bytes");
    }
    if (claim == "sub") {
      return read_text(value, kUserIdBytesMax, token_.identity.user_id,
                       "sub must be text of 1 to 255 bytes without control characters");
    }
    if (claim == "info") {
      if (!value.is_null()) token_.identity.info = member_text(json_, index);
      return std::nullopt;
    }
    if (claim == "channels") return read_channels(value);
    if (claim == "capability") return read_capability(value);
    return std::nullopt;
  }

  static Fault read_time(dom::element value, std::optional<WallTime>& out, string_view text) {
    double seconds = 0;
    if (!value.is_number() || value.get_double().get(seconds) != simdjson::SUCCESS ||
        !(seconds >= 0 && seconds <= kSecondsMax)) {
      return fault(Code::kInvalidClaim, text);
    }
    out = WallTime(Duration(static_cast<Duration::rep>(std::floor(seconds * 1000))));
    return std::nullopt;
  }

  static Fault read_text(dom::element value, std::size_t bytes_max, std::string& out,
                         string_view text) {
    string_view found;
    if (value.get_string().get(found) != simdjson::SUCCESS || found.empty() ||
        found.size() > bytes_max || !is_plain(found)) {
      return fault(Code::kInvalidClaim, text);
    }
    out = found;
    return std::nullopt;
  }

  Fault read_issuer(dom::element value) {
    string_view issuer;
    if (value.get_string().get(issuer) != simdjson::SUCCESS) {
      return fault(Code::kInvalidClaim, "iss must be text");
    }
    issuer_fits_ = issuer == options_.issuer;
    return std::nullopt;
  }

  // One name or a list of them, RFC 7519 4.1.3.
  Fault read_audience(dom::element value) {
    constexpr string_view kText = "aud must be text or a list of texts";
    string_view audience;
    if (value.get_string().get(audience) == simdjson::SUCCESS) {
      audience_fits_ = audience == options_.audience;
      return std::nullopt;
    }
    dom::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) return fault(Code::kInvalidClaim, kText);
    for (const dom::element one : list) {
      if (one.get_string().get(audience) != simdjson::SUCCESS) {
        return fault(Code::kInvalidClaim, kText);
      }
      if (audience == options_.audience) audience_fits_ = true;
    }
    return std::nullopt;
  }

  Fault read_channels(dom::element value) {
    constexpr string_view kText =
        "channels must be a list of at most 128 channel names of 1 to 255 bytes";
    auto& channels = token_.identity.channels;
    dom::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) return fault(Code::kInvalidClaim, kText);
    for (const dom::element one : list) {
      std::string channel;
      const Fault found = read_text(one, kTokenChannelBytesMax, channel, kText);
      if (found) return found;
      if (std::find(channels.begin(), channels.end(), channel) != channels.end()) continue;
      if (channels.size() >= kTokenChannelsMax) return fault(Code::kInvalidClaim, kText);
      channels.push_back(std::move(channel));
    }
    return std::nullopt;
  }

  Fault read_capability(dom::element value) {
    dom::object patterns;
    if (value.get_object().get(patterns) != simdjson::SUCCESS) {
      return fault(Code::kInvalidClaim, "capability must be an object of patterns");
    }
    for (const dom::key_value_pair& entry : patterns) {
      const std::optional<Operations> operations = read_operations(entry.value);
      if (!operations) {
        return fault(Code::kInvalidClaim,
                     "capability must give each pattern a list of subscribe, publish, presence, "
                     "history, rpc or *");
      }
      if (!token_.identity.capability.add(entry.key, *operations)) {
        return fault(Code::kInvalidClaim,
                     "capability must have at most 256 patterns of 1 to 255 bytes without control "
                     "characters");
      }
    }
    return std::nullopt;
  }

  static std::optional<Operations> read_operations(dom::element value) {
    dom::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) return std::nullopt;
    Operations operations;
    for (const dom::element one : list) {
      string_view text;
      if (one.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
      const std::optional<Operations> operation = parse_operation(text);
      if (!operation) return std::nullopt;
      operations = operations | *operation;
    }
    return operations;
  }

  // What the claims say together and at this time. Expiry comes first: it is what a client can do
  // something about.
  Fault check() const {
    if (!expires_at_ && options_.expiry_required) {
      return fault(Code::kInvalidClaim, "exp is missing: the token would be valid for ever");
    }
    // RFC 7519 4.1.4: on or after is too late.
    if (expires_at_ && now_ >= *expires_at_ + options_.leeway) {
      return fault(Code::kExpired, "the token has expired");
    }
    if (not_before_ && now_ < *not_before_ - options_.leeway) {
      return fault(Code::kNotYetValid, "the token is not valid yet (nbf)");
    }
    // A date ahead of us would also outlive every "revoke what was issued until now".
    if (token_.issued_at && now_ < *token_.issued_at - options_.leeway) {
      return fault(Code::kNotYetValid, "the token was issued in the future (iat)");
    }
    if (!options_.issuer.empty() && !issuer_fits_) {
      return fault(Code::kWrongIssuer, "iss is not the issuer this server trusts");
    }
    if (!options_.audience.empty() && !audience_fits_) {
      return fault(Code::kWrongAudience, "aud does not name this server");
    }
    return std::nullopt;
  }

  string_view json_;
  const VerifyOptions& options_;
  WallTime now_;
  Token token_;
  std::optional<WallTime> expires_at_, not_before_;
  bool issuer_fits_ = false;
  bool audience_fits_ = false;
};

}  // namespace

std::expected<TokenHeader, TokenError> read_header(string_view json) {
  const auto malformed = [](string_view text) {
    return std::unexpected(TokenError{Code::kMalformed, text});
  };
  Document document;
  if (!document.parse(json)) return malformed("the header is not a JSON object of distinct names");
  TokenHeader header;
  bool has_algorithm = false;
  for (const dom::key_value_pair& member : document.object()) {
    string_view text;
    const bool is_text = member.value.get_string().get(text) == simdjson::SUCCESS;
    if (member.key == "alg") {
      if (!is_text) return malformed("alg must be text");
      header.algorithm = text;
      has_algorithm = true;
    } else if (member.key == "kid") {
      if (!is_text) return malformed("kid must be text");
      header.key_id = text;
      header.has_key_id = true;
    } else if (member.key == "crit") {
      return std::unexpected(TokenError{Code::kUnsupportedAlgorithm,
                                        "crit asks for an extension this server does not know"});
    }
  }
  if (!has_algorithm) return malformed("the header has no alg");
  return header;
}

std::expected<Token, TokenError> read_claims(string_view json, const VerifyOptions& options,
                                             WallTime now) {
  Document document;
  if (!document.parse(json)) {
    return std::unexpected(TokenError{
        Code::kMalformed, "the payload is not a JSON object of distinct names"});
  }
  return ClaimsReader(json, options, now).read(document.object());
}

}  // namespace anywire::auth
