#include "codec/utf8.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace anywire::codec {

namespace {

// Below this size the vector code costs more to enter than it saves on plain ASCII.
constexpr std::size_t kVectorBytesMin = 64;

bool is_ascii(Bytes text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::uint64_t seen = 0;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    seen |= word;
  }
  std::uint8_t rest = 0;
  for (; at < text.size(); ++at) rest |= text[at];
  return (seen & kHighBits) == 0 && rest < 0x80;
}

// How many bytes at the end open a sequence that the text does not finish (0 to 3). Whether those
// bytes are allowed at all is for the caller to check.
std::size_t open_tail_bytes(Bytes text) {
  const std::size_t reach = std::min<std::size_t>(3, text.size());
  for (std::size_t back = 1; back <= reach; ++back) {
    const std::uint8_t byte = text[text.size() - back];
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t wanted = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return wanted > back ? back : 0;
  }
  return 0;
}

bool is_valid_bulk(Bytes text) {
  return simdjson::validate_utf8(reinterpret_cast<const char*>(text.data()), text.size());
}

}  // namespace

bool Utf8Validator::refuse() {
  missing_ = 1;
  low_ = 1;
  high_ = 0;
  return false;
}

// The ranges are table 3-7 of the Unicode standard: only the byte after the lead is ever narrower
// than 80..BF.
bool Utf8Validator::step(std::uint8_t byte) {
  if (missing_ > 0) {
    if (byte < low_ || byte > high_) return refuse();
    --missing_;
    low_ = 0x80;
    high_ = 0xBF;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte < 0xC2 || byte > 0xF4) return refuse();
  missing_ = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
  if (byte == 0xE0) low_ = 0xA0;   // below is an overlong form
  if (byte == 0xED) high_ = 0x9F;  // above is a surrogate
  if (byte == 0xF0) low_ = 0x90;   // below is an overlong form
  if (byte == 0xF4) high_ = 0x8F;  // above is beyond U+10FFFF
  return true;
}

bool Utf8Validator::feed(Bytes piece) {
  if (low_ > high_) return false;
  while (missing_ > 0 && !piece.empty()) {
    if (!step(piece.front())) return false;
    piece = piece.subspan(1);
  }
  if (piece.empty()) return true;
  if (piece.size() < kVectorBytesMin && is_ascii(piece)) return true;

  const std::size_t tail_bytes = open_tail_bytes(piece);
  if (!is_valid_bulk(piece.first(piece.size() - tail_bytes))) return refuse();
  for (const std::uint8_t byte : piece.last(tail_bytes)) {
    if (!step(byte)) return false;
  }
  return true;
}

bool is_valid_utf8(Bytes text) {
  if (text.size() < kVectorBytesMin && is_ascii(text)) return true;
  return is_valid_bulk(text);
}

}  // namespace anywire::codec
