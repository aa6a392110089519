#include "protocol/transport/stream_id.h"

#include <algorithm>
#include <cstddef>

#include "base/random.h"
#include "codec/base64url.h"

namespace anywire::protocol {
namespace {

constexpr std::size_t kBytes = 16 + 3 * 4;
constexpr std::size_t kTextBytes = (kBytes * 4 + 2) / 3;

void put(std::uint8_t* out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::uint32_t get(const std::uint8_t* in) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(in[i]) << (8 * i);
  return value;
}

}  // namespace

StreamId::Secret make_secret() {
  StreamId::Secret secret;
  secure_random(secret);
  return secret;
}

bool same_secret(const StreamId::Secret& a, const StreamId::Secret& b) {
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return difference == 0;
}

std::string to_text(const StreamId& id) {
  std::array<std::uint8_t, kBytes> bytes;
  std::copy(id.secret.begin(), id.secret.end(), bytes.begin());
  put(bytes.data() + 16, id.loop);
  put(bytes.data() + 20, id.slot.slot);
  put(bytes.data() + 24, id.slot.generation);
  return codec::base64url_encode(bytes);
}

std::optional<StreamId> parse_stream_id(std::string_view text) {
  if (text.size() != kTextBytes) return std::nullopt;
  const auto decoded = codec::base64url_decode(text);
  if (!decoded || decoded->size() != kBytes) return std::nullopt;
  const Bytes bytes = as_bytes(*decoded);
  StreamId id;
  std::copy_n(bytes.begin(), id.secret.size(), id.secret.begin());
  id.loop = get(bytes.data() + 16);
  id.slot = {get(bytes.data() + 20), get(bytes.data() + 24)};
  return id;
}

}  // namespace anywire::protocol
