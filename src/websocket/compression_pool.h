// CompressionPool: the (de)compressors of one loop and the making of compressed frames.
//
// Connections that agreed on "no context takeover" borrow an inflater for the time of one message
// and share one deflater per window size, so an idle connection holds neither.
//
// Thread: the loop's. Lifetime: outlives the loop's connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "websocket/deflate.h"
#include "websocket/frame_parser.h"

namespace anywire::ws {

class CompressionPool {
 public:
  explicit CompressionPool(int level) : level_(level), shared_(level) {}

  // Any inflater suits any peer: a larger window than agreed on does no harm.
  std::unique_ptr<Inflater> take_inflater();
  void give_back(std::unique_ptr<Inflater> inflater);

  // For one connection with context take-over.
  std::unique_ptr<Deflater> make_deflater(std::uint8_t window_bits) const;

  // A whole compressed frame. With context the frame must be sent, in order; without, it suits
  // every connection that agreed on this window and no server context (RFC 7692 7.1.1.1). Null only
  // if zlib fails.
  BufferRef encode(Deflater& deflater, Opcode opcode, Bytes payload);
  BufferRef encode_shared(Opcode opcode, Bytes payload, std::uint8_t window_bits = kWindowBitsMax);

 private:
  static constexpr std::size_t kFreeInflatersMax = 4;

  int level_;
  SharedDeflate shared_;
  std::vector<std::unique_ptr<Inflater>> free_inflaters_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace anywire::ws
