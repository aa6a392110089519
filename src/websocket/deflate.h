// Compression of messages (permessage-deflate, RFC 7692 7.2): payloads in, payloads out. What was
// agreed on with the peer comes from handshake.h.
//
// An Inflater or Deflater is either dedicated to one connection, which keeps the window from
// message to message, or shared by all connections of a loop that agreed on "no context takeover"
// (SharedDeflate below); then an idle connection costs nothing.
//
//   ws::SharedDeflate& shared = ...;                         // one per loop
//   ws::Inflater& inflater = shared.inflater();              // fresh: no window
//   auto status = inflater.inflate(payload, true, limit, message);
//
// A shared inflater is fresh each time it is asked for, so a fragmented message must be collected
// compressed and inflated in one call. A dedicated one may take the fragments as they come.
//
// Thread: none of their own; an object stays on the loop that uses it. Lifetime: arguments are
// used during the call only. Limits: the output of an inflater never grows beyond the limit given,
// in size or in capacity, whatever the input; memory besides is fixed at construction (zlib:
// about 7 KiB plus the window for an inflater, 2^(window_bits+2) + 2^(mem_level+9) bytes for a
// deflater).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"

struct z_stream_s;  // zlib's state, kept out of this header

namespace anywire::ws {

inline constexpr std::uint8_t kWindowBitsMax = 15;
// zlib cannot write raw deflate with a window of 8 bits, so we never promise one.
inline constexpr std::uint8_t kDeflateWindowBitsMin = 9;

// What both sides agreed on. Window bits are upper bounds of what each side uses to compress.
struct DeflateParams {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::uint8_t server_max_window_bits = kWindowBitsMax;
  std::uint8_t client_max_window_bits = kWindowBitsMax;
  // The client asked for a bound on the server's window, so the response has to name one.
  bool answer_server_max_window_bits = false;

  bool operator==(const DeflateParams&) const = default;
};

enum class InflateStatus : std::uint8_t {
  kOk,
  kTooBig,   // close with 1009
  kInvalid,  // not deflate data, or cut short: close with 1007
};

class Inflater {
 public:
  // `window_bits` 8 to 15: the most the peer uses. A bigger window than agreed on does no harm.
  explicit Inflater(std::uint8_t window_bits = kWindowBitsMax);

  // Appends to `out` what the next piece of a message's compressed payload holds. `message_end` is
  // true with the last piece. `out` is the whole message so far, and `message_bytes_max` bounds its
  // size; on a failure it holds some beginning of it. After a failure nothing works until reset().
  //
  // Refused at the end of a message: data that does not stop, byte-aligned, where RFC 7692 7.2.1
  // cuts off the tail 00 00 FF FF. A message whose compressed payload has no bytes at all is taken
  // for the empty message, because some senders' zlib writes nothing when flushed twice. Blocks
  // with BFINAL set may stand anywhere (7.2.3.4) and the window is kept across them.
  [[nodiscard]] InflateStatus inflate(Bytes chunk, bool message_end, std::size_t message_bytes_max,
                                      std::vector<std::uint8_t>& out);

  // Forgets the window and any failure. For "no context takeover": call after each message.
  void reset();

 private:
  struct Free {
    void operator()(z_stream_s* stream) const;
  };

  InflateStatus run(Bytes input, std::size_t bytes_max, std::vector<std::uint8_t>& out);
  InflateStatus finish_message(std::vector<std::uint8_t>& out);

  std::unique_ptr<z_stream_s, Free> stream_;
  bool at_block_boundary_ = true;  // byte-aligned, nothing of a next block read
  bool in_message_ = false;
  InflateStatus failure_ = InflateStatus::kOk;
};

struct DeflaterOptions {
  int level = 6;                               // 1 (fast) to 9 (small)
  std::uint8_t window_bits = kWindowBitsMax;   // kDeflateWindowBitsMin to kWindowBitsMax
  int mem_level = 8;                           // 1 to 9
  bool keep_context = true;  // false: each message starts with an empty window
};

class Deflater {
 public:
  explicit Deflater(const DeflaterOptions& options);

  // Appends the compressed payload of one whole message, without the tail 00 00 FF FF, to `out`.
  // With keep_context the payload must then be sent, in order, or the peer's window is not ours
  // any more. False only if zlib fails, which is a reason to close with 1011.
  [[nodiscard]] bool deflate(Bytes message, std::vector<std::uint8_t>& out);

  // Forgets the window.
  void reset();

 private:
  struct Free {
    void operator()(z_stream_s* stream) const;
  };

  std::unique_ptr<z_stream_s, Free> stream_;
  bool keep_context_;
};

// The compressors of one loop, for all its connections without context takeover. Each is made when
// first asked for; at most one inflater and one deflater per window size exist.
class SharedDeflate {
 public:
  explicit SharedDeflate(int level = 6, int mem_level = 8) : level_(level), mem_level_(mem_level) {}

  // Fresh, good for any peer until the next call.
  Inflater& inflater();

  // `window_bits`: DeflateParams::server_max_window_bits of the receivers.
  Deflater& deflater(std::uint8_t window_bits);

 private:
  int level_;
  int mem_level_;
  std::unique_ptr<Inflater> inflater_;
  std::array<std::unique_ptr<Deflater>, kWindowBitsMax - kDeflateWindowBitsMin + 1> deflaters_;
};

}  // namespace anywire::ws
