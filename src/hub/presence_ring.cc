#include "hub/presence_ring.h"

#include <cstddef>
#include <utility>

#include "base/assert.h"

namespace anywire::hub {

void PresenceRing::add(PresenceDiffPtr diff, const Limits& limits) {
  AW_ASSERT(diffs_.empty() || diffs_.back().diff->version_to == diff->version_from);
  if (diff->stands_alone()) {
    diffs_.clear();
    bytes_ = 0;
  }
  const std::size_t bytes = diff->bytes();
  diffs_.push_back({std::move(diff), bytes});
  bytes_ += bytes;
  std::size_t dropped = 0;
  while (dropped < diffs_.size() &&
         (diffs_.size() - dropped > limits.diffs_max || bytes_ > limits.bytes_max)) {
    bytes_ -= diffs_[dropped++].bytes;
  }
  diffs_.erase(diffs_.begin(), diffs_.begin() + static_cast<std::ptrdiff_t>(dropped));
}

std::optional<std::vector<PresenceDiffPtr>> PresenceRing::since(std::uint64_t version) const {
  if (diffs_.empty()) return std::nullopt;
  const PresenceDiff& oldest = *diffs_.front().diff;
  std::size_t first = 0;
  if (version >= oldest.version_from) {
    first = static_cast<std::size_t>(version - oldest.version_from);
  } else if (!oldest.stands_alone()) {
    return std::nullopt;
  }
  std::vector<PresenceDiffPtr> missed;
  for (std::size_t i = first; i < diffs_.size(); ++i) missed.push_back(diffs_[i].diff);
  return missed;
}

}  // namespace anywire::hub
