// FrameTemplate: the masked frame the generator sends again and again. It is made once; per message
// only the 16-byte stamp (who sends, which number) is patched, already masked.
//
// Payload: dialect prefix, stamp, filler, dialect suffix. The stamp is sixteen letters 'a' to 'p',
// so that the payload is ASCII, may be sent as text and needs no escaping in JSON.
//
// Thread: the loop's. Lifetime: `send` copies or shares; the template may go before the bytes have.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/buffer.h"
#include "dialect.h"
#include "net/stream.h"
#include "websocket/frame_parser.h"

namespace anywire::bench {

// Eight letters, one per nibble, lowest first.
constexpr std::uint64_t encode_letters(std::uint32_t value) {
  std::uint64_t x = value;
  x = (x | x << 16) & 0x0000FFFF0000FFFFu;
  x = (x | x << 8) & 0x00FF00FF00FF00FFu;
  x = (x | x << 4) & 0x0F0F0F0F0F0F0F0Fu;
  return x + 0x6161616161616161u;
}

inline constexpr std::size_t kStampBytes = 16;

struct FrameShape {
  std::size_t payload_bytes = kStampBytes;  // stamp and filler; at least kStampBytes
  bool text = false;
  bool json_like = false;  // filler that deflates as typical JSON does
  Dialect dialect = kPlainDialect;
};

class FrameTemplate {
 public:
  explicit FrameTemplate(const FrameShape& shape);

  // Queues the frame with this stamp.
  void send(net::Stream& stream, std::uint32_t sender, std::uint32_t number);

  // The size of the payload on the wire, dialect included.
  std::size_t wire_payload_bytes() const { return payload_.size(); }
  std::size_t stamp_offset() const { return stamp_at_; }
  // Is this what a server sends back for that stamp? Of a longer message `head` is the beginning.
  bool matches(Bytes head, std::uint32_t sender, std::uint32_t number) const;
  // The same for a payload without the dialect around it.
  static bool stamped(Bytes payload, std::uint32_t sender, std::uint32_t number);

 private:
  std::vector<std::uint8_t> payload_;  // unmasked; for comparing
  std::vector<std::uint8_t> start_;    // masked frame, or its beginning if it is large
  BufferRef rest_;                     // masked rest of a large frame, shared by all messages
  std::size_t stamp_at_ = 0;           // in the payload
  std::size_t stamp_in_frame_ = 0;
  std::uint64_t stamp_mask_ = 0;
};

}  // namespace anywire::bench
