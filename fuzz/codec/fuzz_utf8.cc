// Feeds a text in pieces whose sizes the first byte chooses and compares each verdict with a plain
// reading of RFC 3629.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "codec/utf8.h"

namespace {

using anywire::Bytes;

// Length of the code point at the front of `text`; 0 if there is no well-formed one.
std::size_t code_point_bytes(Bytes text) {
  const std::uint8_t lead = text[0];
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC0 || lead > 0xF7 || text.size() < size) return 0;
  std::uint32_t value = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((text[i] & 0xC0) != 0x80) return 0;
    value = value << 6 | (text[i] & 0x3FU);
  }
  const std::uint32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  return value >= least && value <= 0x10FFFF && !surrogate ? size : 0;
}

bool is_valid_plainly(Bytes text) {
  while (!text.empty()) {
    const std::size_t size = code_point_bytes(text);
    if (size == 0) return false;
    text = text.subspan(size);
  }
  return true;
}

void check(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece_bytes = data[0] % 80 + 1U;
  const Bytes text(data + 1, size - 1);
  const bool valid = is_valid_plainly(text);
  check(anywire::codec::is_valid_utf8(text) == valid);

  anywire::codec::Utf8Validator in_pieces;
  anywire::codec::Utf8Validator by_byte;
  bool pieces_fine = true;
  bool bytes_fine = true;
  for (Bytes rest = text; !rest.empty();) {
    const Bytes piece = rest.first(rest.size() < piece_bytes ? rest.size() : piece_bytes);
    rest = rest.subspan(piece.size());
    pieces_fine = in_pieces.feed(piece);
    for (std::size_t i = 0; i < piece.size(); ++i) bytes_fine = by_byte.feed(piece.subspan(i, 1));
    check(pieces_fine == bytes_fine);
  }
  check((pieces_fine && in_pieces.complete()) == valid);
  check((bytes_fine && by_byte.complete()) == valid);
  return 0;
}
