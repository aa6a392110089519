#include "websocket/handshake.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/assert.h"
#include "base/bytes.h"
#include "codec/base64.h"
#include "http/chars.h"

namespace anywire::ws {

namespace {

constexpr std::size_t kSha1Bytes = 20;
static_assert(kAcceptKeyBytes == codec::base64_encoded_bytes(kSha1Bytes));

// Walks over a header value once, from left to right.
class HeaderCursor {
 public:
  explicit HeaderCursor(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }

  void skip_space() {
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  // Takes `c` if it is next, with white space around it.
  bool take(char c) {
    skip_space();
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    skip_space();
    return true;
  }

  // Empty when no token is next.
  std::string_view take_token() {
    const std::size_t start = at_;
    while (!at_end() && http::is_token_char(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  // A parameter's value: a token, or a quoted-string that holds one (RFC 6455 9.1). Only as many
  // of its characters as fit are kept in `value`; no value that matters is longer. False when
  // neither is next.
  bool take_value(std::string_view& value, std::span<char> unescaped) {
    if (at_end() || text_[at_] != '"') {
      value = take_token();
      return !value.empty();
    }
    ++at_;
    std::size_t size = 0;
    for (; !at_end() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && ++at_ == text_.size()) return false;
      if (!http::is_token_char(text_[at_])) return false;
      if (size < unescaped.size()) unescaped[size] = text_[at_];
      ++size;
    }
    if (at_end() || size == 0) return false;
    ++at_;
    value = {unescaped.data(), std::min(size, unescaped.size())};
    return true;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

// RFC 7692 7.1.2: a decimal number from 8 to 15 without leading zeros; 0 if it is none.
std::uint8_t parse_window_bits(std::string_view value) {
  if (value == "8" || value == "9") return static_cast<std::uint8_t>(value[0] - '0');
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5') {
    return static_cast<std::uint8_t>(10 + value[1] - '0');
  }
  return 0;
}

// One permessage-deflate offer as it is read.
class ClientOffer {
 public:
  void add(std::string_view name, std::optional<std::string_view> value) {
    if (name == "server_no_context_takeover") {
      add_flag(server_no_context_, value);
    } else if (name == "client_no_context_takeover") {
      add_flag(client_no_context_, value);
    } else if (name == "server_max_window_bits") {
      add_bits(server_bits_, value, false);
    } else if (name == "client_max_window_bits") {
      add_bits(client_bits_, value, true);
    } else {
      valid_ = false;
    }
  }

  std::optional<DeflateParams> accept(const DeflateOffer& server) const {
    if (!valid_ || server.mode == DeflateMode::kOff) return std::nullopt;
    if (server_bits_ && *server_bits_ < kDeflateWindowBitsMin) return std::nullopt;
    const bool shared = server.mode == DeflateMode::kShared;
    DeflateParams params;
    params.server_no_context_takeover = shared || server_no_context_;
    // Allowed in a response even when the client did not offer it (RFC 7692 7.1.1.2).
    params.client_no_context_takeover = shared || client_no_context_;
    params.server_max_window_bits =
        std::min(server.server_max_window_bits, server_bits_.value_or(kWindowBitsMax));
    params.answer_server_max_window_bits = server_bits_.has_value();
    // Not allowed in a response unless the client offered it (RFC 7692 7.1.2.2).
    if (client_bits_) {
      params.client_max_window_bits = std::min(server.client_max_window_bits, *client_bits_);
    }
    return params;
  }

 private:
  void add_flag(bool& flag, std::optional<std::string_view> value) {
    if (flag || value) valid_ = false;
    flag = true;
  }

  void add_bits(std::optional<std::uint8_t>& bits, std::optional<std::string_view> value,
                bool may_lack_value) {
    if (bits || (!value && !may_lack_value)) valid_ = false;
    bits = value ? parse_window_bits(*value) : kWindowBitsMax;
    if (*bits == 0) valid_ = false;
  }

  bool valid_ = true;
  bool server_no_context_ = false;
  bool client_no_context_ = false;
  std::optional<std::uint8_t> server_bits_;
  std::optional<std::uint8_t> client_bits_;
};

// extension = token *( ";" token [ "=" value ] ). False when the grammar is broken. `accepted` is
// set if this is an offer we take and none was taken before.
bool read_extension(HeaderCursor& cursor, const DeflateOffer& server,
                    std::optional<DeflateParams>& accepted) {
  const std::string_view name = cursor.take_token();
  if (name.empty()) return false;
  ClientOffer client;
  while (cursor.take(';')) {
    const std::string_view parameter = cursor.take_token();
    if (parameter.empty()) return false;
    std::optional<std::string_view> value;
    std::array<char, 4> unescaped;  // one more than the longest value that is ever valid
    if (cursor.take('=')) {
      value.emplace();
      if (!cursor.take_value(*value, unescaped)) return false;
    }
    client.add(parameter, value);
  }
  if (!accepted && name == "permessage-deflate") accepted = client.accept(server);
  return true;
}

}  // namespace

bool is_valid_key(std::string_view key) {
  if (key.size() != kKeyBytes || !key.ends_with("==")) return false;
  return std::all_of(key.begin(), key.end() - 2, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '+' || c == '/';
  });
}

void accept_key_to(std::string_view key, char* out) {
  constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3
  // OpenSSL 3 looks an algorithm up under a lock each time it is named, so it is named once.
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<std::uint8_t, kSha1Bytes> digest;
  AW_ASSERT(sha1 != nullptr && context != nullptr);
  AW_ASSERT(EVP_DigestInit_ex(context.get(), sha1, nullptr) == 1 &&
            EVP_DigestUpdate(context.get(), key.data(), key.size()) == 1 &&
            EVP_DigestUpdate(context.get(), kGuid.data(), kGuid.size()) == 1 &&
            EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  codec::base64_encode_to(digest, out);
}

std::string accept_key(std::string_view key) {
  std::string out(kAcceptKeyBytes, '\0');
  accept_key_to(key, out.data());
  return out;
}

// Empty list elements are skipped, as RFC 7230 7 asks of a recipient. Comparing each name with
// those before it is bounded by kSubprotocolsMax.
Result<std::string_view> select_subprotocol(std::string_view offered,
                                            std::span<const std::string_view> supported) {
  std::array<std::string_view, kSubprotocolsMax> names;
  std::size_t count = 0;
  HeaderCursor cursor(offered);
  do {
    cursor.skip_space();
    const std::string_view name = cursor.take_token();
    if (name.empty()) continue;
    if (count == kSubprotocolsMax) return fail(ErrorCode::kLimit, "too many subprotocols");
    const auto end = names.begin() + static_cast<std::ptrdiff_t>(count);
    if (std::find(names.begin(), end, name) != end) {
      return fail(ErrorCode::kInvalidArgument, "subprotocol offered twice");
    }
    names[count++] = name;
  } while (cursor.take(','));
  if (!cursor.at_end()) {
    return fail(ErrorCode::kInvalidArgument, "malformed list of subprotocols");
  }
  for (const std::string_view name : std::span(names).first(count)) {
    const auto found = std::find(supported.begin(), supported.end(), name);
    if (found != supported.end()) return *found;
  }
  return std::string_view();
}

Result<std::optional<DeflateParams>> negotiate_deflate(std::string_view extensions,
                                                       const DeflateOffer& offer) {
  AW_ASSERT(offer.server_max_window_bits >= kDeflateWindowBitsMin &&
            offer.server_max_window_bits <= kWindowBitsMax);
  AW_ASSERT(offer.client_max_window_bits >= 8 && offer.client_max_window_bits <= kWindowBitsMax);
  std::optional<DeflateParams> accepted;
  HeaderCursor cursor(extensions);
  cursor.skip_space();
  while (!cursor.at_end()) {
    if (cursor.take(',')) continue;
    const bool well_formed = read_extension(cursor, offer, accepted);
    if (!well_formed || (!cursor.take(',') && !cursor.at_end())) {
      return fail(ErrorCode::kInvalidArgument, "malformed list of extensions");
    }
  }
  return accepted;
}

std::string deflate_response(const DeflateParams& params) {
  std::string text = "permessage-deflate";
  if (params.server_no_context_takeover) text += "; server_no_context_takeover";
  if (params.client_no_context_takeover) text += "; client_no_context_takeover";
  if (params.answer_server_max_window_bits || params.server_max_window_bits < kWindowBitsMax) {
    text += "; server_max_window_bits=" + std::to_string(params.server_max_window_bits);
  }
  if (params.client_max_window_bits < kWindowBitsMax) {
    text += "; client_max_window_bits=" + std::to_string(params.client_max_window_bits);
  }
  return text;
}

}  // namespace anywire::ws
