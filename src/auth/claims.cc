#include "auth/claims.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "auth/capability_json.h"
#include "auth/strict_json.h"

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
      if (token_.identity.info.size() <= kTokenInfoBytesMax) return std::nullopt;
      return fault(Code::kInvalidClaim, "info must have at most 4096 bytes");
    }
    if (claim == "channels") return read_channels(value);
    if (claim == "capability") return read_rights(value);
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

  Fault read_rights(dom::element value) {
    Result<Capability> capability = read_capability(value);
    if (!capability) {
      return fault(Code::kInvalidClaim, value.is_object()
                                            ? "capability must give each of at most 256 patterns a "
                                              "list of subscribe, publish, presence, history, rpc, "
                                              "manage or *"
                                            : "capability must be an object of patterns");
    }
    token_.identity.capability = *std::move(capability);
    return std::nullopt;
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
  StrictJson document;
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
  StrictJson document;
  if (!document.parse(json)) {
    return std::unexpected(TokenError{
        Code::kMalformed, "the payload is not a JSON object of distinct names"});
  }
  return ClaimsReader(json, options, now).read(document.object());
}

}  // namespace anywire::auth
