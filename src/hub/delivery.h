// Delivery: what one walk over a channel's subscribers hands to each of them: a run of consecutive
// publications, and their wire forms on this loop, made by the first receiver that needs one and
// shared by the rest. Each (adapter, variant) has a number of its own.
//
// Thread: the loop's. Lifetime: of one walk; receivers keep the frames, not the Delivery.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "broker/publication.h"

namespace anywire::hub {

class Delivery {
 public:
  static constexpr std::size_t kVariantsMax = 20;
  using Publications = std::span<const broker::PublicationPtr>;

  // `publications` is not empty and outlives the object.
  explicit Delivery(Publications publications) : publications_(publications) {}

  Publications publications() const { return publications_; }
  std::size_t payload_bytes_max() const;

  // The frames of all publications, back to back in one buffer. `encode` makes that of one.
  template <typename Encode>
  const BufferRef& frame(std::size_t variant, Encode&& encode) {
    BufferRef& frame = frames_[variant];
    if (frame) return frame;
    if (publications_.size() == 1) return frame = encode(*publications_[0]);
    std::vector<BufferRef> parts;
    parts.reserve(publications_.size());
    for (const broker::PublicationPtr& one : publications_) parts.push_back(encode(*one));
    return frame = joined(parts);
  }

  // The frame of one publication, for receivers that do not want all of them.
  template <typename Encode>
  const BufferRef& frame_of(std::size_t index, std::size_t variant, Encode&& encode) {
    if (publications_.size() == 1) return frame(variant, encode);
    if (!singles_) singles_ = std::make_unique<Singles>(publications_.size());
    BufferRef& frame = (*singles_)[index][variant];
    if (!frame) frame = encode(*publications_[index]);
    return frame;
  }

 private:
  using Frames = std::array<BufferRef, kVariantsMax>;
  using Singles = std::vector<Frames>;
  static BufferRef joined(const std::vector<BufferRef>& parts);

  Publications publications_;
  Frames frames_;
  std::unique_ptr<Singles> singles_;
};

}  // namespace anywire::hub
