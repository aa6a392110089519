#include "frame_template.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "websocket/frame_writer.h"
#include "websocket/mask.h"

namespace anywire::bench {
namespace {

// Any key does, but not zero: a server might be tempted to skip the work.
constexpr std::array<std::uint8_t, 4> kMaskBytes{0x5B, 0xC2, 0x97, 0x3E};
constexpr std::size_t kCopiedBytesMax = 4096;

// Sentences of a small vocabulary in a fixed pseudo-random order: they deflate to about a third.
std::string json_like_filler(std::size_t size) {
  static constexpr std::array<std::string_view, 16> kWords{
      "price", "order", "status", "room", "user", "hello", "update", "delta",
      "north", "seven", "amount", "tick", "open", "close", "pending", "total"};
  std::string text;
  std::uint32_t state = 12345;
  while (text.size() < size) {
    state = state * 1664525u + 1013904223u;
    text += kWords[state >> 28];
    text += ':';
    text += std::to_string(state >> 16 & 0xFFF);
    text += ' ';
  }
  text.resize(size);
  return text;
}

}  // namespace

FrameTemplate::FrameTemplate(const FrameShape& shape) : stamp_at_(shape.dialect.prefix.size()) {
  std::string text(shape.dialect.prefix);
  text.append(kStampBytes, 'a');
  const std::size_t filler = shape.payload_bytes - kStampBytes;
  text += shape.json_like ? json_like_filler(filler) : std::string(filler, 'x');
  text += shape.dialect.suffix;
  payload_.assign(text.begin(), text.end());

  std::uint32_t key = 0;
  std::memcpy(&key, kMaskBytes.data(), sizeof key);
  std::uint8_t header[ws::kHeaderBytesMax];
  const std::size_t header_bytes =
      ws::write_masked_header(header, shape.text ? ws::Opcode::kText : ws::Opcode::kBinary, true,
                              false, payload_.size(), key);
  start_.assign(header, header + header_bytes);
  start_.insert(start_.end(), payload_.begin(), payload_.end());
  ws::unmask(MutableBytes(start_).subspan(header_bytes), key, 0);
  stamp_in_frame_ = header_bytes + stamp_at_;
  if (start_.size() > kCopiedBytesMax) {
    const std::size_t kept = stamp_in_frame_ + kStampBytes;
    rest_ = Buffer::copy_of(Bytes(start_).subspan(kept));
    start_.resize(kept);
  }
  std::array<std::uint8_t, 8> mask;
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = kMaskBytes[(stamp_at_ + i) % 4];
  std::memcpy(&stamp_mask_, mask.data(), mask.size());
}

void FrameTemplate::send(net::Stream& stream, std::uint32_t sender, std::uint32_t number) {
  const std::array<std::uint64_t, 2> stamp{encode_letters(sender) ^ stamp_mask_,
                                           encode_letters(number) ^ stamp_mask_};
  std::memcpy(start_.data() + stamp_in_frame_, stamp.data(), sizeof stamp);
  stream.write(Bytes(start_));
  if (rest_) stream.write(rest_);
}

bool FrameTemplate::matches(Bytes head, std::uint32_t sender, std::uint32_t number) const {
  return head.size() >= stamp_at_ && stamped(head.subspan(stamp_at_), sender, number);
}

bool FrameTemplate::stamped(Bytes payload, std::uint32_t sender, std::uint32_t number) {
  const std::array<std::uint64_t, 2> stamp{encode_letters(sender), encode_letters(number)};
  if (payload.size() < sizeof stamp) return false;
  return std::memcmp(payload.data(), stamp.data(), sizeof stamp) == 0;
}

}  // namespace anywire::bench
