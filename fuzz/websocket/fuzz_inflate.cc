// Inflates hostile data whole and in pieces: the output stays within its limit, both ways agree,
// and what was accepted survives our own deflater. Three bytes choose window, pieces and limit.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "websocket/deflate.h"

namespace {

using namespace anywire;
using namespace anywire::ws;

void check(bool condition) {
  if (!condition) std::abort();
}

InflateStatus inflate_in_pieces(Inflater& inflater, Bytes payload, std::size_t piece_bytes,
                                std::size_t limit, std::vector<std::uint8_t>& out) {
  InflateStatus status = InflateStatus::kOk;
  do {
    const Bytes piece = payload.first(std::min(piece_bytes, payload.size()));
    payload = payload.subspan(piece.size());
    status = inflater.inflate(piece, payload.empty(), limit, out);
    check(out.size() <= limit && out.capacity() <= limit);
  } while (status == InflateStatus::kOk && !payload.empty());
  return status;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto window_bits = static_cast<std::uint8_t>(8 + data[0] % 8);
  const std::size_t piece_bytes = data[1] + 1U;
  const std::size_t limit = std::size_t{1} << data[2] % 18;
  const Bytes payload(data + 3, size - 3);

  Inflater whole(window_bits);
  std::vector<std::uint8_t> message;
  const InflateStatus status = inflate_in_pieces(whole, payload, SIZE_MAX, limit, message);

  Inflater pieces(window_bits);
  std::vector<std::uint8_t> assembled;
  const InflateStatus other = inflate_in_pieces(pieces, payload, piece_bytes, limit, assembled);
  // With a smaller window zlib lets a distance pass that stays within the output of one call.
  if (window_bits == kWindowBitsMax) {
    check(status == other);
    check(status != InflateStatus::kOk || message == assembled);
  }
  if (status != InflateStatus::kOk) return 0;

  // A second message on the same inflater must not trip over what the first one left.
  inflate_in_pieces(whole, payload, piece_bytes, limit, assembled = {});

  std::vector<std::uint8_t> compressed;
  Deflater deflater({.level = 1 + data[0] % 9,
                     .window_bits = std::max(window_bits, kDeflateWindowBitsMin),
                     .mem_level = 1 + data[1] % 9});
  check(deflater.deflate(message, compressed));
  Inflater again(window_bits);
  assembled.clear();
  check(again.inflate(compressed, true, limit, assembled) == InflateStatus::kOk);
  check(assembled == message);
  return 0;
}
