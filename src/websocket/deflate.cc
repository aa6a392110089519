#include "websocket/deflate.h"

#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/assert.h"

namespace anywire::ws {

namespace {

// zlib's output goes through an array on the stack: the vector then grows by what there is, not by
// what there might be, and is never filled with zeros first.
constexpr std::size_t kStepBytes = 16 * 1024;
constexpr std::size_t kInputBytesMax = std::numeric_limits<uInt>::max();
constexpr std::uint8_t kTail[] = {0x00, 0x00, 0xFF, 0xFF};

// As std::vector grows, by doubling, but never to a capacity beyond `bytes_max`.
void append(Bytes bytes, std::size_t bytes_max, std::vector<std::uint8_t>& out) {
  const std::size_t needed = out.size() + bytes.size();
  if (needed > out.capacity()) {
    out.reserve(std::max(needed, std::min(bytes_max, 2 * out.capacity())));
  }
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// After inflate(): data_type holds the unused bits of the last byte, +64 inside the last block,
// +128 right after a block's end (zlib.h).
bool stands_between_blocks(const z_stream& stream) { return (stream.data_type & 0xFF) == 128; }

}  // namespace

void Inflater::Free::operator()(z_stream_s* stream) const {
  ::inflateEnd(stream);
  delete stream;
}

Inflater::Inflater(std::uint8_t window_bits) : stream_(new z_stream{}) {
  AW_ASSERT(window_bits >= 8 && window_bits <= kWindowBitsMax);
  // Peers that promise 8 bits and compress with zlib really use 9.
  const int bits = std::max(window_bits, kDeflateWindowBitsMin);
  AW_ASSERT(::inflateInit2(stream_.get(), -bits) == Z_OK);
}

void Inflater::reset() {
  AW_ASSERT(::inflateReset(stream_.get()) == Z_OK);
  at_block_boundary_ = true;
  in_message_ = false;
  failure_ = InflateStatus::kOk;
}

InflateStatus Inflater::inflate(Bytes chunk, bool message_end, std::size_t message_bytes_max,
                                std::vector<std::uint8_t>& out) {
  if (failure_ != InflateStatus::kOk) return failure_;
  while (!chunk.empty() && failure_ == InflateStatus::kOk) {
    in_message_ = true;
    const Bytes part = chunk.first(std::min(chunk.size(), kInputBytesMax));
    failure_ = run(part, message_bytes_max, out);
    chunk = chunk.subspan(part.size());
  }
  if (message_end && failure_ == InflateStatus::kOk) failure_ = finish_message(out);
  return failure_;
}

// The tail the sender cut off closes an empty stored block. A message cut short is caught because
// the tail is then read as something else: it yields output (for which it gets no room), is no
// deflate data, or ends somewhere inside a block.
InflateStatus Inflater::finish_message(std::vector<std::uint8_t>& out) {
  if (!in_message_) return InflateStatus::kOk;
  in_message_ = false;
  const InflateStatus status = run(kTail, out.size(), out);
  const bool ends_well = status == InflateStatus::kOk && at_block_boundary_;
  return ends_well ? InflateStatus::kOk : InflateStatus::kInvalid;
}

InflateStatus Inflater::run(Bytes input, std::size_t bytes_max, std::vector<std::uint8_t>& out) {
  z_stream& stream = *stream_;
  stream.next_in = input.data();
  stream.avail_in = static_cast<uInt>(input.size());
  std::uint8_t step[kStepBytes];
  for (;;) {
    stream.next_out = step;
    stream.avail_out = kStepBytes;
    const int code = ::inflate(&stream, Z_SYNC_FLUSH);
    AW_ASSERT(code != Z_MEM_ERROR && code != Z_STREAM_ERROR);

    const std::size_t produced = kStepBytes - stream.avail_out;
    if (out.size() + produced > bytes_max) return InflateStatus::kTooBig;
    append({step, produced}, bytes_max, out);

    if (code == Z_STREAM_END) {
      // A block with BFINAL ended. The next one starts at the next byte and may refer to what came
      // before. inflateResetKeep() leaves the window in place; saving and restoring it would cost
      // 64 KiB of copying for each two-byte block a peer likes to send.
      AW_ASSERT(::inflateResetKeep(&stream) == Z_OK);
      at_block_boundary_ = true;
      if (stream.avail_in == 0) return InflateStatus::kOk;
      continue;
    }
    // Z_BUF_ERROR only says that the last step had nothing left to do.
    if (code != Z_OK && code != Z_BUF_ERROR) return InflateStatus::kInvalid;
    if (stream.avail_in == 0 && stream.avail_out > 0) {
      at_block_boundary_ = stands_between_blocks(stream);
      return InflateStatus::kOk;
    }
  }
}

void Deflater::Free::operator()(z_stream_s* stream) const {
  ::deflateEnd(stream);
  delete stream;
}

Deflater::Deflater(const DeflaterOptions& options)
    : stream_(new z_stream{}), keep_context_(options.keep_context) {
  AW_ASSERT(options.window_bits >= kDeflateWindowBitsMin && options.window_bits <= kWindowBitsMax);
  AW_ASSERT(::deflateInit2(stream_.get(), options.level, Z_DEFLATED, -int{options.window_bits},
                           options.mem_level, Z_DEFAULT_STRATEGY) == Z_OK);
}

void Deflater::reset() { AW_ASSERT(::deflateReset(stream_.get()) == Z_OK); }

bool Deflater::deflate(Bytes message, std::vector<std::uint8_t>& out) {
  if (message.empty()) {
    // RFC 7692 7.2.3.6: an empty stored block without its tail. zlib is not asked, since it writes
    // nothing when it is flushed twice with no data in between.
    out.push_back(0x00);
    return true;
  }
  if (!keep_context_) reset();
  z_stream& stream = *stream_;
  std::uint8_t step[kStepBytes];
  while (!message.empty()) {
    const Bytes part = message.first(std::min(message.size(), kInputBytesMax));
    message = message.subspan(part.size());
    stream.next_in = part.data();
    stream.avail_in = static_cast<uInt>(part.size());
    const int flush = message.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH;
    do {
      stream.next_out = step;
      stream.avail_out = kStepBytes;
      const int code = ::deflate(&stream, flush);
      if (code != Z_OK && code != Z_BUF_ERROR) return false;
      append({step, kStepBytes - stream.avail_out}, std::numeric_limits<std::size_t>::max(), out);
    } while (stream.avail_out == 0);
  }
  AW_ASSERT(out.size() >= sizeof kTail && std::equal(kTail, kTail + sizeof kTail, out.end() - 4));
  out.resize(out.size() - sizeof kTail);
  return true;
}

Inflater& SharedDeflate::inflater() {
  if (!inflater_) {
    inflater_ = std::make_unique<Inflater>();
  } else {
    inflater_->reset();
  }
  return *inflater_;
}

Deflater& SharedDeflate::deflater(std::uint8_t window_bits) {
  AW_ASSERT(window_bits >= kDeflateWindowBitsMin && window_bits <= kWindowBitsMax);
  std::unique_ptr<Deflater>& deflater = deflaters_[window_bits - kDeflateWindowBitsMin];
  if (!deflater) {
    deflater = std::make_unique<Deflater>(DeflaterOptions{
        .level = level_, .window_bits = window_bits, .mem_level = mem_level_,
        .keep_context = false});
  }
  return *deflater;
}

}  // namespace anywire::ws
