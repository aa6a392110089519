#include "frame_reader.h"

#include <algorithm>

namespace anywire::bench {
namespace {

Message to_message(const ws::FrameHeader& header, Bytes head) {
  return {header.opcode, header.rsv1, header.payload_bytes, head};
}

}  // namespace

ws::HeaderRules FrameReader::rules() const {
  return {.expect_mask = false,
          .allow_rsv1 = allow_compressed_,
          .in_fragmented_message = false,
          .payload_bytes_max = std::uint64_t{1} << 32};
}

const char* FrameReader::feed(Bytes input, FrameSink& sink) {
  const ws::HeaderRules rules = this->rules();
  while (!input.empty()) {
    if (skip_ > 0) {
      if (!skip(input, sink)) return nullptr;
      continue;
    }
    if (held_.empty()) {
      const ws::HeaderResult result = ws::parse_header(input, rules);
      if (result.status == ws::HeaderStatus::kOk) {
        if (!result.header.fin) return "fragmented message";
        const std::uint64_t total = result.header_bytes + result.header.payload_bytes;
        if (input.size() >= total) {
          const Bytes payload = input.subspan(result.header_bytes, result.header.payload_bytes);
          if (!sink.on_frame(to_message(result.header, payload))) return nullptr;
          input = input.subspan(total);
          continue;
        }
      } else if (result.status != ws::HeaderStatus::kNeedMore) {
        return result.reason;
      }
    }
    const Progress progress = take_held(input, sink);
    if (error_ != nullptr) return error_;
    if (progress == Progress::kStopped) return nullptr;
  }
  return nullptr;
}

// Moves bytes to `held_` until it has `total`.
void FrameReader::hold(Bytes& input, std::size_t total) {
  const std::size_t take = std::min(total - held_.size(), input.size());
  held_.insert(held_.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(take));
  input = input.subspan(take);
}

FrameReader::Progress FrameReader::take_held(Bytes& input, FrameSink& sink) {
  if (held_.empty()) hold(input, 2);
  ws::HeaderResult result = ws::parse_header(held_, rules());
  while (result.status == ws::HeaderStatus::kNeedMore) {
    if (input.empty()) return Progress::kNeedMore;
    hold(input, std::max<std::size_t>(result.header_bytes, held_.size() + 1));
    result = ws::parse_header(held_, rules());
  }
  if (result.status != ws::HeaderStatus::kOk) {
    error_ = result.reason;
    return Progress::kStopped;
  }
  if (!result.header.fin) {
    error_ = "fragmented message";
    return Progress::kStopped;
  }
  const bool whole = result.header.payload_bytes <= kWholeBytesMax;
  const std::size_t wanted =
      result.header_bytes +
      (whole ? static_cast<std::size_t>(result.header.payload_bytes) : kHeadBytes);
  if (held_.size() < wanted) hold(input, wanted);
  if (held_.size() < wanted) return Progress::kNeedMore;
  const Bytes payload = Bytes(held_).subspan(result.header_bytes);
  if (whole) {
    const bool go_on = sink.on_frame(to_message(result.header, payload));
    held_.clear();
    return go_on ? Progress::kFrame : Progress::kStopped;
  }
  large_ = to_message(result.header, payload);
  skip_ = result.header.payload_bytes - kHeadBytes;
  return Progress::kFrame;
}

bool FrameReader::skip(Bytes& input, FrameSink& sink) {
  const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, input.size()));
  input = input.subspan(take);
  skip_ -= take;
  if (skip_ > 0) return true;
  const bool go_on = sink.on_frame(large_);
  held_.clear();
  return go_on;
}

}  // namespace anywire::bench
