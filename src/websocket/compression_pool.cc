#include "websocket/compression_pool.h"

#include <array>

#include "websocket/frame_writer.h"

namespace anywire::ws {
namespace {

// Scratch space beyond this is given back after the message that needed it.
constexpr std::size_t kScratchKeptBytes = 256 * 1024;

}  // namespace

std::unique_ptr<Inflater> CompressionPool::take_inflater() {
  if (free_inflaters_.empty()) return std::make_unique<Inflater>();
  std::unique_ptr<Inflater> inflater = std::move(free_inflaters_.back());
  free_inflaters_.pop_back();
  return inflater;
}

void CompressionPool::give_back(std::unique_ptr<Inflater> inflater) {
  if (free_inflaters_.size() == kFreeInflatersMax) return;
  inflater->reset();
  free_inflaters_.push_back(std::move(inflater));
}

std::unique_ptr<Deflater> CompressionPool::make_deflater(std::uint8_t window_bits) const {
  return std::make_unique<Deflater>(
      DeflaterOptions{.level = level_, .window_bits = window_bits, .keep_context = true});
}

BufferRef CompressionPool::encode(Deflater& deflater, Opcode opcode, Bytes payload) {
  scratch_.clear();
  if (!deflater.deflate(payload, scratch_)) return {};
  std::array<std::uint8_t, kHeaderBytesMax> header;
  const std::size_t size = write_header(header.data(), opcode, true, true, scratch_.size());
  BufferRef frame = Buffer::copy_of(Bytes(header).first(size), scratch_);
  if (scratch_.capacity() > kScratchKeptBytes) scratch_ = {};
  return frame;
}

BufferRef CompressionPool::encode_shared(Opcode opcode, Bytes payload, std::uint8_t window_bits) {
  return encode(shared_.deflater(window_bits), opcode, payload);
}

}  // namespace anywire::ws
